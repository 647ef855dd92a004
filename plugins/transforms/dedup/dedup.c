/* SPDX-License-Identifier: Apache-2.0 */
/* dedup.c: transform.dedup, one row of each set of rows alike.
 *
 * The element itself; how rows are found to be alike is exact.c and near.c.
 */
#include "config.h"

#include <math.h>

#include "text/normal.h"
#include "transforms/dedup/dedup.h"
#include "transforms/dedup/details.h"

static const FrEnumValue *const methods[]
    = { FR_ENUM ("exact", METHOD_EXACT, "equal after normalisation"),
        FR_ENUM ("minhash", METHOD_MINHASH,
                 "near-duplicates: a Jaccard index of at least 'threshold', found by MinHash and "
                 "counted out"),
        FR_ENUM ("simhash", METHOD_SIMHASH,
                 "near-duplicates: SimHashes that differ in at most 'distance' bits"),
        NULL };

static const FrEnumValue *const grams[]
    = { FR_ENUM ("characters", TEXT_GRAM_CHARACTERS,
                 "characters of every kind but white space, in every script"),
        FR_ENUM ("words", TEXT_GRAM_WORDS, "words; a character of a script without blanks is one"),
        FR_ENUM ("auto", TEXT_GRAM_AUTO,
                 "characters in scripts without blanks (Chinese, Japanese, Thai), words in others, "
                 "both in a mixed text"),
        NULL };

static const FrEnumValue *const links[]
    = { FR_ENUM ("kept", LINK_KEPT,
                 "a row goes only if it is near to the row that stays for it: a long chain may "
                 "keep several"),
        FR_ENUM ("chain", LINK_CHAIN,
                 "one row of a cluster stays, also where only others link it to a row that goes"),
        NULL };

static const FrEnumValue *const keeps[]
    = { FR_ENUM ("first", KEEP_FIRST,
                 "the one that comes first; with method exact, rows go on at once"),
        FR_ENUM ("longest", KEEP_LONGEST,
                 "the one with most characters in the columns compared, as they are"),
        FR_ENUM ("most", KEEP_MOST,
                 "the one with the largest value of keep_by: a score, or a time for the newest"),
        FR_ENUM ("least", KEEP_LEAST,
                 "the one with the smallest value of keep_by: a time for the oldest"),
        NULL };

static const FrParam *const params[] = {
  FR_PARAM_COLUMNS ("columns", Config, columns, FR_TYPES_ANY,
                    "columns that make a row the same as another; none given: every text column",
                    .example = "[\"title\", \"content\"]"),
  FR_PARAM_STRINGS ("normalize", Config, normalize,
                    "what is levelled out before text is compared; the rows keep their text",
                    .def = "[\"unicode\", \"width\", \"case\", \"space\"]",
                    .pattern = "none|unicode|width|case|control|space|all_space|punctuation",
                    .example = "[\"unicode\", \"case\", \"all_space\", \"punctuation\"]"),
  FR_PARAM_ENUM ("method", Config, method, methods, "what counts as a duplicate", .def = "exact"),
  FR_PARAM_FLOAT ("threshold", Config, threshold, 0.3, 1,
                  "minhash: least Jaccard index of near-duplicates, shared grams / all grams",
                  .def = "0.8"),
  FR_PARAM_ENUM ("grams", Config, grams, grams, "minhash and simhash: what a text is cut into",
                 .def = "characters"),
  FR_PARAM_INT ("characters", Config, characters, 1, TEXT_GRAM_MOST,
                "characters in a gram of characters", .def = "5", .unit = "characters"),
  FR_PARAM_INT ("words", Config, words, 1, TEXT_GRAM_MOST, "words in a gram of words", .def = "2",
                .unit = "words"),
  FR_PARAM_INT (
      "hashes", Config, hashes, 64, 1024,
      "minhash: values of a sketch, a power of two; more of them find the same pairs with "
      "fewer comparisons",
      .def = "256"),
  FR_PARAM_FLOAT ("recall", Config, recall, 0.5, 0.9999999,
                  "minhash: odds of finding a pair of just the threshold; nearer pairs have better "
                  "ones",
                  .def = "0.999"),
  FR_PARAM_INT ("distance", Config, distance, 0, 8, "simhash: most bits of 64 that may differ",
                .def = "3", .unit = "bits"),
  FR_PARAM_ENUM ("link", Config, link, links, "minhash and simhash: which rows of a cluster go",
                 .def = "kept"),
  FR_PARAM_ENUM ("keep", Config, keep, keeps, "which row of a cluster stays", .def = "first"),
  FR_PARAM_COLUMN (
      "keep_by", Config, keep_by,
      FR_TYPES_NUMBER | FR_TYPES (FR_TYPE_TIMESTAMP) | FR_TYPES (FR_TYPE_BOOL),
      "for keep most and least: the column that decides; null is worst, the first of equals wins"),
  FR_PARAM_STRING ("cluster", Config, cluster,
                   "name of a column to add to out: the id of the first row of the row's cluster",
                   .example = "\"cluster\""),
  NULL
};

static const FrPort *const inputs[] = { FR_PORT ("in", FR_PORT_RECORDS, "rows that may repeat",
                                                 .flags = FR_PORT_MANY | FR_PORT_REWINDABLE),
                                        NULL };

static const FrPort *const outputs[] = {
  FR_PORT ("out", FR_PORT_RECORDS, "one row of each cluster, in the order of the input"),
  FR_PORT ("duplicates", FR_PORT_RECORDS,
           "the others, with 'duplicate_of' (id of the row that stayed), 'similarity' to it and "
           "'cluster'",
           .flags = FR_PORT_OPTIONAL),
  FR_PORT ("pairs", FR_PORT_RECORDS,
           "minhash and simhash: every pair of near-duplicates that was found: ids 'a' and "
           "'b', 'similarity'",
           .flags = FR_PORT_OPTIONAL),
  NULL
};

/* ---- configure, bind, open ------------------------------------------------- */

static gboolean
dedup_configure (gpointer data, FrProblems *problems)
{
  const Config *config = data;
  const char *wrong;
  gboolean by = config->keep == KEEP_MOST || config->keep == KEEP_LEAST, ok = TRUE;

  text_normal_words ((const char *const *) config->normalize, &wrong);
  if (wrong != NULL)
    {
      const char *near = fr_suggest (wrong, text_normal_word_list ());

      fr_problems_add (problems, "/normalize",
                       strcmp (wrong, "none") == 0 ? "'none' stands alone%s%s%s"
                                                   : "there is no normalisation '%s'%s%s",
                       strcmp (wrong, "none") == 0 ? "" : wrong, near ? "; did you mean " : "",
                       near ? near : "");
      ok = FALSE;
    }
  if (by && config->keep_by == NULL)
    {
      fr_problems_add (problems, "/keep",
                       "this needs 'keep_by', the column that decides which row stays");
      ok = FALSE;
    }
  if (!by && config->keep_by != NULL)
    {
      fr_problems_add (problems, "/keep_by",
                       "this has no effect unless 'keep' is 'most' or 'least'");
      ok = FALSE;
    }
  if ((config->hashes & (config->hashes - 1)) != 0)
    {
      fr_problems_add (problems, "/hashes",
                       "%" G_GINT64_FORMAT " is no power of two: 64, 128, 256, 512 or 1024",
                       config->hashes);
      ok = FALSE;
    }
  if (config->cluster != NULL && *config->cluster == '\0')
    {
      fr_problems_add (problems, "/cluster", "a column needs a name");
      ok = FALSE;
    }
  return ok;
}

static FrSchema *
with_column (FrSchema *schema, const char *name, FrType type)
{
  FrSchema *more = fr_schema_with (schema, fr_field_new (name, type));

  fr_schema_unref (schema);
  return more;
}

/* Near-duplicates are a matter of text. */
static gboolean
check_columns (const Config *config, const FrSchema *schema, FrBind *bind)
{
  gboolean ok = TRUE, any = config->columns != NULL && config->columns[0] != NULL;

  for (guint i = 0; any && config->columns[i] != NULL; i++)
    {
      int at = fr_schema_find (schema, config->columns[i]);
      FrType type = at >= 0 ? fr_field_type (fr_schema_field (schema, (guint) at)) : FR_TYPE_UTF8;

      if (FR_TYPES (type) & FR_TYPES_TEXT)
        continue;
      fr_bind_problem (
          bind, "/columns",
          "method '%s' compares text, and '%s' is %s; name text columns, or use method "
          "exact",
          methods[config->method]->word, config->columns[i], fr_type_name (type));
      ok = FALSE;
    }
  if (any)
    return ok;
  for (guint i = 0; i < fr_schema_n_fields (schema) && !any; i++)
    any = (FR_TYPES (fr_field_type (fr_schema_field (schema, i))) & FR_TYPES_TEXT) != 0;
  if (!any)
    fr_bind_problem (
        bind, "/method",
        "method '%s' compares text, and the input has no text column; use method exact",
        methods[config->method]->word);
  return any;
}

static gboolean
dedup_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *config = data;
  FrSchema *schema = fr_bind_input (bind, "in"), *others;

  (void) error;
  fr_bind_output (bind, "pairs",
                  fr_schema_new_simple ("a", FR_TYPE_UTF8, "b", FR_TYPE_UTF8, "similarity",
                                        FR_TYPE_FLOAT64, NULL));
  if (config->method == METHOD_EXACT && fr_bind_is_connected (bind, "pairs"))
    fr_bind_warn (bind, "/method",
                  "method 'exact' looks for no pairs, so the port 'pairs' stays empty");
  if (schema == NULL)
    {
      fr_bind_output (bind, "out", NULL);
      fr_bind_output (bind, "duplicates", NULL);
      return TRUE;
    }
  if (config->method != METHOD_EXACT && !check_columns (config, schema, bind))
    return FALSE;
  if (config->cluster != NULL && fr_schema_find (schema, config->cluster) >= 0)
    fr_bind_warn (bind, "/cluster", "the input has a column '%s' already; it is replaced",
                  config->cluster);
  fr_bind_output (bind, "out",
                  config->cluster != NULL
                      ? with_column (fr_schema_ref (schema), config->cluster, FR_TYPE_UTF8)
                      : fr_schema_ref (schema));
  others = with_column (fr_schema_ref (schema), "duplicate_of", FR_TYPE_UTF8);
  others = with_column (others, "similarity", FR_TYPE_FLOAT64);
  fr_bind_output (bind, "duplicates", with_column (others, "cluster", FR_TYPE_UTF8));
  return TRUE;
}

static void
dedup_close (gpointer data)
{
  Dedup *d = data;

  text_row_key_free (d->key);
  g_string_free (d->id, TRUE);
  g_free (d);
}

static gboolean
dedup_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  const Config *config = data;
  const char *wrong;
  FrSchema *schema = fr_host_input (host, "in");
  Dedup *d;

  (void) error;
  d = g_new0 (Dedup, 1);
  d->config = config;
  d->host = host;
  d->key = text_row_key_new (schema, (const char *const *) config->columns,
                             text_normal_words ((const char *const *) config->normalize, &wrong));
  d->keep_by = config->keep_by != NULL ? fr_schema_find (schema, config->keep_by) : -1;
  d->id = g_string_new (NULL);
  *state = d;
  return TRUE;
}

static FrFlow
dedup_run (FrHost *host, gpointer state, GError **error)
{
  Dedup *d = state;

  d->host = host;
  return d->config->method == METHOD_EXACT ? dedup_exact (d, error) : dedup_near (d, error);
}

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.dedup",
  .revision = 2,
  .summary = "keep one row of each set of rows that are equal or nearly so",
  .details = details,
  .example = "{\"method\": \"minhash\", \"threshold\": 0.8, \"keep\": \"longest\", \"cluster\": "
             "\"cluster\"}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .outputs = outputs,
  .configure = dedup_configure,
  .bind = dedup_bind,
  .open = dedup_open,
  .run = dedup_run,
  .close = dedup_close,
};

FR_PLUGIN ("dedup", PACKAGE_VERSION, "one row of each set of rows that are equal or nearly so",
           "Apache-2.0", "flowrun", &element)
