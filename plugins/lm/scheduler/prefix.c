/* SPDX-License-Identifier: Apache-2.0 */
/* prefix.c: regions kept for their leading tokens after their request has ended.
 *
 * There are as many as rows allow, hundreds at most: they are looked through one by one, which
 * costs less than a row of the smallest model.
 */
#include "config.h"

#include <string.h>

#include "lm/scheduler/scheduler-private.h"

static void
free_kept (gpointer data)
{
  LmKept *kept = data;

  g_free (kept->tokens);
  g_free (kept);
}

void
lm_prefixes_init (LmPrefixes *p, LmCache *cache)
{
  *p = (LmPrefixes){ .cache = cache, .kept = g_ptr_array_new_with_free_func (free_kept) };
}

void
lm_prefixes_clear (LmPrefixes *p)
{
  g_clear_pointer (&p->kept, g_ptr_array_unref);
}

gsize
lm_common (const gint32 *a, gsize n_a, const gint32 *b, gsize n_b)
{
  gsize n = MIN (n_a, n_b), i = 0;

  while (i < n && a[i] == b[i])
    i++;
  return i;
}

/* How many of @tokens @kept has first. */
static gsize
common_with (const LmKept *kept, guint adapter, const gint32 *tokens, gsize n)
{
  return kept->adapter == adapter ? lm_common (kept->tokens, kept->n, tokens, n) : 0;
}

LmKept *
lm_prefixes_find (LmPrefixes *p, const LmTask *task, gsize *common)
{
  LmKept *best = NULL;

  *common = 0;
  for (guint i = 0; i < p->kept->len; i++)
    {
      LmKept *kept = g_ptr_array_index (p->kept, i);
      gsize same
          = common_with (kept, task->request.adapter, lm_task_tokens (task), task->n_prompt - 1);

      if (task->request.exact)
        same = MIN (same, kept->exact);
      if (same > *common)
        {
          *common = same;
          best = kept;
        }
    }
  return best;
}

void
lm_prefixes_use (LmPrefixes *p, LmKept *kept)
{
  kept->used = ++p->clock;
}

guint
lm_prefixes_take (LmPrefixes *p, LmKept *kept)
{
  guint region = kept->region;

  p->rows -= lm_cache_room (p->cache, region);
  g_ptr_array_remove_fast (p->kept, kept);
  return region;
}

gboolean
lm_prefixes_evict (LmPrefixes *p, const LmKept *except)
{
  LmKept *oldest = NULL;

  for (guint i = 0; i < p->kept->len; i++)
    {
      LmKept *kept = g_ptr_array_index (p->kept, i);

      if (kept != except && (oldest == NULL || kept->used < oldest->used))
        oldest = kept;
    }
  if (oldest == NULL)
    return FALSE;
  lm_cache_close (p->cache, lm_prefixes_take (p, oldest));
  p->evicted++;
  return TRUE;
}

/* Those whose tokens all begin @task's give way; TRUE: its tokens begin one that stays. */
static gboolean
is_held (LmPrefixes *p, const LmTask *task, gsize exact)
{
  for (guint i = p->kept->len; i-- > 0;)
    {
      LmKept *kept = g_ptr_array_index (p->kept, i);
      gsize same = common_with (kept, task->request.adapter, lm_task_tokens (task), task->fed);

      if (same == task->fed && kept->exact >= exact)
        {
          lm_prefixes_use (p, kept);
          return TRUE;
        }
      if (same > 0 && same == kept->n && kept->exact <= exact)
        lm_cache_close (p->cache, lm_prefixes_take (p, kept));
    }
  return FALSE;
}

void
lm_prefixes_keep (LmPrefixes *p, const LmTask *task)
{
  gsize n = task->fed, exact = MIN (task->exact, n);
  LmKept *kept;

  if (n == 0 || is_held (p, task, exact))
    {
      lm_cache_close (p->cache, task->region);
      return;
    }
  lm_cache_cut (p->cache, task->region, n);
  lm_cache_resize (p->cache, task->region, n);
  kept = g_new0 (LmKept, 1);
  kept->region = task->region;
  kept->adapter = task->request.adapter;
  kept->tokens = g_memdup2 (lm_task_tokens (task), n * sizeof *kept->tokens);
  kept->n = n;
  kept->exact = exact;
  lm_prefixes_use (p, kept);
  g_ptr_array_add (p->kept, kept);
  p->rows += n;
}

void
lm_prefixes_drop_adapter (LmPrefixes *p, guint adapter)
{
  for (guint i = p->kept->len; i-- > 0;)
    {
      LmKept *kept = g_ptr_array_index (p->kept, i);

      if (kept->adapter == adapter)
        lm_cache_close (p->cache, lm_prefixes_take (p, kept));
    }
}
