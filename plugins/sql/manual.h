/* SPDX-License-Identifier: Apache-2.0 */
/* manual.h: what the manual pages of the three sources say alike. */
#ifndef SQL_MANUAL_H
#define SQL_MANUAL_H

#define SQL_MANUAL_CHECK                                                                           \
  "`flowrun check` does not connect. Declare the columns in `result`, and it checks what "         \
  "follows\n"                                                                                      \
  "against them; without, it says that it could not. A run asks the server what the query gives\n" \
  "before any stage begins, and stops there if the columns are not those that `result` "           \
  "declares,\n"                                                                                    \
  "or if the table is changed before the first row is read.\n\n"

#define SQL_MANUAL_PASSWORD(form)                                                                  \
  "## The password\n\n"                                                                            \
  "`dsn` is a secret: it stands in a file or in the environment, never in the pipeline. It is "    \
  "in\n"                                                                                           \
  "no log, message, report or manifest; those name server, database and user.\n\n"                 \
  "    umask 077; echo '" form "' > shop.dsn\n\n"                                                  \
  "and in the pipeline `\"dsn\": {\"file\": \"shop.dsn\"}`. "

#define SQL_MANUAL_READING                                                                         \
  "## What is read\n\n"                                                                            \
  "One SELECT, or a table. A table comes in the order of its primary key, so that a row's "        \
  "position\n"                                                                                     \
  "(its number in the result) stays the same when rows are added behind; give a query an ORDER "   \
  "BY\n"                                                                                           \
  "for the same reason. Values in `parameters` are bound, never pasted into the text. A value "    \
  "that\n"                                                                                         \
  "does not fit its column rejects the row: `type`, `range` (too far away, infinite, too "         \
  "large),\n"                                                                                      \
  "`encoding` (text that is not UTF-8) or `value`.\n\n"                                            \
  "A connection that cannot be made is tried again, `retries` times; so is a query whose "         \
  "connection\n"                                                                                   \
  "breaks before its first row. When the server goes away later the run fails and says after "     \
  "how\n"                                                                                          \
  "many rows; no sink has put anything in place, and the next run starts over.\n\n"

#define SQL_MANUAL_AGAIN                                                                           \
  "## The second run\n\n"                                                                          \
  "Nobody outside the server can tell whether its rows changed, so by default every run reads "    \
  "them\n"                                                                                         \
  "again, and all that follows is done again. There are two ways to have less work:\n\n"           \
  "* `reuse_while` is a query that is cheap and tells one state of the data from another. While "  \
  "its\n"                                                                                          \
  "  rows stay the same, the stage counts as unchanged, like a file with the same content.\n"      \
  "* `incremental` names a column that only grows (a number, a time, a uuid that is sorted by "    \
  "time):\n"                                                                                       \
  "  each run reads what came after the run before. How far it came is kept in the run "           \
  "directory\n"                                                                                    \
  "  (state.json), and moves on only when a whole run has ended well: after a failure, a kill "    \
  "or\n"                                                                                           \
  "  `--until` the next run begins where the last good one ended. `--fresh` begins anew, at "      \
  "`since`\n"                                                                                      \
  "  if that is given. Rows keep counting on: the first of the second run is not number 1.\n\n"    \
  "Rows written later with the very value that a run ended at are not lost: the next run reads "   \
  "that\n"                                                                                         \
  "value again, and passes over the rows that it gave before, by their content\n"                  \
  "(`rows_seen_before`). Rows whose value is null or infinite are rejected (`no_position`) by "    \
  "the run\n"                                                                                      \
  "that meets them; a run that reads on does not see nulls. What no column can show: rows "        \
  "deleted, rows\n"                                                                                \
  "changed without a new value, and transactions that end later than others with higher values; "  \
  "for\n"                                                                                          \
  "these, follow a time that the query holds back a little (`... where updated_at < now() - "      \
  "interval\n"                                                                                     \
  "'5 minutes'`). A position belongs to its server, table and column; with others the run "        \
  "stops.\n\n"

#define SQL_MANUAL_DENY                                                                            \
  "`--deny network` refuses this element, also for a socket on this machine: where the data "      \
  "comes\n"                                                                                        \
  "from is in a secret that is not read before.\n\n"

#endif
