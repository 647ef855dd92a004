/* SPDX-License-Identifier: Apache-2.0 */
/* diff.c: what changed between two texts, character by character.
 *
 * The greedy algorithm of E. W. Myers, "An O(ND) Difference Algorithm and Its
 * Variations" (Algorithmica 1, 1986).  Texts that differ in more than MAX_EDITS
 * characters have nothing to compare: there is no answer for those.
 */
#include "config.h"

#include "report/report-private.h"

#define MAX_CHARS 20000
#define MAX_EDITS 400

typedef struct
{
  gunichar *a, *b;
  int n, m;
  GPtrArray *trace; /* int *: how far each diagonal reached, after every number of edits */
} Search;

/* How far diagonal @k gets with @d edits; @v: how far those beside it got with one less. */
static int
start_of (const int *v, int d, int k)
{
  if (k == -d || (k != d && v[k - 1] < v[k + 1]))
    return v[k + 1]; /* one more of b */
  return v[k - 1] + 1;
}

/* The number of edits; -1: too many. */
static int
search (Search *s)
{
  int most = MIN (MAX_EDITS, s->n + s->m);
  g_autofree int *room = g_new0 (int, 2 * most + 3);
  int *v = room + most + 1;

  for (int d = 0; d <= most; d++)
    {
      int *before = g_memdup2 (v - d - 1, (gsize) (2 * d + 3) * sizeof (int));

      g_ptr_array_add (s->trace, before);
      for (int k = -d; k <= d; k += 2)
        {
          int x = start_of (v, d, k), y = x - k;

          while (x < s->n && y < s->m && x >= 0 && y >= 0 && s->a[x] == s->b[y])
            {
              x++;
              y++;
            }
          v[k] = x;
          if (x >= s->n && y >= s->m)
            return d;
        }
    }
  return -1;
}

static void
add_run (GArray *runs, FriRunKind kind, guint length)
{
  FriRun *last = runs->len > 0 ? &g_array_index (runs, FriRun, runs->len - 1) : NULL;
  FriRun run = { kind, length };

  if (length == 0)
    return;
  if (last != NULL && last->kind == kind)
    last->length += length;
  else
    g_array_append_val (runs, run);
}

/* From the end back to the beginning, along what search() remembers. */
static void
walk_back (Search *s, int d, GArray *runs)
{
  int x = s->n, y = s->m;

  for (; d > 0; d--)
    {
      const int *v = (const int *) g_ptr_array_index (s->trace, (guint) d) + d + 1;
      int k = x - y;
      gboolean insert = k == -d || (k != d && v[k - 1] < v[k + 1]);
      int from_x = insert ? v[k + 1] : v[k - 1], start = insert ? from_x : from_x + 1;

      add_run (runs, FRI_RUN_KEPT, (guint) (x - start));
      add_run (runs, insert ? FRI_RUN_INSERTED : FRI_RUN_DELETED, 1);
      x = from_x;
      y = from_x - (insert ? k + 1 : k - 1);
    }
  add_run (runs, FRI_RUN_KEPT, (guint) x);
}

GArray *
fri_diff (const char *before, const char *after)
{
  GArray *runs = NULL;
  glong n, m;
  Search s = { 0 };
  int d = -1;

  s.a = g_utf8_to_ucs4_fast (before, -1, &n);
  s.b = g_utf8_to_ucs4_fast (after, -1, &m);
  s.n = (int) MIN (n, MAX_CHARS + 1);
  s.m = (int) MIN (m, MAX_CHARS + 1);
  s.trace = g_ptr_array_new_with_free_func (g_free);
  if (s.n <= MAX_CHARS && s.m <= MAX_CHARS)
    d = search (&s);
  if (d >= 0)
    {
      runs = g_array_new (FALSE, FALSE, sizeof (FriRun));
      walk_back (&s, d, runs);
      for (guint i = 0; i < runs->len / 2; i++)
        {
          FriRun *a = &g_array_index (runs, FriRun, i);
          FriRun *b = &g_array_index (runs, FriRun, runs->len - 1 - i), swap = *a;

          *a = *b;
          *b = swap;
        }
    }
  g_ptr_array_unref (s.trace);
  g_free (s.a);
  g_free (s.b);
  return runs;
}
