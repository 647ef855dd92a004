/* SPDX-License-Identifier: Apache-2.0 */
/* feedback-known.c: answers remembered, the newest of them, within a number and a size.
 *
 * An answer that is rated stays: people change their minds.  What has to go is the oldest.
 */
#include "config.h"

#include <string.h>

#include "feedback-private.h"

#define OVERHEAD 160 /* of an entry in table and queue, about */

struct _FeedbackMemory
{
  GMutex lock;
  GHashTable *known; /* key: its own; value: a link of order */
  GQueue order;      /* FeedbackKnown, the oldest first */
  guint64 max_answers, max_bytes, bytes, forgotten;
};

void
feedback_known_unref (FeedbackKnown *known)
{
  if (!g_atomic_ref_count_dec (&known->refs))
    return;
  g_free (known->key);
  g_free (known->model);
  g_free (known->revision);
  g_free (known->system);
  g_free (known->input);
  g_free (known->fields);
  g_free (known->output);
  g_free (known->reasoning);
  g_free (known);
}

static char *
key_of (const char *id, guint variant)
{
  return g_strdup_printf ("%u\n%s", variant, id);
}

static char *
copy (const char *text, gsize *bytes)
{
  *bytes += text != NULL ? strlen (text) + 1 : 0;
  return g_strdup (text);
}

static FeedbackKnown *
known_new (const ServeFeedbackAnswer *answer)
{
  FeedbackKnown *known = g_new0 (FeedbackKnown, 1);
  g_autofree char *key = key_of (answer->id, answer->variant);

  g_atomic_ref_count_init (&known->refs);
  known->bytes = sizeof *known + OVERHEAD;
  known->key = copy (key, &known->bytes);
  known->model = copy (answer->model, &known->bytes);
  known->revision = copy (answer->revision, &known->bytes);
  known->system = copy (answer->system, &known->bytes);
  known->input = copy (answer->input, &known->bytes);
  known->output = copy (answer->output, &known->bytes);
  known->reasoning = copy (answer->reasoning, &known->bytes);
  if (answer->fields != NULL)
    {
      g_autoptr (JsonNode) node = json_node_alloc ();

      json_node_init_object (node, answer->fields);
      known->fields = fr_json_to_string (node, 0);
      known->bytes += strlen (known->fields) + 1;
    }
  return known;
}

FeedbackMemory *
feedback_memory_new (gint64 max_answers, guint64 max_bytes)
{
  FeedbackMemory *memory = g_new0 (FeedbackMemory, 1);

  g_mutex_init (&memory->lock);
  memory->known = g_hash_table_new (g_str_hash, g_str_equal);
  memory->max_answers = (guint64) MAX (max_answers, 0);
  memory->max_bytes = max_bytes;
  return memory;
}

void
feedback_memory_free (FeedbackMemory *memory)
{
  FeedbackKnown *known;

  if (memory == NULL)
    return;
  while ((known = g_queue_pop_head (&memory->order)) != NULL)
    feedback_known_unref (known);
  g_hash_table_unref (memory->known);
  g_mutex_clear (&memory->lock);
  g_free (memory);
}

/* With the lock held. */
static void
forget (FeedbackMemory *memory, GList *link)
{
  FeedbackKnown *known = link->data;

  g_hash_table_remove (memory->known, known->key);
  g_queue_delete_link (&memory->order, link);
  memory->bytes -= known->bytes;
  feedback_known_unref (known);
}

void
feedback_memory_note (FeedbackMemory *memory, const ServeFeedbackAnswer *answer)
{
  FeedbackKnown *known;
  GList *old;

  if (memory->max_answers == 0)
    return;
  known = known_new (answer);
  g_mutex_lock (&memory->lock);
  old = g_hash_table_lookup (memory->known, known->key);
  if (old != NULL)
    forget (memory, old);
  g_queue_push_tail (&memory->order, known);
  g_hash_table_insert (memory->known, known->key, memory->order.tail);
  memory->bytes += known->bytes;
  while (memory->order.length > memory->max_answers
         || (memory->bytes > memory->max_bytes && memory->order.length > 0))
    {
      forget (memory, memory->order.head);
      memory->forgotten++;
    }
  g_mutex_unlock (&memory->lock);
}

FeedbackKnown *
feedback_memory_find (FeedbackMemory *memory, const char *id, guint variant)
{
  g_autofree char *key = key_of (id, variant);
  FeedbackKnown *known = NULL;
  GList *link;

  g_mutex_lock (&memory->lock);
  link = g_hash_table_lookup (memory->known, key);
  if (link != NULL)
    {
      known = link->data;
      g_atomic_ref_count_inc (&known->refs);
    }
  g_mutex_unlock (&memory->lock);
  return known;
}

void
feedback_memory_figures (FeedbackMemory *memory, ServeFeedbackFigures *figures)
{
  g_mutex_lock (&memory->lock);
  figures->answers = memory->order.length;
  figures->answers_bytes = memory->bytes;
  figures->forgotten = memory->forgotten;
  g_mutex_unlock (&memory->lock);
}
