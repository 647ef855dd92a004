/* SPDX-License-Identifier: Apache-2.0 */
/* known.c: see known.h. */
#include "config.h"

#include "known.h"
#include "simhash.h"

#include <string.h>
#include <xxhash.h>

struct _Known
{
  guint trap;
  GHashTable *hashes;    /* hex of a text → number in names + 1 */
  SimIndex *near;        /* tags: numbers in names */
  GArray *starts;        /* guint64: where names begin in the arena */
  GString *arena;        /* NUL-terminated URLs */
  GHashTable *skeletons; /* 64 bits of texts without digits: a set of guint64 */
  GHashTable *shapes;    /* shape → pages in a row without news, trap and more: closed */
};

Known *
known_new (guint distance, guint trap)
{
  Known *k = g_new0 (Known, 1);

  k->trap = trap;
  k->hashes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  k->near = distance ? sim_index_new (distance) : NULL;
  k->starts = g_array_new (FALSE, FALSE, sizeof (guint64));
  k->arena = g_string_new (NULL);
  k->skeletons = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  k->shapes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return k;
}

void
known_free (Known *k)
{
  if (k == NULL)
    return;
  g_hash_table_unref (k->hashes);
  sim_index_free (k->near);
  g_array_unref (k->starts);
  g_string_free (k->arena, TRUE);
  g_hash_table_unref (k->skeletons);
  g_hash_table_unref (k->shapes);
  g_free (k);
}

/* Text with white space (and digits, if @without) left out, hashed as it streams. */
static XXH128_hash_t
hash_text (FrStr text, gboolean without)
{
  g_autofree char *buffer = g_malloc (text.len + 1);
  gsize n = 0;

  for (gsize i = 0; i < text.len; i++)
    {
      char c = text.data[i];

      if (!g_ascii_isspace (c) && !(without && g_ascii_isdigit (c)))
        buffer[n++] = c;
    }
  return XXH3_128bits (buffer, n);
}

static const char *
name (const Known *k, guint32 tag)
{
  return k->arena->str + g_array_index (k->starts, guint64, tag);
}

KnownHow
known_check (Known *k, FrStr text, const char *url, char *hash, const char **of)
{
  XXH128_hash_t sum = hash_text (text, FALSE);
  guint64 bits = 0, start = k->arena->len;
  guint32 tag = k->starts->len;
  gboolean long_enough;
  gpointer first;

  g_snprintf (hash, 33, "%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
              (guint64) sum.high64, (guint64) sum.low64);
  first = g_hash_table_lookup (k->hashes, hash);
  if (first)
    {
      *of = name (k, GPOINTER_TO_UINT (first) - 1);
      return KNOWN_SAME;
    }
  long_enough = k->near && simhash (text, &bits);
  if (long_enough && sim_index_find (k->near, bits, &tag))
    {
      *of = name (k, tag);
      return KNOWN_NEAR;
    }
  g_array_append_val (k->starts, start);
  g_string_append_len (k->arena, url, (gssize) strlen (url) + 1);
  g_hash_table_insert (k->hashes, g_strdup (hash), GUINT_TO_POINTER (tag + 1));
  if (long_enough)
    sim_index_add (k->near, bits, tag);
  return KNOWN_NEW;
}

/* ---- traps ------------------------------------------------------------------------ */

char *
known_shape (const char *url)
{
  GString *out = g_string_new (NULL);

  for (const char *p = url; *p;)
    if (g_ascii_isdigit (*p))
      {
        g_string_append_c (out, '#');
        p += strspn (p, "0123456789");
      }
    else
      g_string_append_c (out, *p++);
  return g_string_free (out, FALSE);
}

gboolean
known_closed (const Known *k, const char *url)
{
  g_autofree char *shape = k->trap ? known_shape (url) : NULL;

  return shape && GPOINTER_TO_UINT (g_hash_table_lookup (k->shapes, shape)) >= k->trap;
}

gboolean
known_note (Known *k, const char *url, FrStr text, KnownHow how)
{
  g_autofree char *shape = known_shape (url);
  guint64 skeleton = hash_text (text, TRUE).low64;
  gboolean news = how == KNOWN_NEW && text.len > 0;
  guint n;

  if (k->trap == 0 || strchr (shape, '#') == NULL)
    return FALSE;
  if (!g_hash_table_contains (k->skeletons, &skeleton))
    g_hash_table_add (k->skeletons, g_memdup2 (&skeleton, sizeof skeleton));
  else
    news = FALSE;
  n = GPOINTER_TO_UINT (g_hash_table_lookup (k->shapes, shape));
  if (n >= k->trap)
    return FALSE;
  n = news ? 0 : n + 1;
  g_hash_table_replace (k->shapes, g_steal_pointer (&shape), GUINT_TO_POINTER (n));
  return n >= k->trap;
}
