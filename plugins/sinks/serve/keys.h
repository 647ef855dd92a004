/* SPDX-License-Identifier: Apache-2.0 */
/* keys.h: who may ask, and how much.
 *
 * Keys come from a file of hashes, one a line; '#' begins a comment:
 *
 *     # hash                                      name        marks
 *     sha256:9f86d081884c7d65…b0f00a08            web         rpm=600 tpm=200000
 *     sha256:2c26b46b68ffc68f…e7f07b1e            web         until=2027-01-31
 *     sha256:pepper:7d1a54127b222502…c4f17d5c     batch
 *     sha256:fcde2b2edba56bf4…6d2a5e35            operator    admin
 *     *                                           anyone      rpm=30
 *
 *     printf %s "$KEY" | sha256sum                 a hash ("sha256:" in front may be left out)
 *     printf %s%s pepper "$KEY" | sha256sum        the hash of a salted one
 *
 * Lines with one name are one client: keys are rotated by adding the new one under the same name,
 * and its limits count for all of them together (they stand on one of the lines).  "admin" opens
 * /admin alone and answers no questions, so that an operator's key and a client's are two.  "until"
 * is the last day (UTC) on which a key holds.  '*' lets in who brings no key.
 *
 * A key shows up nowhere: not in logs, not in messages.  The key that is asked with is compared
 * with all lines in time that does not depend on where they differ.
 *
 * Rates are token buckets (RFC 6585's 429 with Retry-After): as many requests or tokens a minute as
 * stated, a minute's worth at once.  Tokens of an answer are charged when it has ended, so a bucket
 * may go below nothing; then the next request waits.
 */
#ifndef FLOWRUN_SERVE_KEYS_H
#define FLOWRUN_SERVE_KEYS_H

#include <flowrun/param.h>
#include <glib.h>

#include "record.h"

G_BEGIN_DECLS

/** ServeKeysConfig: as in SERVE_KEYS_PARAMS. */
typedef struct
{
  char *path;
  gint64 rpm, tpm;
} ServeKeysConfig;

#define SERVE_KEYS_PARAMS(Config, in)                                                              \
  FR_PARAM_PATH (                                                                                  \
      "keys", Config, in.path,                                                                     \
      "file of hashes of API keys, read again when it changes; none: no key is needed, "           \
      "and there is no /admin",                                                                    \
      .flags = FR_PARAM_NO_RESULT, .example = "\"/etc/flowrun/keys\""),                            \
      FR_PARAM_INT ("key_rpm", Config, in.rpm, 0, 1e9,                                             \
                    "requests that a client may make in a minute, where its line says nothing; "   \
                    "0: any number",                                                               \
                    .def = "0", .unit = "requests"),                                               \
      FR_PARAM_INT ("key_tpm", Config, in.tpm, 0, 1e12,                                            \
                    "tokens of prompts and answers that a client may use in a minute, where its "  \
                    "line says nothing; 0: any number",                                            \
                    .def = "0", .unit = "tokens")

typedef struct _ServeKeys ServeKeys;
/** ServeClient: who asks: all keys of one name; reference-counted, outlives a change of the file.
 */
typedef struct _ServeClient ServeClient;

/**
 * serve_keys_new: reads the file.
 * @config: borrowed, must outlive it; @teller: copied
 * @error: FR_ERROR_IO; FR_ERROR_CONFIG names file and line, never what stands there
 */
ServeKeys *serve_keys_new (const ServeKeysConfig *config, const ServeTeller *teller,
                           GError **error);
void serve_keys_free (ServeKeys *keys);
/** serve_keys_has_admin: whether any key opens /admin: without one there are no admin routes. */
gboolean serve_keys_has_admin (ServeKeys *keys);
/** serve_keys_needed: whether a request without a key is refused. */
gboolean serve_keys_needed (ServeKeys *keys);

/**
 * serve_keys_refresh: reads the file again when it changed (inode, size or time); run() calls it
 * about once a second.  A file that cannot be read, or holds a wrong line, changes nothing: it is
 * said once, and the keys that were there go on.
 * Returns whether the keys changed.
 */
gboolean serve_keys_refresh (ServeKeys *keys);

typedef enum
{
  SERVE_ROLE_USE = 0,
  SERVE_ROLE_ADMIN
} ServeRole;

typedef enum
{
  SERVE_ACCESS_GRANTED = 0,
  SERVE_ACCESS_MISSING,   /* 401: no key was given */
  SERVE_ACCESS_WRONG,     /* 401: nobody's key, or one past its last day */
  SERVE_ACCESS_FORBIDDEN, /* 403: a key of the other role */
  SERVE_ACCESS_LIMITED    /* 429: see serve_client_take() */
} ServeAccess;

/**
 * serve_keys_check: who is it?
 * @keys: NULL: nobody is refused, but for SERVE_ROLE_ADMIN, which then is SERVE_ACCESS_WRONG
 * @authorization: the header's value ("Bearer KEY"); or NULL
 * @key: of "x-api-key" or "api-key" (Azure); used when there is no @authorization; or NULL
 * @client: the caller's to unref; NULL when no key was needed
 */
ServeAccess serve_keys_check (ServeKeys *keys, const char *authorization, const char *key,
                              ServeRole role, ServeClient **client);

/** ServeQuota: for the x-ratelimit headers of OpenAI; a limit of 0: there is none, no header. */
typedef struct
{
  guint64 limit_requests, remaining_requests, limit_tokens, remaining_tokens;
  gint64 reset_requests_us, reset_tokens_us; /* until the bucket is full again */
  guint retry_after;                         /* s, at least 1, with SERVE_ACCESS_LIMITED */
} ServeQuota;

/**
 * serve_client_take: one request with @tokens of prompt; NULL clients take freely.
 * @now: monotonic µs
 * Returns SERVE_ACCESS_GRANTED (charged), or SERVE_ACCESS_LIMITED (nothing charged).
 * A prompt larger than a minute's tokens is let through when the bucket is full, and leaves a debt.
 */
ServeAccess serve_client_take (ServeClient *client, guint64 tokens, gint64 now, ServeQuota *quota);
/** serve_client_charge: tokens of its answer. */
void serve_client_charge (ServeClient *client, guint64 tokens, gint64 now);
/** serve_client_name: for logs; valid as long as the client. */
const char *serve_client_name (ServeClient *client);
ServeClient *serve_client_ref (ServeClient *client);
void serve_client_unref (ServeClient *client);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServeKeys, serve_keys_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServeClient, serve_client_unref)

G_END_DECLS

#endif
