/* SPDX-License-Identifier: Apache-2.0 */
/* filter.c: transform.filter, rows by an expression over their columns.
 *
 * The language is in expr.h; its manual is `details` below.
 */
#include "config.h"

#include <flowrun/flowrun.h>

#include "expr.h"

typedef struct
{
  char *where;
} Config;

static const FrParam *const params[]
    = { FR_PARAM_STRING ("where", Config, where,
                         "which rows to keep: an expression over the columns",
                         .flags = FR_PARAM_REQUIRED,
                         .example = "\"length(content) >= 10 and not contains(content, '测试')\""),
        NULL };

static const FrPort *const outputs[]
    = { FR_PORT ("out", FR_PORT_RECORDS, "rows for which the expression is true"),
        FR_PORT ("rest", FR_PORT_RECORDS, "rows for which it is false or null",
                 .flags = FR_PORT_OPTIONAL),
        NULL };

static gboolean
filter_configure (gpointer config, FrProblems *problems)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Expr) expr = NULL;
  const char *where = ((Config *) config)->where;

  if (where == NULL)
    return TRUE;
  expr = expr_new (where, &error);
  if (expr == NULL)
    fr_problems_add (problems, "/where", "%s", error->message);
  return expr != NULL;
}

static gboolean
filter_bind (gconstpointer config, FrBind *bind, GError **error)
{
  g_autoptr (Expr) expr = expr_new (((const Config *) config)->where, error);
  g_autoptr (GError) wrong = NULL;
  FrSchema *schema = fr_bind_input (bind, "in");

  if (expr == NULL)
    return FALSE;
  if (schema == NULL || expr_bind (expr, schema, &wrong))
    return TRUE;
  fr_bind_problem (bind, "/where", "%s", wrong->message);
  return FALSE;
}

static gboolean
filter_open (gconstpointer config, FrHost *host, gpointer *state, GError **error)
{
  g_autoptr (Expr) expr = expr_new (((const Config *) config)->where, error);

  if (expr == NULL || !expr_bind (expr, fr_host_input (host, "in"), error))
    return FALSE;
  *state = g_steal_pointer (&expr);
  return TRUE;
}

static gboolean
filter_thread_begin (FrHost *host, gpointer state, gpointer *local, GError **error)
{
  (void) host;
  (void) error;
  *local = expr_scratch_new (state);
  return TRUE;
}

static void
filter_thread_end (gpointer state, gpointer local)
{
  (void) state;
  expr_scratch_free (local);
}

static void
reject_row (FrHost *host, const FrBatch *batch, gsize row, guint8 why)
{
  if (why == EXPR_OVERFLOW)
    fr_host_reject (host, batch, row, "overflow",
                    "a calculation of whole numbers left the range of 64 bits; multiply by 1.0 to "
                    "calculate with fractions");
  else
    fr_host_reject (host, batch, row, "too_hard",
                    "the regular expression of matches() took more steps than are allowed for one "
                    "row; make it simpler");
}

static FrFlow
filter_map (FrHost *host, gpointer state, gpointer local, FrBatch *taken, GError **error)
{
  g_autoptr (FrBatch) batch = taken;
  gsize n = fr_batch_n_rows (batch), n_null = 0;
  g_autofree guint8 *result = g_malloc (n + 1), *rest = g_malloc (n + 1);
  FrFlow flow;

  expr_run (state, local, batch, result);
  for (gsize i = 0; i < n; i++)
    {
      rest[i] = result[i] == EXPR_FALSE || result[i] == EXPR_NULL;
      n_null += result[i] == EXPR_NULL;
      if (G_UNLIKELY (result[i] > EXPR_NULL))
        reject_row (host, batch, i, result[i]);
      result[i] = result[i] == EXPR_TRUE;
    }
  if (n_null > 0)
    fr_host_count (host, "null", (gint64) n_null);
  flow = fr_host_push (host, "out", fr_batch_filter (batch, result), error);
  if (flow == FR_FLOW_CANCELLED || flow == FR_FLOW_ERROR)
    return flow;
  return fr_host_push (host, "rest", fr_batch_filter (batch, rest), error);
}

static void
filter_close (gpointer state)
{
  expr_free (state);
}

static const char details[]
    = "Keeps the rows for which `where` is true. Rows for which it is false or null leave by the "
      "port `rest`;\n"
      "how often it was null is counted as `null`. Mistakes in the expression are found before "
      "anything runs\n"
      "and told with their position, counted in characters.\n"
      "\n"
      "### The language\n"
      "\n"
      "| part | how |\n"
      "| --- | --- |\n"
      "| column | its name: `price`, `商品名`; any other name in backticks: `` `unit price` ``; a "
      "member of a struct: `shop.city` |\n"
      "| text | `'text'` or `\"text\"`; a quote inside is doubled or has a backslash; `\\n` `\\t` "
      "`\\r` `\\\\` `\\u4e2d`; another backslash stays, so that regular expressions can be written "
      "as they are |\n"
      "| number | `12`, `1.5`, `2e6` |\n"
      "| other values | `true`, `false`, `null` |\n"
      "| comparison | `=` `!=` `<` `<=` `>` `>=` between numbers, between texts (in order of code "
      "points), between times; a text beside a time is read as one: `added >= '2024-01-31'` |\n"
      "| list | `x in ('a', 'b')`, `x not in (1, 2)` |\n"
      "| null | `x is null`, `x is not null` |\n"
      "| logic | `not`, `and`, `or`, binding in this order; parentheses |\n"
      "| arithmetic | `+ - * /` and a sign, on numbers; `/` always gives a fraction; division by "
      "zero gives null; whole numbers that leave 64 bits reject the row (rule `overflow`) |\n"
      "\n"
      "| function | gives |\n"
      "| --- | --- |\n"
      "| `length(x)` | characters of a text (Unicode code points), items of a list |\n"
      "| `bytes(x)` | bytes of a text in UTF-8, or of bytes |\n"
      "| `lower(x)` `upper(x)` | the text with each letter's simple case mapping, whatever the "
      "locale |\n"
      "| `trim(x)` | without white space at both ends, U+3000 too |\n"
      "| `contains(x, y)` `starts_with(x, y)` `ends_with(x, y)` | whether text y is in x, exactly "
      "|\n"
      "| `matches(x, 're')` | whether the regular expression (PCRE2, with Unicode classes) is "
      "found anywhere in x; `^` and `$` tie it to the ends |\n"
      "| `coalesce(x, y, ...)` | the first that is not null |\n"
      "\n"
      "Words and function names may be written in any case. `and` and `or` do not look at their "
      "right side where\n"
      "the left one decides, so put the cheap test first.\n"
      "\n"
      "### Null\n"
      "\n"
      "As in SQL: an operation on null gives null. `null and false` is false, `null or true` is "
      "true, `not null`\n"
      "is null. `x != 'a'` is null where x is null, so such rows leave by `rest`; write `x != 'a' "
      "or x is null` to\n"
      "keep them. A comparison with the word `null` is refused, for it could never be true.\n"
      "\n"
      "### Regular expressions\n"
      "\n"
      "A pattern may take 1000000 steps and go 10000 levels deep for one row. A row that would "
      "take more is\n"
      "rejected (rule `too_hard`) and never holds up the run.\n";

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.filter",
  .revision = 1,
  .flags = FR_ELEMENT_PARALLEL,
  .summary = "keep rows for which an expression over the columns is true",
  .details = details,
  .example = "{\"where\": \"1 < 2 and not false\"}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = fr_ports_in,
  .outputs = outputs,
  .configure = filter_configure,
  .bind = filter_bind,
  .open = filter_open,
  .thread_begin = filter_thread_begin,
  .map = filter_map,
  .thread_end = filter_thread_end,
  .close = filter_close,
};

FR_PLUGIN ("filter", PACKAGE_VERSION, "rows by an expression", "Apache-2.0", "flowrun", &element)
