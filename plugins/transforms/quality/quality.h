/* SPDX-License-Identifier: Apache-2.0 */
/* quality.h: what the files of transform.quality share.
 *
 *   quality.c   the element: parameters, ports, the loop
 *   rules.c     the rules: which figure, which limit, which fire on a row
 *   script.c    traditional and simplified, by OpenCC
 *   model.c     tokens and perplexity, by a model
 *   report.c    what the run says of itself
 */
#ifndef FLOWRUN_QUALITY_H
#define FLOWRUN_QUALITY_H

#include <flowrun/flowrun.h>

#include "text/language.h"
#include "text/quality.h"
#include "text/team.h"
#include "transforms/quality/rules.h"

typedef struct
{
  char **columns;
  char **rules;
  int action;
  char **scores;
  int script;
  char **languages;
  double language_confidence;
  double limits[N_RULES];
  gint64 perplexity_tokens;
  char *backend;
} Config;

enum
{
  ACTION_DROP,
  ACTION_SCORE
};
enum
{
  SCRIPT_KEEP,
  SCRIPT_SIMPLIFIED,
  SCRIPT_TRADITIONAL
};

/** Result: what was found of a row. */
typedef struct
{
  double values[N_VALUES];
  TextLanguage language;
  double confidence;
  guint64 fired; /* bits of rules */
  GArray *ids;   /* gint32: its tokens, if they are wanted later */
} Result;

/* ---- rules.c ------------------------------------------------------------------------ */

/** quality_value_name: of a value: a figure of text/quality.h, "tokens" or "perplexity"; static. */
const char *quality_value_name (guint value);
gboolean quality_value_is_share (guint value);
/** quality_group_words: of `rules`, NULL-terminated. */
extern const char *const quality_group_words[];
const char *quality_rule_name (guint rule);
/** quality_rule_value: what it looks at; N_VALUES for the language. */
guint quality_rule_value (guint rule);
/** quality_rules_wanted: bits of the rules that the config asks for. */
guint64 quality_rules_wanted (const Config *config);
/** quality_judge: sets @result->fired. */
void quality_judge (const Config *config, guint64 wanted, Result *result);
/** quality_reason: "top_2gram 0.41 > 0.2" for each rule that fired, to @out. */
void quality_reason (const Config *config, const Result *result, GString *out);
/** quality_reason_of: that of rule @rule alone. */
void quality_reason_of (const Config *config, guint rule, const Result *result, GString *out);

/* ---- script.c ----------------------------------------------------------------------- */

/** QualityScript: a converter; one to a thread. */
typedef struct _QualityScript QualityScript;

/** quality_script_known: whether this build has OpenCC. */
gboolean quality_script_known (void);
/** quality_script_new: @script: SCRIPT_SIMPLIFIED or SCRIPT_TRADITIONAL.  FR_ERROR_LOAD: OpenCC's
 * tables are missing. */
QualityScript *quality_script_new (int script, GError **error);
void quality_script_free (QualityScript *script);
/**
 * quality_script_convert: @text in that script to @out, which is emptied.
 * @n_changed: characters that are others now (counted place by place)
 * @japanese: set when it is Japanese, or Korean, and therefore left alone
 * FALSE when nothing changed; @out then is not to be used.
 */
gboolean quality_script_convert (QualityScript *script, FrStr text, GString *out,
                                 guint64 *n_changed, gboolean *japanese);

/* ---- model.c ------------------------------------------------------------------------ */

/** QualityModel: what a model says of texts. */
typedef struct _QualityModel QualityModel;

/** quality_model_known: whether this build has models. */
gboolean quality_model_known (void);
/** quality_model_new: waits for the model at port "model".  NULL without an error when none is
 * connected. */
QualityModel *quality_model_new (FrHost *host, const Config *config, GError **error);
void quality_model_free (QualityModel *model);
/** quality_model_encode: appends the tokens (gint32) of @text to @ids; any thread. */
gboolean quality_model_encode (QualityModel *model, FrStr text, GArray *ids, GError **error);
/** quality_model_perplexity: of each of @n texts, from their tokens; NaN for one with fewer than
 * two. */
gboolean quality_model_perplexity (QualityModel *model, GArray **ids, gsize n, double *perplexities,
                                   GError **error);

/* ---- report.c ----------------------------------------------------------------------- */

typedef struct _QualityReport QualityReport;

QualityReport *quality_report_new (const Config *config, guint64 wanted);
void quality_report_free (QualityReport *report);
void quality_report_add (QualityReport *report, FrHost *host, FrRowId id, const Result *result);
void quality_report_script (QualityReport *report, guint64 rows, guint64 characters,
                            guint64 japanese);
void quality_report_tell (QualityReport *report, FrHost *host);

#endif
