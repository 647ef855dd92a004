/* SPDX-License-Identifier: Apache-2.0 */
/* expr-parse.c: text to tree.
 *
 * Recursive descent, one function a level of precedence:
 *
 *   or        := and { "or" and }
 *   and       := not { "and" not }
 *   not       := "not" not | compare
 *   compare   := sum [ ("=" | "!=" | "<" | "<=" | ">" | ">=") sum
 *                    | ["not"] "in" "(" sum {"," sum} ")" | "is" ["not"] "null" ]
 *   sum       := product { ("+" | "-") product }
 *   product   := unary { ("*" | "/") unary }
 *   unary     := "-" unary | primary
 *   primary   := literal | column {"." member} | function "(" or {"," or} ")" | "(" or ")"
 *
 * Depth and size are bounded, so that no input can exhaust the stack.  Names
 * of columns are not looked up here: see expr-bind.c.
 */
#include "expr-private.h"

#include <errno.h>

typedef enum
{
  TOKEN_END = 1,
  TOKEN_NAME,   /* a bare word */
  TOKEN_QUOTED, /* `a column` */
  TOKEN_TEXT,
  TOKEN_INT,
  TOKEN_FLOAT,
  TOKEN_SIGN /* sign[] holds it */
} TokenType;

typedef struct
{
  Expr *expr;
  const char *pos;
  guint at; /* characters before pos, plus one */
  guint depth;
  GError **error;
  /* the token looked at */
  TokenType type;
  guint token_at;
  GString *text;
  gint64 integer;
  double number;
  char sign[3];
} Parser;

static const char *const function_names[]
    = { "length",      "bytes",     "lower",   "upper",    "trim", "contains",
        "starts_with", "ends_with", "matches", "coalesce", NULL };
static const guint function_args[] = { 1, 1, 1, 1, 1, 2, 2, 2, 2, 0 };

static Node *parse_or (Parser *p);

static gboolean G_GNUC_PRINTF (3, 4) fail (Parser *p, guint at, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  if (p->error != NULL && *p->error == NULL)
    g_set_error (p->error, FR_ERROR, FR_ERROR_CONFIG, "at character %u: %s", at, message);
  return FALSE;
}

/* ---- tokens -------------------------------------------------------------- */

static gunichar
peek_char (Parser *p)
{
  return *p->pos == '\0' ? 0 : g_utf8_get_char (p->pos);
}

static void
skip_char (Parser *p)
{
  p->pos = g_utf8_next_char (p->pos);
  p->at++;
}

static gboolean
is_name_start (gunichar c)
{
  return c == '_' || g_unichar_isalpha (c);
}

static gboolean
is_name_part (gunichar c)
{
  return c == '_' || g_unichar_isalnum (c) || g_unichar_ismark (c);
}

static gboolean
read_hex4 (Parser *p, gunichar *value)
{
  *value = 0;
  for (int i = 0; i < 4; i++)
    {
      int digit = g_ascii_xdigit_value (*p->pos);

      if (digit < 0)
        return fail (p, p->at, "expected four hexadecimal digits after '\\u'");
      *value = *value * 16 + (gunichar) digit;
      skip_char (p);
    }
  return TRUE;
}

static gboolean
read_unicode_escape (Parser *p)
{
  gunichar c, low;
  guint at = p->at;

  if (!read_hex4 (p, &c))
    return FALSE;
  if (c >= 0xd800 && c < 0xdc00 && p->pos[0] == '\\' && p->pos[1] == 'u')
    {
      skip_char (p);
      skip_char (p);
      if (!read_hex4 (p, &low))
        return FALSE;
      if (low >= 0xdc00 && low < 0xe000)
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
  if (c == 0 || !g_unichar_validate (c))
    return fail (p, at, "'\\u' names no character");
  g_string_append_unichar (p->text, c);
  return TRUE;
}

/* An escape that means nothing here keeps its backslash, so that a regular
 * expression can be written as it is. */
static gboolean
read_escape (Parser *p)
{
  gunichar c = peek_char (p);

  switch (c)
    {
    case 'n':
      g_string_append_c (p->text, '\n');
      break;
    case 't':
      g_string_append_c (p->text, '\t');
      break;
    case 'r':
      g_string_append_c (p->text, '\r');
      break;
    case '\\':
    case '\'':
    case '"':
      g_string_append_c (p->text, (char) c);
      break;
    case 'u':
      skip_char (p);
      return read_unicode_escape (p);
    case 0:
      return TRUE;
    default:
      g_string_append_c (p->text, '\\');
      g_string_append_unichar (p->text, c);
    }
  skip_char (p);
  return TRUE;
}

static gboolean
read_quoted (Parser *p, gunichar quote, gboolean escapes)
{
  skip_char (p);
  for (;;)
    {
      gunichar c = peek_char (p);

      if (c == 0)
        return fail (p, p->token_at, "this %c is never closed", (char) quote);
      skip_char (p);
      if (c == quote)
        {
          if (peek_char (p) != quote)
            return TRUE;
          skip_char (p);
        }
      else if (c == '\\' && escapes)
        {
          if (!read_escape (p))
            return FALSE;
          continue;
        }
      g_string_append_unichar (p->text, c);
    }
}

static gboolean
read_number (Parser *p)
{
  const char *start = p->pos;
  char *end = NULL;
  gboolean whole = TRUE;

  while (g_ascii_isdigit (*p->pos))
    skip_char (p);
  if (*p->pos == '.' && g_ascii_isdigit (p->pos[1]))
    {
      whole = FALSE;
      skip_char (p);
      while (g_ascii_isdigit (*p->pos))
        skip_char (p);
    }
  if ((*p->pos == 'e' || *p->pos == 'E')
      && (g_ascii_isdigit (p->pos[1])
          || ((p->pos[1] == '+' || p->pos[1] == '-') && g_ascii_isdigit (p->pos[2]))))
    {
      whole = FALSE;
      skip_char (p);
      skip_char (p);
      while (g_ascii_isdigit (*p->pos))
        skip_char (p);
    }
  if (is_name_start (peek_char (p)))
    return fail (
        p, p->token_at,
        "a name cannot begin with a digit; a column of such a name is written in `backticks`");
  errno = 0;
  p->type = whole ? TOKEN_INT : TOKEN_FLOAT;
  if (whole)
    p->integer = g_ascii_strtoll (start, &end, 10);
  else
    p->number = g_ascii_strtod (start, &end);
  if (errno == ERANGE)
    return fail (p, p->token_at, "this number is too large");
  return TRUE;
}

static gboolean
read_sign (Parser *p, gunichar c)
{
  static const char *const known[]
      = { "<=", ">=", "!=", "<>", "==", "=", "<", ">", "+", "-", "*", "/", "(", ")", ",", "." };

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_has_prefix (p->pos, known[i]))
      {
        p->type = TOKEN_SIGN;
        g_strlcpy (p->sign, known[i], sizeof p->sign);
        for (gsize k = strlen (known[i]); k > 0; k--)
          skip_char (p);
        return TRUE;
      }
  if (c == '&' || c == '|' || c == '!')
    return fail (p, p->at, "there is no '%c'; write 'and', 'or', 'not'", (char) c);
  {
    char utf8[7] = { 0 };

    g_unichar_to_utf8 (c, utf8);
    return fail (p, p->at,
                 "'%s' means nothing here; text is written in 'quotes' and an odd column name in "
                 "`backticks`",
                 g_unichar_isprint (c) ? utf8 : "?");
  }
}

static gboolean
next_token (Parser *p)
{
  gunichar c;

  while ((c = peek_char (p)) != 0 && (g_unichar_isspace (c) || c == 0xfeff))
    skip_char (p);
  g_string_truncate (p->text, 0);
  p->token_at = p->at;
  if (c == 0)
    {
      p->type = TOKEN_END;
      return TRUE;
    }
  if (c == '\'' || c == '"')
    {
      p->type = TOKEN_TEXT;
      return read_quoted (p, c, TRUE);
    }
  if (c == '`')
    {
      p->type = TOKEN_QUOTED;
      if (!read_quoted (p, c, FALSE))
        return FALSE;
      return p->text->len > 0
             || fail (p, p->token_at, "a column name is missing between the backticks");
    }
  if (c < 0x80 && g_ascii_isdigit ((char) c))
    return read_number (p);
  if (!is_name_start (c))
    return read_sign (p, c);
  p->type = TOKEN_NAME;
  while (is_name_part (c = peek_char (p)))
    {
      g_string_append_unichar (p->text, c);
      skip_char (p);
    }
  return TRUE;
}

static gboolean
at_word (Parser *p, const char *word)
{
  return p->type == TOKEN_NAME && g_ascii_strcasecmp (p->text->str, word) == 0;
}

static gboolean
at_sign (Parser *p, const char *sign)
{
  return p->type == TOKEN_SIGN && strcmp (p->sign, sign) == 0;
}

static char *
token_name (Parser *p)
{
  switch (p->type)
    {
    case TOKEN_END:
      return g_strdup ("the end");
    case TOKEN_SIGN:
      return g_strdup_printf ("'%s'", p->sign);
    case TOKEN_INT:
    case TOKEN_FLOAT:
      return g_strdup ("a number");
    case TOKEN_TEXT:
      return g_strdup ("a text");
    default:
      return g_strdup_printf ("'%s'", p->text->str);
    }
}

static gboolean
expected (Parser *p, const char *what)
{
  g_autofree char *found = token_name (p);

  return fail (p, p->token_at, "expected %s, found %s", what, found);
}

static gboolean
take_sign (Parser *p, const char *sign, const char *what)
{
  return at_sign (p, sign) ? next_token (p) : expected (p, what);
}

/* ---- nodes --------------------------------------------------------------- */

static void
node_free (gpointer data)
{
  Node *node = data;

  g_free (node->text);
  g_clear_pointer (&node->path, g_ptr_array_unref);
  g_clear_pointer (&node->args, g_ptr_array_unref);
  g_free (node);
}

static Node *
node_new (Parser *p, NodeType type, int op, guint at)
{
  Node *node;

  if (p->expr->nodes->len >= MAX_NODES)
    {
      fail (p, at, "the expression has more than %d parts", MAX_NODES);
      return NULL;
    }
  node = g_new0 (Node, 1);
  node->type = type;
  node->op = op;
  node->at = at;
  node->args = g_ptr_array_new ();
  g_ptr_array_add (p->expr->nodes, node);
  return node;
}

static Node *
node_with (Parser *p, NodeType type, int op, guint at, Node *a, Node *b)
{
  Node *node = a == NULL ? NULL : node_new (p, type, op, at);

  if (node == NULL)
    return NULL;
  g_ptr_array_add (node->args, a);
  if (b != NULL)
    g_ptr_array_add (node->args, b);
  return node;
}

static gboolean
enter (Parser *p)
{
  if (++p->depth > MAX_DEPTH)
    return fail (p, p->token_at, "parentheses and operators are nested deeper than %d", MAX_DEPTH);
  return TRUE;
}

/* ---- the grammar, from the inside out ------------------------------------ */

static Node *
parse_call (Parser *p, const char *name, guint at)
{
  Node *node;
  guint n = 0;

  while (function_names[n] != NULL && g_ascii_strcasecmp (name, function_names[n]) != 0)
    n++;
  if (function_names[n] == NULL)
    {
      g_autofree char *lower = g_ascii_strdown (name, -1);
      const char *near = fr_suggest (lower, function_names);

      if (near != NULL)
        fail (p, at, "there is no function '%s'; did you mean '%s'?", name, near);
      else
        {
          g_autofree char *all = g_strjoinv (", ", (char **) function_names);
          fail (p, at, "there is no function '%s'; there are %s", name, all);
        }
      return NULL;
    }
  node = node_new (p, NODE_CALL, (int) n, at);
  if (node == NULL || !next_token (p))
    return NULL;
  while (!at_sign (p, ")"))
    {
      Node *arg;

      if (node->args->len > 0 && !take_sign (p, ",", "',' or ')'"))
        return NULL;
      arg = parse_or (p);
      if (arg == NULL)
        return NULL;
      g_ptr_array_add (node->args, arg);
    }
  if (function_args[n] != 0 && node->args->len != function_args[n])
    {
      fail (p, at, "%s() takes %u value%s, not %u", function_names[n], function_args[n],
            function_args[n] == 1 ? "" : "s", node->args->len);
      return NULL;
    }
  if (function_args[n] == 0 && node->args->len == 0)
    {
      fail (p, at, "%s() takes at least one value", function_names[n]);
      return NULL;
    }
  return next_token (p) ? node : NULL;
}

static Node *
parse_column (Parser *p)
{
  guint at = p->token_at;
  gboolean quoted = p->type == TOKEN_QUOTED;
  g_autofree char *name = g_strndup (p->text->str, p->text->len);
  Node *node;

  if (!next_token (p))
    return NULL;
  if (!quoted && at_sign (p, "("))
    return parse_call (p, name, at);
  node = node_new (p, NODE_COLUMN, 0, at);
  if (node == NULL)
    return NULL;
  node->text = g_steal_pointer (&name);
  node->path = g_ptr_array_new_with_free_func (g_free);
  while (at_sign (p, "."))
    {
      if (!next_token (p))
        return NULL;
      if (p->type != TOKEN_NAME && p->type != TOKEN_QUOTED)
        {
          expected (p, "the name of a member after '.'");
          return NULL;
        }
      g_ptr_array_add (node->path, g_strndup (p->text->str, p->text->len));
      if (!next_token (p))
        return NULL;
    }
  return node;
}

static gboolean
is_reserved (Parser *p)
{
  static const char *const words[] = { "and", "or", "not", "in", "is" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (at_word (p, words[i]))
      return TRUE;
  return FALSE;
}

static Node *
parse_literal (Parser *p)
{
  Node *node = node_new (p, NODE_LITERAL, 0, p->token_at);

  if (node == NULL)
    return NULL;
  if (p->type == TOKEN_INT)
    {
      node->value = VALUE_INT;
      node->integer = p->integer;
    }
  else if (p->type == TOKEN_FLOAT)
    {
      node->value = VALUE_FLOAT;
      node->number = p->number;
    }
  else if (p->type == TOKEN_TEXT)
    {
      node->value = VALUE_TEXT;
      node->len = p->text->len;
      node->text = g_strndup (p->text->str, p->text->len);
    }
  else if (at_word (p, "null"))
    node->value = VALUE_NULL;
  else
    {
      node->value = VALUE_BOOL;
      node->integer = at_word (p, "true");
    }
  return next_token (p) ? node : NULL;
}

static Node *
parse_primary (Parser *p)
{
  Node *node;

  if (p->type == TOKEN_INT || p->type == TOKEN_FLOAT || p->type == TOKEN_TEXT || at_word (p, "true")
      || at_word (p, "false") || at_word (p, "null"))
    return parse_literal (p);
  if (p->type == TOKEN_QUOTED || (p->type == TOKEN_NAME && !is_reserved (p)))
    return parse_column (p);
  if (!at_sign (p, "("))
    {
      expected (p, "a column, a value or '('");
      return NULL;
    }
  if (!enter (p) || !next_token (p))
    return NULL;
  node = parse_or (p);
  p->depth--;
  return node != NULL && take_sign (p, ")", "')'") ? node : NULL;
}

static Node *
parse_unary (Parser *p)
{
  guint at = p->token_at;
  Node *arg;

  if (!at_sign (p, "-"))
    return parse_primary (p);
  if (!enter (p) || !next_token (p))
    return NULL;
  arg = parse_unary (p);
  p->depth--;
  if (arg != NULL && arg->type == NODE_LITERAL
      && (arg->value == VALUE_INT || arg->value == VALUE_FLOAT))
    {
      arg->integer = -arg->integer;
      arg->number = -arg->number;
      arg->at = at;
      return arg;
    }
  return node_with (p, NODE_NEGATE, 0, at, arg, NULL);
}

/* Left-associative operators; a long chain is as deep a tree as nested
 * parentheses, so it counts as depth too. */
static Node *
parse_chain (Parser *p, const char *first, const char *second, Node *(*operand) (Parser *) )
{
  Node *left = operand (p);
  guint depth = p->depth;

  while (left != NULL && (at_sign (p, first) || at_sign (p, second)))
    {
      int op = p->sign[0];
      guint at = p->token_at;
      Node *right;

      if (!enter (p) || !next_token (p))
        return NULL;
      right = operand (p);
      left = right == NULL ? NULL : node_with (p, NODE_ARITHMETIC, op, at, left, right);
    }
  p->depth = depth;
  return left;
}

static Node *
parse_product (Parser *p)
{
  return parse_chain (p, "*", "/", parse_unary);
}

static Node *
parse_sum (Parser *p)
{
  return parse_chain (p, "+", "-", parse_product);
}

static Node *
parse_in (Parser *p, Node *left, gboolean negated)
{
  Node *node = node_with (p, NODE_IN, 0, p->token_at, left, NULL);

  if (node == NULL || !next_token (p) || !take_sign (p, "(", "'(' after 'in'"))
    return NULL;
  node->negated = negated;
  do
    {
      Node *item;

      if (node->args->len > 1 && !next_token (p))
        return NULL;
      item = parse_unary (p);
      if (item == NULL)
        return NULL;
      if (item->type != NODE_LITERAL)
        {
          fail (p, item->at,
                "the list after 'in' holds values, not columns; compare with '=' and 'or'");
          return NULL;
        }
      g_ptr_array_add (node->args, item);
    }
  while (at_sign (p, ","));
  return take_sign (p, ")", "',' or ')'") ? node : NULL;
}

static Node *
parse_is (Parser *p, Node *left)
{
  Node *node = node_with (p, NODE_IS_NULL, 0, p->token_at, left, NULL);

  if (node == NULL || !next_token (p))
    return NULL;
  if (at_word (p, "not"))
    {
      node->negated = TRUE;
      if (!next_token (p))
        return NULL;
    }
  if (!at_word (p, "null"))
    {
      expected (p, "'null' after 'is'");
      return NULL;
    }
  return next_token (p) ? node : NULL;
}

static Node *
parse_compare (Parser *p)
{
  static const struct
  {
    const char *sign;
    Compare op;
  } ops[] = { { "=", EQ }, { "==", EQ }, { "!=", NE }, { "<>", NE },
              { "<", LT }, { "<=", LE }, { ">", GT },  { ">=", GE } };
  Node *left = parse_sum (p), *right;

  if (left == NULL)
    return NULL;
  if (at_word (p, "is"))
    return parse_is (p, left);
  if (at_word (p, "in"))
    return parse_in (p, left, FALSE);
  if (at_word (p, "not"))
    {
      if (!next_token (p))
        return NULL;
      if (at_word (p, "in"))
        return parse_in (p, left, TRUE);
      expected (p, "'in' after 'not'");
      return NULL;
    }
  for (guint i = 0; i < G_N_ELEMENTS (ops); i++)
    if (at_sign (p, ops[i].sign))
      {
        guint at = p->token_at;

        if (!next_token (p) || (right = parse_sum (p)) == NULL)
          return NULL;
        return node_with (p, NODE_COMPARE, ops[i].op, at, left, right);
      }
  return left;
}

static Node *
parse_not (Parser *p)
{
  guint at = p->token_at;
  Node *arg;

  if (!at_word (p, "not"))
    return parse_compare (p);
  if (!enter (p) || !next_token (p))
    return NULL;
  arg = parse_not (p);
  p->depth--;
  return node_with (p, NODE_NOT, 0, at, arg, NULL);
}

static Node *
parse_words (Parser *p, const char *word, NodeType type, Node *(*operand) (Parser *) )
{
  Node *left = operand (p);
  guint depth = p->depth;

  while (left != NULL && at_word (p, word))
    {
      guint at = p->token_at;
      Node *right;

      if (!enter (p) || !next_token (p))
        return NULL;
      right = operand (p);
      left = right == NULL ? NULL : node_with (p, type, 0, at, left, right);
    }
  p->depth = depth;
  return left;
}

static Node *
parse_and (Parser *p)
{
  return parse_words (p, "and", NODE_AND, parse_not);
}

static Node *
parse_or (Parser *p)
{
  Node *node;

  if (!enter (p))
    return NULL;
  node = parse_words (p, "or", NODE_OR, parse_and);
  p->depth--;
  return node;
}

Expr *
expr_new (const char *text, GError **error)
{
  g_autoptr (Expr) expr = g_new0 (Expr, 1);
  g_autoptr (GString) scratch = g_string_new (NULL);
  Parser p = { .expr = expr, .at = 1, .error = error, .text = scratch };
  gboolean ok;

  expr->source = g_strdup (text);
  expr->nodes = g_ptr_array_new_with_free_func (node_free);
  p.pos = expr->source;
  if (strlen (text) > EXPR_MAX_BYTES)
    return fail (&p, 1, "the expression is longer than %d bytes", EXPR_MAX_BYTES), NULL;
  if (!g_utf8_validate (text, -1, NULL))
    return fail (&p, 1, "the expression is not valid UTF-8"), NULL;
  ok = next_token (&p);
  if (ok && p.type == TOKEN_END)
    ok = fail (&p, 1, "the expression is empty");
  ok = ok && (expr->root = parse_or (&p)) != NULL;
  if (ok && p.type != TOKEN_END)
    ok = expected (&p, "'and', 'or' or the end");
  return ok ? g_steal_pointer (&expr) : NULL;
}
