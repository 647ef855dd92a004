/* SPDX-License-Identifier: Apache-2.0 */
/* desensitize.c: transform.desensitize, personal data made to go.
 *
 * What personal data is, text/pii.h knows; here is what becomes of it: which
 * columns, which action for which type, the audit, and the scan afterwards that
 * lets a run with anything left end with status 3.  A batch needs no other, so
 * that workers run side by side; their counts are summed at the end.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <flowrun/json.h>
#include <string.h>

#include "actions.h"
#include "audit.h"
#include "cells.h"
#include "own.h"
#include "text/pii.h"

/* Characters of a key. */
#define MIN_KEY 16
#define TOO_SHORT                                                                                  \
  "the key has %u characters; with less than %d a pseudonym can be traced back by trial"

enum
{
  LANGUAGE_AUTO,
  LANGUAGE_ZH,
  LANGUAGE_EN
};

typedef struct
{
  char **columns;
  char *action;
  FrPair *actions;
  FrPair *whole;
  char *key;
  int language;
  gint64 digits;
  gint64 min_score;
  int doubtful; /* TRUE: hide */
  JsonNode *rules;
  char **words;
  char *explain;
  int residual; /* TRUE: check */
  gint64 max_residual;
} Config;

typedef struct
{
  const Config *config;
  TextPii *pii;
  TextPiiKey *key;
  Action actions[TEXT_PII_MAX];
  Rules rules;
  Column *columns;
  guint n_columns;
  gboolean wants_audit;
  GMutex lock; /* of what follows */
  Audit *audit;
} State;

static const FrEnumValue *const languages[]
    = { FR_ENUM ("auto", LANGUAGE_AUTO, "Chinese in a cell with a Chinese character, else English"),
        FR_ENUM ("zh", LANGUAGE_ZH, "<手机号>, 用户_7F3A09C1"),
        FR_ENUM ("en", LANGUAGE_EN, "<PHONE>, User_7F3A09C1"), NULL };

static const FrEnumValue *const doubtfuls[]
    = { FR_ENUM ("keep", FALSE, "it stays, and is counted and listed in the audit"),
        FR_ENUM ("hide", TRUE, "it is hidden as its type is"), NULL };

static const FrEnumValue *const residuals[]
    = { FR_ENUM ("check", TRUE, "what is left is counted; more than max_residual: exit status 3"),
        FR_ENUM ("off", FALSE, "no second look"), NULL };

static const FrParam *const params[] = {
  FR_PARAM_COLUMNS ("columns", Config, columns, FR_TYPES_ANY,
                    "columns to look through; none given: all that hold text, also in lists and "
                    "structs, or whole numbers",
                    .example = "[\"content\", \"messages\"]"),
  FR_PARAM_STRING ("action", Config, action,
                   "what is done with a value of a type that 'actions' does not name", .def = "tag",
                   .pattern = ACTION_PATTERN),
  FR_PARAM_MAP ("actions", Config, actions, "what is done by type", .pattern = ACTION_PATTERN,
                .example = "{\"mobile\": \"partial\", \"name\": \"pseudonym\", \"bank_card\": "
                           "\"partial:4\", \"ip\": \"off\"}"),
  FR_PARAM_MAP ("whole", Config, whole,
                "columns of which every cell as a whole is a value of that type",
                .example = "{\"buyer\": \"name\", \"tel\": \"mobile\"}"),
  FR_PARAM_STRING ("key", Config, key,
                   "secret of pseudonyms and of the hashes in the audit; at least 16 characters",
                   .flags = FR_PARAM_SECRET, .example = "{\"env\": \"FLOWRUN_PII_KEY\"}"),
  FR_PARAM_ENUM ("language", Config, language, languages, "language of tags and pseudonyms",
                 .def = "auto"),
  FR_PARAM_INT ("digits", Config, digits, 4, 32, "length of a pseudonym such as 用户_7F3A09C1",
                .def = "8", .unit = "hexadecimal digits"),
  FR_PARAM_INT ("min_score", Config, min_score, 1, 100, "how sure a rule must be", .def = "50"),
  FR_PARAM_ENUM ("doubtful", Config, doubtful, doubtfuls,
                 "what becomes of a number with the right form and label but a wrong checksum",
                 .def = "keep"),
  FR_PARAM_JSON ("rules", Config, rules,
                 "types of your own: a pattern (PCRE2), words, and what their tags show",
                 .schema = OWN_SCHEMA,
                 .example = "{\"employee_no\": {\"pattern\": \"(?<![A-Z])EMP-[0-9]{6}(?![0-9])\", "
                            "\"zh\": \"工号\", \"en\": \"EMPLOYEE\"}}"),
  FR_PARAM_PATHS ("words", Config, words,
                  "word lists, a word a line; each is a type called as its file",
                  .flags = FR_PARAM_READS, .example = "[\"lists/staff.txt\"]"),
  FR_PARAM_STRING (
      "explain", Config, explain,
      "name of a column to add to out: as JSON, which rule found what where, without the values",
      .example = "\"pii\""),
  FR_PARAM_ENUM ("residual", Config, residual, residuals, "a second look at what goes out",
                 .def = "check"),
  FR_PARAM_INT ("max_residual", Config, max_residual, 0, G_MAXINT32,
                "so much may be left before the run ends with status 3", .def = "0"),
  NULL
};

static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "rows to look through", .flags = FR_PORT_MANY), NULL };

static const FrPort *const outputs[] = {
  FR_PORT ("out", FR_PORT_RECORDS, "the rows, personal data hidden, in the order of the input"),
  FR_PORT ("audit", FR_PORT_RECORDS,
           "a row for each finding: where, which rule, why, and a salted hash; never the value",
           .flags = FR_PORT_OPTIONAL),
  NULL
};

/* ---- configure --------------------------------------------------------------- */

/* The types there are: built in, of "rules", of "words" (whose files may not be there yet). */
static TextPii *
make_types (const Config *c, gboolean files, char **pointer, GError **error)
{
  g_autoptr (TextPii) pii = text_pii_new (TEXT_PII_ALL);

  if (!own_add_rules (pii, c->rules, pointer, error))
    return NULL;
  *pointer = g_strdup ("/words");
  for (guint i = 0; !files && c->words != NULL && c->words[i] != NULL; i++)
    {
      g_autofree char *name = own_type_of_file (c->words[i]);

      if (text_pii_add_type (pii, name, NULL, NULL, error) < 0)
        return NULL;
    }
  if (files && !own_add_files (pii, c->words, error))
    return NULL;
  g_clear_pointer (pointer, g_free);
  return text_pii_ready (pii, error) ? g_steal_pointer (&pii) : NULL;
}

static int
type_called (const TextPii *pii, const char *name)
{
  for (guint i = 0; i < text_pii_n_types (pii); i++)
    if (strcmp (text_pii_type_name (pii, i), name) == 0)
      return (int) i;
  return -1;
}

static void
unknown_type (const TextPii *pii, const char *name, const char *pointer, FrProblems *problems)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *near;

  for (guint i = 0; i < text_pii_n_types (pii); i++)
    g_ptr_array_add (names, (gpointer) (gsize) text_pii_type_name (pii, i));
  g_ptr_array_add (names, NULL);
  near = fr_suggest (name, (const char *const *) names->pdata);
  if (near != NULL)
    fr_problems_add (problems, pointer, "there is no type '%s'; did you mean '%s'?", name, near);
  else
    {
      g_autofree char *all = g_strjoinv (", ", (char **) names->pdata);

      fr_problems_add (problems, pointer, "there is no type '%s'; there are: %s", name, all);
    }
}

static gboolean
needs_key (const char *action)
{
  return action != NULL && strcmp (action, "pseudonym") == 0;
}

static gboolean
desensitize_configure (gpointer data, FrProblems *problems)
{
  const Config *c = data;
  g_autofree char *pointer = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (TextPii) pii = make_types (c, FALSE, &pointer, &error);
  gboolean ok = TRUE, needs = needs_key (c->action);

  if (pii == NULL)
    {
      fr_problems_add (problems, pointer ? pointer : "", "%s", error->message);
      return FALSE;
    }
  for (const FrPair *p = c->actions; p != NULL && p->key != NULL; p++)
    {
      g_autofree char *at = g_strconcat ("/actions/", p->key, NULL);

      needs |= needs_key (p->value);
      if (type_called (pii, p->key) < 0)
        {
          unknown_type (pii, p->key, at, problems);
          ok = FALSE;
        }
    }
  for (const FrPair *p = c->whole; p != NULL && p->key != NULL; p++)
    if (type_called (pii, p->value) < 0)
      {
        g_autofree char *at = g_strconcat ("/whole/", p->key, NULL);

        unknown_type (pii, p->value, at, problems);
        ok = FALSE;
      }
  if (needs && c->key == NULL)
    {
      fr_problems_add (problems, "",
                       "'pseudonym' needs a 'key', as in \"key\": {\"env\": \"FLOWRUN_PII_KEY\"}");
      ok = FALSE;
    }
  /* Empty under `flowrun check`, which reads no secrets; open looks again. */
  if (c->key != NULL && *c->key != '\0' && strlen (c->key) < MIN_KEY)
    {
      fr_problems_add (problems, "/key", TOO_SHORT, (guint) strlen (c->key), MIN_KEY);
      ok = FALSE;
    }
  if (c->explain != NULL && *c->explain == '\0')
    {
      fr_problems_add (problems, "/explain", "a column needs a name");
      ok = FALSE;
    }
  if (c->residual == FALSE && c->max_residual > 0)
    {
      fr_problems_add (problems, "/max_residual", "this has no effect while 'residual' is 'off'");
      ok = FALSE;
    }
  return ok;
}

/* ---- bind -------------------------------------------------------------------- */

static FrSchema *
audit_schema (void)
{
  return fr_schema_new_simple ("row", FR_TYPE_UTF8, "column", FR_TYPE_UTF8, "type", FR_TYPE_UTF8,
                               "action", FR_TYPE_UTF8, "rule", FR_TYPE_UTF8, "score", FR_TYPE_INT32,
                               "checksum", FR_TYPE_UTF8, "context", FR_TYPE_UTF8, "start",
                               FR_TYPE_INT64, "length", FR_TYPE_INT64, "hash", FR_TYPE_UTF8, NULL);
}

/* Indices of the columns to look through. */
static GArray *
find_columns (const Config *c, const FrSchema *schema)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < fr_schema_n_fields (schema); i++)
    {
      FrField *field = fr_schema_field (schema, i);
      gboolean named = c->columns == NULL
                       || g_strv_contains ((const char *const *) c->columns, fr_field_name (field));

      for (const FrPair *p = c->whole; p != NULL && p->key != NULL && !named; p++)
        named = strcmp (p->key, fr_field_name (field)) == 0;
      if (named && cells_wanted (field))
        g_array_append_val (found, i);
    }
  return found;
}

static gboolean
desensitize_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *c = data;
  FrSchema *schema = fr_bind_input (bind, "in"), *out;
  g_autofree char *pointer = NULL;
  g_autoptr (GError) cause = NULL;
  g_autoptr (TextPii) pii = make_types (c, TRUE, &pointer, &cause);
  g_autoptr (GArray) columns = NULL;
  gboolean ok = TRUE;

  (void) error;
  if (pii == NULL)
    {
      fr_bind_problem (bind, pointer ? pointer : "", "%s", cause->message);
      return FALSE;
    }
  fr_bind_output (bind, "audit", audit_schema ());
  if (schema == NULL)
    {
      fr_bind_output (bind, "out", NULL);
      return TRUE;
    }
  columns = find_columns (c, schema);
  for (guint i = 0; c->columns != NULL && c->columns[i] != NULL; i++)
    {
      int at = fr_schema_find (schema, c->columns[i]);

      if (at >= 0 && !cells_wanted (fr_schema_field (schema, (guint) at)))
        fr_bind_warn (bind, "/columns",
                      "column '%s' holds neither text nor whole numbers; it passes as it is",
                      c->columns[i]);
    }
  for (const FrPair *p = c->whole; p != NULL && p->key != NULL; p++)
    if (fr_schema_find (schema, p->key) < 0)
      {
        g_autofree char *at = g_strconcat ("/whole/", p->key, NULL);
        g_autofree char *all = fr_schema_describe (schema);

        fr_bind_problem (bind, at, "there is no column '%s'; the columns are: %s", p->key, all);
        ok = FALSE;
      }
  if (columns->len == 0)
    {
      g_autofree char *all = fr_schema_describe (schema);

      fr_bind_problem (bind, "/columns",
                       "there is no column of text to look through; the columns are: %s", all);
      ok = FALSE;
    }
  if (c->explain != NULL && fr_schema_find (schema, c->explain) >= 0)
    fr_bind_warn (bind, "/explain", "the input has a column '%s' already; it is replaced",
                  c->explain);
  out = c->explain != NULL ? fr_schema_with (schema, fr_field_new (c->explain, FR_TYPE_UTF8))
                           : fr_schema_ref (schema);
  fr_bind_output (bind, "out", out);
  return ok;
}

/* ---- open, close ------------------------------------------------------------- */

static void
desensitize_close (gpointer data)
{
  State *s = data;

  for (guint i = 0; i < s->n_columns; i++)
    g_free (s->columns[i].label);
  g_free (s->columns);
  text_pii_free (s->pii);
  text_pii_key_free (s->key);
  audit_free (s->audit);
  g_mutex_clear (&s->lock);
  g_free (s);
}

static void
set_actions (State *s)
{
  const Config *c = s->config;

  for (guint t = 0; t < text_pii_n_types (s->pii); t++)
    action_parse (c->action, &s->actions[t]);
  for (const FrPair *p = c->actions; p != NULL && p->key != NULL; p++)
    action_parse (p->value, &s->actions[type_called (s->pii, p->key)]);
  for (guint t = 0; t < text_pii_n_types (s->pii); t++)
    {
      s->actions[t].hide.digits = (guint) c->digits;
      if (action_hides (&s->actions[t]))
        s->rules.residual_types |= TEXT_PII_BIT (t);
    }
}

static void
set_columns (State *s, FrSchema *schema)
{
  const Config *c = s->config;
  g_autoptr (GArray) found = find_columns (c, schema);

  s->n_columns = found->len;
  s->columns = g_new0 (Column, found->len + 1);
  for (guint i = 0; i < found->len; i++)
    {
      Column *column = &s->columns[i];

      column->index = g_array_index (found, guint, i);
      column->name = fr_field_name (fr_schema_field (schema, column->index));
      column->whole = -1;
      for (const FrPair *p = c->whole; p != NULL && p->key != NULL; p++)
        if (strcmp (p->key, column->name) == 0)
          column->whole = type_called (s->pii, p->value);
      if (text_pii_is_label (s->pii, column->name))
        {
          column->label = g_strconcat (column->name, ": ", NULL);
          g_strdelimit (column->label, "_-.", ' ');
        }
    }
}

static gboolean
desensitize_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  const Config *c = data;
  State *s = g_new0 (State, 1);
  g_autofree char *pointer = NULL;

  g_mutex_init (&s->lock);
  s->config = c;
  s->pii = make_types (c, TRUE, &pointer, error);
  if (s->pii == NULL)
    {
      desensitize_close (s);
      return FALSE;
    }
  if (c->key != NULL && strlen (c->key) < MIN_KEY)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, TOO_SHORT, (guint) strlen (c->key), MIN_KEY);
      desensitize_close (s);
      return FALSE;
    }
  if (c->key != NULL)
    s->key = text_pii_key_new (c->key, strlen (c->key));
  set_actions (s);
  set_columns (s, fr_host_input (host, "in"));
  s->rules.pii = s->pii;
  s->rules.key = s->key;
  s->rules.actions = s->actions;
  s->rules.min_score = (guint) c->min_score;
  s->rules.hide_doubts = c->doubtful;
  s->rules.auto_language = c->language == LANGUAGE_AUTO;
  s->rules.chinese = c->language == LANGUAGE_ZH;
  s->rules.check = c->residual;
  s->wants_audit = fr_host_is_connected (host, "audit");
  s->audit = audit_new (s->n_columns, text_pii_n_types (s->pii));
  *state = s;
  return TRUE;
}

static gboolean
desensitize_thread_begin (FrHost *host, gpointer data, gpointer *local, GError **error)
{
  State *s = data;

  (void) host;
  (void) error;
  *local = cells_new (&s->rules, s->n_columns, s->wants_audit || s->config->explain != NULL);
  return TRUE;
}

static void
desensitize_thread_end (gpointer data, gpointer local)
{
  (void) data;
  cells_free (local);
}

/* ---- a batch ----------------------------------------------------------------- */

static const char *
checksum_word (const TextPiiHit *hit)
{
  return hit->check == TEXT_PII_CHECK_OK      ? "ok"
         : hit->check == TEXT_PII_CHECK_WRONG ? "wrong"
                                              : NULL;
}

static void
append_text (FrCells *cells, const char *text)
{
  fr_cells_append_str (cells, text, text ? strlen (text) : 0);
}

static void
append_audit (const State *s, FrHost *host, FrBuilder *audit, FrRowId id, const Finding *f,
              guint32 n)
{
  g_autoptr (GString) row = g_string_new (NULL);

  fr_host_append_row_id (host, id, row);
  append_text (fr_builder_cells (audit, 0), row->str);
  append_text (fr_builder_cells (audit, 1), s->columns[f->column].name);
  append_text (fr_builder_cells (audit, 2), text_pii_type_name (s->pii, f->hit.type));
  append_text (fr_builder_cells (audit, 3),
               f->hidden ? action_name (&s->actions[f->hit.type]) : "keep");
  append_text (fr_builder_cells (audit, 4), f->hit.rule);
  fr_cells_append_int (fr_builder_cells (audit, 5), f->hit.score);
  append_text (fr_builder_cells (audit, 6), checksum_word (&f->hit));
  append_text (fr_builder_cells (audit, 7), f->hit.context);
  fr_cells_append_int (fr_builder_cells (audit, 8), f->start);
  fr_cells_append_int (fr_builder_cells (audit, 9), f->length);
  append_text (fr_builder_cells (audit, 10), *f->hash ? f->hash : NULL);
  fr_builder_end_row (audit, fr_row_id_child (id, n));
}

/* What was found in a row, as JSON; "" when nothing was. */
static void
write_explanation (const State *s, const GArray *findings, GString *out)
{
  g_string_truncate (out, 0);
  for (guint i = 0; i < findings->len; i++)
    {
      const Finding *f = &g_array_index (findings, Finding, i);
      const char *check = checksum_word (&f->hit);
      g_autoptr (JsonNode) name = json_node_alloc ();
      g_autofree char *column = NULL;

      json_node_init_string (name, s->columns[f->column].name);
      column = json_to_string (name, FALSE);
      g_string_append_printf (
          out, "%s{\"column\":%s,\"type\":\"%s\",\"action\":\"%s\",\"rule\":\"%s\",\"score\":%u",
          i ? "," : "[", column, text_pii_type_name (s->pii, f->hit.type),
          f->hidden ? action_name (&s->actions[f->hit.type]) : "keep", f->hit.rule, f->hit.score);
      if (check != NULL)
        g_string_append_printf (out, ",\"checksum\":\"%s\"", check);
      if (f->hit.context != NULL)
        g_string_append_printf (out, ",\"context\":\"%s\"", f->hit.context);
      g_string_append_printf (out,
                              ",\"start\":%" G_GINT64_FORMAT ",\"length\":%" G_GINT64_FORMAT "}",
                              f->start, f->length);
    }
  if (findings->len > 0)
    g_string_append_c (out, ']');
}

/* The columns looked through and, last, the explanation, as a builder of their own. */
static FrBuilder *
make_builder (const State *s, FrSchema *schema, GError **error)
{
  g_autofree FrField **fields = g_new (FrField *, s->n_columns + 1);
  g_autoptr (FrSchema) some = NULL;
  guint n = 0;

  for (guint i = 0; i < s->n_columns; i++)
    {
      FrField *field = fr_schema_field (schema, s->columns[i].index);

      /* The explanation takes the place of a column of its name. */
      if (s->config->explain != NULL && strcmp (s->columns[i].name, s->config->explain) == 0)
        fields[n++] = fr_field_renamed (field, "\x01");
      else
        fields[n++] = fr_field_ref (field);
    }
  if (s->config->explain != NULL)
    fields[n++] = fr_field_new (s->config->explain, FR_TYPE_UTF8);
  some = fr_schema_new (fields, n, error);
  return some ? fr_builder_new (some) : NULL;
}

/* A row in which a pattern ran into its limit must not pass as clean. */
static gboolean
row_stays (FrHost *host, Cells *cells, const FrBatch *input, gsize row)
{
  if (cells->unsure)
    {
      cells->audit->unsure++;
      fr_host_reject (host, input, row, "pattern_limit",
                      "a pattern of 'rules' ran into its limit on this row, so that nobody knows "
                      "what is in it; make the pattern simpler");
      return FALSE;
    }
  if (cells->drop)
    {
      cells->audit->dropped++;
      return FALSE;
    }
  cells_row_stays (cells);
  return TRUE;
}

static FrBatch *
assemble (const State *s, const FrBatch *input, FrBuilder *builder, GError **error)
{
  g_autoptr (FrBatch) built = fr_builder_finish (builder, error);
  FrBatch *batch = built ? fr_batch_ref ((FrBatch *) (gsize) input) : NULL;

  for (guint i = 0; batch != NULL && i < s->n_columns + (s->config->explain != NULL); i++)
    {
      FrField *field = i < s->n_columns
                           ? fr_schema_field (fr_batch_schema (input), s->columns[i].index)
                           : fr_schema_field (fr_batch_schema (built), i);
      FrBatch *next
          = fr_batch_with_column (batch, field, fr_column_ref (fr_batch_column (built, i)), error);

      fr_batch_unref (batch);
      batch = next;
    }
  return batch;
}

static void
tell (State *s, FrHost *host, Audit *audit)
{
  for (guint t = 0; t < audit->n_types; t++)
    {
      Tally sum = { 0 };

      for (guint c = 0; c < audit->n_columns; c++)
        {
          sum.found += audit_at (audit, c, t)->found;
          sum.hidden += audit_at (audit, c, t)->hidden;
          sum.doubtful += audit_at (audit, c, t)->doubtful;
        }
      if (sum.found > 0)
        {
          g_autofree char *name = g_strconcat (text_pii_type_name (s->pii, t), ".found", NULL);

          fr_host_count (host, name, (gint64) sum.found);
        }
      if (sum.hidden > 0)
        {
          g_autofree char *name = g_strconcat (text_pii_type_name (s->pii, t), ".hidden", NULL);

          fr_host_count (host, name, (gint64) sum.hidden);
        }
      if (sum.doubtful > 0)
        {
          g_autofree char *name = g_strconcat (text_pii_type_name (s->pii, t), ".doubtful", NULL);

          fr_host_count (host, name, (gint64) sum.doubtful);
        }
    }
  if (audit->dropped > 0)
    fr_host_count (host, "rows.dropped", (gint64) audit->dropped);
  if (audit->changed > 0)
    fr_host_count (host, "rows.changed", (gint64) audit->changed);
  if (audit_residual (audit) > 0)
    fr_host_count (host, "residual", (gint64) audit_residual (audit));
}

static FrFlow
desensitize_map (FrHost *host, gpointer data, gpointer thread, FrBatch *taken, GError **error)
{
  State *s = data;
  Cells *cells = thread;
  g_autoptr (FrBatch) input = taken;
  FrSchema *schema = fr_batch_schema (input);
  gsize n = fr_batch_n_rows (input);
  const FrRowId *ids = fr_batch_ids (input);
  g_autoptr (FrBuilder) builder = make_builder (s, schema, error);
  g_autoptr (FrSchema) wide = audit_schema ();
  g_autoptr (FrBuilder) audit = s->wants_audit ? fr_builder_new (wide) : NULL;
  g_autofree FrView *views = g_new (FrView, s->n_columns);
  g_autofree guint8 *keep = g_malloc (n);
  g_autoptr (GString) explanation = g_string_new (NULL);
  g_autoptr (FrBatch) whole = NULL;
  FrFlow flow;

  if (builder == NULL)
    return FR_FLOW_ERROR;
  for (guint i = 0; i < s->n_columns; i++)
    views[i] = fr_view (input, s->columns[i].index);
  for (gsize row = 0; row < n; row++)
    {
      if (row % 64 == 0 && fr_host_is_cancelled (host))
        return FR_FLOW_CANCELLED;
      cells_begin_row (cells);
      for (guint i = 0; i < s->n_columns; i++)
        cells_append (cells, &s->columns[i], i, &views[i],
                      fr_schema_field (schema, s->columns[i].index), row,
                      fr_builder_cells (builder, i));
      if (s->config->explain != NULL)
        {
          write_explanation (s, cells->findings, explanation);
          append_text (fr_builder_cells (builder, s->n_columns),
                       explanation->len > 0 ? explanation->str : NULL);
        }
      fr_builder_end_row (builder, ids[row]);
      keep[row] = row_stays (host, cells, input, row);
      for (guint i = 0; audit != NULL && i < cells->findings->len; i++)
        append_audit (s, host, audit, ids[row], &g_array_index (cells->findings, Finding, i),
                      i + 1);
    }
  cells->audit->rows += n;
  tell (s, host, cells->audit);
  g_mutex_lock (&s->lock);
  audit_merge (s->audit, cells->audit);
  g_mutex_unlock (&s->lock);
  whole = assemble (s, input, builder, error);
  if (whole == NULL)
    return FR_FLOW_ERROR;
  flow = fr_host_push (host, "out", fr_batch_filter (whole, keep), error);
  if (audit != NULL && flow != FR_FLOW_CANCELLED && flow != FR_FLOW_ERROR)
    {
      FrBatch *findings = fr_builder_finish (audit, error);
      FrFlow other = findings ? fr_host_push (host, "audit", findings, error) : FR_FLOW_ERROR;

      if (other == FR_FLOW_CANCELLED || other == FR_FLOW_ERROR)
        return other;
    }
  return flow;
}

static gboolean
desensitize_finish (FrHost *host, gpointer data, GError **error)
{
  State *s = data;
  g_autofree const char **names = g_new0 (const char *, s->n_columns + 1);
  guint64 left = audit_residual (s->audit);

  (void) error;
  for (guint i = 0; i < s->n_columns; i++)
    names[i] = s->columns[i].name;
  audit_report (s->audit, host, s->pii, names, s->actions, s->config->residual);
  if (s->config->residual && left > (guint64) s->config->max_residual)
    {
      g_autoptr (GString) types = g_string_new (NULL);

      for (guint t = 0; t < s->audit->n_types; t++)
        if (s->audit->residual[t] > 0)
          g_string_append_printf (types, "%s%s %" G_GUINT64_FORMAT, types->len ? ", " : "",
                                  text_pii_type_name (s->pii, t), s->audit->residual[t]);
      fr_host_limit_passed (host,
                            "the residual scan still finds %" G_GUINT64_FORMAT
                            " values (%s); max_residual is %" G_GINT64_FORMAT
                            ". Look at them with 'min_score' lower or add a rule",
                            left, types->str, s->config->max_residual);
    }
  return TRUE;
}

#include "details.h"

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.desensitize",
  .revision = 1,
  .flags = FR_ELEMENT_PARALLEL | FR_ELEMENT_UNTRUSTED,
  .summary = "find and hide personal data in Chinese and English text",
  .details = details,
  .example = "{\"action\": \"tag\", \"actions\": {\"mobile\": \"partial\", \"ip\": \"off\"}}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .outputs = outputs,
  .configure = desensitize_configure,
  .bind = desensitize_bind,
  .open = desensitize_open,
  .thread_begin = desensitize_thread_begin,
  .map = desensitize_map,
  .thread_end = desensitize_thread_end,
  .finish = desensitize_finish,
  .close = desensitize_close,
};

FR_PLUGIN ("desensitize", PACKAGE_VERSION, "personal data found and hidden", "Apache-2.0",
           "flowrun", &element)
