/* SPDX-License-Identifier: Apache-2.0 */
/* keys-file.c: the file of hashes, read whole (keys.h says what it looks like).
 *
 * A message names the line and what was expected there, never what stands there: a file with a
 * mistake is the one that may hold a key where its hash belongs.
 */
#include "config.h"

#include "keys-private.h"

#include <flowrun/error.h>
#include <string.h>

#define PREFIX "sha256:"
#define MAX_SALT 256
#define MAX_NAME 128
#define DAY (G_TIME_SPAN_DAY)

/* Where the reader stands. */
typedef struct
{
  const char *name;
  guint line;
  ServeKeyTable *table;
} Reader;

static gboolean bad (const Reader *r, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
bad (const Reader *r, GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "%s, line %u: %s", r->name, r->line, what);
  return FALSE;
}

/* ---- one field at a time -----------------------------------------------------------------------
 */

static gboolean
read_digest (const Reader *r, const char *hex, guint8 *digest, GError **error)
{
  gsize len = strlen (hex);

  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isxdigit (hex[i]))
      len = 0;
  if (len != 2 * SERVE_KEY_DIGEST)
    return bad (
        r, error,
        "expected the SHA-256 of a key, 64 hexadecimal digits as `printf %%s \"$KEY\" | "
        "sha256sum` writes them, or '*'; what stands there is not shown, as it may be a key");
  for (gsize i = 0; i < SERVE_KEY_DIGEST; i++)
    digest[i]
        = (guint8) (g_ascii_xdigit_value (hex[2 * i]) << 4 | g_ascii_xdigit_value (hex[2 * i + 1]));
  return TRUE;
}

static gboolean
read_hash (const Reader *r, char *field, ServeKeyLine *line, GError **error)
{
  guint8 nothing[SERVE_KEY_DIGEST];
  char *colon;

  if (strcmp (field, "*") == 0)
    {
      line->anyone = TRUE;
      return TRUE;
    }
  if (g_str_has_prefix (field, PREFIX))
    field += strlen (PREFIX);
  colon = strchr (field, ':');
  if (colon != NULL)
    {
      *colon = '\0';
      if (*field == '\0' || strlen (field) > MAX_SALT)
        return bad (r, error, "expected a salt of 1 to %d bytes before the second colon", MAX_SALT);
      line->salt = g_strdup (field);
      field = colon + 1;
    }
  if (!read_digest (r, field, line->digest, error))
    return FALSE;
  serve_key_digest (line->salt, "", nothing);
  if (memcmp (nothing, line->digest, sizeof nothing) == 0)
    return bad (r, error, "this is the hash of an empty key: was $KEY set?");
  return TRUE;
}

static gboolean
read_name (const Reader *r, const char *field, ServeKeyLine *line, GError **error)
{
  if (field == NULL || strcmp (field, "-") == 0)
    return bad (r, error, "expected a name for the client behind the hash, for logs and limits");
  if (strlen (field) > MAX_NAME || strchr (field, '=') != NULL)
    return bad (r, error, "expected a name of at most %d bytes and without '=' behind the hash",
                MAX_NAME);
  line->name = g_strdup (field);
  return TRUE;
}

static gboolean
read_limit (const Reader *r, const char *mark, const char *value, guint64 *to, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (*to > 0)
    return bad (r, error, "%s= stands there twice", mark);
  if (g_ascii_string_to_unsigned (value, 10, 1, 1000000000000, to, &local))
    return TRUE;
  return bad (r, error, "expected a number from 1 to 1000000000000 behind %s=", mark);
}

/* The last day counts whole. */
static gboolean
read_until (const Reader *r, const char *value, ServeKeyLine *line, GError **error)
{
  g_autofree char *text = g_strconcat (value, "T00:00:00Z", NULL);
  g_autoptr (GDateTime) day
      = strlen (value) == strlen ("2027-01-31") ? g_date_time_new_from_iso8601 (text, NULL) : NULL;

  if (day == NULL)
    return bad (r, error, "expected a day such as until=2027-01-31");
  line->until = g_date_time_to_unix (day) * G_USEC_PER_SEC + DAY;
  return TRUE;
}

static gboolean
read_mark (const Reader *r, char *field, ServeKeyLine *line, GError **error)
{
  static const char *const marks[] = { "admin", "rpm", "tpm", "until", NULL };
  char *value = strchr (field, '=');
  const char *near;

  if (value != NULL)
    *value++ = '\0';
  if (strcmp (field, "admin") == 0 && value == NULL)
    {
      line->role = SERVE_ROLE_ADMIN;
      return TRUE;
    }
  if (strcmp (field, "rpm") == 0 && value != NULL)
    return read_limit (r, "rpm", value, &line->rpm, error);
  if (strcmp (field, "tpm") == 0 && value != NULL)
    return read_limit (r, "tpm", value, &line->tpm, error);
  if (strcmp (field, "until") == 0 && value != NULL)
    return read_until (r, value, line, error);
  near = fr_suggest (field, marks);
  return bad (r, error, "expected admin, rpm=N, tpm=N or until=YYYY-MM-DD behind the name%s%s%s",
              near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
              near != NULL ? "'?" : "");
}

/* ---- lines -------------------------------------------------------------------------------------
 */

void
serve_key_line_free (ServeKeyLine *line)
{
  g_clear_pointer (&line->client, serve_client_unref);
  g_free (line->salt);
  g_free (line->name);
  g_free (line);
}

/* The next word of *@at, ended by a NUL; NULL: no more. */
static char *
next_field (char **at)
{
  char *field = *at + strspn (*at, " \t\r");
  gsize len = strcspn (field, " \t\r");

  if (len == 0)
    return NULL;
  *at = field + len;
  if (**at != '\0')
    *(*at)++ = '\0';
  return field;
}

/* One client's limits stand on one line, and no hash on two. */
static gboolean
check_others (const Reader *r, const ServeKeyLine *line, GError **error)
{
  for (guint i = 0; i < r->table->lines->len; i++)
    {
      const ServeKeyLine *other = g_ptr_array_index (r->table->lines, i);

      if (line->anyone ? other->anyone
                       : !other->anyone && g_strcmp0 (line->salt, other->salt) == 0
                             && memcmp (line->digest, other->digest, SERVE_KEY_DIGEST) == 0)
        return bad (r, error, "the same %s stands on line %u", line->anyone ? "'*'" : "hash",
                    other->number);
      if (strcmp (line->name, other->name) == 0
          && ((line->rpm > 0 && other->rpm > 0) || (line->tpm > 0 && other->tpm > 0)))
        return bad (r, error,
                    "the same client has a limit on line %u already: the limits of a name stand on "
                    "one of its lines",
                    other->number);
    }
  return TRUE;
}

static gboolean
read_line (Reader *r, char *text, GError **error)
{
  ServeKeyLine *line;
  char *field, *comment = strchr (text, '#');
  gboolean ok;

  if (comment != NULL)
    *comment = '\0';
  field = next_field (&text);
  if (field == NULL)
    return TRUE;
  line = g_new0 (ServeKeyLine, 1);
  line->number = r->line;
  ok = read_hash (r, field, line, error) && read_name (r, next_field (&text), line, error);
  while (ok && (field = next_field (&text)) != NULL)
    ok = read_mark (r, field, line, error);
  if (ok && line->anyone && line->role == SERVE_ROLE_ADMIN)
    ok = bad (r, error, "'*' lets in who brings no key, which an admin must");
  ok = ok && check_others (r, line, error);
  if (!ok)
    {
      serve_key_line_free (line);
      return FALSE;
    }
  g_ptr_array_add (r->table->lines, line);
  return TRUE;
}

static void
table_free (gpointer data)
{
  g_ptr_array_unref (((ServeKeyTable *) data)->lines);
}

void
serve_key_table_unref (ServeKeyTable *table)
{
  g_atomic_rc_box_release_full (table, table_free);
}

ServeKeyTable *
serve_key_table_parse (const char *name, const char *text, gsize len, GError **error)
{
  g_autofree char *copy = g_strndup (text, len);
  Reader r = { .name = name };
  char *at = copy, *end;

  if (memchr (text, '\0', len) != NULL || !g_utf8_validate (text, (gssize) len, NULL))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "%s is no text in UTF-8", name);
      return NULL;
    }
  if (g_str_has_prefix (at, "\xef\xbb\xbf"))
    at += 3;
  r.table = g_atomic_rc_box_new0 (ServeKeyTable);
  r.table->lines = g_ptr_array_new_with_free_func ((GDestroyNotify) serve_key_line_free);
  for (; at != NULL; at = end)
    {
      r.line++;
      end = strchr (at, '\n');
      if (end != NULL)
        *end++ = '\0';
      if (!read_line (&r, at, error))
        {
          serve_key_table_unref (r.table);
          return NULL;
        }
    }
  return r.table;
}
