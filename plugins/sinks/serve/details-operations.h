/* SPDX-License-Identifier: Apache-2.0 */
/* details-operations.h: the manual's prose on keys, models, files, cache, figures and logs. */
#ifndef SERVE_DETAILS_OPERATIONS_H
#define SERVE_DETAILS_OPERATIONS_H

#define SERVE_DETAILS_OPERATIONS                                                                   \
  "\n"                                                                                             \
  "### Keys\n"                                                                                     \
  "\n"                                                                                             \
  "`keys` is a file of hashes, one a line, with the client's name and what it may:\n"              \
  "\n"                                                                                             \
  "```\n"                                                                                          \
  "# hash                                                            name      marks\n"            \
  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  web       rpm=600 "           \
  "tpm=200000\n"                                                                                   \
  "sha256:pepper:7d1a54127b222502f5b79b5fb0803061152a44f92b37e23c6527baf665d4da9a  batch\n"        \
  "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae  operator  admin "             \
  "until=2027-01-31\n"                                                                             \
  "*                                                                 anyone    rpm=30\n"           \
  "```\n"                                                                                          \
  "\n"                                                                                             \
  "`openssl rand -hex 32` makes a key, `printf %s \"$KEY\" | sha256sum` its hash, and `printf "    \
  "%s%s pepper \"$KEY\" |\n"                                                                       \
  "sha256sum` that of a salted one. Lines with one name are one client: to change a key, add the " \
  "new one under the same\n"                                                                       \
  "name, and take the old line out later. `rpm` and `tpm` are requests and tokens a minute, a "    \
  "minute's worth at once;\n"                                                                      \
  "beyond: 429 with `Retry-After`. `until` is the last day (UTC). An `admin` key opens `/admin` "  \
  "and answers no\n"                                                                               \
  "questions. `*` lets in who brings no key. The file is read again within a second of a change; " \
  "one with a mistake\n"                                                                           \
  "changes nothing and is told by its line. Keys are compared in constant time and are never "     \
  "logged. Without `keys` no\n"                                                                    \
  "key is asked for; without an admin key at the start there is no `/admin`.\n"                    \
  "\n"                                                                                             \
  "### Several models, and new ones\n"                                                             \
  "\n"                                                                                             \
  "`adapters` are LoRA adapters over the model, each under a public name; they share its weights " \
  "and its batch. Every\n"                                                                         \
  "load under a name is a revision: `shoes@1`, `shoes@2`. A request may ask for a name or for a "  \
  "revision.\n"                                                                                    \
  "\n"                                                                                             \
  "```sh\n"                                                                                        \
  "A=\"Authorization: Bearer $ADMIN_KEY\"\n"                                                       \
  "curl -H \"$A\" localhost:8080/admin/models\n"                                                   \
  "curl -H \"$A\" localhost:8080/admin/adapters -d '{\"name\": \"shoes\", \"path\": "              \
  "\"/srv/shoes-new\", \"percent\": 5}'\n"                                                         \
  "curl -H \"$A\" localhost:8080/admin/routes -d '{\"name\": \"shoes\", \"targets\": "             \
  "{\"shoes@1\": 50, \"shoes@2\": 50}}'\n"                                                         \
  "curl -H \"$A\" localhost:8080/admin/rollback -d '{\"name\": \"shoes\"}'\n"                      \
  "curl -H \"$A\" -X DELETE localhost:8080/admin/adapters/shoes@1\n"                               \
  "curl -H \"$A\" -X POST localhost:8080/admin/cache/clear\n"                                      \
  "```\n"                                                                                          \
  "\n"                                                                                             \
  "An adapter is checked whole before anything changes; requests at work end with the revision "   \
  "they began with, and a\n"                                                                       \
  "load that fails changes nothing and says why. `percent` makes the new revision a canary. Who "  \
  "gets it is decided by a\n"                                                                      \
  "hash of the request's `user`, else of the key's name, else by chance: one person stays on one " \
  "side, and a canary that\n"                                                                      \
  "grows keeps whom it had. A `shadow` in a route answers the same requests again for "            \
  "`shadow_log`, where both answers\n"                                                             \
  "stand side by side; it begins only when nobody waits, `shadow_running` at most, and is cut "    \
  "off when others find no\n"                                                                      \
  "place (counted: `flowrun_shadow_answers_total`). Old revisions are kept for a roll-back, "      \
  "`max_adapters` in all.\n"                                                                       \
  "Changes by `/admin` last until the server ends; what should be there at the next start "        \
  "belongs "                                                                                       \
  "into `adapters` and\n"                                                                          \
  "`routes`.\n"                                                                                    \
  "\n"                                                                                             \
  "With `rollback_fault_share` or `rollback_p95` (or a route's own `guard`: `fault_share`, "       \
  "`p95_ms`, `window_s`,\n"                                                                        \
  "`watch_s`, `least`) a revision that is new in its route goes back by itself when it fails too " \
  "often or is too slow. A\n"                                                                      \
  "fault is an answer that the server could not give (500, 504), not a wrong request; answers "    \
  "from the cache, and those\n"                                                                    \
  "whose client left, do not count.\n"                                                             \
  "\n"                                                                                             \
  "### The model's files\n"                                                                        \
  "\n"                                                                                             \
  "Adapters are read into memory; their directories may change or go. The model's own weights "    \
  "are mapped from their\n"                                                                        \
  "files. Put new files in place by renaming: the server goes on with what it opened, tells that " \
  "the file is another now,\n"                                                                     \
  "and serves the new one when it is started again. Who overwrites a file in place (`cp`) is "     \
  "held up by a lease, where\n"                                                                    \
  "the server may take one (Linux, the files' owner, a local file system), until the weights are " \
  "in memory; where it may\n"                                                                      \
  "not, overwriting can end the server, and it says so at the start. `weights_in: \"memory\"` "    \
  "copies them at the start.\n"                                                                    \
  "\n"                                                                                             \
  "### Figures and logs\n"                                                                         \
  "\n"                                                                                             \
  "`/metrics` has figures of its own (`flowrun_...`: requests by route and status, latency, time " \
  "to first token, time per\n"                                                                     \
  "token, queue, batch, keys and values, cache, adapters, roll-backs, errors by kind) and vLLM's " \
  "names and buckets beside\n"                                                                     \
  "them, so that dashboards made for it work.\n"                                                   \
  "\n"                                                                                             \
  "`access_log` gets a line of JSON for each request: when, who (the key's name), route, status, " \
  "revision, tokens, cache,\n"                                                                     \
  "times in queue, to the first token and in all, and why it ended. Nobody waits for it: lines "   \
  "are written by a thread of\n"                                                                   \
  "their own, dropped and counted when the disk is too slow, and kept for later when it is full. " \
  "It may be moved away at\n"                                                                      \
  "any time; the next line opens it anew. A `shadow_log` and `access_log_text` hold what people "  \
  "wrote: their files are\n"                                                                       \
  "for their owner alone.\n"

#endif
