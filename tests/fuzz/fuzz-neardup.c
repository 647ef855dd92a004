/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-neardup.c: near-duplicates among any texts: no crash; every pair told is as near as it is
 * said to be, by a count that shares no code with the library's; a text that goes is near to one
 * that stays; and memory, threads and whether pairs are asked for change nothing.
 *
 * The first four bytes choose the rule; the rest is texts with a byte 0xFF between them.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <stdint.h>
#include <string.h>

#include "text/cluster.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MOST_TEXTS 200

typedef struct
{
  TextClusterRule rule;
  GPtrArray *texts; /* GString */
  TextGrams *grams;
} Case;

/* Jaccard's index by a hash table. */
static double
count_out (Case *c, guint32 a, guint32 b)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  guint32 both[] = { a, b };
  guint shared = 0;

  for (guint side = 0; side < 2; side++)
    {
      const GString *text = c->texts->pdata[both[side]];
      gsize n;
      const guint64 *hashes = text_grams_of (c->grams, (FrStr){ text->str, text->len }, &n, NULL);

      if (n == 0)
        return 0;
      for (gsize i = 0; i < n; i++)
        {
          guint sides = GPOINTER_TO_UINT (g_hash_table_lookup (seen, &hashes[i]));

          shared += side == 1 && sides == 1;
          g_hash_table_replace (seen, g_memdup2 (&hashes[i], sizeof hashes[i]),
                                GUINT_TO_POINTER (sides | 1u << side));
        }
    }
  return (double) shared / g_hash_table_size (seen);
}

static gboolean
check_pair (guint32 a, guint32 b, double index, gpointer data, GError **error)
{
  Case *c = data;

  (void) error;
  g_assert_cmpuint (a, <, b);
  g_assert_cmpfloat (index, ==, count_out (c, a, b));
  g_assert_true (c->rule.simhash ? index > 0 : index >= c->rule.threshold);
  return TRUE;
}

static gboolean
rank (guint32 text, gint64 *score, guint64 *at, gpointer data, GError **error)
{
  const GString *s = ((Case *) data)->texts->pdata[text];

  (void) error;
  *score = (gint64) (s->len % 5);
  *at = text;
  return TRUE;
}

static GString *
verdict (Case *c, const char *dir, guint threads, guint64 memory, gboolean pairs)
{
  g_autoptr (TextCluster) cluster = text_cluster_new (&c->rule, memory, dir);
  g_autoptr (TextTeam) team = text_team_new ();
  g_autofree guint8 *item = g_malloc (text_cluster_item_size (cluster));
  GString *said = g_string_new (NULL);
  GError *error = NULL;

  for (guint i = 0; i < c->texts->len; i++)
    {
      const GString *s = c->texts->pdata[i];
      FrStr text = { s->str, s->len };

      text_cluster_describe (cluster, c->grams, text, item);
      g_assert_true (text_cluster_add (cluster, text, item, &error));
    }
  g_assert_true (
      text_cluster_join (cluster, team, threads, pairs ? check_pair : NULL, c, NULL, &error));
  g_assert_true (text_cluster_choose (cluster, team, threads, rank, c, NULL, &error));
  for (guint32 i = 0; i < c->texts->len; i++)
    {
      double index;
      guint32 kept = text_cluster_kept (cluster, i, &index);

      g_assert_cmpuint (text_cluster_first (cluster, i), <=, i);
      if (kept != i)
        {
          double unused;

          g_assert_cmpuint (text_cluster_first (cluster, kept), ==,
                            text_cluster_first (cluster, i));
          g_assert_cmpuint (text_cluster_kept (cluster, kept, &unused), ==, kept);
          g_assert_cmpfloat (index, ==, count_out (c, kept, i));
          g_assert_true (c->rule.chains || c->rule.simhash || index >= c->rule.threshold);
        }
      g_string_append_printf (said, "%u %u %.17g\n", text_cluster_first (cluster, i), kept, index);
    }
  return said;
}

static void
free_text (gpointer text)
{
  g_string_free (text, TRUE);
}

/* Equal texts are the caller's to find, so each comes once. */
static void
take_texts (Case *c, const uint8_t *data, size_t size)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  while (size > 0 && c->texts->len < MOST_TEXTS)
    {
      const uint8_t *end = memchr (data, 0xff, size);
      gsize len = end != NULL ? (gsize) (end - data) : size;
      g_autofree char *text = g_utf8_make_valid ((const char *) data, (gssize) len);

      if (g_hash_table_add (seen, g_strdup (text)))
        g_ptr_array_add (c->texts, g_string_new (text));
      data += len + (end != NULL);
      size -= len + (end != NULL);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const double thresholds[] = { 0.3, 0.5, 0.8, 1 };
  static char *dir;
  Case c = { .rule = { .recall = 0.999, .hashes = 64 } };
  GString *one, *other;

  if (size < 4 || size > 20000)
    return 0;
  if (dir == NULL)
    dir = g_dir_make_tmp ("fuzz-neardup-XXXXXX", NULL);
  c.rule.grams = (TextGramRule){ (TextGramUnit) (data[0] % 3), data[1] % 40, data[1] / 40 };
  c.rule.simhash = (data[0] & 64) != 0;
  c.rule.chains = (data[0] & 128) != 0;
  c.rule.threshold = thresholds[data[2] % 4];
  c.rule.distance = data[3] % 9;
  c.texts = g_ptr_array_new_with_free_func (free_text);
  c.grams = text_grams_new (&c.rule.grams);
  take_texts (&c, data + 4, size - 4);
  one = verdict (&c, dir, 1, 1 << 26, FALSE);
  other = verdict (&c, dir, 2, 1, TRUE);
  g_assert_cmpstr (one->str, ==, other->str);
  g_string_free (one, TRUE);
  g_string_free (other, TRUE);
  text_grams_free (c.grams);
  g_ptr_array_unref (c.texts);
  return 0;
}
