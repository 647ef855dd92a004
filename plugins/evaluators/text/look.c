/* SPDX-License-Identifier: Apache-2.0 */
/* look.c: the first reading of evaluator.text: which units suit the references, and what training
 * knows of them.
 *
 * Leaks are looked for in references, for questions often begin alike; that a
 * question was asked in training is counted apart.  Text is compared after the
 * normalisation that transform.split has as its default.
 */
#include "config.h"

#include "text.h"

#include <string.h>
#include <xxhash.h>

#include "text/normal.h"

#define LOOKED_AT 2000 /* rows that tell what language it is */
#define LEVELLED (TEXT_NFC | TEXT_WIDTH | TEXT_CASE | TEXT_SPACE)

static FrStr
str_of (const GString *text)
{
  return (FrStr){ text->str, text->len };
}

/* The reference as it is scored: without reasoning, where that is asked for. */
static const char *
stripped (const State *s, const char *text)
{
  const char *answer = text;

  if (s->config->strip_think)
    lm_think_split (text, strlen (text), FALSE, &answer);
  return answer;
}

static void
level (const char *text, GString *out)
{
  g_string_set_size (out, 0);
  text_normalise ((FrStr){ text, strlen (text) }, LEVELLED, out);
}

/* 0: there is no question. */
static guint64
question_hash (LmRecord *record, const FrBatch *batch, gsize row, GString *room)
{
  g_autofree char *question = question_text (record, batch, row);

  if (question == NULL)
    return 0;
  level (question, room);
  return XXH3_64bits (room->str, room->len) | 1;
}

/* ---- rows that are scored -----------------------------------------------------------------------
 */

static void
note_question (State *s, const FrBatch *batch, gsize row, GString *room)
{
  guint64 hash = question_hash (s->question, batch, row, room);

  g_array_append_val (s->question_of_row, hash);
  if (hash != 0)
    g_hash_table_insert (s->questions, g_memdup2 (&hash, sizeof hash), GINT_TO_POINTER (FALSE));
}

/* Digits and names in Latin letters leave short runs of Chinese, which pass for words; but a text
 * with so much of it is no other language's. */
#define CHINESE_FROM 0.3

static gboolean
reads_like_western (const char *text)
{
  const FrStr str = { text, strlen (text) };

  return text_unit_suits (TEXT_UNIT_13A, str) && text_han_share (str) < CHINESE_FROM;
}

/* @part: of the space of hashes; the first is also when all else is looked at. */
static void
look_at_row (State *s, const FrBatch *batch, gsize row, guint64 at, guint part, GString *room)
{
  g_autofree char *text = source_text (&s->reference, batch, row);
  const char *answer = text != NULL ? stripped (s, text) : "";

  if (part == 0 && s->n_seen < LOOKED_AT && *answer != '\0')
    {
      s->n_seen++;
      s->n_seen_suited += reads_like_western (answer);
    }
  if (!s->has_train)
    return;
  level (answer, room);
  text_leak_held_out (s->leak, (guint32) at, str_of (room));
  if (part > 0)
    return;
  text_near_held_out (s->near, str_of (room));
  note_question (s, batch, row, room);
}

static FrFlow
look_at_in (State *s, guint part, GString *room, GError **error)
{
  guint64 at = 0;

  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;
      FrFlow flow = fr_host_next (s->host, "in", &batch, error);

      if (flow == FR_FLOW_DONE)
        {
          s->n_in = at;
          return fr_host_rewind (s->host, "in", error) ? FR_FLOW_OK : FR_FLOW_ERROR;
        }
      if (flow != FR_FLOW_OK)
        return flow;
      for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
        look_at_row (s, batch, row, at++, part, room);
      fr_host_status (s->host, "looking at %" G_GUINT64_FORMAT " rows", at);
    }
}

/* ---- rows that were learned
 * ------------------------------------------------------------------------ */

static void
look_at_learned (State *s, const FrBatch *batch, gsize row, guint part, GString *room)
{
  g_autofree char *text = source_text (&s->train_text, batch, row);

  if (text != NULL)
    {
      level (stripped (s, text), room);
      text_leak_training (s->leak, str_of (room));
      if (part == 0)
        text_near_training (s->near, str_of (room));
    }
  if (part == 0 && s->train_question != NULL)
    {
      guint64 hash = question_hash (s->train_question, batch, row, room);

      if (hash != 0 && g_hash_table_contains (s->questions, &hash))
        g_hash_table_insert (s->questions, g_memdup2 (&hash, sizeof hash), GINT_TO_POINTER (TRUE));
    }
}

static FrFlow
look_at_train (State *s, guint part, GString *room, GError **error)
{
  guint64 n = 0;

  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;
      FrFlow flow = fr_host_next (s->host, "train", &batch, error);

      if (flow == FR_FLOW_DONE)
        {
          s->n_train = n;
          return fr_host_rewind (s->host, "train", error) ? FR_FLOW_OK : FR_FLOW_ERROR;
        }
      if (flow != FR_FLOW_OK)
        return flow;
      for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
        look_at_learned (s, batch, row, part, room);
      n += fr_batch_n_rows (batch);
      fr_host_status (s->host, "looking for leaks in %" G_GUINT64_FORMAT " training rows", n);
    }
}

FrFlow
look_at_rows (State *s, GError **error)
{
  g_autoptr (GString) room = g_string_new (NULL);
  FrFlow flow = FR_FLOW_OK;

  if (s->has_train)
    {
      s->leak = text_leak_new (fr_host_memory (s->host) / 4);
      s->near = text_near_new ();
      s->questions = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
      text_leak_begin (s->leak, 0);
    }
  flow = look_at_in (s, 0, room, error);
  for (guint part = 0; s->has_train && flow == FR_FLOW_OK && part < text_leak_n_parts (s->leak);
       part++)
    {
      if (part > 0)
        {
          text_leak_begin (s->leak, part);
          flow = look_at_in (s, part, room, error);
        }
      text_leak_seal (s->leak);
      if (flow == FR_FLOW_OK)
        flow = look_at_train (s, part, room, error);
      text_leak_end (s->leak);
    }
  s->chinese = s->n_seen_suited * 2 < s->n_seen;
  return flow;
}

Verdict
verdict_of (const State *s, guint64 at)
{
  Verdict v = { 0 };
  const TextLeakRow *row;
  guint64 hash;

  if (!s->has_train)
    return v;
  row = text_leak_row (s->leak, (guint32) at);
  hash = g_array_index (s->question_of_row, guint64, at);
  v.same = row->same;
  v.share = row->grams > 0 ? (double) row->shared / row->grams : 0;
  v.grams = row->shared > 0 && (v.share > s->config->leak_share || row->shared == row->grams);
  v.index = MAX (text_near_best (s->near, at), row->same ? 1 : 0);
  v.near = v.index >= s->config->leak_near;
  v.question = hash != 0 && g_hash_table_lookup (s->questions, &hash) != NULL;
  return v;
}
