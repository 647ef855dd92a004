/* SPDX-License-Identifier: Apache-2.0 */
/* waiting.c: who waits: a queue for each client, and clients in a ring.
 *
 * A client that sends much waits behind itself; what another sends comes in turn.
 */
#include "config.h"

#include "lm/scheduler/scheduler-private.h"

typedef struct
{
  char *name;
  GQueue tasks;
} Client;

static void
free_client (gpointer data)
{
  Client *client = data;

  g_queue_clear (&client->tasks);
  g_free (client->name);
  g_free (client);
}

void
lm_waiting_init (LmWaiting *w)
{
  w->clients = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_client);
  g_queue_init (&w->turns);
  w->n = 0;
  w->n_tokens = 0;
}

void
lm_waiting_clear (LmWaiting *w)
{
  g_queue_clear (&w->turns);
  g_clear_pointer (&w->clients, g_hash_table_unref);
}

void
lm_waiting_push (LmWaiting *w, LmTask *task)
{
  const char *name = task->request.client != NULL ? task->request.client : "";
  Client *client = g_hash_table_lookup (w->clients, name);

  if (client == NULL)
    {
      client = g_new0 (Client, 1);
      client->name = g_strdup (name);
      g_queue_init (&client->tasks);
      g_hash_table_insert (w->clients, client->name, client);
      g_queue_push_tail (&w->turns, client);
    }
  g_queue_push_tail (&client->tasks, task);
  w->n++;
  w->n_tokens += task->n_prompt;
}

LmTask *
lm_waiting_peek (LmWaiting *w)
{
  Client *client = g_queue_peek_head (&w->turns);

  return client != NULL ? g_queue_peek_head (&client->tasks) : NULL;
}

static void
count_out (LmWaiting *w, const LmTask *task)
{
  w->n--;
  w->n_tokens -= task->n_prompt;
}

LmTask *
lm_waiting_pop (LmWaiting *w)
{
  Client *client = g_queue_pop_head (&w->turns);
  LmTask *task = client != NULL ? g_queue_pop_head (&client->tasks) : NULL;

  if (task == NULL)
    return NULL;
  count_out (w, task);
  if (g_queue_is_empty (&client->tasks))
    g_hash_table_remove (w->clients, client->name);
  else
    g_queue_push_tail (&w->turns, client);
  return task;
}

static void
sweep_client (LmWaiting *w, Client *client, gboolean (*is) (const LmTask *, gint64), gint64 now,
              GPtrArray *into)
{
  for (GList *l = client->tasks.head, *next; l != NULL; l = next)
    {
      LmTask *task = l->data;

      next = l->next;
      if (!is (task, now))
        continue;
      count_out (w, task);
      g_ptr_array_add (into, task);
      g_queue_delete_link (&client->tasks, l);
    }
}

void
lm_waiting_sweep (LmWaiting *w, gboolean (*is) (const LmTask *, gint64), gint64 now,
                  GPtrArray *into)
{
  for (GList *l = w->turns.head, *next; l != NULL; l = next)
    {
      Client *client = l->data;

      next = l->next;
      sweep_client (w, client, is, now, into);
      if (!g_queue_is_empty (&client->tasks))
        continue;
      g_queue_delete_link (&w->turns, l);
      g_hash_table_remove (w->clients, client->name);
    }
}
