/* SPDX-License-Identifier: Apache-2.0 */
/* ask.h: texts to translations: each different text once, from the cache where it has it, else from
 * the engine, and then into the cache. */
#ifndef FLOWRUN_BACKTRANSLATE_ASK_H
#define FLOWRUN_BACKTRANSLATE_ASK_H

#include <flowrun/flowrun.h>

#include "text/translator.h"

/**
 * Question: one text to translate.
 * @from, @to, @seed: as in TranslatorItem
 * @text: before: what to translate, not blank; after: the translation; g_free()
 * @rule: NULL, or why there is no translation: one of TranslatorItem's rules, or "not_cached"; then
 * @why says more (newly allocated)
 */
typedef struct
{
  const char *from, *to;
  guint64 seed;
  char *text;
  const char *rule;
  char *why;
} Question;

typedef struct
{
  guint64 texts;  /* questions */
  guint64 same;   /* of them, those another question of the batch asked too */
  guint64 cached; /* answered by the cache */
  guint64 asked;  /* given to the engine */
  guint64 refused;
} AskerCounts;

typedef struct _Asker Asker;

/**
 * asker_new:
 * @engine: its name
 * @settings: borrowed, must outlive it
 * @cache: path; NULL: the stage's own place, which outlives a killed run
 * @offline: the engine is never asked, nor opened
 * @model: of the port; NULL: none; borrowed until asker_free()
 */
Asker *asker_new (FrHost *host, const char *engine, const TranslatorSettings *settings,
                  const char *cache, gboolean offline, FrObject *model, GError **error);
void asker_free (Asker *asker);

/** asker_translate: answers all of @questions; FALSE: the engine is not there or the run is
 * cancelled. */
gboolean asker_translate (Asker *asker, Question *questions, gsize n, GError **error);

AskerCounts asker_counts (const Asker *asker);
/** asker_report: engine, identity, counts, and what the engine has to say; json_object_unref(). */
JsonObject *asker_report (const Asker *asker);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Asker, asker_free)

#endif
