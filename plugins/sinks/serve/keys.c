/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c: who asks, and how much they asked for already (keys.h). */
#include "config.h"

#include "keys.h"

#include <errno.h>
#include <flowrun/error.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "keys-private.h"

#define MAX_FILE (4 * 1024 * 1024)
#define MAX_KEY 4096
#define RACY G_TIME_SPAN_SECOND /* clocks of file systems go by ticks */
#define MINUTE (60.0 * G_USEC_PER_SEC)

/* A token bucket: @limit in a minute, and as many at once.  @level may be below 0. */
typedef struct
{
  double limit, level;
  gint64 filled; /* monotonic µs; 0: never used: full */
} Bucket;

struct _ServeClient
{
  gint refs;
  char *name;
  GMutex lock;
  Bucket requests, tokens;
};

/* What tells one state of a file from another. */
typedef struct
{
  guint64 device, inode, size;
  gint64 seconds, nanoseconds;
} Stamp;

struct _ServeKeys
{
  const ServeKeysConfig *config;
  ServeTeller teller;
  GMutex lock;
  ServeKeyTable *table;
  Stamp seen; /* of the file when it was last read, well or not */
  XXH128_hash_t content;
  gboolean racy; /* it was read so soon after a change that another would not show in its stamp */
  gboolean missing;
};

/* ---- clients -----------------------------------------------------------------------------------
 */

static ServeClient *
client_new (const char *name)
{
  ServeClient *client = g_new0 (ServeClient, 1);

  client->refs = 1;
  client->name = g_strdup (name);
  g_mutex_init (&client->lock);
  return client;
}

ServeClient *
serve_client_ref (ServeClient *client)
{
  g_atomic_int_inc (&client->refs);
  return client;
}

void
serve_client_unref (ServeClient *client)
{
  if (client == NULL || !g_atomic_int_dec_and_test (&client->refs))
    return;
  g_mutex_clear (&client->lock);
  g_free (client->name);
  g_free (client);
}

const char *
serve_client_name (ServeClient *client)
{
  return client != NULL ? client->name : NULL;
}

/* A new limit leaves what was used of the old one used. */
static void
bucket_limit (Bucket *bucket, guint64 limit)
{
  if (bucket->filled > 0)
    bucket->level += (double) limit - bucket->limit;
  else
    bucket->level = (double) limit;
  bucket->limit = (double) limit;
}

static void
bucket_fill (Bucket *bucket, gint64 now)
{
  if (bucket->filled > 0 && now > bucket->filled)
    bucket->level = MIN (bucket->limit,
                         bucket->level + (double) (now - bucket->filled) * bucket->limit / MINUTE);
  bucket->filled = MAX (bucket->filled, now);
}

/* µs until @bucket holds @wanted; more than it can hold asks for a full one. */
static double
bucket_wait (const Bucket *bucket, double wanted)
{
  double lacks = MIN (wanted, bucket->limit) - bucket->level;

  return bucket->limit > 0 && lacks > 0 ? lacks / bucket->limit * MINUTE : 0;
}

static void
bucket_take (Bucket *bucket, double n)
{
  if (bucket->limit > 0)
    bucket->level -= n;
}

static void
tell_quota (const ServeClient *client, ServeQuota *quota)
{
  const Bucket *r = &client->requests, *t = &client->tokens;

  quota->limit_requests = (guint64) r->limit;
  quota->limit_tokens = (guint64) t->limit;
  quota->remaining_requests = (guint64) MAX (0, r->level);
  quota->remaining_tokens = (guint64) MAX (0, t->level);
  quota->reset_requests_us = (gint64) bucket_wait (r, r->limit);
  quota->reset_tokens_us = (gint64) bucket_wait (t, t->limit);
}

ServeAccess
serve_client_take (ServeClient *client, guint64 tokens, gint64 now, ServeQuota *quota)
{
  double wait;

  memset (quota, 0, sizeof *quota);
  if (client == NULL)
    return SERVE_ACCESS_GRANTED;
  g_mutex_lock (&client->lock);
  bucket_fill (&client->requests, now);
  bucket_fill (&client->tokens, now);
  /* One token at least: a debt holds up questions without a prompt too. */
  wait = MAX (bucket_wait (&client->requests, 1),
              bucket_wait (&client->tokens, (double) MAX (tokens, 1)));
  if (wait == 0)
    {
      bucket_take (&client->requests, 1);
      bucket_take (&client->tokens, (double) tokens);
    }
  tell_quota (client, quota);
  g_mutex_unlock (&client->lock);
  if (wait == 0)
    return SERVE_ACCESS_GRANTED;
  quota->retry_after = (guint) CLAMP (ceil (wait / G_USEC_PER_SEC), 1, G_MAXINT32);
  return SERVE_ACCESS_LIMITED;
}

void
serve_client_charge (ServeClient *client, guint64 tokens, gint64 now)
{
  if (client == NULL)
    return;
  g_mutex_lock (&client->lock);
  bucket_fill (&client->tokens, now);
  bucket_take (&client->tokens, (double) tokens);
  g_mutex_unlock (&client->lock);
}

/* ---- the file ----------------------------------------------------------------------------------
 */

static ServeClient *
find_client (const ServeKeyTable *table, const char *name)
{
  for (guint i = 0; table != NULL && i < table->lines->len; i++)
    {
      const ServeKeyLine *line = g_ptr_array_index (table->lines, i);

      if (line->client != NULL && strcmp (line->name, name) == 0)
        return line->client;
    }
  return NULL;
}

/* Gives every line its client: the one that was there before, with what it has used. */
static void
place_clients (ServeKeyTable *table, const ServeKeyTable *before, const ServeKeysConfig *config)
{
  for (guint i = 0; i < table->lines->len; i++)
    {
      ServeKeyLine *line = g_ptr_array_index (table->lines, i);
      ServeClient *client = find_client (table, line->name);

      if (client == NULL)
        client = find_client (before, line->name);
      line->client = client != NULL ? serve_client_ref (client) : client_new (line->name);
    }
  for (guint i = 0; i < table->lines->len; i++)
    {
      ServeKeyLine *line = g_ptr_array_index (table->lines, i);
      guint64 rpm = 0, tpm = 0;

      for (guint k = 0; k < table->lines->len; k++)
        {
          const ServeKeyLine *other = g_ptr_array_index (table->lines, k);

          rpm += other->client == line->client ? other->rpm : 0;
          tpm += other->client == line->client ? other->tpm : 0;
        }
      g_mutex_lock (&line->client->lock);
      bucket_limit (&line->client->requests, rpm > 0 ? rpm : (guint64) config->rpm);
      bucket_limit (&line->client->tokens, tpm > 0 ? tpm : (guint64) config->tpm);
      g_mutex_unlock (&line->client->lock);
    }
}

static void
stamp_take (Stamp *stamp, const struct stat *st)
{
  stamp->device = st->st_dev;
  stamp->inode = st->st_ino;
  stamp->size = (guint64) st->st_size;
  stamp->seconds = st->st_mtim.tv_sec;
  stamp->nanoseconds = st->st_mtim.tv_nsec;
}

/* @unchanged: set when it holds what was read before. */
static ServeKeyTable *
read_file (ServeKeys *keys, const struct stat *st, gboolean *unchanged, GError **error)
{
  const char *path = keys->config->path;
  XXH128_hash_t content = keys->content;
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;
  gsize len;

  if (!S_ISREG (st->st_mode) || st->st_size > MAX_FILE)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "%s is no file of keys: expected a regular file of at most 4 MiB", path);
      return NULL;
    }
  if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0 && !keys->racy)
    serve_warn (
        &keys->teller,
        "%s can be written by others than its owner, who could let themselves in: chmod 600", path);
  if (!g_file_get_contents (path, &text, &len, &local))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot read the keys: %s", local->message);
      return NULL;
    }
  keys->content = XXH3_128bits (text, len);
  keys->racy
      = g_get_real_time () - (st->st_mtim.tv_sec * G_USEC_PER_SEC + st->st_mtim.tv_nsec / 1000)
        < RACY;
  *unchanged = keys->table != NULL && XXH128_isEqual (content, keys->content);
  return *unchanged ? NULL : serve_key_table_parse (path, text, len, error);
}

ServeKeys *
serve_keys_new (const ServeKeysConfig *config, const ServeTeller *teller, GError **error)
{
  g_autoptr (ServeKeys) keys = NULL;
  gboolean unchanged;
  struct stat st;

  if (stat (config->path, &st) < 0)
    {
      fr_error_errno (error, errno, "read the keys in", config->path);
      return NULL;
    }
  keys = g_new0 (ServeKeys, 1);
  g_mutex_init (&keys->lock);
  keys->config = config;
  if (teller != NULL)
    keys->teller = *teller;
  stamp_take (&keys->seen, &st);
  keys->table = read_file (keys, &st, &unchanged, error);
  if (keys->table == NULL)
    return NULL;
  if (keys->table->lines->len == 0)
    serve_warn (&keys->teller, "%s holds no key: nobody is let in", config->path);
  place_clients (keys->table, NULL, config);
  return g_steal_pointer (&keys);
}

void
serve_keys_free (ServeKeys *keys)
{
  if (keys == NULL)
    return;
  g_clear_pointer (&keys->table, serve_key_table_unref);
  g_mutex_clear (&keys->lock);
  g_free (keys);
}

static ServeKeyTable *
current_table (ServeKeys *keys)
{
  ServeKeyTable *table;

  g_mutex_lock (&keys->lock);
  table = g_atomic_rc_box_acquire (keys->table);
  g_mutex_unlock (&keys->lock);
  return table;
}

/* Called by one thread, that of run(). */
gboolean
serve_keys_refresh (ServeKeys *keys)
{
  g_autoptr (GError) error = NULL;
  ServeKeyTable *table, *before;
  gboolean unchanged = FALSE;
  struct stat st;
  Stamp stamp;

  if (keys == NULL)
    return FALSE;
  if (stat (keys->config->path, &st) < 0)
    {
      if (!keys->missing)
        serve_warn (&keys->teller, "cannot read the keys in %s: %s; those that were there go on",
                    keys->config->path, g_strerror (errno));
      keys->missing = TRUE;
      return FALSE;
    }
  memset (&stamp, 0, sizeof stamp);
  stamp_take (&stamp, &st);
  if (!keys->missing && !keys->racy && memcmp (&stamp, &keys->seen, sizeof stamp) == 0)
    return FALSE;
  keys->missing = FALSE;
  keys->seen = stamp;
  table = read_file (keys, &st, &unchanged, &error);
  if (unchanged)
    return FALSE;
  if (table == NULL)
    {
      serve_warn (&keys->teller, "%s; the keys that were there go on", error->message);
      return FALSE;
    }
  place_clients (table, keys->table, keys->config);
  g_mutex_lock (&keys->lock);
  before = keys->table;
  keys->table = table;
  g_mutex_unlock (&keys->lock);
  serve_key_table_unref (before);
  serve_info (&keys->teller, "%s was read again: %u keys", keys->config->path, table->lines->len);
  return TRUE;
}

/* ---- asking ------------------------------------------------------------------------------------
 */

void
serve_key_digest (const char *salt, const char *key, guint8 *digest)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize len = SERVE_KEY_DIGEST;

  if (salt != NULL)
    g_checksum_update (sum, (const guchar *) salt, (gssize) strlen (salt));
  g_checksum_update (sum, (const guchar *) key, (gssize) strlen (key));
  g_checksum_get_digest (sum, digest, &len);
}

/* 1 when they are equal, 0 else, in a time that does not depend on it. */
static guint
equal_digests (const guint8 *a, const guint8 *b)
{
  guint different = 0;

  for (gsize i = 0; i < SERVE_KEY_DIGEST; i++)
    different |= (guint) (a[i] ^ b[i]);
  return ((different - 1) >> 8) & 1;
}

/* Looks at every line, whether or not an earlier one fits: index + 1, or 0. */
static guint
find_line (const ServeKeyTable *table, const char *key)
{
  guint8 plain[SERVE_KEY_DIGEST], salted[SERVE_KEY_DIGEST];
  guint found = 0;

  serve_key_digest (NULL, key, plain);
  for (guint i = 0; i < table->lines->len; i++)
    {
      const ServeKeyLine *line = g_ptr_array_index (table->lines, i);

      if (line->anyone)
        continue;
      if (line->salt != NULL)
        serve_key_digest (line->salt, key, salted);
      /* The first that fits: a key may stand there plain and salted. */
      found += (i + 1) * equal_digests (line->digest, line->salt != NULL ? salted : plain)
               * (guint) (found == 0);
    }
  return found;
}

static const ServeKeyLine *
anyone (const ServeKeyTable *table)
{
  for (guint i = 0; i < table->lines->len; i++)
    {
      const ServeKeyLine *line = g_ptr_array_index (table->lines, i);

      if (line->anyone)
        return line;
    }
  return NULL;
}

gboolean
serve_keys_has_admin (ServeKeys *keys)
{
  gboolean found = FALSE;
  ServeKeyTable *table;

  if (keys == NULL)
    return FALSE;
  table = current_table (keys);
  for (guint i = 0; i < table->lines->len; i++)
    found |= ((ServeKeyLine *) g_ptr_array_index (table->lines, i))->role == SERVE_ROLE_ADMIN;
  serve_key_table_unref (table);
  return found;
}

gboolean
serve_keys_needed (ServeKeys *keys)
{
  ServeKeyTable *table;
  gboolean needed;

  if (keys == NULL)
    return FALSE;
  table = current_table (keys);
  needed = anyone (table) == NULL;
  serve_key_table_unref (table);
  return needed;
}

/* The key of a request; NULL: none; "" when it cannot be one. */
static const char *
given_key (const char *authorization, const char *key)
{
  if (authorization != NULL)
    {
      if (g_ascii_strncasecmp (authorization, "Bearer", 6) != 0
          || (authorization[6] != ' ' && authorization[6] != '\t'))
        return "";
      key = authorization + 6;
      key += strspn (key, " \t");
    }
  return key != NULL && strlen (key) > MAX_KEY ? "" : key;
}

/* Between a table and who asks with @key. */
static ServeAccess
judge (const ServeKeyTable *table, const char *key, ServeRole role, ServeClient **client)
{
  const ServeKeyLine *line;
  guint found;

  if (key == NULL)
    {
      line = role == SERVE_ROLE_USE ? anyone (table) : NULL;
      if (line == NULL)
        return SERVE_ACCESS_MISSING;
    }
  else
    {
      found = *key != '\0' ? find_line (table, key) : 0;
      if (found == 0)
        return SERVE_ACCESS_WRONG;
      line = g_ptr_array_index (table->lines, found - 1);
    }
  if (line->until > 0 && g_get_real_time () >= line->until)
    return SERVE_ACCESS_WRONG;
  if (line->role != role)
    return SERVE_ACCESS_FORBIDDEN;
  *client = serve_client_ref (line->client);
  return SERVE_ACCESS_GRANTED;
}

ServeAccess
serve_keys_check (ServeKeys *keys, const char *authorization, const char *key, ServeRole role,
                  ServeClient **client)
{
  ServeKeyTable *table;
  ServeAccess access;

  *client = NULL;
  if (keys == NULL)
    return role == SERVE_ROLE_USE ? SERVE_ACCESS_GRANTED : SERVE_ACCESS_WRONG;
  table = current_table (keys);
  access = judge (table, given_key (authorization, key), role, client);
  serve_key_table_unref (table);
  return access;
}
