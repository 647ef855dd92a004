/* SPDX-License-Identifier: Apache-2.0 */
/* shadow.c: one question, two answers, one line to compare them by (models.h).
 *
 *   {"time":…,"id":…,"model":"copy","prompt":…,"same":false,
 *    "answer":{"revision":"copy@1","text":…,"stop":"end","answer_tokens":41,"first_ms":…,"total_ms":…},
 *    "shadow":{"revision":"copy@2","text":…,…}}
 */
#include "config.h"

#include <flowrun/batch.h>
#include <flowrun/json.h>
#include <string.h>

#include "models-private.h"

typedef struct
{
  gboolean there;
  const char *revision; /* interned */
  char *text, *error;
  const char *stop; /* interned */
  guint64 answer_tokens;
  gint64 first_us, total_us;
} Side;

struct _ServePair
{
  ServeModels *models;
  GMutex lock;
  char *id, *prompt;
  const char *name;
  gint64 wall;
  Side sides[2]; /* the answer's, the shadow's */
};

static void
count (ServeModels *models, guint64 *counter)
{
  g_mutex_lock (&models->lock);
  (*counter)++;
  g_mutex_unlock (&models->lock);
}

ServePair *
serve_models_shadow (ServeModels *models, const ServePick *pick, guint waiting, const char *id,
                     const char *prompt)
{
  ServePair *pair;

  if (pick->shadow == NULL || models->shadow == NULL)
    return NULL;
  if (waiting > 0
      || g_atomic_int_add (&models->shadow_running, 1) >= (gint) models->config->shadow_running)
    {
      if (waiting == 0)
        g_atomic_int_add (&models->shadow_running, -1);
      count (models, &models->counts.shadow_dropped);
      return NULL;
    }
  count (models, &models->counts.shadow_started);
  pair = g_new0 (ServePair, 1);
  g_mutex_init (&pair->lock);
  pair->models = models;
  pair->id = g_strdup (id);
  pair->prompt = g_strdup (prompt);
  pair->name = pick->name;
  pair->wall = g_get_real_time ();
  pair->sides[0].revision = g_intern_string (pick->model->id);
  pair->sides[1].revision = g_intern_string (pick->shadow->id);
  return pair;
}

static void
pair_free (ServePair *pair)
{
  for (guint i = 0; i < G_N_ELEMENTS (pair->sides); i++)
    {
      g_free (pair->sides[i].text);
      g_free (pair->sides[i].error);
    }
  g_mutex_clear (&pair->lock);
  g_free (pair->id);
  g_free (pair->prompt);
  g_free (pair);
}

static void
append_text (GString *out, const char *key, const char *text)
{
  if (text == NULL)
    return;
  g_string_append_printf (out, ",\"%s\":", key);
  fr_json_append_string (out, text, strlen (text));
}

static void
append_ms (GString *out, const char *key, gint64 us)
{
  g_string_append_printf (out, ",\"%s\":", key);
  fr_json_append_double (out, (double) us / 1000);
}

static void
append_side (GString *out, const char *key, const Side *side)
{
  g_string_append_printf (out, ",\"%s\":{\"revision\":", key);
  fr_json_append_string (out, side->revision, strlen (side->revision));
  append_text (out, "text", side->text);
  append_text (out, "stop", side->stop);
  append_text (out, "error", side->error);
  g_string_append_printf (out, ",\"answer_tokens\":%" G_GUINT64_FORMAT, side->answer_tokens);
  append_ms (out, "first_ms", side->first_us);
  append_ms (out, "total_ms", side->total_us);
  g_string_append_c (out, '}');
}

static gboolean
write_pair (const ServePair *pair)
{
  g_autoptr (GString) line = g_string_new ("{\"time\":\"");
  const Side *a = &pair->sides[0], *b = &pair->sides[1];

  fr_timestamp_append (line, pair->wall);
  g_string_append_c (line, '"');
  append_text (line, "id", pair->id);
  append_text (line, "model", pair->name);
  append_text (line, "prompt", pair->prompt);
  g_string_append_printf (
      line, ",\"same\":%s",
      a->text != NULL && b->text != NULL && strcmp (a->text, b->text) == 0 ? "true" : "false");
  append_side (line, "answer", a);
  append_side (line, "shadow", b);
  g_string_append (line, "}\n");
  return serve_lines_add (pair->models->shadow, line->str, line->len);
}

static void
side_set (Side *to, const ServeSide *side)
{
  to->there = TRUE;
  if (side->text != NULL)
    to->text = g_utf8_make_valid (side->text, (gssize) side->len);
  to->error = g_strdup (side->error);
  to->stop = g_intern_string (side->stop);
  to->answer_tokens = side->answer_tokens;
  to->first_us = side->first_us;
  to->total_us = side->total_us;
}

void
serve_pair_answer (ServePair *pair, gboolean shadow, const ServeSide *side)
{
  ServeModels *models;
  gboolean both, written;

  if (pair == NULL)
    return;
  models = pair->models;
  g_mutex_lock (&pair->lock);
  side_set (&pair->sides[shadow ? 1 : 0], side);
  both = pair->sides[0].there && pair->sides[1].there;
  g_mutex_unlock (&pair->lock);
  if (shadow)
    g_atomic_int_add (&models->shadow_running, -1);
  if (shadow && side->error != NULL)
    count (models, &models->counts.shadow_failed);
  if (!both)
    return;
  written = write_pair (pair);
  count (models, written ? &models->counts.shadow_written : &models->counts.shadow_dropped);
  pair_free (pair);
}
