/* SPDX-License-Identifier: Apache-2.0 */
/* expr-bind.c: tree to program, against a schema.
 *
 * Two walks: the first finds columns, settles the type of every node and
 * numbers columns and constants; the second emits instructions.  Results of
 * inner nodes live in registers used as a stack, so a program needs as many as
 * the tree is deep, not as many as it has nodes.
 */
#include "expr-private.h"

typedef struct
{
  Expr *expr;
  const FrSchema *schema;
  GError **error;
  guint top; /* next free register of the stack */
} Binder;

static gboolean G_GNUC_PRINTF (4, 5)
    fail (Binder *b, guint at, FrError code, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (b->error, FR_ERROR, code, "at character %u: %s", at, message);
  return FALSE;
}

static const char *
value_name (Value value)
{
  static const char *const names[] = { "?",    "null",   "true or false", "a number", "a number",
                                       "text", "a time", "bytes",         "a list",   "a struct" };

  return names[value];
}

static gboolean
is_number (Value value)
{
  return value == VALUE_INT || value == VALUE_FLOAT;
}

/* ---- columns and constants ----------------------------------------------- */

static Value
value_of_type (FrType type)
{
  switch (type)
    {
    case FR_TYPE_BOOL:
      return VALUE_BOOL;
    case FR_TYPE_INT32:
    case FR_TYPE_INT64:
      return VALUE_INT;
    case FR_TYPE_FLOAT32:
    case FR_TYPE_FLOAT64:
      return VALUE_FLOAT;
    case FR_TYPE_UTF8:
    case FR_TYPE_LARGE_UTF8:
      return VALUE_TEXT;
    case FR_TYPE_TIMESTAMP:
      return VALUE_TIME;
    case FR_TYPE_BINARY:
      return VALUE_BINARY;
    case FR_TYPE_LIST:
      return VALUE_LIST;
    default:
      return VALUE_STRUCT;
    }
}

static gboolean
missing_column (Binder *b, const Node *node)
{
  g_auto (GStrv) names = fr_schema_names (b->schema);
  const char *near = fr_suggest (node->text, (const char *const *) names);
  g_autofree char *all = NULL;

  if (node->path->len > 0)
    {
      g_autofree char *dotted
          = g_strdup_printf ("%s.%s", node->text, (char *) node->path->pdata[0]);

      if (fr_schema_find (b->schema, dotted) >= 0)
        return fail (b, node->at, FR_ERROR_CONFIG,
                     "there is no column '%s'; for the column '%s' write `%s`", node->text, dotted,
                     dotted);
    }
  if (near != NULL)
    return fail (b, node->at, FR_ERROR_CONFIG, "there is no column '%s'; did you mean '%s'?",
                 node->text, near);
  all = g_strjoinv (", ", names);
  return fail (b, node->at, FR_ERROR_CONFIG, "there is no column '%s'; there are %s", node->text,
               *all == '\0' ? "none" : all);
}

static FrField *
walk_path (Binder *b, const Node *node, FrField *field, GArray *path)
{
  for (guint i = 0; i < node->path->len; i++)
    {
      const char *member = node->path->pdata[i];
      guint n = fr_field_n_children (field), k = 0;
      g_autoptr (GPtrArray) names = g_ptr_array_new ();
      const char *near;

      if (fr_field_type (field) != FR_TYPE_STRUCT)
        return fail (b, node->at, FR_ERROR_TYPE, "'%s' has no members: it is %s, not a struct",
                     fr_field_name (field), fr_type_name (fr_field_type (field))),
               NULL;
      while (k < n && strcmp (fr_field_name (fr_field_child (field, k)), member) != 0)
        g_ptr_array_add (names, (char *) fr_field_name (fr_field_child (field, k++)));
      if (k == n)
        {
          g_ptr_array_add (names, NULL);
          near = fr_suggest (member, (const char *const *) names->pdata);
          fail (b, node->at, FR_ERROR_CONFIG, "'%s' has no member '%s'%s%s%s",
                fr_field_name (field), member, near ? "; did you mean '" : "", near ? near : "",
                near ? "'?" : "");
          return NULL;
        }
      g_array_append_val (path, k);
      field = fr_field_child (field, k);
    }
  return field;
}

static gboolean
same_load (const Load *load, guint column, GArray *path)
{
  return load->column == column && load->path->len == path->len
         && (path->len == 0
             || memcmp (load->path->data, path->data, path->len * sizeof (guint)) == 0);
}

static gboolean
bind_column (Binder *b, Node *node)
{
  int column = fr_schema_find (b->schema, node->text);
  g_autoptr (GArray) path = g_array_new (FALSE, FALSE, sizeof (guint));
  FrField *field;
  Load load;

  if (column < 0)
    return missing_column (b, node);
  field = walk_path (b, node, fr_schema_field (b->schema, (guint) column), path);
  if (field == NULL)
    return FALSE;
  node->value = value_of_type (fr_field_type (field));
  for (guint i = 0; i < b->expr->loads->len; i++)
    if (same_load (&g_array_index (b->expr->loads, Load, i), (guint) column, path))
      {
        node->slot = i;
        return TRUE;
      }
  node->slot = b->expr->loads->len;
  load = (Load){ .column = (guint) column, .path = g_steal_pointer (&path), .value = node->value };
  g_array_append_val (b->expr->loads, load);
  return TRUE;
}

/* Constants get their registers after all the columns, so only their order is known yet. */
static void
bind_literal (Binder *b, Node *node)
{
  node->slot = b->expr->literals->len;
  g_ptr_array_add (b->expr->literals, node);
}

/* ---- types --------------------------------------------------------------- */

static gboolean bind_node (Binder *b, Node *node);

static gboolean
bind_args (Binder *b, Node *node)
{
  for (guint i = 0; i < node->args->len; i++)
    if (!bind_node (b, node->args->pdata[i]))
      return FALSE;
  return TRUE;
}

static gboolean
want_bool (Binder *b, const Node *arg, const char *word)
{
  return arg->value == VALUE_BOOL || arg->value == VALUE_NULL
         || fail (b, arg->at, FR_ERROR_TYPE,
                  "'%s' needs true or false here, not %s; write a comparison", word,
                  value_name (arg->value));
}

/* A text constant beside a time becomes a time. */
static gboolean
literal_to_time (Binder *b, Node *literal)
{
  gint64 time;

  if (!fr_timestamp_parse (literal->text, literal->len, &time))
    return fail (b, literal->at, FR_ERROR_TYPE,
                 "'%s' is not a time; write it as '2024-01-31' or '2024-01-31T08:00:00Z'",
                 literal->text);
  literal->value = VALUE_TIME;
  literal->integer = time;
  return TRUE;
}

static gboolean
make_alike (Binder *b, Node *x, Node *y, guint at)
{
  if (x->value == VALUE_NULL || y->value == VALUE_NULL)
    return fail (b, at, FR_ERROR_TYPE,
                 "a comparison with null is never true; write 'is null' or 'is not null'");
  if (x->value == VALUE_TIME && y->type == NODE_LITERAL && y->value == VALUE_TEXT)
    return literal_to_time (b, y);
  if (y->value == VALUE_TIME && x->type == NODE_LITERAL && x->value == VALUE_TEXT)
    return literal_to_time (b, x);
  if (x->value == y->value || (is_number (x->value) && is_number (y->value)))
    return TRUE;
  return fail (b, at, FR_ERROR_TYPE, "cannot compare %s with %s%s", value_name (x->value),
               value_name (y->value),
               is_number (x->value) || is_number (y->value)
                   ? "; a column of text becomes numbers with transform.select's 'cast'"
                   : "");
}

static gboolean
bind_compare (Binder *b, Node *node)
{
  Node *x = node->args->pdata[0], *y = node->args->pdata[1];

  if (!make_alike (b, x, y, node->at))
    return FALSE;
  if (x->value >= VALUE_BINARY)
    return fail (b, node->at, FR_ERROR_TYPE, "%s cannot be compared", value_name (x->value));
  if (x->value == VALUE_BOOL && node->op != EQ && node->op != NE)
    return fail (b, node->at, FR_ERROR_TYPE, "true and false have no order; use '=' or '!='");
  node->value = VALUE_BOOL;
  return TRUE;
}

static gboolean
bind_in (Binder *b, Node *node)
{
  Node *x = node->args->pdata[0];

  if (x->value == VALUE_NULL || x->value == VALUE_BOOL || x->value >= VALUE_BINARY)
    return fail (b, x->at, FR_ERROR_TYPE, "'in' looks for numbers, texts and times, not for %s",
                 value_name (x->value));
  for (guint i = 1; i < node->args->len; i++)
    if (!make_alike (b, x, node->args->pdata[i], ((Node *) node->args->pdata[i])->at))
      return FALSE;
  node->value = VALUE_BOOL;
  return TRUE;
}

static gboolean
bind_arithmetic (Binder *b, Node *node)
{
  node->value = node->op == '/' ? VALUE_FLOAT : VALUE_INT;
  for (guint i = 0; i < node->args->len; i++)
    {
      const Node *arg = node->args->pdata[i];

      if (!is_number (arg->value))
        return fail (b, arg->at, FR_ERROR_TYPE, "'%c' works on numbers, not on %s",
                     node->type == NODE_NEGATE ? '-' : node->op, value_name (arg->value));
      if (arg->value == VALUE_FLOAT)
        node->value = VALUE_FLOAT;
    }
  return TRUE;
}

static gboolean
bind_pattern (Binder *b, Node *node)
{
  Node *pattern = node->args->pdata[1];

  if (pattern->type != NODE_LITERAL || pattern->value != VALUE_TEXT)
    return fail (b, pattern->at, FR_ERROR_TYPE,
                 "the pattern of matches() must be written as a text");
#ifdef HAVE_PCRE2
  {
    int code;
    PCRE2_SIZE where;
    PCRE2_UCHAR message[256];
    Pattern p;

    p.code = pcre2_compile ((PCRE2_SPTR) pattern->text, pattern->len,
                            PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &where, NULL);
    if (p.code == NULL)
      {
        pcre2_get_error_message (code, message, sizeof message);
        return fail (b, pattern->at, FR_ERROR_CONFIG,
                     "the regular expression is wrong at its byte %u: %s", (guint) where + 1,
                     (char *) message);
      }
    /* Failure to compile to machine code is no fault: the interpreter serves. */
    pcre2_jit_compile (p.code, PCRE2_JIT_COMPLETE);
    node->slot = b->expr->patterns->len;
    g_array_append_val (b->expr->patterns, p);
    return TRUE;
  }
#else
  return fail (b, node->at, FR_ERROR_CONFIG,
               "this flowrun was built without PCRE2, so matches() is missing; use contains(), "
               "starts_with() or ends_with(), or build with libpcre2-dev");
#endif
}

static gboolean
bind_coalesce (Binder *b, Node *node)
{
  Value value = VALUE_NULL;

  for (guint i = 0; i < node->args->len; i++)
    {
      const Node *arg = node->args->pdata[i];

      if (arg->value == VALUE_NULL)
        continue;
      if (arg->value >= VALUE_BINARY)
        return fail (b, arg->at, FR_ERROR_TYPE, "coalesce() cannot take %s",
                     value_name (arg->value));
      if (value == VALUE_NULL || value == arg->value)
        value = arg->value;
      else if (is_number (value) && is_number (arg->value))
        value = VALUE_FLOAT;
      else
        return fail (b, arg->at, FR_ERROR_TYPE,
                     "coalesce() has %s before and %s here; they must be alike", value_name (value),
                     value_name (arg->value));
    }
  node->value = value;
  return TRUE;
}

static gboolean
bind_call (Binder *b, Node *node)
{
  static const char *const names[]
      = { "length",   "bytes",       "lower",     "upper",   "trim",
          "contains", "starts_with", "ends_with", "matches", "coalesce" };
  const Node *first = node->args->pdata[0];

  if (node->op == FUNC_COALESCE)
    return bind_coalesce (b, node);
  for (guint i = 0; i < node->args->len; i++)
    {
      const Node *arg = node->args->pdata[i];

      if (arg->value == VALUE_TEXT || (arg->value == VALUE_BINARY && node->op == FUNC_BYTES)
          || (arg->value == VALUE_LIST && node->op == FUNC_LENGTH))
        continue;
      return fail (b, arg->at, FR_ERROR_TYPE, "%s() works on text, not on %s", names[node->op],
                   value_name (arg->value));
    }
  if (node->op <= FUNC_BYTES)
    node->value = VALUE_INT;
  else if (node->op <= FUNC_TRIM)
    node->value = first->value;
  else
    node->value = VALUE_BOOL;
  return node->op != FUNC_MATCHES || bind_pattern (b, node);
}

static gboolean
bind_node (Binder *b, Node *node)
{
  if (node->type == NODE_COLUMN)
    return bind_column (b, node);
  if (node->type == NODE_LITERAL)
    {
      bind_literal (b, node);
      return TRUE;
    }
  if (!bind_args (b, node))
    return FALSE;
  switch (node->type)
    {
    case NODE_NOT:
    case NODE_AND:
    case NODE_OR:
      node->value = VALUE_BOOL;
      for (guint i = 0; i < node->args->len; i++)
        if (!want_bool (b, node->args->pdata[i],
                        node->type == NODE_NOT   ? "not"
                        : node->type == NODE_AND ? "and"
                                                 : "or"))
          return FALSE;
      return TRUE;
    case NODE_COMPARE:
      return bind_compare (b, node);
    case NODE_IN:
      return bind_in (b, node);
    case NODE_IS_NULL:
      node->value = VALUE_BOOL;
      return TRUE;
    case NODE_NEGATE:
    case NODE_ARITHMETIC:
      return bind_arithmetic (b, node);
    default:
      return bind_call (b, node);
    }
}

/* ---- code ---------------------------------------------------------------- */

static guint16 emit_node (Binder *b, Node *node, guint16 mask);

static guint16
push_reg (Binder *b)
{
  guint16 reg = (guint16) b->top++;

  b->expr->n_regs = MAX (b->expr->n_regs, b->top);
  return reg;
}

static void
emit (Binder *b, Op op, guint16 dst, guint16 a, guint16 c, guint16 mask, int aux, Value value)
{
  Ins ins = { op, dst, a, c, mask, aux, value };

  g_array_append_val (b->expr->code, ins);
}

static guint16
emit_as_float (Binder *b, Node *node, guint16 mask)
{
  guint16 reg = emit_node (b, node, mask), dst;

  if (node->value != VALUE_INT)
    return reg;
  dst = push_reg (b);
  emit (b, OP_INT_TO_FLOAT, dst, reg, NO_REG, mask, 0, VALUE_FLOAT);
  return dst;
}

/* `and` and `or` compute their right side only for rows that still matter,
 * so that a cheap test may guard a regular expression. */
static void
emit_logic (Binder *b, Node *node, guint16 dst, guint16 mask)
{
  gboolean both = node->type == NODE_AND;
  guint16 left = emit_node (b, node->args->pdata[0], mask);
  guint16 rest = push_reg (b), right;

  emit (b, both ? OP_MASK_AND : OP_MASK_OR, rest, left, NO_REG, mask, 0, VALUE_BOOL);
  right = emit_node (b, node->args->pdata[1], rest);
  emit (b, both ? OP_AND : OP_OR, dst, left, right, mask, 0, VALUE_BOOL);
}

static void
emit_compare (Binder *b, Node *node, guint16 dst, guint16 mask)
{
  Node *x = node->args->pdata[0], *y = node->args->pdata[1];
  gboolean as_float = is_number (x->value) && (x->value == VALUE_FLOAT || y->value == VALUE_FLOAT);
  guint16 a = as_float ? emit_as_float (b, x, mask) : emit_node (b, x, mask);
  guint16 c = as_float ? emit_as_float (b, y, mask) : emit_node (b, y, mask);
  Op op = OP_COMPARE_INT;

  if (as_float)
    op = OP_COMPARE_FLOAT;
  else if (x->value == VALUE_TEXT)
    op = OP_COMPARE_TEXT;
  else if (x->value == VALUE_BOOL)
    op = OP_COMPARE_BOOL;

  emit (b, op, dst, a, c, mask, node->op, VALUE_BOOL);
}

static int
compare_integers (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static int
compare_texts (gconstpointer a, gconstpointer b)
{
  const FrStr *x = *(const FrStr *const *) a, *y = *(const FrStr *const *) b;
  int order = memcmp (x->data, y->data, MIN (x->len, y->len));

  return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static void
set_free (gpointer data)
{
  Set *set = data;

  g_array_unref (set->integers);
  g_array_unref (set->numbers);
  g_ptr_array_unref (set->texts);
  g_free (set);
}

static Set *
set_new (const Node *node)
{
  Set *set = g_new0 (Set, 1);
  const Node *x = node->args->pdata[0];

  set->integers = g_array_new (FALSE, FALSE, sizeof (gint64));
  set->numbers = g_array_new (FALSE, FALSE, sizeof (double));
  set->texts = g_ptr_array_new_with_free_func (g_free);
  set->value = x->value;
  for (guint i = 1; i < node->args->len; i++)
    if (((const Node *) node->args->pdata[i])->value == VALUE_FLOAT)
      set->value = VALUE_FLOAT;
  for (guint i = 1; i < node->args->len; i++)
    {
      const Node *item = node->args->pdata[i];
      double number = item->value == VALUE_FLOAT ? item->number : (double) item->integer;

      if (set->value == VALUE_TEXT)
        {
          FrStr *s = g_new (FrStr, 1);

          *s = (FrStr){ item->text, item->len };
          g_ptr_array_add (set->texts, s);
        }
      else if (set->value == VALUE_FLOAT)
        g_array_append_val (set->numbers, number);
      else
        g_array_append_val (set->integers, item->integer);
    }
  g_array_sort (set->integers, compare_integers);
  g_array_sort (set->numbers, compare_numbers);
  g_ptr_array_sort (set->texts, compare_texts);
  return set;
}

static void
emit_in (Binder *b, Node *node, guint16 dst, guint16 mask)
{
  Set *set = set_new (node);
  Node *x = node->args->pdata[0];
  guint16 a = set->value == VALUE_FLOAT ? emit_as_float (b, x, mask) : emit_node (b, x, mask);
  int aux = (int) (b->expr->sets->len << 1) | (node->negated ? 1 : 0);

  g_ptr_array_add (b->expr->sets, set);
  emit (b, OP_IN, dst, a, NO_REG, mask, aux, VALUE_BOOL);
}

static void
emit_arithmetic (Binder *b, Node *node, guint16 dst, guint16 mask)
{
  gboolean as_float = node->value == VALUE_FLOAT;
  Node *x = node->args->pdata[0];
  guint16 a = as_float ? emit_as_float (b, x, mask) : emit_node (b, x, mask), c;
  Op op;

  if (node->type == NODE_NEGATE)
    {
      emit (b, as_float ? OP_NEGATE_FLOAT : OP_NEGATE_INT, dst, a, NO_REG, mask, 0, node->value);
      return;
    }
  c = as_float ? emit_as_float (b, node->args->pdata[1], mask)
               : emit_node (b, node->args->pdata[1], mask);
  if (node->op == '/')
    op = OP_DIV_FLOAT;
  else if (node->op == '+')
    op = as_float ? OP_ADD_FLOAT : OP_ADD_INT;
  else if (node->op == '-')
    op = as_float ? OP_SUB_FLOAT : OP_SUB_INT;
  else
    op = as_float ? OP_MUL_FLOAT : OP_MUL_INT;
  emit (b, op, dst, a, c, mask, 0, node->value);
}

static void
emit_coalesce (Binder *b, Node *node, guint16 dst, guint16 mask)
{
  gboolean as_float = node->value == VALUE_FLOAT;
  guint16 so_far = NO_REG;

  for (guint i = 0; i < node->args->len; i++)
    {
      Node *arg = node->args->pdata[i];
      guint16 reg = as_float ? emit_as_float (b, arg, mask) : emit_node (b, arg, mask);

      emit (b, OP_COALESCE, dst, so_far == NO_REG ? reg : so_far, reg, mask, 0, node->value);
      so_far = dst;
    }
}

static void
emit_call (Binder *b, Node *node, guint16 dst, guint16 mask)
{
  static const Op ops[] = { OP_LENGTH,   OP_BYTES,       OP_LOWER,     OP_UPPER,  OP_TRIM,
                            OP_CONTAINS, OP_STARTS_WITH, OP_ENDS_WITH, OP_MATCHES };
  const Node *first = node->args->pdata[0];
  guint16 a, c = NO_REG;
  Op op;

  if (node->op == FUNC_COALESCE)
    {
      emit_coalesce (b, node, dst, mask);
      return;
    }
  op = node->op == FUNC_LENGTH && first->value == VALUE_LIST ? OP_LENGTH_LIST : ops[node->op];
  a = emit_node (b, node->args->pdata[0], mask);
  if (node->args->len > 1 && op != OP_MATCHES)
    c = emit_node (b, node->args->pdata[1], mask);
  emit (b, op, dst, a, c, mask, op == OP_MATCHES ? (int) node->slot : 0, node->value);
}

/* Emits the node; its result is in the register returned.  The stack is as
 * before but for that one register. */
static guint16
emit_node (Binder *b, Node *node, guint16 mask)
{
  guint16 dst;
  guint top;

  if (node->type == NODE_COLUMN)
    return (guint16) node->slot;
  if (node->type == NODE_LITERAL)
    return (guint16) (b->expr->loads->len + node->slot);
  dst = push_reg (b);
  top = b->top;
  switch (node->type)
    {
    case NODE_AND:
    case NODE_OR:
      emit_logic (b, node, dst, mask);
      break;
    case NODE_COMPARE:
      emit_compare (b, node, dst, mask);
      break;
    case NODE_IN:
      emit_in (b, node, dst, mask);
      break;
    case NODE_NEGATE:
    case NODE_ARITHMETIC:
      emit_arithmetic (b, node, dst, mask);
      break;
    case NODE_CALL:
      emit_call (b, node, dst, mask);
      break;
    default: /* NOT, IS_NULL */
      emit (b, node->type == NODE_NOT ? OP_NOT : OP_IS_NULL, dst,
            emit_node (b, node->args->pdata[0], mask), NO_REG, mask, node->negated, VALUE_BOOL);
    }
  b->top = top;
  return dst;
}

static void
load_clear (gpointer data)
{
  g_array_unref (((Load *) data)->path);
}

static void
pattern_clear (gpointer data)
{
#ifdef HAVE_PCRE2
  pcre2_code_free (((Pattern *) data)->code);
#else
  (void) data;
#endif
}

gboolean
expr_bind (Expr *expr, const FrSchema *schema, GError **error)
{
  Binder b = { .expr = expr, .schema = schema, .error = error };

  g_return_val_if_fail (expr->code == NULL, FALSE);
  expr->loads = g_array_new (FALSE, TRUE, sizeof (Load));
  g_array_set_clear_func (expr->loads, load_clear);
  expr->literals = g_ptr_array_new ();
  expr->code = g_array_new (FALSE, FALSE, sizeof (Ins));
  expr->sets = g_ptr_array_new_with_free_func (set_free);
  expr->patterns = g_array_new (FALSE, FALSE, sizeof (Pattern));
  g_array_set_clear_func (expr->patterns, pattern_clear);
  if (!bind_node (&b, expr->root))
    return FALSE;
  if (expr->root->value != VALUE_BOOL && expr->root->value != VALUE_NULL)
    return fail (
        &b, expr->root->at, FR_ERROR_TYPE,
        "the expression gives %s; it must say true or false of a row, such as 'length(x) > 3'",
        value_name (expr->root->value));
  b.top = expr->n_regs = expr->loads->len + expr->literals->len;
  expr->result = emit_node (&b, expr->root, NO_REG);
  return TRUE;
}

void
expr_free (Expr *expr)
{
  if (expr == NULL)
    return;
  g_clear_pointer (&expr->loads, g_array_unref);
  g_clear_pointer (&expr->literals, g_ptr_array_unref);
  g_clear_pointer (&expr->code, g_array_unref);
  g_clear_pointer (&expr->sets, g_ptr_array_unref);
  g_clear_pointer (&expr->patterns, g_array_unref);
  g_clear_pointer (&expr->nodes, g_ptr_array_unref);
  g_free (expr->source);
  g_free (expr);
}
