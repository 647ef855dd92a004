/* SPDX-License-Identifier: Apache-2.0 */
/* parser.c: tokens to a tree, by recursive descent over Jinja2's grammar.
 *
 * From loosest to tightest: if-else, or, and, not, comparison, + -, ~, * / // %, **,
 * sign, postfix, filter and test.  A statement, filter or test that is not
 * known is refused here, with its name; inside of {% if %} an unknown filter or
 * test is one only when it is reached, as in Jinja.
 */
#include "config.h"

#include "jinja-private.h"

#include <string.h>

typedef struct
{
  Jinja *j;
  const JToken *t; /* the current one; the last is T_EOF */
  JSyntax *syntax;
  JNode *macro;    /* being parsed */
  gboolean soft;   /* inside of {% if %} */
  guint loops;
} Parser;

static JNode *parse_expression (Parser *p);
static JNode *parse_unary (Parser *p, gboolean with_filter);
static JNode *parse_body (Parser *p, const char *const *ends);

static JNode *
new_node (Parser *p, JNodeType type)
{
  JNode *node = lm_jinja_alloc (p->j, sizeof *node);

  node->type = type;
  node->line = p->t->line;
  return node;
}

static void
add_kid (Parser *p, JNode *node, JNode *kid)
{
  /* Grown at powers of two. */
  if ((node->n_kids & (node->n_kids - 1)) == 0)
    {
      JNode **grown = lm_jinja_alloc (p->j, MAX (1, node->n_kids * 2) * sizeof *grown);
      JOp *ops = lm_jinja_alloc (p->j, MAX (1, node->n_kids * 2) * sizeof *ops);

      if (node->n_kids > 0)
        {
          memcpy (grown, node->kids, node->n_kids * sizeof *grown);
          memcpy (ops, node->ops, node->n_kids * sizeof *ops);
        }
      node->kids = grown;
      node->ops = ops;
    }
  node->kids[node->n_kids++] = kid;
}

static const char *
intern (Parser *p, const char *text, gsize len)
{
  JValue copy = lm_jinja_str (p->j, text, (gssize) len);
  gpointer known = g_hash_table_lookup (p->j->atoms, copy.str->s);

  if (known != NULL)
    return known;
  g_hash_table_add (p->j->atoms, (gpointer) copy.str->s);
  return copy.str->s;
}

/* ---- tokens ------------------------------------------------------------------------------ */

static gboolean
is (const JToken *t, JTokenType type, const char *text)
{
  return t->type == type && strlen (text) == t->len && memcmp (t->text, text, t->len) == 0;
}

static gboolean
is_op (const Parser *p, const char *text)
{
  return is (p->t, T_OP, text);
}

static gboolean
is_name (const Parser *p, const char *text)
{
  return is (p->t, T_NAME, text);
}

static gboolean
is_any (const Parser *p, const char *const *names)
{
  for (; *names != NULL; names++)
    if (is_name (p, *names))
      return TRUE;
  return FALSE;
}

static void
next (Parser *p)
{
  if (p->t->type != T_EOF)
    p->t++;
  p->j->line = p->t->line;
}

static G_NORETURN void
fail_expected (Parser *p, const char *what)
{
  p->j->line = p->t->line;
  switch (p->t->type)
    {
    case T_EOF:
      lm_jinja_fail (p->j, "expected %s, found the end of the template", what);
    case T_BLOCK_END:
    case T_VARIABLE_END:
      lm_jinja_fail (p->j, "expected %s, found the end of the tag", what);
    case T_STRING:
      lm_jinja_fail (p->j, "expected %s, found a text", what);
    default:
      lm_jinja_fail (p->j, "expected %s, found '%.*s'", what, (int) MIN (p->t->len, 80), p->t->text);
    }
}

static gboolean
skip_op (Parser *p, const char *text)
{
  if (!is_op (p, text))
    return FALSE;
  next (p);
  return TRUE;
}

static gboolean
skip_name (Parser *p, const char *text)
{
  if (!is_name (p, text))
    return FALSE;
  next (p);
  return TRUE;
}

static void
need_op (Parser *p, const char *text)
{
  char what[8];

  g_snprintf (what, sizeof what, "'%s'", text);
  if (!skip_op (p, text))
    fail_expected (p, what);
}

static void
need (Parser *p, JTokenType type, const char *what)
{
  if (p->t->type != type)
    fail_expected (p, what);
  next (p);
}

static const char *
need_name (Parser *p)
{
  const char *atom;

  if (p->t->type != T_NAME)
    fail_expected (p, "a name");
  atom = intern (p, p->t->text, p->t->len);
  next (p);
  return atom;
}

/* ---- primary expressions ------------------------------------------------------------------- */

static JNode *
const_node (Parser *p, JValue value)
{
  JNode *node = new_node (p, N_CONST);

  node->value = value;
  return node;
}

/* What special names a macro's body speaks of decides what it takes. */
static void
note_special (Parser *p, const char *atom)
{
  if (p->macro == NULL)
    return;
  p->macro->uses_caller |= atom == p->syntax->caller;
  p->macro->uses_varargs |= atom == p->syntax->varargs;
  p->macro->uses_kwargs |= atom == p->syntax->kwargs;
}

static JNode *
parse_name (Parser *p, gboolean with_namespace)
{
  JNode *node;
  const char *word;

  if (is_name (p, "true") || is_name (p, "True") || is_name (p, "false") || is_name (p, "False"))
    node = const_node (p, j_bool ((*p->t->text | 0x20) == 't'));
  else if (is_name (p, "none") || is_name (p, "None"))
    node = const_node (p, j_none ());
  else
    {
      node = new_node (p, N_NAME);
      word = need_name (p);
      node->atom = word;
      note_special (p, word);
      if (with_namespace && skip_op (p, "."))
        {
          node->type = N_NSREF;
          node->value = lm_jinja_str (p->j, need_name (p), -1);
        }
      return node;
    }
  next (p);
  return node;
}

static JNode *
parse_strings (Parser *p)
{
  JBuf buf = { 0 };
  JNode *node = new_node (p, N_CONST);

  for (; p->t->type == T_STRING; next (p))
    lm_jinja_buf_add (p->j, &buf, p->t->text, p->t->len);
  node->value = lm_jinja_buf_done (p->j, &buf);
  return node;
}

static gboolean
is_tuple_end (const Parser *p, const char *end_name)
{
  return p->t->type == T_VARIABLE_END || p->t->type == T_BLOCK_END || is_op (p, ")")
         || (end_name != NULL && is_name (p, end_name));
}

/* @one: reads an item; "a, b" becomes a tuple, "a" stays itself. */
static JNode *
parse_tuple_of (Parser *p, JNode *(*one) (Parser *p), const char *end_name, gboolean parens)
{
  JNode *tuple = new_node (p, N_TUPLE);
  gboolean comma = FALSE;

  while (!is_tuple_end (p, end_name))
    {
      add_kid (p, tuple, one (p));
      if (!is_op (p, ","))
        break;
      comma = TRUE;
      next (p);
    }
  if (comma)
    return tuple;
  if (tuple->n_kids == 1)
    return tuple->kids[0];
  if (!parens)
    fail_expected (p, "an expression");
  return tuple;
}

static JNode *
parse_tuple (Parser *p)
{
  return parse_tuple_of (p, parse_expression, NULL, FALSE);
}

static JNode *
parse_items (Parser *p, const char *close, gboolean pairs)
{
  JNode *node = new_node (p, pairs ? N_DICT : N_LIST);

  next (p);
  while (!is_op (p, close))
    {
      if (node->n_kids > 0)
        need_op (p, ",");
      if (is_op (p, close))
        break;
      add_kid (p, node, parse_expression (p));
      if (pairs)
        {
          need_op (p, ":");
          add_kid (p, node, parse_expression (p));
        }
    }
  next (p);
  return node;
}

static JNode *
parse_primary (Parser *p)
{
  JNode *node;

  switch (p->t->type)
    {
    case T_NAME:
      return parse_name (p, FALSE);
    case T_STRING:
      return parse_strings (p);
    case T_INT:
    case T_FLOAT:
      node = const_node (p, p->t->value);
      next (p);
      return node;
    default:
      break;
    }
  if (is_op (p, "["))
    return parse_items (p, "]", FALSE);
  if (is_op (p, "{"))
    return parse_items (p, "}", TRUE);
  if (!skip_op (p, "("))
    fail_expected (p, "an expression");
  node = parse_tuple_of (p, parse_expression, NULL, TRUE);
  need_op (p, ")");
  return node;
}

/* ---- postfix: .a [b] (c) ------------------------------------------------------------------- */

static JNode *
parse_subscribed (Parser *p)
{
  JNode *slice = new_node (p, N_SLICE), *first = NULL;

  if (!is_op (p, ":"))
    {
      first = parse_expression (p);
      if (!is_op (p, ":"))
        return first;
    }
  next (p);
  slice->b = first;
  if (!is_op (p, ":") && !is_op (p, "]") && !is_op (p, ","))
    slice->c = parse_expression (p);
  if (skip_op (p, ":") && !is_op (p, "]") && !is_op (p, ","))
    slice->d = parse_expression (p);
  return slice;
}

/* "a:b" and not "x[a:b]". */
static gboolean
is_bare_slice (const JNode *node)
{
  return node->type == N_SLICE && node->a == NULL;
}

static JNode *
parse_subscript (Parser *p, JNode *object)
{
  JNode *node = new_node (p, N_GETITEM), *tuple;

  node->a = object;
  if (skip_op (p, "."))
    {
      if (p->t->type == T_INT)
        {
          node->b = const_node (p, p->t->value);
          next (p);
          return node;
        }
      node->type = N_GETATTR;
      node->atom = need_name (p);
      return node;
    }
  next (p);
  tuple = new_node (p, N_TUPLE);
  while (!is_op (p, "]"))
    {
      if (tuple->n_kids > 0)
        need_op (p, ",");
      add_kid (p, tuple, parse_subscribed (p));
    }
  next (p);
  if (tuple->n_kids == 1 && is_bare_slice (tuple->kids[0]))
    {
      tuple->kids[0]->a = object;
      return tuple->kids[0];
    }
  for (gsize i = 0; i < tuple->n_kids; i++)
    if (is_bare_slice (tuple->kids[i]))
      lm_jinja_fail (p->j, "a subscript of several slices is not supported");
  node->b = tuple->n_kids == 1 ? tuple->kids[0] : tuple;
  return node;
}

static void
add_named (Parser *p, JNode *node, JStr *name, JNode *value)
{
  gsize n = node->args.n_named;
  JStr **names = lm_jinja_alloc (p->j, (n + 1) * sizeof *names);
  JNode **named = lm_jinja_alloc (p->j, (n + 1) * sizeof *named);

  for (gsize i = 0; i < n; i++)
    {
      names[i] = node->args.names[i];
      named[i] = node->args.named[i];
      if (names[i]->len == name->len && memcmp (names[i]->s, name->s, name->len) == 0)
        lm_jinja_fail (p->j, "keyword argument repeated: %s", name->s);
    }
  names[n] = name;
  named[n] = value;
  node->args.names = names;
  node->args.named = named;
  node->args.n_named++;
}

static void
parse_arguments (Parser *p, JNode *node)
{
  JNode *list = new_node (p, N_LIST);

  need_op (p, "(");
  while (!is_op (p, ")"))
    {
      if (skip_op (p, "*"))
        {
          if (node->args.star != NULL || node->args.star_star != NULL)
            lm_jinja_fail (p->j, "invalid syntax for function call expression");
          node->args.star = parse_expression (p);
        }
      else if (skip_op (p, "**"))
        {
          if (node->args.star_star != NULL)
            lm_jinja_fail (p->j, "invalid syntax for function call expression");
          node->args.star_star = parse_expression (p);
        }
      else if (p->t->type == T_NAME && is (p->t + 1, T_OP, "="))
        {
          JStr *name = lm_jinja_str (p->j, need_name (p), -1).str;

          next (p);
          if (node->args.star_star != NULL)
            lm_jinja_fail (p->j, "invalid syntax for function call expression");
          add_named (p, node, name, parse_expression (p));
        }
      else
        {
          if (node->args.star != NULL || node->args.star_star != NULL || node->args.n_named > 0)
            lm_jinja_fail (p->j, "invalid syntax for function call expression");
          add_kid (p, list, parse_expression (p));
        }
      if (!is_op (p, ")"))
        need_op (p, ",");
    }
  next (p);
  node->args.pos = list->kids;
  node->args.n = list->n_kids;
}

static JNode *
parse_call (Parser *p, JNode *callee)
{
  JNode *node = new_node (p, N_CALL);

  node->a = callee;
  parse_arguments (p, node);
  return node;
}

static JNode *
parse_postfix (Parser *p, JNode *node)
{
  for (;;)
    if (is_op (p, ".") || is_op (p, "["))
      node = parse_subscript (p, node);
    else if (is_op (p, "("))
      node = parse_call (p, node);
    else
      return node;
}

/* ---- filters and tests ---------------------------------------------------------------------- */

static void
look_up (Parser *p, JNode *node, const JFunc *func, const char *what)
{
  p->j->line = node->line;
  if (func != NULL && func->call == NULL)
    lm_jinja_fail (p->j, "the %s '%s' is not supported", what, node->atom);
  if (func == NULL && !p->soft)
    lm_jinja_fail (p->j, "No %s named '%s'", what, node->atom);
  node->func = func;
  p->j->line = p->t->line;
}

static JNode *
parse_filter (Parser *p, JNode *value)
{
  JNode *node = new_node (p, N_FILTER);

  node->a = value;
  node->atom = need_name (p);
  if (is_op (p, "."))
    lm_jinja_fail (p->j, "No filter named '%s.…'", node->atom);
  look_up (p, node, lm_jinja_filter (node->atom), "filter");
  if (is_op (p, "("))
    parse_arguments (p, node);
  return node;
}

static JNode *
parse_test (Parser *p, JNode *value)
{
  static const char *const no_argument[] = { "else", "or", "and", NULL };
  JNode *node = new_node (p, N_TEST), *negation, *list;
  gboolean negated = skip_name (p, "not");

  node->a = value;
  node->atom = need_name (p);
  if (is_op (p, "."))
    lm_jinja_fail (p->j, "No test named '%s.…'", node->atom);
  look_up (p, node, lm_jinja_test (node->atom), "test");
  if (is_op (p, "("))
    parse_arguments (p, node);
  else if ((p->t->type == T_NAME || p->t->type == T_STRING || p->t->type == T_INT
            || p->t->type == T_FLOAT || is_op (p, "[") || is_op (p, "{"))
           && !is_any (p, no_argument))
    {
      if (is_name (p, "is"))
        lm_jinja_fail (p->j, "You cannot chain multiple tests with is");
      list = new_node (p, N_LIST);
      add_kid (p, list, parse_postfix (p, parse_primary (p)));
      node->args.pos = list->kids;
      node->args.n = 1;
    }
  if (!negated)
    return node;
  negation = new_node (p, N_NOT);
  negation->line = node->line;
  negation->a = node;
  return negation;
}

static JNode *
parse_filters (Parser *p, JNode *node)
{
  for (;;)
    if (skip_op (p, "|"))
      node = parse_filter (p, node);
    else if (skip_name (p, "is"))
      node = parse_test (p, node);
    else if (is_op (p, "("))
      node = parse_call (p, node);
    else
      return node;
}

/* ---- operators -------------------------------------------------------------------------------- */

static JNode *
binary_node (Parser *p, JNodeType type, JOp op, JNode *a, JNode *b)
{
  JNode *node = new_node (p, type);

  node->line = a->line;
  node->op = op;
  node->a = a;
  node->b = b;
  return node;
}

static JNode *
parse_unary (Parser *p, gboolean with_filter)
{
  JNode *node;

  lm_jinja_enter (p->j);
  if (is_op (p, "-") || is_op (p, "+"))
    {
      node = new_node (p, is_op (p, "-") ? N_NEG : N_POS);
      next (p);
      node->a = parse_unary (p, FALSE);
    }
  else
    node = parse_primary (p);
  node = parse_postfix (p, node);
  if (with_filter)
    node = parse_filters (p, node);
  lm_jinja_leave (p->j);
  return node;
}

static JNode *
parse_pow (Parser *p)
{
  JNode *node = parse_unary (p, TRUE);

  while (skip_op (p, "**"))
    node = binary_node (p, N_BINARY, OP_POW, node, parse_unary (p, TRUE));
  return node;
}

static JNode *
parse_product (Parser *p)
{
  static const struct
  {
    const char *text;
    JOp op;
  } ops[] = { { "*", OP_MUL }, { "/", OP_DIV }, { "//", OP_FLOORDIV }, { "%", OP_MOD } };
  JNode *node = parse_pow (p);

again:
  for (gsize i = 0; i < G_N_ELEMENTS (ops); i++)
    if (skip_op (p, ops[i].text))
      {
        node = binary_node (p, N_BINARY, ops[i].op, node, parse_pow (p));
        goto again;
      }
  return node;
}

static JNode *
parse_concat (Parser *p)
{
  JNode *node = parse_product (p), *concat;

  if (!is_op (p, "~"))
    return node;
  concat = new_node (p, N_CONCAT);
  add_kid (p, concat, node);
  while (skip_op (p, "~"))
    add_kid (p, concat, parse_product (p));
  return concat;
}

static JNode *
parse_sum (Parser *p)
{
  JNode *node = parse_concat (p);

  for (;;)
    if (skip_op (p, "+"))
      node = binary_node (p, N_BINARY, OP_ADD, node, parse_concat (p));
    else if (skip_op (p, "-"))
      node = binary_node (p, N_BINARY, OP_SUB, node, parse_concat (p));
    else
      return node;
}

static gboolean
skip_comparison (Parser *p, JOp *op)
{
  static const struct
  {
    const char *text;
    JOp op;
  } ops[] = { { "==", OP_EQ }, { "!=", OP_NE }, { "<", OP_LT }, { "<=", OP_LE }, { ">", OP_GT }, { ">=", OP_GE } };

  for (gsize i = 0; i < G_N_ELEMENTS (ops); i++)
    if (skip_op (p, ops[i].text))
      {
        *op = ops[i].op;
        return TRUE;
      }
  *op = is_name (p, "in") ? OP_IN : OP_NOT_IN;
  if (skip_name (p, "in"))
    return TRUE;
  if (!is_name (p, "not") || !is (p->t + 1, T_NAME, "in"))
    return FALSE;
  next (p);
  next (p);
  return TRUE;
}

static JNode *
parse_comparison (Parser *p)
{
  JNode *node = parse_sum (p), *compare = NULL;
  JOp op;

  while (skip_comparison (p, &op))
    {
      if (compare == NULL)
        {
          compare = new_node (p, N_COMPARE);
          compare->line = node->line;
          compare->a = node;
        }
      add_kid (p, compare, parse_sum (p));
      compare->ops[compare->n_kids - 1] = op;
    }
  return compare != NULL ? compare : node;
}

static JNode *
parse_not (Parser *p)
{
  JNode *node;

  if (!is_name (p, "not"))
    return parse_comparison (p);
  lm_jinja_enter (p->j);
  node = new_node (p, N_NOT);
  next (p);
  node->a = parse_not (p);
  lm_jinja_leave (p->j);
  return node;
}

static JNode *
parse_and (Parser *p)
{
  JNode *node = parse_not (p);

  while (skip_name (p, "and"))
    node = binary_node (p, N_AND, 0, node, parse_not (p));
  return node;
}

static JNode *
parse_or (Parser *p)
{
  JNode *node = parse_and (p);

  while (skip_name (p, "or"))
    node = binary_node (p, N_OR, 0, node, parse_and (p));
  return node;
}

static JNode *
parse_expression (Parser *p)
{
  JNode *node, *cond;

  lm_jinja_enter (p->j);
  node = parse_or (p);
  while (skip_name (p, "if"))
    {
      cond = new_node (p, N_COND);
      cond->b = node;
      cond->a = parse_or (p);
      if (skip_name (p, "else"))
        cond->c = parse_expression (p);
      node = cond;
    }
  lm_jinja_leave (p->j);
  return node;
}

/* ---- statements ---------------------------------------------------------------------------------- */

static const char *const end_if[] = { "elif", "else", "endif", NULL };
static const char *const end_else[] = { "endif", NULL };
static const char *const end_for[] = { "else", "endfor", NULL };
static const char *const end_for_else[] = { "endfor", NULL };

/* The rest of an opening tag, the body, and the closing tag's name, which must be @end. */
static JNode *
parse_block (Parser *p, const char *end)
{
  const char *ends[] = { end, NULL };
  JNode *body;

  need (p, T_BLOCK_END, "the end of the tag");
  body = parse_body (p, ends);
  next (p);
  return body;
}

static JNode *
parse_if (Parser *p)
{
  JNode *node = new_node (p, N_IF);
  gboolean soft = p->soft;

  p->soft = TRUE;
  do
    {
      next (p);
      add_kid (p, node, parse_tuple_of (p, parse_expression, NULL, FALSE));
      need (p, T_BLOCK_END, "the end of the tag");
      add_kid (p, node, parse_body (p, end_if));
    }
  while (is_name (p, "elif"));
  if (skip_name (p, "else"))
    {
      need (p, T_BLOCK_END, "the end of the tag");
      node->b = parse_body (p, end_else);
    }
  next (p);
  p->soft = soft;
  return node;
}

static JNode *
parse_target_item (Parser *p)
{
  JNode *node;

  if (skip_op (p, "("))
    {
      lm_jinja_enter (p->j);
      node = parse_tuple_of (p, parse_target_item, NULL, TRUE);
      lm_jinja_leave (p->j);
      need_op (p, ")");
      return node;
    }
  if (p->t->type != T_NAME)
    fail_expected (p, "a name to assign to");
  node = parse_name (p, TRUE);
  if (node->type == N_CONST)
    lm_jinja_fail (p->j, "can't assign to 'const'");
  return node;
}

static void
check_loop_target (Parser *p, const JNode *target)
{
  if (target->type == N_NAME && target->atom == p->syntax->loop)
    lm_jinja_fail (p->j, "Can't assign to special loop variable in for-loop target");
  if (target->type == N_NSREF)
    lm_jinja_fail (p->j, "a loop cannot assign to an attribute");
  for (gsize i = 0; i < target->n_kids; i++)
    check_loop_target (p, target->kids[i]);
}

static JNode *
parse_for (Parser *p)
{
  JNode *node = new_node (p, N_FOR);
  gboolean soft = p->soft;

  next (p);
  node->a = parse_tuple_of (p, parse_target_item, "in", FALSE);
  check_loop_target (p, node->a);
  if (!skip_name (p, "in"))
    fail_expected (p, "'in'");
  /* "for x in a if b": no if-else here. */
  node->b = parse_tuple_of (p, parse_or, "recursive", FALSE);
  p->soft = FALSE;
  if (skip_name (p, "if"))
    node->c = parse_expression (p);
  if (is_name (p, "recursive"))
    lm_jinja_fail (p->j, "the statement 'for … recursive' is not supported");
  need (p, T_BLOCK_END, "the end of the tag");
  p->loops++;
  node->d = parse_body (p, end_for);
  p->loops--;
  if (skip_name (p, "else"))
    {
      need (p, T_BLOCK_END, "the end of the tag");
      node->e = parse_body (p, end_for_else);
    }
  next (p);
  p->soft = soft;
  return node;
}

/* "|upper|trim" of a block, applied to NULL. */
static JNode *
parse_filter_chain (Parser *p)
{
  JNode *node = NULL;

  while (skip_op (p, "|"))
    node = parse_filter (p, node);
  return node;
}

static JNode *
parse_set (Parser *p)
{
  JNode *node = new_node (p, N_SET);

  next (p);
  node->a = parse_tuple_of (p, parse_target_item, NULL, FALSE);
  if (skip_op (p, "="))
    {
      node->b = parse_tuple (p);
      return node;
    }
  node->type = N_SET_BLOCK;
  node->b = parse_filter_chain (p);
  node->c = parse_block (p, "endset");
  return node;
}

/* (a, b=1) of a macro: kids are names, args.named their defaults or NULL. */
static void
parse_parameters (Parser *p, JNode *node)
{
  JNode *defaults = new_node (p, N_LIST), *name;

  need_op (p, "(");
  while (!is_op (p, ")"))
    {
      if (node->n_kids > 0)
        need_op (p, ",");
      if (is_op (p, ")"))
        break;
      name = new_node (p, N_NAME);
      name->atom = need_name (p);
      add_kid (p, node, name);
      if (skip_op (p, "="))
        add_kid (p, defaults, parse_expression (p));
      else if (defaults->n_kids > 0)
        lm_jinja_fail (p->j, "non-default argument follows default argument");
    }
  next (p);
  node->args.pos = defaults->kids; /* of the last parameters */
  node->args.n = defaults->n_kids;
}

static JNode *
parse_macro_body (Parser *p, JNode *node, const char *end)
{
  JNode *outer = p->macro;
  gboolean soft = p->soft;
  guint loops = p->loops;

  p->macro = node;
  p->soft = FALSE;
  p->loops = 0;
  node->a = parse_block (p, end);
  if (outer != NULL)
    {
      outer->uses_caller |= node->uses_caller;
      outer->uses_varargs |= node->uses_varargs;
      outer->uses_kwargs |= node->uses_kwargs;
    }
  p->macro = outer;
  p->soft = soft;
  p->loops = loops;
  return node;
}

static JNode *
parse_macro (Parser *p)
{
  JNode *node = new_node (p, N_MACRO);

  next (p);
  node->atom = need_name (p);
  parse_parameters (p, node);
  return parse_macro_body (p, node, "endmacro");
}

static JNode *
parse_call_block (Parser *p)
{
  JNode *node = new_node (p, N_CALL_BLOCK), *caller = new_node (p, N_MACRO);

  next (p);
  caller->atom = p->syntax->caller;
  if (is_op (p, "("))
    parse_parameters (p, caller);
  node->a = parse_expression (p);
  if (node->a->type != N_CALL)
    lm_jinja_fail (p->j, "expected call");
  node->b = parse_macro_body (p, caller, "endcall");
  return node;
}

static JNode *
parse_filter_block (Parser *p)
{
  JNode *node = new_node (p, N_FILTER_BLOCK);

  next (p);
  node->b = parse_filter (p, NULL);
  while (skip_op (p, "|"))
    node->b = parse_filter (p, node->b);
  node->c = parse_block (p, "endfilter");
  return node;
}

static JNode *
parse_with (Parser *p)
{
  JNode *node = new_node (p, N_WITH);

  next (p);
  while (p->t->type != T_BLOCK_END)
    {
      if (node->n_kids > 0)
        need_op (p, ",");
      add_kid (p, node, parse_target_item (p));
      need_op (p, "=");
      add_kid (p, node, parse_expression (p));
    }
  node->a = parse_block (p, "endwith");
  return node;
}

/* {% generation %}: marks what an assistant said; its own scope, nothing more. */
static JNode *
parse_generation (Parser *p)
{
  JNode *node = new_node (p, N_CALL_BLOCK), *caller = new_node (p, N_MACRO);

  next (p);
  caller->atom = p->syntax->caller;
  node->b = parse_macro_body (p, caller, "endgeneration");
  return node;
}

static JNode *
parse_jump (Parser *p, JNodeType type)
{
  JNode *node = new_node (p, type);

  if (p->loops == 0)
    lm_jinja_fail (p->j, "'%.*s' stands outside of a loop", (int) p->t->len, p->t->text);
  next (p);
  return node;
}

static JNode *
parse_statement (Parser *p)
{
  if (p->t->type != T_NAME)
    fail_expected (p, "the name of a statement");
  if (is_name (p, "if"))
    return parse_if (p);
  if (is_name (p, "for"))
    return parse_for (p);
  if (is_name (p, "set"))
    return parse_set (p);
  if (is_name (p, "macro"))
    return parse_macro (p);
  if (is_name (p, "call"))
    return parse_call_block (p);
  if (is_name (p, "filter"))
    return parse_filter_block (p);
  if (is_name (p, "with"))
    return parse_with (p);
  if (is_name (p, "generation"))
    return parse_generation (p);
  if (is_name (p, "break"))
    return parse_jump (p, N_BREAK);
  if (is_name (p, "continue"))
    return parse_jump (p, N_CONTINUE);
  lm_jinja_fail (p->j, "the statement '%.*s' is not known or not supported here",
                 (int) MIN (p->t->len, 80), p->t->text);
}

/* Up to a tag whose name is among @ends, which becomes the current token; NULL: to the end. */
static JNode *
parse_body (Parser *p, const char *const *ends)
{
  JNode *body = new_node (p, N_BODY), *node;

  lm_jinja_enter (p->j);
  for (;;)
    {
      switch (p->t->type)
        {
        case T_DATA:
          node = new_node (p, N_DATA);
          node->value = lm_jinja_str_static (p->j, p->t->text, p->t->len);
          next (p);
          break;
        case T_VARIABLE_BEGIN:
          node = new_node (p, N_OUTPUT);
          next (p);
          node->a = parse_tuple (p);
          need (p, T_VARIABLE_END, "the end of the tag, '}}'");
          break;
        case T_BLOCK_BEGIN:
          next (p);
          if (ends != NULL && is_any (p, ends))
            {
              lm_jinja_leave (p->j);
              return body;
            }
          node = parse_statement (p);
          need (p, T_BLOCK_END, "the end of the tag, '%}'");
          break;
        default:
          if (ends != NULL)
            lm_jinja_fail (p->j, "the template ends where '%s' is missing (block begun in line %u)",
                           ends[0], body->line);
          lm_jinja_leave (p->j);
          return body;
        }
      add_kid (p, body, node);
    }
}

JSyntax *
lm_jinja_parse (Jinja *j, JToken *tokens, gsize n)
{
  Parser p = { .j = j, .t = tokens };

  (void) n;
  j->atoms = g_hash_table_new (g_str_hash, g_str_equal);
  j->line = tokens->line;
  p.syntax = lm_jinja_alloc (j, sizeof *p.syntax);
  p.syntax->loop = intern (&p, "loop", 4);
  p.syntax->caller = intern (&p, "caller", 6);
  p.syntax->varargs = intern (&p, "varargs", 7);
  p.syntax->kwargs = intern (&p, "kwargs", 6);
  p.syntax->body = parse_body (&p, NULL);
  lm_jinja_track (j, p.syntax);
  return p.syntax;
}
