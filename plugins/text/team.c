/* SPDX-License-Identifier: Apache-2.0 */
/* team.c: see team.h. */
#include "config.h"

#include "text/team.h"

struct _TextTeam
{
  GThreadPool *pool; /* made when first needed */
  GMutex lock;
  GCond done;
  /* the work at hand */
  TextTeamFunc func;
  gpointer data;
  guint n_parts;
  gint next;        /* part; atomic */
  guint unfinished; /* helpers; under lock */
};

static void
take_parts (TextTeam *team, guint thread)
{
  for (;;)
    {
      guint part = (guint) g_atomic_int_add (&team->next, 1);

      if (part >= team->n_parts)
        return;
      team->func (part, team->n_parts, thread, team->data);
    }
}

static void
help (gpointer data, gpointer user_data)
{
  TextTeam *team = user_data;

  take_parts (team, GPOINTER_TO_UINT (data));
  g_mutex_lock (&team->lock);
  if (--team->unfinished == 0)
    g_cond_signal (&team->done);
  g_mutex_unlock (&team->lock);
}

TextTeam *
text_team_new (void)
{
  TextTeam *team = g_new0 (TextTeam, 1);

  g_mutex_init (&team->lock);
  g_cond_init (&team->done);
  return team;
}

void
text_team_free (TextTeam *team)
{
  if (team == NULL)
    return;
  if (team->pool != NULL)
    g_thread_pool_free (team->pool, FALSE, TRUE);
  g_mutex_clear (&team->lock);
  g_cond_clear (&team->done);
  g_free (team);
}

void
text_team_run (TextTeam *team, guint threads, guint n_parts, TextTeamFunc func, gpointer data)
{
  guint n = MIN (CLAMP (threads, 1, TEXT_TEAM_MOST), n_parts);

  team->func = func;
  team->data = data;
  team->n_parts = n_parts;
  g_atomic_int_set (&team->next, 0);
  if (n > 1 && team->pool == NULL)
    team->pool = g_thread_pool_new (help, team, TEXT_TEAM_MOST, FALSE, NULL);
  team->unfinished = n > 1 ? n - 1 : 0;
  for (guint i = 1; i < n; i++)
    g_thread_pool_push (team->pool, GUINT_TO_POINTER (i), NULL);
  take_parts (team, 0);
  g_mutex_lock (&team->lock);
  while (team->unfinished > 0)
    g_cond_wait (&team->done, &team->lock);
  g_mutex_unlock (&team->lock);
}
