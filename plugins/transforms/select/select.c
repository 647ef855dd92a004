/* SPDX-License-Identifier: Apache-2.0 */
/* select.c: transform.select, columns by name with rename and cast.
 *
 * What comes out is planned once per stage (Plan); a batch then shares every
 * column that is not cast.  Cells are cast by the rules in `details` below,
 * which no locale can change; parse.c reads what text stands for.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <math.h>

#include "parse.h"

typedef enum
{
  ERROR_REJECT,
  ERROR_NULL
} OnError;
typedef enum
{
  EPOCH_SECONDS = 1000000,
  EPOCH_MILLISECONDS = 1000,
  EPOCH_MICROSECONDS = 1
} Epoch;

typedef struct
{
  char **columns;
  char **drop;
  FrPair *rename;
  FrPair *cast;
  int on_error;
  int epoch;
  gboolean full_width;
  gboolean empty_is_null;
} Config;

/* One output column. */
typedef struct
{
  guint from;     /* column of the input */
  FrField *field; /* its name and type in the output */
  gboolean cast;
  guint pick; /* index among the cast columns */
} Out;

typedef struct
{
  const Config *config;
  GArray *outs; /* Out */
  FrSchema *in, *out;
  FrSchema *cast_schema; /* of the cast columns alone; NULL when there are none */
} Plan;

static const FrEnumValue *const on_errors[]
    = { FR_ENUM ("reject", ERROR_REJECT,
                 "the row goes to the rejects port, with the column, the value and the type"),
        FR_ENUM ("null", ERROR_NULL, "the cell becomes null; counted as cast_null"), NULL };

static const FrEnumValue *const epochs[]
    = { FR_ENUM ("seconds", EPOCH_SECONDS, "since 1970-01-01T00:00:00Z"),
        FR_ENUM ("milliseconds", EPOCH_MILLISECONDS, "since 1970-01-01T00:00:00Z"),
        FR_ENUM ("microseconds", EPOCH_MICROSECONDS, "since 1970-01-01T00:00:00Z"), NULL };

static const FrParam *const params[] = {
  FR_PARAM_STRINGS ("columns", Config, columns,
                    "columns to keep, in this order; '*' and '?' match several names",
                    .def = "[\"*\"]", .example = "[\"id\", \"name\", \"attr_*\"]"),
  FR_PARAM_STRINGS ("drop", Config, drop,
                    "columns to leave out of those; '*' and '?' match several names",
                    .example = "[\"internal_*\"]"),
  FR_PARAM_MAP ("rename", Config, rename, "old name to new name",
                .example = "{\"goods_brief\": \"brief\"}"),
  FR_PARAM_MAP ("cast", Config, cast, "old name to the type it becomes", .pattern = "[a-z0-9_]+",
                .example = "{\"price\": \"float64\", \"added\": \"timestamp\"}"),
  FR_PARAM_ENUM ("on_error", Config, on_error, on_errors,
                 "what to do with a cell that cannot be cast", .def = "reject"),
  FR_PARAM_BOOL ("full_width", Config, full_width,
                 "full-width digits and signs (１２．５) are read like ordinary ones",
                 .def = "false"),
  FR_PARAM_BOOL ("empty_is_null", Config, empty_is_null,
                 "empty text is cast to null instead of failing (not when it is cast to text)",
                 .def = "false"),
  FR_PARAM_ENUM ("epoch", Config, epoch, epochs,
                 "what a whole number means when it is cast to a time, and the other way round",
                 .def = "seconds"),
  NULL
};

/* ---- planning ------------------------------------------------------------ */

/* Where the plan's problems go: bind has a place to show them, open does not. */
typedef struct
{
  FrBind *bind;
  gboolean ok;
} Report;

static void G_GNUC_PRINTF (3, 4)
    problem (Report *report, const char *pointer, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  report->ok = FALSE;
  if (report->bind != NULL)
    fr_bind_problem (report->bind, pointer, "%s", message);
}

static char *
pointer_to (const char *param, const char *key)
{
  g_auto (GStrv) tilde = g_strsplit (key, "~", -1);
  g_autofree char *a = g_strjoinv ("~0", tilde);
  g_auto (GStrv) slash = g_strsplit (a, "/", -1);
  g_autofree char *b = g_strjoinv ("~1", slash);

  return g_strdup_printf ("/%s/%s", param, b);
}

static void
no_column (Report *report, FrSchema *schema, const char *pointer, const char *name)
{
  g_auto (GStrv) names = fr_schema_names (schema);
  const char *near = fr_suggest (name, (const char *const *) names);

  if (near != NULL)
    problem (report, pointer, "there is no column '%s'; did you mean '%s'?", name, near);
  else
    {
      g_autofree char *all = g_strjoinv (", ", names);
      problem (report, pointer, "there is no column '%s'; there are %s", name, all);
    }
}

static gboolean
is_glob (const char *name)
{
  return strpbrk (name, "*?") != NULL;
}

/* Marks the columns that @name names; an exact name wins over a pattern. */
static void
match_columns (Report *report, FrSchema *schema, const char *param, guint i, const char *name,
               GArray *found)
{
  g_autofree char *pointer = g_strdup_printf ("/%s/%u", param, i);
  int exact = fr_schema_find (schema, name);
  guint before = found->len;

  if (exact >= 0)
    g_array_append_val (found, exact);
  else if (is_glob (name))
    {
      for (guint c = 0; c < fr_schema_n_fields (schema); c++)
        if (g_pattern_match_simple (name, fr_field_name (fr_schema_field (schema, c))))
          g_array_append_val (found, c);
      if (found->len == before && strcmp (name, "*") != 0)
        {
          g_auto (GStrv) names = fr_schema_names (schema);
          g_autofree char *all = g_strjoinv (", ", names);
          problem (report, pointer, "no column matches '%s'; there are %s", name, all);
        }
    }
  else
    no_column (report, schema, pointer, name);
}

static gboolean
can_cast (FrType from, FrType to)
{
  guint simple
      = FR_TYPES_TEXT | FR_TYPES_NUMBER | FR_TYPES (FR_TYPE_BOOL) | FR_TYPES (FR_TYPE_TIMESTAMP);

  if (to == FR_TYPE_LIST || to == FR_TYPE_STRUCT)
    return FALSE;
  if (FR_TYPES (to) & FR_TYPES_TEXT)
    return TRUE;
  if (to == FR_TYPE_BINARY)
    return (FR_TYPES (from) & FR_TYPES_TEXT) != 0 || from == FR_TYPE_BINARY;
  if (!(FR_TYPES (from) & simple))
    return FALSE;
  if (to == FR_TYPE_TIMESTAMP)
    return (FR_TYPES (from) & (FR_TYPES_TEXT | FR_TYPES_INTEGER)) != 0 || from == FR_TYPE_TIMESTAMP;
  if (from == FR_TYPE_TIMESTAMP)
    return to == FR_TYPE_INT64;
  return TRUE;
}

static void
plan_casts (Report *report, Plan *plan)
{
  const FrPair *cast = plan->config->cast;

  for (; cast != NULL && cast->key != NULL; cast++)
    {
      g_autofree char *pointer = pointer_to ("cast", cast->key);
      int from = fr_schema_find (plan->in, cast->key);
      FrType to = fr_type_from_name (cast->value);
      gboolean used = FALSE;
      FrType old;

      if (from < 0 || to == 0)
        {
          static const char *const types[]
              = { "bool", "int32",      "int64",  "float32",   "float64",
                  "utf8", "large_utf8", "binary", "timestamp", NULL };
          const char *near = fr_suggest (cast->value, types);

          if (from < 0)
            no_column (report, plan->in, pointer, cast->key);
          if (to == 0)
            problem (report, pointer,
                     "there is no type '%s'%s%s%s; there are bool, int32, int64, float32, float64, "
                     "utf8, large_utf8, binary and timestamp",
                     cast->value, near ? "; did you mean '" : "", near ? near : "",
                     near ? "'?" : "");
          continue;
        }
      old = fr_field_type (fr_schema_field (plan->in, (guint) from));
      if (!can_cast (old, to))
        problem (report, pointer, "a column of %s cannot become %s", fr_type_name (old),
                 fr_type_name (to));
      for (guint i = 0; i < plan->outs->len; i++)
        {
          Out *out = &g_array_index (plan->outs, Out, i);

          if (out->from != (guint) from)
            continue;
          used = TRUE;
          if (to == old)
            continue;
          out->cast = TRUE;
          fr_field_unref (out->field);
          out->field = fr_field_new (
              cast->key, to == FR_TYPE_LIST || to == FR_TYPE_STRUCT ? FR_TYPE_UTF8 : to);
        }
      if (!used)
        problem (report, pointer, "'%s' is cast but not among the columns kept", cast->key);
    }
}

static void
plan_renames (Report *report, Plan *plan)
{
  const FrPair *rename = plan->config->rename;

  for (; rename != NULL && rename->key != NULL; rename++)
    {
      g_autofree char *pointer = pointer_to ("rename", rename->key);
      int from = fr_schema_find (plan->in, rename->key);
      gboolean used = FALSE;

      if (from < 0)
        {
          no_column (report, plan->in, pointer, rename->key);
          continue;
        }
      if (*rename->value == '\0')
        {
          problem (report, pointer, "a column needs a name");
          continue;
        }
      for (guint i = 0; i < plan->outs->len; i++)
        {
          Out *out = &g_array_index (plan->outs, Out, i);
          FrField *field;

          if (out->from != (guint) from)
            continue;
          used = TRUE;
          field = fr_field_renamed (out->field, rename->value);
          fr_field_unref (out->field);
          out->field = field;
        }
      if (!used)
        problem (report, pointer, "'%s' is renamed but not among the columns kept", rename->key);
    }
}

static void
check_names (Report *report, Plan *plan)
{
  for (guint i = 0; i < plan->outs->len; i++)
    for (guint k = 0; k < i; k++)
      {
        const char *name = fr_field_name (g_array_index (plan->outs, Out, i).field);

        if (strcmp (name, fr_field_name (g_array_index (plan->outs, Out, k).field)) == 0)
          {
            problem (report, "/rename", "two columns would be called '%s'", name);
            return;
          }
      }
}

static void
out_clear (gpointer data)
{
  fr_field_unref (((Out *) data)->field);
}

static void
plan_free (Plan *plan)
{
  g_array_unref (plan->outs);
  g_clear_pointer (&plan->in, fr_schema_unref);
  g_clear_pointer (&plan->out, fr_schema_unref);
  g_clear_pointer (&plan->cast_schema, fr_schema_unref);
  g_free (plan);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Plan, plan_free)

static void
plan_columns (Report *report, Plan *plan)
{
  g_autoptr (GArray) keep = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GArray) drop = g_array_new (FALSE, FALSE, sizeof (guint));
  guint n = fr_schema_n_fields (plan->in);
  g_autofree guint8 *done = g_malloc0 (n + 1);

  for (guint i = 0; plan->config->columns != NULL && plan->config->columns[i] != NULL; i++)
    match_columns (report, plan->in, "columns", i, plan->config->columns[i], keep);
  for (guint i = 0; plan->config->drop != NULL && plan->config->drop[i] != NULL; i++)
    match_columns (report, plan->in, "drop", i, plan->config->drop[i], drop);
  for (guint i = 0; i < drop->len; i++)
    done[g_array_index (drop, guint, i)] = 1;
  for (guint i = 0; i < keep->len; i++)
    {
      guint c = g_array_index (keep, guint, i);
      Out out = { .from = c };

      if (done[c])
        continue;
      done[c] = 1;
      out.field = fr_field_ref (fr_schema_field (plan->in, c));
      g_array_append_val (plan->outs, out);
    }
  if (report->ok && plan->outs->len == 0)
    problem (report, "", "no column is left");
}

static FrSchema *
schema_of (Plan *plan, gboolean only_cast, GError **error)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();

  for (guint i = 0; i < plan->outs->len; i++)
    {
      Out *out = &g_array_index (plan->outs, Out, i);

      if (only_cast && !out->cast)
        continue;
      if (only_cast)
        out->pick = fields->len;
      g_ptr_array_add (fields, fr_field_ref (out->field));
    }
  return fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
}

static Plan *
plan_new (const Config *config, FrSchema *schema, FrBind *bind, GError **error)
{
  g_autoptr (Plan) plan = g_new0 (Plan, 1);
  Report report = { bind, TRUE };

  plan->config = config;
  plan->outs = g_array_new (FALSE, TRUE, sizeof (Out));
  g_array_set_clear_func (plan->outs, out_clear);
  plan->in = fr_schema_ref (schema);
  plan_columns (&report, plan);
  if (report.ok)
    {
      plan_casts (&report, plan);
      plan_renames (&report, plan);
      check_names (&report, plan);
    }
  if (!report.ok)
    {
      if (bind == NULL)
        g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "the parameters do not fit the columns");
      return NULL;
    }
  plan->out = schema_of (plan, FALSE, error);
  plan->cast_schema = schema_of (plan, TRUE, error);
  return plan->out != NULL && plan->cast_schema != NULL ? g_steal_pointer (&plan) : NULL;
}

static gboolean
select_bind (gconstpointer config, FrBind *bind, GError **error)
{
  FrSchema *schema = fr_bind_input (bind, "in");
  g_autoptr (Plan) plan = NULL;

  if (schema == NULL)
    {
      fr_bind_output (bind, "out", NULL);
      return TRUE;
    }
  plan = plan_new (config, schema, bind, error);
  if (plan == NULL)
    return FALSE;
  fr_bind_output (bind, "out", fr_schema_ref (plan->out));
  return TRUE;
}

static gboolean
select_open (gconstpointer config, FrHost *host, gpointer *state, GError **error)
{
  *state = plan_new (config, fr_host_input (host, "in"), NULL, error);
  return *state != NULL;
}

static void
select_close (gpointer state)
{
  plan_free (state);
}

/* ---- casting ------------------------------------------------------------- */

/* One column on its way from a type to another. */
typedef struct
{
  const Config *config;
  const FrBatch *batch;
  guint from;
  FrView view;
  FrType to;
  FrCells *cells;
  GString *scratch;
} Cast;

static FrStr
trimmed (FrStr s)
{
  while (s.len > 0 && g_ascii_isspace (s.data[0]))
    s.data++, s.len--;
  while (s.len > 0 && g_ascii_isspace (s.data[s.len - 1]))
    s.len--;
  return s;
}

/* U+FF01..U+FF5E are U+0021..U+007E seen wide; U+3000 is a wide blank. */
static FrStr
narrowed (FrStr s, GString *out)
{
  const char *end = s.data + s.len;

  g_string_truncate (out, 0);
  for (const char *p = s.data; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (c >= 0xff01 && c <= 0xff5e)
        c -= 0xfee0;
      else if (c == 0x3000)
        c = ' ';
      g_string_append_unichar (out, c);
    }
  return (FrStr){ out->str, out->len };
}

static gboolean
append_int (Cast *c, gint64 value)
{
  if (c->to == FR_TYPE_BOOL && value != 0 && value != 1)
    return FALSE;
  if (c->to == FR_TYPE_INT32 && (value < G_MININT32 || value > G_MAXINT32))
    return FALSE;
  if (c->to == FR_TYPE_TIMESTAMP
      && __builtin_mul_overflow (value, (gint64) c->config->epoch, &value))
    return FALSE;
  if (c->to == FR_TYPE_BOOL)
    fr_cells_append_bool (c->cells, value != 0);
  else if (c->to == FR_TYPE_FLOAT32 || c->to == FR_TYPE_FLOAT64)
    fr_cells_append_float (c->cells, (double) value);
  else
    fr_cells_append_int (c->cells, value);
  return TRUE;
}

static gboolean
append_float (Cast *c, double value)
{
  if (c->to == FR_TYPE_FLOAT32 && isfinite (value) && fabs (value) > (double) G_MAXFLOAT)
    return FALSE;
  if (c->to == FR_TYPE_FLOAT32 || c->to == FR_TYPE_FLOAT64)
    {
      fr_cells_append_float (c->cells, value);
      return TRUE;
    }
  /* Not a whole number, or beyond 64 bits: nothing is rounded behind anybody's back. */
  if (!isfinite (value) || value != floor (value) || value < -9223372036854775808.0
      || value >= 9223372036854775808.0)
    return FALSE;
  return append_int (c, (gint64) value);
}

static gboolean
append_parsed (Cast *c, FrStr s)
{
  gint64 integer;
  double number;
  gboolean truth;

  switch (c->to)
    {
    case FR_TYPE_BOOL:
      if (!parse_bool (s.data, s.len, &truth))
        return FALSE;
      fr_cells_append_bool (c->cells, truth);
      return TRUE;
    case FR_TYPE_INT32:
    case FR_TYPE_INT64:
      return parse_int (s.data, s.len, &integer) && append_int (c, integer);
    case FR_TYPE_FLOAT32:
    case FR_TYPE_FLOAT64:
      return parse_float (s.data, s.len, &number) && append_float (c, number);
    default:
      if (!parse_timestamp (s.data, s.len, &integer))
        return FALSE;
      fr_cells_append_int (c->cells, integer);
      return TRUE;
    }
}

static gboolean
cast_text (Cast *c, FrStr s)
{
  if (c->to == FR_TYPE_BINARY || (FR_TYPES (c->to) & FR_TYPES_TEXT))
    {
      fr_cells_append_str (c->cells, s.data != NULL ? s.data : "", s.len);
      return TRUE;
    }
  if (c->config->full_width)
    s = narrowed (s, c->scratch);
  s = trimmed (s);
  if (s.len == 0 && c->config->empty_is_null)
    {
      fr_cells_append_null (c->cells);
      return TRUE;
    }
  return append_parsed (c, s);
}

static gboolean
cast_to_text (Cast *c, gsize row)
{
  if (c->view.type == FR_TYPE_BINARY)
    {
      FrStr s = fr_view_str (&c->view, row);

      if (s.len > 0 && !g_utf8_validate_len (s.data, s.len, NULL))
        return FALSE;
      fr_cells_append_str (c->cells, s.len > 0 ? s.data : "", s.len);
      return TRUE;
    }
  g_string_truncate (c->scratch, 0);
  if (c->view.type == FR_TYPE_TIMESTAMP)
    fr_timestamp_append (c->scratch, fr_view_int (&c->view, row));
  else
    fr_batch_append_json_cell (c->batch, c->from, row, c->scratch);
  fr_cells_append_str (c->cells, c->scratch->str, c->scratch->len);
  return TRUE;
}

/* FALSE: the cell cannot be cast, and nothing was appended. */
static gboolean
cast_cell (Cast *c, gsize row)
{
  if (fr_view_is_null (&c->view, row))
    {
      fr_cells_append_null (c->cells);
      return TRUE;
    }
  if (FR_TYPES (c->view.type) & FR_TYPES_TEXT)
    return cast_text (c, fr_view_str (&c->view, row));
  if (FR_TYPES (c->to) & FR_TYPES_TEXT)
    return cast_to_text (c, row);
  switch (c->view.type)
    {
    case FR_TYPE_FLOAT32:
    case FR_TYPE_FLOAT64:
      return append_float (c, fr_view_float (&c->view, row));
    case FR_TYPE_TIMESTAMP:
      {
        gint64 us = fr_view_int (&c->view, row);

        if (us % c->config->epoch != 0)
          return FALSE;
        return append_int (c, us / c->config->epoch);
      }
    default:
      return append_int (c, fr_view_int (&c->view, row));
    }
}

/* ---- work ---------------------------------------------------------------- */

static void
reject_cell (FrHost *host, const FrBatch *batch, const Cast *c, gsize row)
{
  FrField *field = fr_schema_field (fr_batch_schema (batch), c->from);
  g_autoptr (GString) shown = g_string_new (NULL);

  fr_batch_append_json_cell (batch, c->from, row, shown);
  if (shown->len > 80)
    {
      gsize cut = 77;

      while (cut > 0 && ((guint8) shown->str[cut] & 0xc0) == 0x80)
        cut--;
      g_string_truncate (shown, cut);
      g_string_append (shown, "...");
    }
  fr_host_reject (host, batch, row, "cast", "column '%s': %s cannot become %s",
                  fr_field_name (field), shown->str, fr_type_name (c->to));
}

/* Casts column by column; a row that fails twice is rejected for its first column. */
static FrBatch *
cast_columns (FrHost *host, Plan *plan, FrBatch *batch, guint8 *keep, GError **error)
{
  gsize n = fr_batch_n_rows (batch);
  g_autoptr (FrBuilder) builder = fr_builder_new (plan->cast_schema);
  g_autoptr (GString) scratch = g_string_new (NULL);
  guint n_casts = fr_schema_n_fields (plan->cast_schema);
  g_autofree Cast *casts = g_new0 (Cast, n_casts + 1);
  gint64 n_null = 0;

  for (guint i = 0; i < plan->outs->len; i++)
    {
      const Out *out = &g_array_index (plan->outs, Out, i);

      if (out->cast)
        casts[out->pick] = (Cast){ .config = plan->config,
                                   .batch = batch,
                                   .from = out->from,
                                   .view = fr_view (batch, out->from),
                                   .to = fr_field_type (out->field),
                                   .cells = fr_builder_cells (builder, out->pick),
                                   .scratch = scratch };
    }
  for (gsize row = 0; row < n; row++)
    {
      for (guint i = 0; i < n_casts; i++)
        if (!cast_cell (&casts[i], row))
          {
            fr_cells_append_null (casts[i].cells);
            if (plan->config->on_error == ERROR_NULL)
              n_null++;
            else if (keep[row])
              {
                keep[row] = 0;
                reject_cell (host, batch, &casts[i], row);
              }
          }
      fr_builder_end_row (builder, fr_batch_ids (batch)[row]);
    }
  if (n_null > 0)
    fr_host_count (host, "cast_null", n_null);
  return fr_builder_finish (builder, error);
}

static FrBatch *
assemble (Plan *plan, FrBatch *batch, FrBatch *casts, GError **error)
{
  g_autoptr (GPtrArray) columns = g_ptr_array_new ();

  for (guint i = 0; i < plan->outs->len; i++)
    {
      const Out *out = &g_array_index (plan->outs, Out, i);

      g_ptr_array_add (columns, fr_column_ref (out->cast ? fr_batch_column (casts, out->pick)
                                                         : fr_batch_column (batch, out->from)));
    }
  return fr_batch_new (plan->out, fr_batch_n_rows (batch), (FrColumn *const *) columns->pdata,
                       fr_batch_ids (batch), error);
}

static FrFlow
select_map (FrHost *host, gpointer state, gpointer local, FrBatch *taken, GError **error)
{
  Plan *plan = state;
  g_autoptr (FrBatch) batch = taken;
  g_autoptr (FrBatch) casts = NULL, whole = NULL;
  g_autofree guint8 *keep = g_malloc (fr_batch_n_rows (batch) + 1);

  (void) local;
  memset (keep, 1, fr_batch_n_rows (batch));
  if (fr_schema_n_fields (plan->cast_schema) > 0
      && (casts = cast_columns (host, plan, batch, keep, error)) == NULL)
    return FR_FLOW_ERROR;
  whole = assemble (plan, batch, casts, error);
  if (whole == NULL)
    return FR_FLOW_ERROR;
  return fr_host_push (host, "out", fr_batch_filter (whole, keep), error);
}

static const char details[]
    = "Chooses columns, puts them in order, renames them and changes their types. All four\n"
      "parameters speak of columns by the names they have on the input; they work in the order\n"
      "`columns`, `drop`, `cast`, `rename`.\n"
      "\n"
      "* A name that is a column is that column, whatever characters it holds. Otherwise `*` "
      "stands for any\n"
      "  characters and `?` for one; matching columns come in the order of the input, each once.\n"
      "* `{\"columns\": [\"title\", \"*\"]}` puts `title` first and leaves the rest as it was.\n"
      "* A name that no column has is an error before anything runs.\n"
      "\n"
      "### Casts\n"
      "\n"
      "| from | to | rule |\n"
      "| --- | --- | --- |\n"
      "| text | int32, int64 | sign and decimal digits, nothing else; blanks around are ignored |\n"
      "| text | float32, float64 | `12`, `-1.5`, `.5`, `1e3`; the point is a point in every "
      "locale; no `nan`, no `inf` |\n"
      "| text | bool | `true false yes no 1 0 t f y n` in any case, `是 否` |\n"
      "| text | timestamp | `2024-01-31`, `2024/1/31`, `2024年1月31日`, with or without "
      "`08:15:30.5` and a zone; no zone is UTC |\n"
      "| float | integer | only a whole number that fits; nothing is rounded |\n"
      "| integer | float | nearest value |\n"
      "| integer | timestamp | in the unit of `epoch`; and back when nothing is lost |\n"
      "| integer, float | bool | 0 and 1 |\n"
      "| anything | utf8 | as in JSON, without quotes for text; bytes must be valid UTF-8 |\n"
      "| text | binary | its UTF-8 bytes |\n"
      "\n"
      "A cell that does not fit its type rejects the row (rule `cast`) with column, value and "
      "type, or becomes\n"
      "null when `on_error` is `null`. Null stays null.\n";

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.select",
  .revision = 1,
  .flags = FR_ELEMENT_PARALLEL,
  .summary = "choose, order, rename and cast columns",
  .details = details,
  .example = "{\"columns\": [\"*\"], \"on_error\": \"null\"}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = fr_ports_in,
  .outputs = fr_ports_out,
  .bind = select_bind,
  .open = select_open,
  .map = select_map,
  .close = select_close,
};

FR_PLUGIN ("select", PACKAGE_VERSION, "columns by name, with rename and cast", "Apache-2.0",
           "flowrun", &element)
