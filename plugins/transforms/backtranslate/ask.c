/* SPDX-License-Identifier: Apache-2.0 */
/* ask.c: texts to translations, each asked and paid for once (ask.h).
 *
 *   questions --unique--> items --cache--> missing --engine--> done --> cache, answers
 */
#include "config.h"

#include "ask.h"

#include <string.h>

#include "text/translator-cache.h"

#define CACHE_NAME "translations.jsonl"
#define STATUS_TEXTS 16 /* the status line is brought up to date after so many */

struct _Asker
{
  FrHost *host;
  char *name, *identity;
  const TranslatorEngine *engine;
  Translator *translator; /* NULL offline */
  TranslatorCache *cache; /* NULL: a cheap engine */
  AskerCounts counts;
  guint64 round_done, round_all; /* of the call at work */
  gint64 started;
};

/* ---- life -------------------------------------------------------------------------------------
 */

static gboolean
open_cache (Asker *a, const char *path, GError **error)
{
  g_autofree char *own = NULL;
  const char *spill;

  if (path == NULL)
    {
      const char *dir = fr_host_checkpoint_dir (a->host, error);

      if (dir == NULL)
        return FALSE;
      path = own = g_build_filename (dir, CACHE_NAME, NULL);
    }
  spill = fr_host_spill_dir (a->host, error);
  if (spill == NULL)
    return FALSE;
  a->cache = translator_cache_open (path, a->identity, fr_host_memory (a->host) / 4, spill, error);
  if (a->cache == NULL)
    return FALSE;
  if (translator_cache_n_damaged (a->cache) > 0)
    fr_host_warn (a->host,
                  "%" G_GUINT64_FORMAT " damaged lines of the cache '%s' are passed over: their "
                  "texts are asked again",
                  translator_cache_n_damaged (a->cache), path);
  return TRUE;
}

Asker *
asker_new (FrHost *host, const char *engine, const TranslatorSettings *settings, const char *cache,
           gboolean offline, FrObject *model, GError **error)
{
  g_autoptr (Asker) a = g_new0 (Asker, 1);

  a->host = host;
  a->name = g_strdup (engine);
  a->engine = translator_find (host, engine, error);
  if (a->engine == NULL)
    return NULL;
  a->identity = a->engine->identity (settings, model);
  if (!(a->engine->flags & TRANSLATOR_CHEAP) && !open_cache (a, cache, error))
    return NULL;
  if (!offline)
    {
      a->translator = a->engine->open (settings, host, model, error);
      if (a->translator == NULL)
        return NULL;
    }
  a->started = g_get_monotonic_time ();
  return g_steal_pointer (&a);
}

void
asker_free (Asker *a)
{
  if (a == NULL)
    return;
  if (a->translator != NULL)
    a->engine->close (a->translator);
  g_clear_pointer (&a->cache, translator_cache_free);
  g_free (a->name);
  g_free (a->identity);
  g_free (a);
}

/* ---- asking -----------------------------------------------------------------------------------
 */

static guint
item_hash (gconstpointer key)
{
  const TranslatorItem *item = key;
  guint hash = 5381;

  for (gsize i = 0; i < item->text.len; i++)
    hash = hash * 33 + (guchar) item->text.data[i];
  return hash ^ (guint) item->seed ^ g_str_hash (item->to) ^ (g_str_hash (item->from) << 1);
}

static gboolean
item_equal (gconstpointer x, gconstpointer y)
{
  const TranslatorItem *a = x, *b = y;

  return a->seed == b->seed && strcmp (a->from, b->from) == 0 && strcmp (a->to, b->to) == 0
         && fr_str_equal (a->text, b->text);
}

/* The different texts among @questions; @which: for each question its item. */
static TranslatorItem *
unique (Asker *a, const Question *questions, gsize n, gsize *which, gsize *n_items)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (item_hash, item_equal);
  TranslatorItem *items = g_new0 (TranslatorItem, n);

  *n_items = 0;
  for (gsize i = 0; i < n; i++)
    {
      TranslatorItem *item = &items[*n_items], *same;

      item->from = questions[i].from;
      item->to = questions[i].to;
      item->seed = questions[i].seed;
      item->text = (FrStr){ questions[i].text, strlen (questions[i].text) };
      same = g_hash_table_lookup (seen, item);
      which[i] = same != NULL ? (gsize) (same - items) : *n_items;
      if (same != NULL)
        a->counts.same++;
      else
        {
          g_hash_table_add (seen, item);
          ++*n_items;
        }
    }
  a->counts.texts += n;
  return items;
}

static gboolean
item_done (gpointer data, TranslatorItem *const *items, gsize n, GError **error)
{
  Asker *a = data;

  a->round_done += n;
  for (gsize i = 0; i < n; i++)
    {
      TranslatorItem *to = items[i]->data;

      /* Items were copied for the engine, whose neighbours these are. */
      to->state = items[i]->state;
      to->translation = items[i]->translation;
      to->rule = items[i]->rule;
      to->why = items[i]->why;
      items[i]->translation = items[i]->why = NULL;
    }
  if (a->round_done % STATUS_TEXTS < n)
    fr_host_status (a->host, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " texts, %.1f texts/s",
                    a->round_done, a->round_all,
                    (double) (a->counts.asked - a->round_all + a->round_done) * G_USEC_PER_SEC
                        / (double) MAX (g_get_monotonic_time () - a->started, 1));
  if (a->cache != NULL)
    {
      g_autoptr (GPtrArray) answered = g_ptr_array_new ();

      for (gsize i = 0; i < n; i++)
        g_ptr_array_add (answered, items[i]->data);
      return translator_cache_store (a->cache, (TranslatorItem *const *) answered->pdata, n, error);
    }
  return TRUE;
}

/* Asks the engine for what is still waiting. */
static gboolean
ask_missing (Asker *a, TranslatorItem *items, gsize n, GError **error)
{
  g_autoptr (GArray) missing = g_array_new (FALSE, TRUE, sizeof (TranslatorItem));

  for (gsize i = 0; i < n; i++)
    {
      TranslatorItem copy = items[i];

      if (items[i].state != TRANSLATOR_WAITING)
        continue;
      copy.data = &items[i];
      if (a->translator == NULL)
        translator_item_refuse (&items[i], "not_cached",
                                "'offline' is set, and the cache does not have it");
      else
        g_array_append_val (missing, copy);
    }
  if (missing->len == 0)
    return TRUE;
  a->counts.asked += missing->len;
  a->round_done = 0;
  a->round_all = missing->len;
  return a->engine->translate (a->translator, (TranslatorItem *) (gpointer) missing->data,
                               missing->len, item_done, a, error);
}

static gboolean
look_up (Asker *a, TranslatorItem *items, gsize n, GError **error)
{
  for (gsize i = 0; a->cache != NULL && i < n; i++)
    {
      gboolean found;

      if (!translator_cache_find (a->cache, &items[i], &found, error))
        return FALSE;
      a->counts.cached += found;
    }
  return TRUE;
}

static gboolean
answer (Asker *a, Question *questions, gsize n, const TranslatorItem *items, const gsize *which,
        GError **error)
{
  for (gsize i = 0; i < n; i++)
    {
      const TranslatorItem *item = &items[which[i]];

      if (item->state == TRANSLATOR_WAITING)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
                       "the engine '%s' left a text without an answer: a mistake in it", a->name);
          return FALSE;
        }
      if (item->state == TRANSLATOR_REFUSED)
        {
          questions[i].rule = item->rule;
          questions[i].why = g_strdup (item->why);
          a->counts.refused++;
        }
    }
  /* The items' texts are the questions' own: changed when all have been read. */
  for (gsize i = 0; i < n; i++)
    if (questions[i].rule == NULL)
      {
        g_free (questions[i].text);
        questions[i].text = g_strdup (items[which[i]].translation);
      }
  return TRUE;
}

gboolean
asker_translate (Asker *a, Question *questions, gsize n, GError **error)
{
  g_autofree gsize *which = g_new (gsize, n);
  gsize n_items;
  TranslatorItem *items;
  gboolean ok;

  if (n == 0)
    return TRUE;
  items = unique (a, questions, n, which, &n_items);
  ok = look_up (a, items, n_items, error) && ask_missing (a, items, n_items, error)
       && answer (a, questions, n, items, which, error);
  for (gsize i = 0; i < n_items; i++)
    translator_item_clear (&items[i]);
  g_free (items);
  return ok;
}

/* ---- telling ----------------------------------------------------------------------------------
 */

AskerCounts
asker_counts (const Asker *a)
{
  return a->counts;
}

JsonObject *
asker_report (const Asker *a)
{
  JsonObject *report = json_object_new (), *own = json_object_new ();

  json_object_set_string_member (report, "engine", a->name);
  json_object_set_string_member (report, "identity", a->identity);
  json_object_set_int_member (report, "texts", (gint64) a->counts.texts);
  json_object_set_int_member (report, "same", (gint64) a->counts.same);
  json_object_set_int_member (report, "cached", (gint64) a->counts.cached);
  json_object_set_int_member (report, "asked", (gint64) a->counts.asked);
  json_object_set_int_member (report, "refused", (gint64) a->counts.refused);
  if (a->translator != NULL && a->engine->report != NULL)
    a->engine->report (a->translator, own);
  json_object_set_object_member (report, "service", own);
  return report;
}
