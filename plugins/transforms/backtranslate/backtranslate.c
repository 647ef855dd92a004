/* SPDX-License-Identifier: Apache-2.0 */
/* backtranslate.c: transform.backtranslate, rows and their variants through another language.
 *
 *   row --mask--> pieces --hop by hop--> pieces --restore--> variant --guard--> out
 *                          (ask.h)                              '--rule--> dropped
 *
 * A batch is worked on as a whole, so that every hop is one call for all its texts.  One thread:
 * the time goes into waiting for the translator, which has several requests in flight.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <math.h>
#include <string.h>

#include "ask.h"
#include "details.h"
#include "guard.h"
#include "mask.h"
#include "pieces.h"
#include "text/augment.h"

#define MODEL_PORT "model"
#define N_EXAMPLES 3      /* of each rule, in the report */
#define EXAMPLE_CHARS 120 /* shown of a text there */
#define COLUMN_VIA "via"
#define COLUMN_CHRF "chrf"

typedef struct
{
  char *column, *engine, *language;
  char **via;
  gint64 variants;
  TranslatorSettings ask;
  gint64 max_chars;
  char *cache;
  gboolean offline;
  char **keep, **keep_columns;
  char *keep_file;
  GuardLimits limits;
  gboolean originals, details;
} Config;

static const FrParam *const params[] = {
  FR_PARAM_COLUMN ("column", Config, column, FR_TYPES_TEXT, "the text to vary",
                   .flags = FR_PARAM_REQUIRED, .example = "\"input\""),
  FR_PARAM_STRING ("engine", Config, engine,
                   "who translates: 'libretranslate', 'openai', 'model', 'dictionary', or another "
                   "that is installed",
                   .flags = FR_PARAM_REQUIRED, .example = "\"libretranslate\""),
  FR_PARAM_STRING ("language", Config, language, "the language of the text", .def = "zh",
                   .pattern = "[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*"),
  FR_PARAM_STRINGS (
      "via", Config, via, "languages to go through, a way back each; 'ja>en' goes through both",
      .def = "[\"en\"]",
      .pattern = "[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*(>[A-Za-z]{2,3}([-_][A-Za-z0-9]{"
                 "2,8})*)*",
      .example = "[\"en\", \"ja>en\"]"),
  FR_PARAM_INT (
      "variants", Config, variants, 1, 64,
      "variants for each way; more than one needs an engine that draws, and a temperature",
      .def = "1"),
  FR_PARAM_STRING ("url", Config, ask.url, "address of the service, for engines that ask one",
                   .example = "\"http://127.0.0.1:5000\""),
  FR_PARAM_STRING ("api_key", Config, ask.key, "key of the service",
                   .flags = FR_PARAM_SECRET | FR_PARAM_NO_RESULT,
                   .example = "{\"env\": \"TRANSLATOR_KEY\"}"),
  FR_PARAM_STRING ("model", Config, ask.model, "the service's model, for the engine 'openai'"),
  FR_PARAM_STRING ("prompt", Config, ask.prompt,
                   "instruction to a language model; {from} and {to} become the languages' names"),
  FR_PARAM_PATH ("dictionary", Config, ask.path,
                 "word list of the engine 'dictionary': a word, a tab, its translations with ';'",
                 .flags = FR_PARAM_READS),
  FR_PARAM_STRING ("version", Config, ask.version,
                   "what the translator is called in the cache, in place of its address: another "
                   "name, and everything is asked anew"),
  FR_PARAM_MAP ("options", Config, ask.options, "more settings of the engine; see below"),
  FR_PARAM_FLOAT ("temperature", Config, ask.temperature, 0, 5,
                  "of a language model: 0 takes the likeliest words", .def = "0"),
  FR_PARAM_INT ("max_tokens", Config, ask.max_tokens, 1, 1 << 20,
                "of a language model's answer to one text", .def = "512", .unit = "tokens"),
  FR_PARAM_INT ("batch", Config, ask.batch_texts, 1, 4096, "texts in one request", .def = "16",
                .unit = "texts"),
  FR_PARAM_INT ("batch_chars", Config, ask.batch_chars, 1, 1 << 24,
                "characters in one request, unless one text alone has more", .def = "4000",
                .unit = "characters", .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_INT ("max_chars", Config, max_chars, 32, 1 << 20,
                "a longer line is translated in parts, cut behind sentences", .def = "1000",
                .unit = "characters"),
  FR_PARAM_INT ("concurrency", Config, ask.concurrency, 1, 256, "requests in flight at once",
                .def = "4", .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_INT ("tries", Config, ask.tries, 1, 100,
                "attempts at a request, with growing pauses or as long as the service asks",
                .def = "5", .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_DURATION ("timeout", Config, ask.timeout, "for one attempt, to its last byte",
                     .def = "60s", .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_FLOAT ("rate", Config, ask.rate, 0, 1e6, "requests a second at most; 0: no limit",
                  .def = "0", .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_SIZE ("max_answer", Config, ask.max_answer, "an answer larger than this is nonsense",
                 .def = "8MiB", .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_PATH ("cache", Config, cache,
                 "file of translations, kept for other runs; none given: one of this stage, kept "
                 "until the run is whole",
                 .flags = FR_PARAM_NO_RESULT, .example = "\"translations.jsonl\""),
  FR_PARAM_BOOL ("offline", Config, offline, "ask nobody: the cache alone answers"),
  FR_PARAM_STRINGS ("keep", Config, keep, "brands and words that must come back as they are",
                    .example = "[\"顺丰\", \"iPhone\"]"),
  FR_PARAM_PATH ("keep_file", Config, keep_file, "a file of more, one a line",
                 .flags = FR_PARAM_READS),
  FR_PARAM_COLUMNS ("keep_columns", Config, keep_columns, FR_TYPES_TEXT,
                    "columns whose text, a row's brand say, must come back in that row",
                    .example = "[\"brand\"]"),
  FR_PARAM_FLOAT ("chrf_min", Config, limits.chrf_min, 0, 100,
                  "a variant with less in common with its parent says something else", .def = "10"),
  FR_PARAM_FLOAT ("chrf_max", Config, limits.chrf_max, 0, 100,
                  "a variant with more in common teaches nothing new", .def = "85"),
  FR_PARAM_FLOAT ("length_min", Config, limits.length_min, 0, 1,
                  "characters of a variant, as a share of its parent's, at least", .def = "0.5"),
  FR_PARAM_FLOAT ("length_max", Config, limits.length_max, 1, 100, "and at most", .def = "2"),
  FR_PARAM_FLOAT ("repetition_max", Config, limits.repetition, 0, 1,
                  "share of its runs of four characters that a variant may say again, unless its "
                  "parent does too",
                  .def = "0.25"),
  FR_PARAM_BOOL ("originals", Config, originals,
                 "the rows themselves go on too, before their variants", .def = "true"),
  FR_PARAM_BOOL ("details", Config, details,
                 "adds the columns 'via' (the way and who translated) and 'chrf' to out"),
  NULL
};

static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "rows to learn from",
                 .flags = FR_PORT_MANY | FR_PORT_TRAINING),
        FR_PORT (MODEL_PORT, FR_PORT_MODEL, "the model that translates, for the engine 'model'",
                 .flags = FR_PORT_OPTIONAL),
        NULL };

static const FrPort *const outputs[]
    = { FR_PORT ("out", FR_PORT_RECORDS, "each row, then its variants, in the order of the input"),
        FR_PORT ("dropped", FR_PORT_RECORDS,
                 "variants that did not do, with 'via', 'chrf', 'drop_rule' and 'drop_reason'",
                 .flags = FR_PORT_OPTIONAL),
        NULL };

/* A way through other languages and back. */
typedef struct
{
  char **codes; /* language, ..., language */
  guint n_hops;
  char *name; /* "zh>en>zh" */
} Route;

static void
route_clear (gpointer data)
{
  Route *route = data;

  g_strfreev (route->codes);
  g_free (route->name);
}

/* The ways that @config asks for. */
static GArray *
make_routes (const Config *config)
{
  GArray *routes = g_array_new (FALSE, TRUE, sizeof (Route));

  g_array_set_clear_func (routes, route_clear);
  for (char **via = config->via; *via != NULL; via++)
    {
      Route route = { 0 };

      route.name = g_strdup_printf ("%s>%s>%s", config->language, *via, config->language);
      route.codes = g_strsplit (route.name, ">", -1);
      route.n_hops = g_strv_length (route.codes) - 1;
      g_array_append_val (routes, route);
    }
  return routes;
}

/* ---- configure and bind -----------------------------------------------------------------------
 */

static gboolean
check_routes (const Config *config, FrProblems *problems)
{
  g_autoptr (GArray) routes = make_routes (config);
  gboolean ok = TRUE;

  if (routes->len == 0)
    {
      fr_problems_add (problems, "/via", "no language to go through is named");
      ok = FALSE;
    }
  for (guint i = 0; i < routes->len; i++)
    {
      const Route *route = &g_array_index (routes, Route, i);
      g_autofree char *pointer = g_strdup_printf ("/via/%u", i);

      for (guint k = 0; k < i; k++)
        if (strcmp (g_array_index (routes, Route, k).name, route->name) == 0)
          {
            fr_problems_add (problems, pointer, "the way '%s' is listed twice", route->name);
            ok = FALSE;
          }
      for (guint k = 0; k < route->n_hops; k++)
        if (strcmp (route->codes[k], route->codes[k + 1]) == 0)
          {
            fr_problems_add (problems, pointer, "'%s' goes from '%s' to itself", route->name,
                             route->codes[k]);
            ok = FALSE;
            break;
          }
    }
  return ok;
}

static gboolean
configure (gpointer data, FrProblems *problems)
{
  Config *c = data;
  gboolean ok = check_routes (c, problems);

  if (c->limits.chrf_min >= c->limits.chrf_max)
    {
      fr_problems_add (problems, "/chrf_min", "%g is not below 'chrf_max', which is %g",
                       c->limits.chrf_min, c->limits.chrf_max);
      ok = FALSE;
    }
  if (c->ask.timeout < G_TIME_SPAN_MILLISECOND)
    {
      fr_problems_add (problems, "/timeout", "no answer comes in less than a millisecond");
      ok = FALSE;
    }
  return ok;
}

static gboolean
check_pairs (const Config *c, const TranslatorEngine *engine, FrBind *bind)
{
  g_autoptr (GArray) routes = make_routes (c);
  gboolean ok = TRUE;

  for (guint i = 0; engine->knows != NULL && i < routes->len; i++)
    for (guint k = 0; k < g_array_index (routes, Route, i).n_hops; k++)
      {
        char **codes = g_array_index (routes, Route, i).codes + k;
        g_autofree char *pointer = g_strdup_printf ("/via/%u", i);

        if (engine->knows (&c->ask, codes[0], codes[1]))
          continue;
        fr_bind_problem (bind, pointer, "the engine '%s' cannot translate from '%s' to '%s'",
                         c->engine, codes[0], codes[1]);
        ok = FALSE;
        break;
      }
  return ok;
}

/* --deny network: an address on this machine may be asked; no other is. */
static gboolean
check_network (const Config *c, const TranslatorEngine *engine, FrBind *bind)
{
  if (!(engine->flags & TRANSLATOR_NETWORK) || c->offline || !fr_bind_is_network_denied (bind))
    return TRUE;
  if (translator_reach (c->ask.url) == TRANSLATOR_REACH_LOCAL)
    {
      fr_bind_warn (bind, "/url",
                    "the service at %s is on this machine, so '--deny network' lets it be asked; "
                    "what it does with the texts cannot be seen from here",
                    c->ask.url);
      return TRUE;
    }
  fr_bind_problem (
      bind, "/url",
      "the engine '%s' sends texts to %s, which '--deny network' forbids; a service on "
      "this machine (127.0.0.1) may be asked, and with \"offline\": true the cache "
      "alone answers",
      c->engine, c->ask.url);
  return FALSE;
}

static gboolean
check_engine (const Config *c, FrBind *bind, GError **error)
{
  const TranslatorEngine *engine = translator_find (NULL, c->engine, error);
  gboolean has_model = fr_bind_has_input (bind, MODEL_PORT), ok;

  if (engine == NULL)
    return FALSE;
  ok = engine->check (&c->ask, bind, error);
  if (error != NULL && *error != NULL)
    return FALSE;
  if ((engine->flags & TRANSLATOR_MODEL) && !has_model)
    {
      fr_bind_problem (bind, "/engine",
                       "the engine '%s' needs a model: connect one, \"from\": {\"in\": …, "
                       "\"model\": …}",
                       c->engine);
      ok = FALSE;
    }
  if (!(engine->flags & TRANSLATOR_MODEL) && has_model)
    {
      fr_bind_problem (bind, "/engine",
                       "a model is connected, and the engine '%s' has no use for it", c->engine);
      ok = FALSE;
    }
  if (c->variants > 1
      && (!(engine->flags & TRANSLATOR_DRAWS)
          || (!(engine->flags & TRANSLATOR_CHEAP) && c->ask.temperature == 0)))
    {
      fr_bind_problem (bind, "/variants",
                       engine->flags & TRANSLATOR_DRAWS
                           ? "with a temperature of 0 the engine '%s' would say the same again"
                           : "the engine '%s' gives one answer: name more ways in 'via' instead",
                       c->engine);
      ok = FALSE;
    }
  return check_pairs (c, engine, bind) && check_network (c, engine, bind) && ok;
}

/* What the element adds behind the family. */
static FrSchema *
add_columns (FrSchema *family, gboolean detailed, gboolean dropped)
{
  FrSchema *schema = fr_schema_ref (family);

  for (guint i = 0; i < 4; i++)
    {
      static const struct
      {
        const char *name;
        FrType type;
      } columns[] = { { COLUMN_VIA, FR_TYPE_UTF8 },
                      { COLUMN_CHRF, FR_TYPE_FLOAT64 },
                      { "drop_rule", FR_TYPE_UTF8 },
                      { "drop_reason", FR_TYPE_UTF8 } };
      FrSchema *more;

      if (i < 2 ? !detailed : !dropped)
        continue;
      more = fr_schema_with (schema, fr_field_new (columns[i].name, columns[i].type));
      fr_schema_unref (schema);
      schema = more;
    }
  return schema;
}

static gboolean
free_of (FrBind *bind, const FrSchema *in, const char *name, gboolean detailed)
{
  if (fr_schema_find (in, name) < 0)
    return TRUE;
  fr_bind_problem (bind, detailed ? "/details" : "",
                   "the input has a column '%s', which this adds; rename it before", name);
  return FALSE;
}

static gboolean
bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *c = data;
  FrSchema *in = fr_bind_input (bind, "in");
  g_autoptr (FrSchema) family = NULL;
  GError *fault = NULL;
  gboolean ok = check_engine (c, bind, &fault);

  if (fault != NULL)
    {
      g_propagate_error (error, fault);
      return FALSE;
    }
  if (in == NULL)
    return ok;
  ok &= free_of (bind, in, "drop_rule", FALSE);
  ok &= free_of (bind, in, "drop_reason", FALSE);
  ok &= free_of (bind, in, COLUMN_VIA, c->details);
  ok &= free_of (bind, in, COLUMN_CHRF, c->details);
  if (!ok)
    return FALSE;
  family = text_family_schema (in, error);
  if (family == NULL)
    return FALSE;
  fr_bind_output (bind, "out", add_columns (family, c->details, FALSE));
  fr_bind_output (bind, "dropped", add_columns (family, TRUE, TRUE));
  return TRUE;
}

/* ---- state ------------------------------------------------------------------------------------
 */

typedef struct
{
  guint64 n;
  GPtrArray *examples; /* char *: parent, variant, reason, one after the other */
} Dropped;

typedef struct
{
  const Config *config;
  FrHost *host;
  GArray *routes; /* Route */
  TextFamily *family;
  TextKeeper *keeper;
  Guard *guard;
  Asker *asker;
  guint column;
  guint *keep_columns;
  guint n_keep_columns;
  gboolean draws;
  GHashTable *dropped; /* rule to Dropped */
  GPtrArray *rules;    /* rules in the order met */
  guint64 n_rows, n_variants, n_kept, n_plain;
  guint64 chrf_bins[20];
  FrBuilder *out, *dropped_out;
} State;

/* One variant on its way. */
typedef struct
{
  gsize row;
  guint route;
  guint number; /* from 1 among the row's */
  guint64 seed;
  gsize first, n; /* its pieces among those of the batch */
  const char *rule;
  char *why;
} Variant;

/* A row's text as it is translated. */
typedef struct
{
  gsize row;
  FrStr text;
  FrStr *more;
  GString *masked;
  GArray *marks;  /* FrStr */
  GArray *pieces; /* Piece, into masked */
} Source;

static void
source_clear (gpointer data)
{
  Source *s = data;

  g_free (s->more);
  g_clear_pointer (&s->marks, g_array_unref);
  g_clear_pointer (&s->pieces, g_array_unref);
  if (s->masked != NULL)
    g_string_free (s->masked, TRUE);
}

static void
dropped_free (gpointer data)
{
  Dropped *d = data;

  g_ptr_array_unref (d->examples);
  g_free (d);
}

static void
state_free (State *s)
{
  g_clear_pointer (&s->asker, asker_free);
  g_clear_pointer (&s->guard, guard_free);
  g_clear_pointer (&s->keeper, text_keeper_free);
  g_clear_pointer (&s->family, text_family_free);
  g_clear_pointer (&s->routes, g_array_unref);
  g_clear_pointer (&s->dropped, g_hash_table_unref);
  g_clear_pointer (&s->rules, g_ptr_array_unref);
  g_clear_pointer (&s->out, fr_builder_free);
  g_clear_pointer (&s->dropped_out, fr_builder_free);
  g_free (s->keep_columns);
  g_free (s);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (State, state_free)

static gboolean
open_state (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  g_autoptr (State) s = g_new0 (State, 1);
  const Config *c = data;
  FrSchema *in = fr_host_input (host, "in");

  s->config = c;
  s->host = host;
  s->routes = make_routes (c);
  s->dropped = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, dropped_free);
  s->rules = g_ptr_array_new ();
  s->column = (guint) fr_schema_find (in, c->column);
  s->n_keep_columns = c->keep_columns != NULL ? g_strv_length (c->keep_columns) : 0;
  s->keep_columns = g_new0 (guint, s->n_keep_columns + 1);
  for (guint i = 0; i < s->n_keep_columns; i++)
    s->keep_columns[i] = (guint) fr_schema_find (in, c->keep_columns[i]);
  s->family = text_family_new (host, in);
  s->keeper = text_keeper_new ((const char *const *) c->keep, c->keep_file, error);
  if (s->keeper == NULL)
    return FALSE;
  s->guard = guard_new (&c->limits, s->keeper, error);
  if (s->guard == NULL)
    return FALSE;
  s->out = fr_builder_new (fr_host_output (host, "out"));
  s->dropped_out = fr_builder_new (fr_host_output (host, "dropped"));
  *state = g_steal_pointer (&s);
  return TRUE;
}

/* The engine needs the model, which comes when its stage is done. */
static FrFlow
open_asker (State *s, GError **error)
{
  const Config *c = s->config;
  g_autoptr (FrObject) model = NULL;
  const TranslatorEngine *engine = translator_find (s->host, c->engine, error);
  FrFlow flow;

  if (engine == NULL)
    return FR_FLOW_ERROR;
  s->draws = (engine->flags & TRANSLATOR_DRAWS)
             && ((engine->flags & TRANSLATOR_CHEAP) || c->ask.temperature > 0);
  flow = fr_host_next_object (s->host, MODEL_PORT, &model, error);
  if (flow == FR_FLOW_CANCELLED || flow == FR_FLOW_ERROR)
    return flow;
  s->asker = asker_new (s->host, c->engine, &c->ask, c->cache, c->offline, model, error);
  return s->asker != NULL ? FR_FLOW_OK : FR_FLOW_ERROR;
}

/* ---- rows to pieces ---------------------------------------------------------------------------
 */

static void
find_more (const State *s, const FrBatch *batch, gsize row, FrStr *more)
{
  for (guint i = 0; i < s->n_keep_columns; i++)
    {
      FrView view = fr_view (batch, s->keep_columns[i]);

      more[i] = fr_view_str (&view, row);
    }
}

/* FALSE: nothing to translate in this row. */
static gboolean
make_source (State *s, const FrBatch *batch, const FrView *view, gsize row, Source *source)
{
  g_autoptr (GArray) keeps = g_array_new (FALSE, FALSE, sizeof (TextKeep));

  source->row = row;
  source->text = fr_view_str (view, row);
  if (source->text.data == NULL || source->text.len == 0)
    return FALSE;
  source->more = g_new0 (FrStr, s->n_keep_columns + 1);
  find_more (s, batch, row, source->more);
  source->masked = g_string_sized_new (source->text.len);
  source->marks = g_array_new (FALSE, FALSE, sizeof (FrStr));
  source->pieces = g_array_new (FALSE, FALSE, sizeof (Piece));
  text_keeper_find (s->keeper, source->text, source->more, s->n_keep_columns, keeps);
  mask_text (source->text, keeps, source->masked, source->marks);
  if (!mask_has_words ((FrStr){ source->masked->str, source->masked->len }))
    return FALSE;
  pieces_cut ((FrStr){ source->masked->str, source->masked->len }, (gsize) s->config->max_chars,
              source->pieces);
  return TRUE;
}

/* The seed of the variant that is number @draw of its way: of the pipeline's seed and the stage's
 * id, not of the row, so that equal texts are asked once. */
static guint64
draw_seed (const State *s, guint draw)
{
  FrRowId none = { 0, 0, 0 };

  return s->draws ? fr_host_random (s->host, none, draw) | 1 : 0;
}

typedef struct
{
  GArray *sources;   /* Source */
  GArray *variants;  /* Variant, those of a row together */
  GArray *questions; /* Question: a piece of a variant; kept pieces are not among them */
} Work;

static void
question_clear (gpointer data)
{
  Question *q = data;

  g_free (q->text);
  g_free (q->why);
}

static void
variant_clear (gpointer data)
{
  g_free (((Variant *) data)->why);
}

static void
add_variants (State *s, Work *w, const Source *source)
{
  guint number = 0;

  for (guint route = 0; route < s->routes->len; route++)
    for (guint draw = 0; draw < (guint) s->config->variants; draw++)
      {
        Variant v = { .row = source->row, .route = route, .number = ++number };

        v.seed = draw_seed (s, draw);
        v.first = w->questions->len;
        for (guint i = 0; i < source->pieces->len; i++)
          {
            const Piece *piece = &g_array_index (source->pieces, Piece, i);
            Question q = { .seed = v.seed };

            if (piece->kept)
              continue;
            q.text = g_strndup (piece->text.data, piece->text.len);
            g_array_append_val (w->questions, q);
          }
        v.n = w->questions->len - v.first;
        g_array_append_val (w->variants, v);
      }
  s->n_variants += number;
}

/* ---- hops -------------------------------------------------------------------------------------
 */

/* The pieces of all variants whose way has a hop number @hop: indices into the questions, those of
 * a way together. */
static GArray *
of_hop (State *s, Work *w, guint hop)
{
  GArray *which = g_array_new (FALSE, FALSE, sizeof (gsize));

  for (guint route = 0; route < s->routes->len; route++)
    {
      const Route *r = &g_array_index (s->routes, Route, route);

      for (guint draw = 0; hop < r->n_hops && draw < (guint) s->config->variants; draw++)
        for (guint i = 0; i < w->variants->len; i++)
          {
            const Variant *v = &g_array_index (w->variants, Variant, i);

            if (v->route != route || v->rule != NULL
                || (v->number - 1) % (guint) s->config->variants != draw)
              continue;
            for (gsize k = v->first; k < v->first + v->n; k++)
              {
                Question *q = &g_array_index (w->questions, Question, k);

                q->from = r->codes[hop];
                q->to = r->codes[hop + 1];
                g_array_append_val (which, k);
              }
          }
    }
  return which;
}

static void
note_refused (Work *w)
{
  for (guint i = 0; i < w->variants->len; i++)
    {
      Variant *v = &g_array_index (w->variants, Variant, i);

      for (gsize k = v->first; v->rule == NULL && k < v->first + v->n; k++)
        {
          const Question *q = &g_array_index (w->questions, Question, k);

          if (q->rule == NULL)
            continue;
          v->rule = q->rule;
          v->why = g_strdup_printf ("%s>%s: %s", q->from, q->to, q->why);
        }
    }
}

static gboolean
walk (State *s, Work *w, GError **error)
{
  guint most = 0;

  for (guint route = 0; route < s->routes->len; route++)
    most = MAX (most, g_array_index (s->routes, Route, route).n_hops);
  for (guint hop = 0; hop < most; hop++)
    {
      g_autoptr (GArray) which = of_hop (s, w, hop);
      g_autofree Question *asked = g_new (Question, which->len);
      gboolean ok;

      for (guint i = 0; i < which->len; i++)
        asked[i] = g_array_index (w->questions, Question, g_array_index (which, gsize, i));
      ok = asker_translate (s->asker, asked, which->len, error);
      for (guint i = 0; i < which->len; i++)
        g_array_index (w->questions, Question, g_array_index (which, gsize, i)) = asked[i];
      if (!ok)
        return FALSE;
      note_refused (w);
    }
  return TRUE;
}

/* ---- variants to rows -------------------------------------------------------------------------
 */

static gboolean
is_tight (const char *language)
{
  return g_str_has_prefix (language, "zh") || g_str_has_prefix (language, "ja");
}

/* The variant's text: translated pieces among the kept ones, with what was masked back in place. */
static gboolean
assemble (const State *s, const Work *w, const Source *source, Variant *v, GString *text)
{
  g_autoptr (GString) joined = g_string_new (NULL);
  gsize at = v->first;

  for (guint i = 0; i < source->pieces->len; i++)
    {
      const Piece *piece = &g_array_index (source->pieces, Piece, i);

      if (piece->kept)
        g_string_append_len (joined, piece->text.data, (gssize) piece->text.len);
      else
        g_string_append (joined, g_array_index (w->questions, Question, at++).text);
    }
  if (mask_restore ((FrStr){ joined->str, joined->len }, source->marks,
                    is_tight (s->config->language), text, &v->why))
    return TRUE;
  v->rule = "lost_mark";
  return FALSE;
}

static FrRowId
append_row (State *s, FrBuilder *builder, const FrBatch *batch, gsize row, guint number, FrStr text)
{
  guint n = fr_batch_n_columns (batch);
  g_autofree FrStr *texts = text.data != NULL ? g_new0 (FrStr, n) : NULL;

  if (texts != NULL)
    texts[s->column] = text;
  return text_family_append (s->family, builder, batch, row, number, texts);
}

static void
append_details (State *s, FrBuilder *builder, const Variant *v, double chrf)
{
  guint at = text_family_n_columns (s->family);
  g_autofree char *via = NULL;

  if (v == NULL)
    return;
  via = g_strdup_printf ("%s %s", g_array_index (s->routes, Route, v->route).name,
                         s->config->engine);
  fr_cells_append_str (fr_builder_cells (builder, at), via, strlen (via));
  if (isfinite (chrf))
    fr_cells_append_float (fr_builder_cells (builder, at + 1), chrf);
}

static char *
shorten (FrStr text)
{
  const char *p = text.data, *end = text.data + text.len;

  for (guint n = 0; p < end && n < EXAMPLE_CHARS; n++)
    p = g_utf8_next_char (p);
  return p == end ? g_strndup (text.data, text.len)
                  : g_strdup_printf ("%.*s…", (int) (p - text.data), text.data);
}

static void
note_dropped (State *s, const char *rule, FrStr parent, FrStr child, const char *why)
{
  Dropped *d = g_hash_table_lookup (s->dropped, rule);
  g_autofree char *counter = g_strconcat ("dropped_", rule, NULL);

  if (d == NULL)
    {
      d = g_new0 (Dropped, 1);
      d->examples = g_ptr_array_new_with_free_func (g_free);
      g_hash_table_insert (s->dropped, (gpointer) rule, d);
      g_ptr_array_add (s->rules, (gpointer) rule);
    }
  d->n++;
  fr_host_count (s->host, counter, 1);
  if (d->n > N_EXAMPLES)
    return;
  g_ptr_array_add (d->examples, shorten (parent));
  g_ptr_array_add (d->examples, shorten (child));
  g_ptr_array_add (d->examples, g_strdup (why != NULL ? why : ""));
}

static void
drop (State *s, const FrBatch *batch, const Source *source, const Variant *v, const GString *text,
      double chrf, const char *rule, const char *why)
{
  FrBuilder *b = s->dropped_out;
  guint at = text_family_n_columns (s->family) + 2;
  FrRowId id = append_row (s, b, batch, source->row, v->number, (FrStr){ text->str, text->len });

  append_details (s, b, v, chrf);
  fr_cells_append_str (fr_builder_cells (b, at), rule, strlen (rule));
  if (why != NULL)
    fr_cells_append_str (fr_builder_cells (b, at + 1), why, strlen (why));
  fr_builder_end_row (b, id);
  note_dropped (s, rule, source->text, (FrStr){ text->str, text->len }, why);
}

static void
keep_variant (State *s, const FrBatch *batch, const Source *source, const Variant *v,
              const GString *text, double chrf)
{
  FrRowId id
      = append_row (s, s->out, batch, source->row, v->number, (FrStr){ text->str, text->len });

  if (s->config->details)
    append_details (s, s->out, v, chrf);
  fr_builder_end_row (s->out, id);
  s->n_kept++;
}

static void
judge (State *s, const FrBatch *batch, const Source *source, const Work *w, Variant *v)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *why = NULL;
  const char *rule = v->rule;
  double chrf = NAN;

  if (rule == NULL && assemble (s, w, source, v, text))
    rule = guard_judge (s->guard, (FrStr){ text->str, text->len }, &chrf, &why);
  else
    rule = v->rule;
  if (isfinite (chrf))
    s->chrf_bins[MIN ((guint) (chrf / 5), G_N_ELEMENTS (s->chrf_bins) - 1)]++;
  if (rule != NULL)
    {
      drop (s, batch, source, v, text, chrf, rule, why != NULL ? why : v->why);
      return;
    }
  keep_variant (s, batch, source, v, text, chrf);
}

static FrFlow
push (State *s, FrBuilder *builder, const char *port, gboolean all, GError **error)
{
  FrBatch *batch;

  if (fr_builder_n_rows (builder) == 0 || (!all && !fr_builder_full (builder)))
    return FR_FLOW_OK;
  batch = fr_builder_finish (builder, error);
  return batch != NULL ? fr_host_push (s->host, port, batch, error) : FR_FLOW_ERROR;
}

static FrFlow
push_both (State *s, gboolean all, GError **error)
{
  FrFlow out = push (s, s->out, "out", all, error), dropped;

  if (out == FR_FLOW_CANCELLED || out == FR_FLOW_ERROR)
    return out;
  dropped = push (s, s->dropped_out, "dropped", all, error);
  /* Nobody who wants dropped rows is no reason to stop. */
  return dropped == FR_FLOW_DONE ? out : dropped == FR_FLOW_OK ? out : dropped;
}

static FrFlow
give (State *s, FrBatch *batch, const Work *w, GError **error)
{
  guint source = 0, variant = 0;

  for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
    {
      const Source *from
          = source < w->sources->len ? &g_array_index (w->sources, Source, source) : NULL;
      FrFlow flow;

      if (s->config->originals)
        fr_builder_end_row (s->out, append_row (s, s->out, batch, row, 0, (FrStr){ NULL, 0 }));
      if (from != NULL && from->row == row)
        {
          source++;
          guard_family (s->guard, from->text, from->more, s->n_keep_columns);
          for (; variant < w->variants->len
                 && g_array_index (w->variants, Variant, variant).row == row;
               variant++)
            judge (s, batch, from, w, &g_array_index (w->variants, Variant, variant));
        }
      flow = push_both (s, FALSE, error);
      if (flow != FR_FLOW_OK)
        return flow;
    }
  return push_both (s, TRUE, error);
}

static FrFlow
take_batch (State *s, FrBatch *batch, GError **error)
{
  FrView view = fr_view (batch, s->column);
  Work w
      = { g_array_new (FALSE, TRUE, sizeof (Source)), g_array_new (FALSE, TRUE, sizeof (Variant)),
          g_array_new (FALSE, TRUE, sizeof (Question)) };
  FrFlow flow = FR_FLOW_ERROR;

  g_array_set_clear_func (w.sources, source_clear);
  g_array_set_clear_func (w.variants, variant_clear);
  g_array_set_clear_func (w.questions, question_clear);
  for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
    {
      Source source = { 0 };

      if (make_source (s, batch, &view, row, &source))
        {
          add_variants (s, &w, &source);
          g_array_append_val (w.sources, source);
        }
      else
        {
          s->n_plain++;
          source_clear (&source);
        }
    }
  if (walk (s, &w, error))
    flow = give (s, batch, &w, error);
  else if (fr_host_is_cancelled (s->host))
    flow = FR_FLOW_CANCELLED;
  s->n_rows += fr_batch_n_rows (batch);
  fr_host_progress (s->host, s->n_rows, 0, "rows");
  g_array_unref (w.sources);
  g_array_unref (w.variants);
  g_array_unref (w.questions);
  return flow;
}

/* ---- report -----------------------------------------------------------------------------------
 */

static void
report_data (State *s)
{
  JsonObject *report = asker_report (s->asker), *rules = json_object_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_object_set_int_member (report, "rows", (gint64) s->n_rows);
  json_object_set_int_member (report, "rows_without_words", (gint64) s->n_plain);
  json_object_set_int_member (report, "variants", (gint64) s->n_variants);
  json_object_set_int_member (report, "kept", (gint64) s->n_kept);
  for (guint i = 0; i < s->rules->len; i++)
    {
      const Dropped *d = g_hash_table_lookup (s->dropped, s->rules->pdata[i]);
      JsonObject *rule = json_object_new ();
      JsonArray *examples = json_array_new ();

      for (guint k = 0; k < d->examples->len; k += 3)
        {
          JsonObject *example = json_object_new ();

          json_object_set_string_member (example, "parent", d->examples->pdata[k]);
          json_object_set_string_member (example, "variant", d->examples->pdata[k + 1]);
          json_object_set_string_member (example, "reason", d->examples->pdata[k + 2]);
          json_array_add_object_element (examples, example);
        }
      json_object_set_int_member (rule, "count", (gint64) d->n);
      json_object_set_array_member (rule, "examples", examples);
      json_object_set_object_member (rules, s->rules->pdata[i], rule);
    }
  json_object_set_object_member (report, "dropped", rules);
  json_node_take_object (node, report);
  fr_host_report (s->host, "backtranslate", node);
}

/* Names of rules are those of counters and of report.json. */
static const FrViewWord chinese[] = {
  { "Back-translation", "回译" },
  { "rows", "行数" },
  { "variants kept", "保留的变体" },
  { "variants dropped", "丢弃的变体" },
  { "texts translated", "翻译的文本" },
  { "asked of the engine", "由翻译引擎完成" },
  { "texts from the cache", "来自缓存的文本" },
  { "and those cost nothing", "无需再次翻译" },
  { "Variants dropped", "丢弃的变体" },
  { "rule", "规则" },
  { "variants", "变体" },
  { "Examples of what was dropped", "丢弃示例" },
  { "row", "原文" },
  { "variant", "变体" },
  { "How much variants have in common with their rows", "变体与原文的相同程度" },
  { "chrF", "chrF" },
  { NULL, NULL },
};

static void
view_dropped (State *s, FrViews *v)
{
  if (s->rules->len == 0)
    return;
  fr_views_begin (v, FR_VIEW_TABLE, "Variants dropped");
  fr_views_add_column (v, "rule", FR_VIEW_TEXT);
  fr_views_add_column (v, "variants", FR_VIEW_BAR);
  for (guint i = 0; i < s->rules->len; i++)
    {
      const Dropped *d = g_hash_table_lookup (s->dropped, s->rules->pdata[i]);

      fr_views_begin_row (v, NULL, NULL);
      fr_views_add_cell (v, s->rules->pdata[i]);
      fr_views_add_number (v, (double) d->n);
    }
  fr_views_begin (v, FR_VIEW_TEXTS, "Examples of what was dropped");
  fr_views_add_column (v, "row", FR_VIEW_TEXT);
  fr_views_add_column (v, "variant", FR_VIEW_TEXT);
  for (guint i = 0; i < s->rules->len; i++)
    {
      const Dropped *d = g_hash_table_lookup (s->dropped, s->rules->pdata[i]);

      for (guint k = 0; k < d->examples->len; k += 3)
        {
          fr_views_begin_row (v, s->rules->pdata[i], d->examples->pdata[k + 2]);
          fr_views_add_cell (v, d->examples->pdata[k]);
          fr_views_add_cell (v, d->examples->pdata[k + 1]);
        }
    }
}

static void
report_views (State *s)
{
  g_autoptr (FrViews) v = fr_views_new ();
  AskerCounts counts = asker_counts (s->asker);

  fr_views_translate (v, "zh", chinese);
  fr_views_begin (v, FR_VIEW_FIGURES, "Back-translation");
  fr_views_add_figure (v, "rows", (double) s->n_rows, NULL);
  fr_views_add_figure (v, "variants kept", (double) s->n_kept, NULL);
  fr_views_add_figure (v, "variants dropped", (double) (s->n_variants - s->n_kept), NULL);
  fr_views_add_figure (v, "texts translated", (double) counts.asked, "asked of the engine");
  fr_views_add_figure (v, "texts from the cache", (double) counts.cached, "and those cost nothing");
  view_dropped (s, v);
  fr_views_begin (v, FR_VIEW_HISTOGRAM, "How much variants have in common with their rows");
  fr_views_axes (v, "chrF", NULL, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (s->chrf_bins); i++)
    fr_views_add_bin (v, i * 5.0, (i + 1) * 5.0, s->chrf_bins[i]);
  fr_host_report (s->host, "views", fr_views_to_json (v));
}

static void
count (State *s)
{
  AskerCounts counts = asker_counts (s->asker);

  fr_host_count (s->host, "variants_kept", (gint64) s->n_kept);
  fr_host_count (s->host, "variants_dropped", (gint64) (s->n_variants - s->n_kept));
  fr_host_count (s->host, "rows_without_words", (gint64) s->n_plain);
  fr_host_count (s->host, "texts_asked", (gint64) counts.asked);
  fr_host_count (s->host, "texts_cached", (gint64) counts.cached);
}

/* ---- run --------------------------------------------------------------------------------------
 */

static FrFlow
run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  FrFlow flow;

  s->host = host;
  flow = open_asker (s, error);
  while (flow == FR_FLOW_OK)
    {
      g_autoptr (FrBatch) batch = NULL;

      flow = fr_host_next (host, "in", &batch, error);
      if (flow == FR_FLOW_OK)
        flow = take_batch (s, batch, error);
    }
  if (flow == FR_FLOW_DONE)
    {
      count (s);
      report_data (s);
      report_views (s);
    }
  return flow;
}

static void
close_state (gpointer state)
{
  state_free (state);
}

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.backtranslate",
  .revision = 1,
  .flags = FR_ELEMENT_WAITS | FR_ELEMENT_UNTRUSTED,
  .summary = "variants of rows by translation into another language and back",
  .details = details,
  .example = "{\"column\": \"input\", \"engine\": \"libretranslate\", \"url\": "
             "\"http://127.0.0.1:5000\", \"cache\": \"translations.jsonl\", \"offline\": true}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .outputs = outputs,
  .configure = configure,
  .bind = bind,
  .open = open_state,
  .run = run,
  .close = close_state,
};

FR_PLUGIN ("backtranslate", PACKAGE_VERSION, "augmentation by translation and back", "Apache-2.0",
           "flowrun", &element)
