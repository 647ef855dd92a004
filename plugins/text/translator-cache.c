/* SPDX-License-Identifier: Apache-2.0 */
/* translator-cache.c: translations once paid for, kept on disk (translator-cache.h).
 *
 *   line --first 44 bytes--> key --TextKeyMap--> offset of the line
 *
 * Opening reads keys alone; a line is parsed when it is asked for, and its text compared.
 */
#include "config.h"

#include "text/translator-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <flowrun/json.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "text/runs.h"

#define HEAD "{\"key\":\""
#define HEAD_LEN (sizeof HEAD - 1)
#define KEY_LEN 32
#define BLOCK (256 * 1024)
#define LINE_MAX_BYTES (64 * 1024 * 1024) /* beyond it a line is damage */

struct _TranslatorCache
{
  char *path, *identity;
  int fd;
  guint64 end; /* of what is indexed: behind a newline, or 0 */
  TextKeyMap *map;
  guint64 n_damaged;
  GString *block, *line;
  FrJsonReader reader;
};

/* ---- keys -------------------------------------------------------------------------------------
 */

static TextKey
item_key (const TranslatorCache *c, const TranslatorItem *item)
{
  XXH3_state_t *state = XXH3_createState ();
  XXH128_hash_t hash;

  XXH3_128bits_reset (state);
  /* Each part ends in a NUL, which none of them holds: no two sets of parts read alike. */
  XXH3_128bits_update (state, c->identity, strlen (c->identity) + 1);
  XXH3_128bits_update (state, item->from, strlen (item->from) + 1);
  XXH3_128bits_update (state, item->to, strlen (item->to) + 1);
  XXH3_128bits_update (state, &item->seed, sizeof item->seed);
  XXH3_128bits_update (state, item->text.data, item->text.len);
  hash = XXH3_128bits_digest (state);
  XXH3_freeState (state);
  return (TextKey){ hash.high64, hash.low64 };
}

static gboolean
read_hex (const char *text, guint64 *value)
{
  *value = 0;
  for (guint i = 0; i < KEY_LEN / 2; i++)
    {
      int digit = g_ascii_xdigit_value (text[i]);

      if (digit < 0 || g_ascii_isupper (text[i]))
        return FALSE;
      *value = *value << 4 | (guint64) digit;
    }
  return TRUE;
}

static gboolean
line_key (const char *line, gsize len, TextKey *key)
{
  return len > HEAD_LEN + KEY_LEN + 2 && memcmp (line, HEAD, HEAD_LEN) == 0
         && read_hex (line + HEAD_LEN, &key->hi)
         && read_hex (line + HEAD_LEN + KEY_LEN / 2, &key->lo) && line[HEAD_LEN + KEY_LEN] == '"'
         && line[len - 1] == '}';
}

/* ---- reading the file ----------------------------------------------------------------------- */

/* Reads up to @n bytes at @at; fewer at the end of the file alone. */
static gssize
read_at (TranslatorCache *c, char *to, gsize n, guint64 at, GError **error)
{
  gsize done = 0;

  while (done < n)
    {
      gssize got = pread (c->fd, to + done, n - done, (off_t) (at + done));

      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        {
          fr_error_errno (error, errno, "read", c->path);
          return -1;
        }
      if (got == 0)
        break;
      done += (gsize) got;
    }
  return (gssize) done;
}

static gboolean
index_line (TranslatorCache *c, const char *line, gsize len, guint64 at, GError **error)
{
  gboolean known;
  guint64 old;
  TextKey key;

  if (len == 0 || !line_key (line, len, &key))
    {
      if (at == 0)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "'%s' is no cache of translations: its first line is none of its lines; "
                       "name another file",
                       c->path);
          return FALSE;
        }
      c->n_damaged++;
      return TRUE;
    }
  return text_key_map_find (c->map, key, &old, &known, error)
         && text_key_map_store (c->map, key, &at, error);
}

/* Indexes whole lines from c->end on; what follows the last of them is left. */
static gboolean
index_new (TranslatorCache *c, GError **error)
{
  GString *block = c->block;
  gssize got;

  g_string_truncate (block, 0);
  do
    {
      gsize kept = block->len, from = 0;
      const char *newline;

      g_string_set_size (block, kept + BLOCK);
      got = read_at (c, block->str + kept, BLOCK, c->end + kept, error);
      g_string_set_size (block, kept + (gsize) MAX (got, 0));
      if (got < 0)
        return FALSE;
      while ((newline = memchr (block->str + from, '\n', block->len - from)) != NULL)
        {
          gsize len = (gsize) (newline - block->str) - from;

          if (!index_line (c, block->str + from, len, c->end + from, error))
            return FALSE;
          from += len + 1;
        }
      g_string_erase (block, 0, (gssize) from);
      c->end += from;
      if (block->len > LINE_MAX_BYTES)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "'%s' is no cache of translations: it has a line of more than %d MiB",
                       c->path, LINE_MAX_BYTES >> 20);
          return FALSE;
        }
    }
  while (got == BLOCK);
  return TRUE;
}

/* ---- the lock ------------------------------------------------------------------------------- */

static gboolean
lock (TranslatorCache *c, GError **error)
{
  while (flock (c->fd, LOCK_EX) != 0)
    if (errno != EINTR)
      return fr_error_errno (error, errno, "lock", c->path);
  return TRUE;
}

/* Under the lock nobody else is writing: what is not a whole line is what a killed process left. */
static gboolean
cut_torn (TranslatorCache *c, GError **error)
{
  struct stat about;

  if (fstat (c->fd, &about) != 0)
    return fr_error_errno (error, errno, "look at", c->path);
  if ((guint64) about.st_size == c->end)
    return TRUE;
  /* A file that never was ours is not touched. */
  if (c->end == 0
      && (c->block->len < HEAD_LEN ? memcmp (c->block->str, HEAD, c->block->len)
                                   : memcmp (c->block->str, HEAD, HEAD_LEN))
             != 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "'%s' is no cache of translations; name another file", c->path);
      return FALSE;
    }
  c->n_damaged++;
  if (ftruncate (c->fd, (off_t) c->end) != 0)
    return fr_error_errno (error, errno, "cut", c->path);
  return TRUE;
}

/* ---- life -------------------------------------------------------------------------------------
 */

TranslatorCache *
translator_cache_open (const char *path, const char *identity, guint64 memory,
                       const char *spill_dir, GError **error)
{
  g_autoptr (TranslatorCache) c = g_new0 (TranslatorCache, 1);
  g_autofree char *dir = g_path_get_dirname (path);
  struct stat about;
  gboolean ok;

  c->fd = -1;
  c->path = g_strdup (path);
  c->identity = g_strdup (identity);
  c->block = g_string_new (NULL);
  c->line = g_string_new (NULL);
  fr_json_reader_init (&c->reader, "", 0, 0);
  c->map = text_key_map_new (sizeof (guint64), memory, spill_dir);
  if (g_mkdir_with_parents (dir, 0755) != 0)
    {
      fr_error_errno (error, errno, "make", dir);
      return NULL;
    }
  c->fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (c->fd < 0 || fstat (c->fd, &about) != 0)
    {
      fr_error_errno (error, errno, "open", path);
      return NULL;
    }
  if (!S_ISREG (about.st_mode))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "'%s' is no regular file; a cache must be one",
                   path);
      return NULL;
    }
  if (!lock (c, error))
    return NULL;
  ok = index_new (c, error) && cut_torn (c, error);
  flock (c->fd, LOCK_UN);
  return ok ? g_steal_pointer (&c) : NULL;
}

void
translator_cache_free (TranslatorCache *c)
{
  if (c == NULL)
    return;
  if (c->fd >= 0)
    close (c->fd);
  g_clear_pointer (&c->map, text_key_map_free);
  fr_json_reader_clear (&c->reader);
  g_string_free (c->block, TRUE);
  g_string_free (c->line, TRUE);
  g_free (c->path);
  g_free (c->identity);
  g_free (c);
}

guint64
translator_cache_n (const TranslatorCache *c)
{
  return text_key_map_size (c->map);
}

guint64
translator_cache_n_damaged (const TranslatorCache *c)
{
  return c->n_damaged;
}

/* ---- finding -------------------------------------------------------------------------------- */

/* The line at @at, without its newline. */
static gboolean
read_line (TranslatorCache *c, guint64 at, GError **error)
{
  gsize step = 2048;

  g_string_truncate (c->line, 0);
  for (;;)
    {
      gsize kept = c->line->len;
      const char *newline;
      gssize got;

      g_string_set_size (c->line, kept + step);
      got = read_at (c, c->line->str + kept, step, at + kept, error);
      g_string_set_size (c->line, kept + (gsize) MAX (got, 0));
      if (got < 0)
        return FALSE;
      newline = memchr (c->line->str + kept, '\n', c->line->len - kept);
      if (newline != NULL || (gsize) got < step || c->line->len > LINE_MAX_BYTES)
        {
          if (newline != NULL)
            g_string_truncate (c->line, (gsize) (newline - c->line->str));
          return TRUE;
        }
      step *= 2;
    }
}

typedef struct
{
  gboolean same; /* the text is the one asked for */
  char *translation, *refused, *why;
} Line;

static void
line_clear (Line *line)
{
  g_free (line->translation);
  g_free (line->refused);
  g_free (line->why);
}

static void
take_member (Line *line, const char *key, FrStr value, FrStr text)
{
  char **to = strcmp (key, "translation") == 0 ? &line->translation
              : strcmp (key, "refused") == 0   ? &line->refused
              : strcmp (key, "why") == 0       ? &line->why
                                               : NULL;

  if (strcmp (key, "text") == 0)
    line->same = value.len == text.len && memcmp (value.data, text.data, text.len) == 0;
  else if (to != NULL)
    {
      g_free (*to);
      *to = g_strndup (value.data, value.len);
    }
}

static gboolean
parse_line (TranslatorCache *c, FrStr text, Line *line)
{
  FrJsonReader *r = &c->reader;
  char key[16] = "";
  FrJsonToken token;

  fr_json_reader_reset (r, c->line->str, c->line->len);
  if (fr_json_reader_next (r) != FR_JSON_OBJECT)
    return FALSE;
  while ((token = fr_json_reader_next (r)) > FR_JSON_END)
    if (token == FR_JSON_KEY)
      {
        gsize len = MIN (r->str.len, sizeof key - 1);

        memcpy (key, r->str.data, len);
        key[len] = '\0';
      }
    else if (token == FR_JSON_STRING && r->depth == 1)
      take_member (line, key, r->str, text);
  return token == FR_JSON_END && line->same && (line->translation != NULL || line->refused != NULL);
}

gboolean
translator_cache_find (TranslatorCache *c, TranslatorItem *item, gboolean *found, GError **error)
{
  Line line = { 0 };
  guint64 at;

  if (!text_key_map_find (c->map, item_key (c, item), &at, found, error))
    return FALSE;
  if (!*found)
    return TRUE;
  if (!read_line (c, at, error))
    return FALSE;
  *found = parse_line (c, item->text, &line);
  if (!*found)
    c->n_damaged++;
  else if (line.translation != NULL)
    {
      gsize len = strlen (line.translation);

      translator_item_done (item, g_steal_pointer (&line.translation), len);
    }
  else
    translator_item_refuse (item, translator_rule (line.refused), "%s",
                            line.why != NULL ? line.why : "refused before");
  line_clear (&line);
  return TRUE;
}

/* ---- storing -------------------------------------------------------------------------------- */

static void
append_member (GString *out, const char *key, const char *text, gsize len)
{
  g_string_append_printf (out, ",\"%s\":", key);
  fr_json_append_string (out, text, (gssize) len);
}

static void
append_line (const TranslatorCache *c, const TranslatorItem *item, TextKey key, GString *out)
{
  g_string_append_printf (out, HEAD "%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x\"",
                          key.hi, key.lo);
  append_member (out, "engine", c->identity, strlen (c->identity));
  append_member (out, "from", item->from, strlen (item->from));
  append_member (out, "to", item->to, strlen (item->to));
  if (item->seed != 0)
    g_string_append_printf (out, ",\"seed\":\"%" G_GUINT64_FORMAT "\"", item->seed);
  append_member (out, "text", item->text.data, item->text.len);
  if (item->state == TRANSLATOR_DONE)
    append_member (out, "translation", item->translation, strlen (item->translation));
  else
    {
      append_member (out, "refused", item->rule, strlen (item->rule));
      append_member (out, "why", item->why, strlen (item->why));
    }
  g_string_append (out, "}\n");
}

/* All of @data behind the last line, on the disk; or nothing of it. */
static gboolean
write_lines (TranslatorCache *c, const GString *data, GError **error)
{
  gsize done = 0;

  while (done < data->len)
    {
      gssize n = pwrite (c->fd, data->str + done, data->len - done, (off_t) (c->end + done));

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          int errnum = errno;

          /* Best effort: a torn end is taken off by whoever opens the file next. */
          if (ftruncate (c->fd, (off_t) c->end) != 0)
            c->n_damaged++;
          return fr_error_errno (error, errnum, "write", c->path);
        }
      done += (gsize) n;
    }
  if (fdatasync (c->fd) != 0)
    return fr_error_errno (error, errno, "flush", c->path);
  return TRUE;
}

static gboolean
store_locked (TranslatorCache *c, TranslatorItem *const *items, gsize n, GError **error)
{
  g_autoptr (GString) data = g_string_new (NULL);

  /* What other processes have stored meanwhile is found from now on too. */
  if (!index_new (c, error) || !cut_torn (c, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    append_line (c, items[i], item_key (c, items[i]), data);
  return write_lines (c, data, error) && index_new (c, error);
}

gboolean
translator_cache_store (TranslatorCache *c, TranslatorItem *const *items, gsize n, GError **error)
{
  gboolean ok;

  if (n == 0)
    return TRUE;
  if (!lock (c, error))
    return FALSE;
  ok = store_locked (c, items, n, error);
  flock (c->fd, LOCK_UN);
  return ok;
}
