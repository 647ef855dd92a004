/* SPDX-License-Identifier: Apache-2.0 */
/* eval.c: runs a template's tree.
 *
 * Scopes are chained; {% set %} writes to the innermost one.  A loop's body has
 * a new scope for each round, a macro's body one that hangs on the scope it was
 * defined in; {% if %} has none.  Names not set are looked for among the
 * variables given, then among the globals: Jinja's order.
 */
#include "config.h"

#include "jinja-private.h"

#include <math.h>
#include <string.h>

typedef enum
{
  FLOW_NEXT,
  FLOW_BREAK,
  FLOW_CONTINUE
} Flow;

static JValue eval (Jinja *j, JScope *scope, const JNode *node);
static Flow run_body (Jinja *j, JScope *scope, const JNode *body);

/* ---- names ------------------------------------------------------------------------------ */

static void
bind_name (Jinja *j, JScope *scope, const char *atom, JValue value)
{
  for (gsize i = 0; i < scope->n; i++)
    if (scope->atoms[i] == atom)
      {
        scope->values[i] = value;
        return;
      }
  if (scope->n == scope->cap)
    {
      gsize cap = MAX (4, scope->cap * 2);
      const char **atoms = lm_jinja_alloc (j, cap * sizeof *atoms);
      JValue *values = lm_jinja_alloc (j, cap * sizeof *values);

      if (scope->n > 0)
        {
          memcpy (atoms, scope->atoms, scope->n * sizeof *atoms);
          memcpy (values, scope->values, scope->n * sizeof *values);
        }
      scope->atoms = atoms;
      scope->values = values;
      scope->cap = cap;
    }
  scope->atoms[scope->n] = atom;
  scope->values[scope->n++] = value;
}

/* @body: what will run in it; NULL: an expression. */
static JScope *
new_scope (Jinja *j, JScope *parent, const JNode *body)
{
  JScope *scope = lm_jinja_alloc (j, sizeof *scope);

  scope->parent = parent;
  for (gsize i = 0; body != NULL && i < body->n_hidden; i++)
    bind_name (j, scope, body->hidden[i], lm_jinja_undefined (j, body->hidden[i], J_MISSING));
  return scope;
}

/* The variables given live in a scope of their own below the template's, made
 * values when they are first asked for. */
static JValue
look_up (Jinja *j, JScope *scope, const char *atom)
{
  const JFunc *global;
  JValue value;

  for (JScope *s = scope; s != NULL; s = s->parent)
    for (gsize i = 0; i < s->n; i++)
      if (s->atoms[i] == atom)
        return s->values[i];
  if (json_object_has_member (j->variables, atom))
    value = lm_jinja_from_json (j, json_object_get_member (j->variables, atom));
  else if ((global = lm_jinja_global (atom)) == NULL)
    return lm_jinja_undefined (j, atom, J_MISSING);
  else if (global->call == NULL)
    lm_jinja_fail (j, "the function '%s' is not supported", atom);
  else
    value = (JValue){ .kind = J_FUNC, .func = global };
  bind_name (j, j->root, atom, value);
  return value;
}

static void
assign (Jinja *j, JScope *scope, const JNode *target, JValue value)
{
  JValue ns;
  JList *items;

  switch (target->type)
    {
    case N_NAME:
      bind_name (j, scope, target->atom, value);
      break;
    case N_NSREF:
      ns = look_up (j, scope, target->atom);
      if (ns.kind == J_UNDEFINED)
        lm_jinja_fail_undefined (j, ns);
      if (ns.kind != J_NAMESPACE)
        lm_jinja_fail (j, "cannot assign attribute on non-namespace object");
      lm_jinja_put (j, ns.dict, target->value, value);
      break;
    default:
      if (value.kind == J_NONE || j_is_number (value))
        lm_jinja_fail (j, "cannot unpack non-iterable %s object", lm_jinja_type (value));
      items = lm_jinja_items (j, value);
      if (items->n != target->n_kids)
        lm_jinja_fail (j, "%" G_GSIZE_FORMAT " values to unpack where %" G_GSIZE_FORMAT " are expected",
                       items->n, target->n_kids);
      for (gsize i = 0; i < items->n; i++)
        assign (j, scope, target->kids[i], items->v[i]);
    }
}

/* ---- arithmetic ---------------------------------------------------------------------------- */

static G_NORETURN void
fail_operands (Jinja *j, const char *op, JValue a, JValue b)
{
  if (a.kind == J_UNDEFINED || b.kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, a.kind == J_UNDEFINED ? a : b);
  lm_jinja_fail (j, "unsupported operand type(s) for %s: '%s' and '%s'", op, lm_jinja_type (a),
                 lm_jinja_type (b));
}

static G_NORETURN void
fail_overflow (Jinja *j)
{
  lm_jinja_fail (j, "an integer grows beyond 64 bits");
}

static JValue
join_strings (Jinja *j, JValue a, JValue b)
{
  JBuf buf = { 0 };
  JValue out;

  if (a.str->markup != b.str->markup)
    {
      if (a.str->markup)
        b = lm_jinja_escape (j, b);
      else
        a = lm_jinja_escape (j, a);
    }
  lm_jinja_buf_add (j, &buf, a.str->s, a.str->len);
  lm_jinja_buf_add (j, &buf, b.str->s, b.str->len);
  out = lm_jinja_buf_done (j, &buf);
  out.str->markup = a.str->markup;
  return out;
}

static JValue
join_lists (Jinja *j, JValue a, JValue b)
{
  JValue out = lm_jinja_list (j, a.kind, a.list->n + b.list->n);

  lm_jinja_step (j, a.list->n + b.list->n);
  for (gsize i = 0; i < a.list->n; i++)
    lm_jinja_append (j, out, a.list->v[i]);
  for (gsize i = 0; i < b.list->n; i++)
    lm_jinja_append (j, out, b.list->v[i]);
  return out;
}

static JValue
repeat (Jinja *j, JValue a, gint64 times)
{
  JBuf buf = { 0 };
  JValue out;

  if (times < 0)
    times = 0;
  if (a.kind == J_STR)
    {
      if (a.str->len == 0)
        return a;
      for (gint64 i = 0; i < times; i++)
        {
          lm_jinja_step (j, 1);
          lm_jinja_buf_add (j, &buf, a.str->s, a.str->len);
        }
      out = lm_jinja_buf_done (j, &buf);
      out.str->markup = a.str->markup;
      return out;
    }
  out = lm_jinja_list (j, a.kind, 0);
  if (a.list->n == 0)
    return out;
  for (gint64 i = 0; i < times; i++)
    {
      lm_jinja_step (j, a.list->n);
      for (gsize k = 0; k < a.list->n; k++)
        lm_jinja_append (j, out, a.list->v[k]);
    }
  return out;
}

static gint64
floor_div (Jinja *j, gint64 a, gint64 b)
{
  gint64 q;

  if (a == G_MININT64 && b == -1)
    fail_overflow (j);
  q = a / b;
  return q - (a % b != 0 && (a < 0) != (b < 0));
}

static double
float_mod (double a, double b)
{
  double m = fmod (a, b);

  if (m != 0)
    return (b < 0) != (m < 0) ? m + b : m;
  return copysign (0.0, b);
}

static JValue
int_power (Jinja *j, gint64 base, gint64 exponent)
{
  gint64 result = 1;

  if (exponent < 0)
    {
      if (base == 0)
        lm_jinja_fail (j, "0.0 cannot be raised to a negative power");
      return j_float (pow ((double) base, (double) exponent));
    }
  while (exponent > 0)
    {
      if ((exponent & 1) && __builtin_mul_overflow (result, base, &result))
        fail_overflow (j);
      exponent >>= 1;
      if (exponent > 0 && __builtin_mul_overflow (base, base, &base))
        fail_overflow (j);
    }
  return j_int (result);
}

static JValue
int_binary (Jinja *j, JOp op, gint64 a, gint64 b)
{
  gint64 r;

  if (b == 0 && (op == OP_DIV || op == OP_FLOORDIV || op == OP_MOD))
    lm_jinja_fail (j, "division by zero");
  switch (op)
    {
    case OP_ADD:
      if (__builtin_add_overflow (a, b, &r))
        fail_overflow (j);
      return j_int (r);
    case OP_SUB:
      if (__builtin_sub_overflow (a, b, &r))
        fail_overflow (j);
      return j_int (r);
    case OP_MUL:
      if (__builtin_mul_overflow (a, b, &r))
        fail_overflow (j);
      return j_int (r);
    case OP_DIV:
      return j_float ((double) a / (double) b);
    case OP_FLOORDIV:
      return j_int (floor_div (j, a, b));
    case OP_MOD:
      return j_int (b == -1 ? 0 : a - floor_div (j, a, b) * b);
    default:
      return int_power (j, a, b);
    }
}

static JValue
float_binary (Jinja *j, JOp op, double a, double b)
{
  double m;

  if (b == 0 && (op == OP_DIV || op == OP_FLOORDIV || op == OP_MOD))
    lm_jinja_fail (j, "division by zero");
  switch (op)
    {
    case OP_ADD:
      return j_float (a + b);
    case OP_SUB:
      return j_float (a - b);
    case OP_MUL:
      return j_float (a * b);
    case OP_DIV:
      return j_float (a / b);
    case OP_MOD:
      return j_float (float_mod (a, b));
    case OP_FLOORDIV:
      /* As CPython's float_divmod: the quotient of what the remainder leaves. */
      m = (a - float_mod (a, b)) / b;
      if (m == 0)
        return j_float (copysign (0.0, a / b));
      return j_float (m - floor (m) > 0.5 ? floor (m) + 1 : floor (m));
    default:
      if (a == 0 && b < 0)
        lm_jinja_fail (j, "0.0 cannot be raised to a negative power");
      if (a < 0 && b != floor (b) && isfinite (b) && isfinite (a))
        lm_jinja_fail (j, "complex numbers are not supported");
      m = pow (a, b);
      if (isinf (m) && isfinite (a) && isfinite (b))
        lm_jinja_fail (j, "(34, 'Numerical result out of range')");
      return j_float (m);
    }
}

JValue
lm_jinja_binary (Jinja *j, JOp op, JValue a, JValue b)
{
  static const char *const names[] = { "+", "-", "*", "/", "//", "%", "** or pow()" };
  gboolean lists = (a.kind == J_LIST || a.kind == J_TUPLE) && a.kind == b.kind;

  if (op == OP_MOD && a.kind == J_STR)
    return lm_jinja_format (j, a.str, b);
  if (j_is_int (a) && j_is_int (b))
    return int_binary (j, op, a.i, b.i);
  if (j_is_number (a) && j_is_number (b))
    return float_binary (j, op, j_number (a), j_number (b));
  if (op == OP_ADD && a.kind == J_STR && b.kind == J_STR)
    return join_strings (j, a, b);
  if (op == OP_ADD && lists)
    return join_lists (j, a, b);
  if (op == OP_MUL && (a.kind == J_STR || a.kind == J_LIST || a.kind == J_TUPLE) && j_is_int (b))
    return repeat (j, a, b.i);
  if (op == OP_MUL && (b.kind == J_STR || b.kind == J_LIST || b.kind == J_TUPLE) && j_is_int (a))
    return repeat (j, b, a.i);
  if (op == OP_ADD && a.kind == J_STR && b.kind != J_UNDEFINED)
    lm_jinja_fail (j, "can only concatenate str (not \"%s\") to str", lm_jinja_type (b));
  fail_operands (j, names[op], a, b);
}

gboolean
lm_jinja_compare (Jinja *j, JOp op, JValue a, JValue b)
{
  gboolean numbers = j_is_number (a) && j_is_number (b);

  switch (op)
    {
    case OP_EQ:
      return lm_jinja_equal (j, a, b);
    case OP_NE:
      return !lm_jinja_equal (j, a, b);
    case OP_LT:
      return lm_jinja_less (j, a, b, "<");
    case OP_GT:
      return lm_jinja_less (j, b, a, ">");
    case OP_LE:
      return numbers ? (j_is_int (a) && j_is_int (b) ? a.i <= b.i : j_number (a) <= j_number (b))
                     : !lm_jinja_less (j, b, a, "<=");
    case OP_GE:
      return numbers ? (j_is_int (a) && j_is_int (b) ? a.i >= b.i : j_number (a) >= j_number (b))
                     : !lm_jinja_less (j, a, b, ">=");
    case OP_IN:
      return lm_jinja_contains (j, b, a);
    default:
      return !lm_jinja_contains (j, b, a);
    }
}

static JValue
negate (Jinja *j, JValue v, gboolean minus)
{
  if (v.kind == J_FLOAT)
    return j_float (minus ? -v.f : v.f);
  if (v.kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, v);
  if (!j_is_int (v))
    lm_jinja_fail (j, "bad operand type for unary %c: '%s'", minus ? '-' : '+', lm_jinja_type (v));
  if (minus && v.i == G_MININT64)
    fail_overflow (j);
  return j_int (minus ? -v.i : v.i);
}

/* ---- attributes and items --------------------------------------------------------------------- */

static JValue
loop_attribute (Jinja *j, JLoop *loop, const char *name, gboolean *found)
{
  gint64 index = (gint64) loop->index0, n = (gint64) loop->items->n;

  *found = TRUE;
  if (strcmp (name, "index") == 0)
    return j_int (index + 1);
  if (strcmp (name, "index0") == 0)
    return j_int (index);
  if (strcmp (name, "revindex") == 0)
    return j_int (n - index);
  if (strcmp (name, "revindex0") == 0)
    return j_int (n - index - 1);
  if (strcmp (name, "first") == 0)
    return j_bool (index == 0);
  if (strcmp (name, "last") == 0)
    return j_bool (index + 1 == n);
  if (strcmp (name, "length") == 0)
    return j_int (n);
  if (strcmp (name, "depth") == 0)
    return j_int (loop->depth0 + 1);
  if (strcmp (name, "depth0") == 0)
    return j_int (loop->depth0);
  if (strcmp (name, "previtem") == 0)
    return index > 0 ? loop->items->v[index - 1]
                     : lm_jinja_undefined_hint (j, "there is no previous item");
  if (strcmp (name, "nextitem") == 0)
    return index + 1 < n ? loop->items->v[index + 1]
                         : lm_jinja_undefined_hint (j, "there is no next item");
  *found = FALSE;
  return j_none ();
}

/* getattr() in the sandbox: methods, loop and namespace attributes; FALSE: Python has none. */
static gboolean
attribute (Jinja *j, JValue v, const char *name, gsize len, JValue *out)
{
  gboolean refused = FALSE, found;
  const JFunc *func;
  const JValue *item;
  JMethod *method;

  if (v.kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, v);
  if (len > 4 && g_str_has_prefix (name, "__"))
    lm_jinja_fail (j, "access to attribute '%s' of '%s' object is unsafe.", name, lm_jinja_type (v));
  if (v.kind == J_NAMESPACE)
    {
      item = lm_jinja_get_str (j, v.dict, name, len);
      if (item != NULL)
        *out = *item;
      return item != NULL;
    }
  if (v.kind == J_LOOP)
    {
      *out = loop_attribute (j, v.loop, name, &found);
      if (found)
        return TRUE;
    }
  if (v.kind == J_MACRO && strcmp (name, "name") == 0)
    {
      *out = lm_jinja_str (j, v.macro->node->atom, -1);
      return TRUE;
    }
  func = lm_jinja_method (v.kind, name, len, &refused);
  if (refused)
    {
      *out = lm_jinja_undefined_hint (
          j, lm_jinja_printf (j, "access to attribute '%s' of '%s' object is unsafe.", name,
                              lm_jinja_type (v))
                 .str->s);
      return TRUE;
    }
  if (func == NULL)
    return FALSE;
  if (func->call == NULL)
    lm_jinja_fail (j, "the attribute '%s' of '%s' is not supported", name, lm_jinja_type (v));
  method = lm_jinja_alloc (j, sizeof *method);
  method->self = v;
  method->func = func;
  *out = (JValue){ .kind = J_METHOD, .method = method };
  return TRUE;
}

JValue
lm_jinja_getattr (Jinja *j, JValue v, const char *name, gsize len)
{
  JValue out;
  const JValue *item;

  if (attribute (j, v, name, len, &out))
    return out;
  if (v.kind == J_DICT && (item = lm_jinja_get_str (j, v.dict, name, len)) != NULL)
    return *item;
  return lm_jinja_undefined (j, name, v.kind);
}

JValue
lm_jinja_getitem (Jinja *j, JValue v, JValue key)
{
  const JValue *item;
  JValue out;
  gint64 i, n;

  if (v.kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, v);
  if (v.kind == J_DICT && key.kind != J_LIST && key.kind != J_DICT
      && (item = lm_jinja_get (j, v.dict, key)) != NULL)
    return *item;
  if (j_is_int (key) && (j_is_sequence (v) || v.kind == J_STR))
    {
      n = (gint64) lm_jinja_length (j, v);
      i = key.i < 0 ? key.i + n : key.i;
      if (i >= 0 && i < n && v.kind == J_STR)
        return lm_jinja_substr (j, v.str, lm_jinja_offset (v.str, (gsize) i),
                                lm_jinja_offset (v.str, (gsize) i + 1));
      if (i >= 0 && i < n)
        return v.list->v[i];
    }
  if (key.kind == J_STR && attribute (j, v, key.str->s, key.str->len, &out))
    return out;
  return lm_jinja_undefined (j, lm_jinja_to_str (j, key)->s, v.kind);
}

/* One end of a slice as Python clips it. */
static gint64
slice_end (Jinja *j, JValue v, gint64 n, gint64 step, gint64 none)
{
  gint64 i;

  if (v.kind == J_NONE || v.kind == J_MISSING)
    return none;
  i = lm_jinja_need_int (j, v, "a slice index");
  if (i < 0)
    i = i + n < 0 ? (step < 0 ? -1 : 0) : i + n;
  return MIN (i, step < 0 ? n - 1 : n);
}

JValue
lm_jinja_slice (Jinja *j, JValue v, JValue from, JValue to, JValue by)
{
  gint64 n, step, start, stop;
  JBuf buf = { 0 };
  JValue out;

  if (v.kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, v);
  if (v.kind != J_STR && !j_is_sequence (v))
    lm_jinja_fail (j, "'%s' object cannot be sliced", lm_jinja_type (v));
  if (v.kind == J_RANGE)
    lm_jinja_fail (j, "slicing a range is not supported");
  n = (gint64) lm_jinja_length (j, v);
  step = by.kind == J_NONE || by.kind == J_MISSING ? 1 : lm_jinja_need_int (j, by, "a slice step");
  if (step == 0)
    lm_jinja_fail (j, "slice step cannot be zero");
  if (step < -n - 1)
    step = -n - 1;
  if (step > n + 1)
    step = n + 1;
  start = slice_end (j, from, n, step, step < 0 ? n - 1 : 0);
  stop = slice_end (j, to, n, step, step < 0 ? -1 : n);
  if (v.kind == J_STR && step == 1)
    return lm_jinja_substr (j, v.str, lm_jinja_offset (v.str, (gsize) start),
                            lm_jinja_offset (v.str, (gsize) stop));
  if (v.kind == J_STR)
    {
      JList *chars = lm_jinja_items (j, v);

      for (gint64 i = start; step > 0 ? i < stop : i > stop; i += step)
        lm_jinja_buf_add (j, &buf, chars->v[i].str->s, chars->v[i].str->len);
      return lm_jinja_buf_done (j, &buf);
    }
  out = lm_jinja_list (j, v.kind, 0);
  lm_jinja_step (j, v.list->n);
  for (gint64 i = start; step > 0 ? i < stop : i > stop; i += step)
    lm_jinja_append (j, out, v.list->v[i]);
  return out;
}

/* ---- calls -------------------------------------------------------------------------------------- */

static void
add_named (Jinja *j, JArgs *args, JStr *name, JValue value, gsize room)
{
  if (args->names == NULL)
    {
      args->names = lm_jinja_alloc (j, room * sizeof *args->names);
      args->named = lm_jinja_alloc (j, room * sizeof *args->named);
    }
  for (gsize i = 0; i < args->n_named; i++)
    if (args->names[i]->len == name->len && memcmp (args->names[i]->s, name->s, name->len) == 0)
      lm_jinja_fail (j, "got multiple values for keyword argument '%s'", name->s);
  args->names[args->n_named] = name;
  args->named[args->n_named++] = value;
}

static JArgs
eval_arguments (Jinja *j, JScope *scope, const JNode *node, gsize extra_named)
{
  JValue list = lm_jinja_list (j, J_LIST, node->args.n);
  JArgs args = { 0 };
  JValue dict = { .kind = J_MISSING };
  gsize room = node->args.n_named + extra_named;

  for (gsize i = 0; i < node->args.n; i++)
    lm_jinja_append (j, list, eval (j, scope, node->args.pos[i]));
  if (node->args.star != NULL)
    {
      JList *more = lm_jinja_items (j, eval (j, scope, node->args.star));

      for (gsize i = 0; i < more->n; i++)
        lm_jinja_append (j, list, more->v[i]);
    }
  args.v = list.list->v;
  args.n = list.list->n;
  if (node->args.star_star != NULL)
    {
      dict = eval (j, scope, node->args.star_star);
      if (dict.kind != J_DICT)
        lm_jinja_fail (j, "argument after ** must be a mapping, not %s", lm_jinja_type (dict));
      room += dict.dict->n;
    }
  for (gsize i = 0; i < node->args.n_named; i++)
    add_named (j, &args, node->args.names[i], eval (j, scope, node->args.named[i]), room);
  for (gsize i = 0; dict.kind == J_DICT && i < dict.dict->n; i++)
    add_named (j, &args, lm_jinja_need_str (j, dict.dict->keys[i], "a keyword"),
               dict.dict->values[i], room);
  return args;
}

void
lm_jinja_bind (Jinja *j, const char *what, JArgs *args, const char *params, gsize n_required,
               JValue *out)
{
  gsize n = 0, taken = 0;
  const char *p = params;

  while (*p != '\0')
    {
      gsize len = strcspn (p, " ");

      out[n].kind = J_MISSING;
      if (n < args->n)
        out[n] = args->v[n];
      for (gsize i = 0; i < args->n_named; i++)
        if (args->names[i]->len == len && memcmp (args->names[i]->s, p, len) == 0)
          {
            if (n < args->n)
              lm_jinja_fail (j, "%s got multiple values for argument '%.*s'", what, (int) len, p);
            out[n] = args->named[i];
            taken++;
          }
      if (out[n].kind == J_MISSING && n < n_required)
        lm_jinja_fail (j, "%s is missing its argument '%.*s'", what, (int) len, p);
      n++;
      p += len + strspn (p + len, " ");
    }
  if (args->n > n)
    lm_jinja_fail (j, "%s takes %" G_GSIZE_FORMAT " arguments but %" G_GSIZE_FORMAT " were given",
                   what, n, args->n);
  if (taken < args->n_named)
    lm_jinja_fail (j, "%s got an unexpected keyword argument", what);
}

/* Output of @body as text. */
static JValue
capture (Jinja *j, JScope *scope, const JNode *body)
{
  JBuf buf = { 0 }, *outer = j->out;

  j->out = &buf;
  run_body (j, scope, body);
  j->out = outer;
  return lm_jinja_buf_done (j, &buf);
}

static JValue *
find_named (JArgs *args, const char *name)
{
  for (gsize i = 0; i < args->n_named; i++)
    if (strcmp (args->names[i]->s, name) == 0)
      return &args->named[i];
  return NULL;
}

static void
bind_parameters (Jinja *j, JScope *scope, const JNode *node, JArgs *args)
{
  gsize first_default = node->n_kids - node->args.n;

  for (gsize i = 0; i < node->n_kids; i++)
    {
      const char *name = node->kids[i]->atom;
      JValue *named = find_named (args, name);

      if (i < args->n)
        bind_name (j, scope, name, args->v[i]);
      else if (named != NULL)
        {
          bind_name (j, scope, name, *named);
          named->kind = J_MISSING; /* taken */
        }
      else if (i >= first_default)
        bind_name (j, scope, name, eval (j, scope, node->args.pos[i - first_default]));
      else
        bind_name (j, scope, name,
                   lm_jinja_undefined_hint (
                       j, lm_jinja_printf (j, "parameter '%s' was not provided", name).str->s));
    }
}

static void
bind_rest (Jinja *j, JScope *scope, const JNode *node, JArgs *args)
{
  const JSyntax *syntax = j->syntax;
  JValue rest = lm_jinja_list (j, J_TUPLE, 0), named = lm_jinja_dict (j, J_DICT, 0), *caller;
  gboolean explicit_caller = FALSE;

  for (gsize i = 0; i < node->n_kids; i++)
    explicit_caller |= node->kids[i]->atom == syntax->caller;
  if (node->uses_caller && !explicit_caller)
    {
      caller = find_named (args, "caller");
      bind_name (j, scope, syntax->caller,
                 caller != NULL && caller->kind != J_NONE ? *caller : lm_jinja_undefined_hint (j, "No caller defined"));
      if (caller != NULL)
        caller->kind = J_MISSING;
    }
  for (gsize i = 0; i < args->n_named; i++)
    if (args->named[i].kind != J_MISSING)
      {
        if (!node->uses_kwargs)
          lm_jinja_fail (j, "macro '%s' takes no keyword argument '%s'", node->atom, args->names[i]->s);
        lm_jinja_put (j, named.dict, lm_jinja_str (j, args->names[i]->s, (gssize) args->names[i]->len),
                      args->named[i]);
      }
  if (node->uses_kwargs)
    bind_name (j, scope, syntax->kwargs, named);
  if (args->n > node->n_kids && !node->uses_varargs)
    lm_jinja_fail (j, "macro '%s' takes not more than %" G_GSIZE_FORMAT " argument(s)", node->atom,
                   node->n_kids);
  for (gsize i = node->n_kids; i < args->n; i++)
    lm_jinja_append (j, rest, args->v[i]);
  if (node->uses_varargs)
    bind_name (j, scope, syntax->varargs, rest);
}

static JValue
call_macro (Jinja *j, const JMacro *macro, JArgs *args)
{
  JScope *scope = new_scope (j, macro->scope, macro->node->a);

  bind_parameters (j, scope, macro->node, args);
  bind_rest (j, scope, macro->node, args);
  return capture (j, scope, macro->node->a);
}

JValue
lm_jinja_call (Jinja *j, JValue callee, JArgs *args)
{
  JValue out;

  lm_jinja_enter (j);
  lm_jinja_step (j, 4);
  switch (callee.kind)
    {
    case J_MACRO:
      out = call_macro (j, callee.macro, args);
      break;
    case J_FUNC:
      out = callee.func->call (j, j_none (), args);
      break;
    case J_METHOD:
      out = callee.method->func->call (j, callee.method->self, args);
      break;
    case J_UNDEFINED:
      lm_jinja_fail_undefined (j, callee);
    default:
      lm_jinja_fail (j, "'%s' object is not callable", lm_jinja_type (callee));
    }
  lm_jinja_leave (j);
  return out;
}

static JValue
eval_filter (Jinja *j, JScope *scope, const JNode *node, const JValue *block)
{
  JValue value = node->a != NULL ? (node->a->type == N_FILTER && block != NULL
                                        ? eval_filter (j, scope, node->a, block)
                                        : eval (j, scope, node->a))
                                 : *block;
  JArgs args = eval_arguments (j, scope, node, 0);

  j->line = node->line;
  if (node->func == NULL)
    lm_jinja_fail (j, "No filter named '%s'", node->atom);
  lm_jinja_step (j, 4);
  return node->func->call (j, value, &args);
}

static JValue
eval_test (Jinja *j, JScope *scope, const JNode *node)
{
  JValue value = eval (j, scope, node->a);
  JArgs args = eval_arguments (j, scope, node, 0);

  j->line = node->line;
  if (node->func == NULL)
    lm_jinja_fail (j, "No test named '%s'", node->atom);
  return node->func->call (j, value, &args);
}

/* ---- expressions ----------------------------------------------------------------------------------- */

static JValue
eval_items (Jinja *j, JScope *scope, const JNode *node)
{
  JValue out = lm_jinja_list (j, node->type == N_TUPLE ? J_TUPLE : J_LIST, node->n_kids);

  for (gsize i = 0; i < node->n_kids; i++)
    lm_jinja_append (j, out, eval (j, scope, node->kids[i]));
  return out;
}

static JValue
eval_dict (Jinja *j, JScope *scope, const JNode *node)
{
  JValue out = lm_jinja_dict (j, J_DICT, node->n_kids / 2);

  for (gsize i = 0; i < node->n_kids; i += 2)
    {
      JValue key = eval (j, scope, node->kids[i]);

      lm_jinja_put (j, out.dict, key, eval (j, scope, node->kids[i + 1]));
    }
  return out;
}

static JValue
eval_compare (Jinja *j, JScope *scope, const JNode *node)
{
  JValue left = eval (j, scope, node->a);

  for (gsize i = 0; i < node->n_kids; i++)
    {
      JValue right = eval (j, scope, node->kids[i]);

      if (!lm_jinja_compare (j, node->ops[i], left, right))
        return j_bool (FALSE);
      left = right;
    }
  return j_bool (TRUE);
}

static JValue
eval_concat (Jinja *j, JScope *scope, const JNode *node)
{
  JBuf buf = { 0 };

  for (gsize i = 0; i < node->n_kids; i++)
    lm_jinja_buf_str (j, &buf, eval (j, scope, node->kids[i]));
  return lm_jinja_buf_done (j, &buf);
}

static JValue
eval_slice (Jinja *j, JScope *scope, const JNode *node)
{
  JValue none = j_none (), v = eval (j, scope, node->a);
  JValue from = node->b != NULL ? eval (j, scope, node->b) : none;
  JValue to = node->c != NULL ? eval (j, scope, node->c) : none;
  JValue step = node->d != NULL ? eval (j, scope, node->d) : none;

  return lm_jinja_slice (j, v, from, to, step);
}

static JValue
eval_call (Jinja *j, JScope *scope, const JNode *node)
{
  JValue callee = eval (j, scope, node->a);
  JArgs args = eval_arguments (j, scope, node, 0);

  j->line = node->line;
  return lm_jinja_call (j, callee, &args);
}

static JValue
eval_cond (Jinja *j, JScope *scope, const JNode *node)
{
  if (lm_jinja_truth (j, eval (j, scope, node->a)))
    return eval (j, scope, node->b);
  if (node->c != NULL)
    return eval (j, scope, node->c);
  return lm_jinja_undefined_hint (
      j, "the inline if-expression evaluated to false and no else section was defined.");
}

static JValue
eval_node (Jinja *j, JScope *scope, const JNode *node)
{
  JValue a;

  switch (node->type)
    {
    case N_CONST:
      return node->value;
    case N_NAME:
      return look_up (j, scope, node->atom);
    case N_LIST:
    case N_TUPLE:
      return eval_items (j, scope, node);
    case N_DICT:
      return eval_dict (j, scope, node);
    case N_GETATTR:
      a = eval (j, scope, node->a);
      return lm_jinja_getattr (j, a, node->atom, strlen (node->atom));
    case N_GETITEM:
      a = eval (j, scope, node->a);
      return lm_jinja_getitem (j, a, eval (j, scope, node->b));
    case N_SLICE:
      return eval_slice (j, scope, node);
    case N_CALL:
      return eval_call (j, scope, node);
    case N_FILTER:
      return eval_filter (j, scope, node, NULL);
    case N_TEST:
      return eval_test (j, scope, node);
    case N_NOT:
      return j_bool (!lm_jinja_truth (j, eval (j, scope, node->a)));
    case N_NEG:
    case N_POS:
      return negate (j, eval (j, scope, node->a), node->type == N_NEG);
    case N_AND:
      a = eval (j, scope, node->a);
      return lm_jinja_truth (j, a) ? eval (j, scope, node->b) : a;
    case N_OR:
      a = eval (j, scope, node->a);
      return lm_jinja_truth (j, a) ? a : eval (j, scope, node->b);
    case N_BINARY:
      a = eval (j, scope, node->a);
      return lm_jinja_binary (j, node->op, a, eval (j, scope, node->b));
    case N_CONCAT:
      return eval_concat (j, scope, node);
    case N_COMPARE:
      return eval_compare (j, scope, node);
    case N_COND:
      return eval_cond (j, scope, node);
    default:
      lm_jinja_fail (j, "this cannot stand in an expression");
    }
}

static JValue
eval (Jinja *j, JScope *scope, const JNode *node)
{
  JValue v;

  lm_jinja_enter (j);
  lm_jinja_step (j, 1);
  j->line = node->line;
  v = eval_node (j, scope, node);
  lm_jinja_leave (j);
  return v;
}

/* ---- statements ---------------------------------------------------------------------------------------- */

static Flow
run_if (Jinja *j, JScope *scope, const JNode *node)
{
  for (gsize i = 0; i < node->n_kids; i += 2)
    if (lm_jinja_truth (j, eval (j, scope, node->kids[i])))
      return run_body (j, scope, node->kids[i + 1]);
  return node->b != NULL ? run_body (j, scope, node->b) : FLOW_NEXT;
}

/* What was assigned to @target. */
static JValue
value_of (Jinja *j, JScope *scope, const JNode *target)
{
  JValue out;

  if (target->type == N_NAME)
    return look_up (j, scope, target->atom);
  out = lm_jinja_list (j, J_TUPLE, target->n_kids);
  for (gsize i = 0; i < target->n_kids; i++)
    lm_jinja_append (j, out, value_of (j, scope, target->kids[i]));
  return out;
}

/* The items of "for … in … if …"; with a condition, Jinja gives on what the names got. */
static JList *
loop_items (Jinja *j, JScope *scope, const JNode *node)
{
  JList *items = lm_jinja_items (j, eval (j, scope, node->b));
  JValue kept;

  if (node->c == NULL)
    return items;
  kept = lm_jinja_list (j, J_LIST, 0);
  for (gsize i = 0; i < items->n; i++)
    {
      JScope *inner = new_scope (j, scope, NULL);

      assign (j, inner, node->a, items->v[i]);
      if (lm_jinja_truth (j, eval (j, inner, node->c)))
        lm_jinja_append (j, kept, value_of (j, inner, node->a));
    }
  return kept.list;
}

static void
run_for (Jinja *j, JScope *scope, const JNode *node)
{
  JLoop *loop = lm_jinja_alloc (j, sizeof *loop);
  gboolean any = FALSE;
  Flow flow;

  loop->items = loop_items (j, scope, node);
  loop->changed.kind = J_MISSING;
  for (gsize i = 0; i < loop->items->n; i++)
    {
      JScope *inner = new_scope (j, scope, node->d);

      loop->index0 = i;
      bind_name (j, inner, j->syntax->loop, (JValue){ .kind = J_LOOP, .loop = loop });
      assign (j, inner, node->a, loop->items->v[i]);
      flow = run_body (j, inner, node->d);
      any |= flow == FLOW_NEXT;
      if (flow == FLOW_BREAK)
        break;
    }
  /* As in Jinja, a round that was left early does not count as one. */
  if (!any && node->e != NULL)
    run_body (j, new_scope (j, scope, node->e), node->e);
}

static JValue
new_macro (Jinja *j, JScope *scope, const JNode *node)
{
  JMacro *macro = lm_jinja_alloc (j, sizeof *macro);

  macro->node = node;
  macro->scope = scope;
  return (JValue){ .kind = J_MACRO, .macro = macro };
}

static void
run_call_block (Jinja *j, JScope *scope, const JNode *node)
{
  static const char name[] = "caller";
  JValue caller = new_macro (j, scope, node->b), callee;
  JArgs args = { 0 };

  if (node->a == NULL) /* {% generation %} */
    {
      lm_jinja_buf_str (j, j->out, lm_jinja_call (j, caller, &args));
      return;
    }
  callee = eval (j, scope, node->a->a);
  args = eval_arguments (j, scope, node->a, 1);
  add_named (j, &args, lm_jinja_str_static (j, name, sizeof name - 1).str, caller, 1);
  lm_jinja_buf_str (j, j->out, lm_jinja_call (j, callee, &args));
}

static void
run_with (Jinja *j, JScope *scope, const JNode *node)
{
  JScope *inner = new_scope (j, scope, node->a);

  for (gsize i = 0; i < node->n_kids; i += 2)
    assign (j, inner, node->kids[i], eval (j, scope, node->kids[i + 1]));
  run_body (j, inner, node->a);
}

static void
run_set_block (Jinja *j, JScope *scope, const JNode *node)
{
  JValue text = capture (j, new_scope (j, scope, node->c), node->c);

  if (node->b != NULL)
    text = eval_filter (j, scope, node->b, &text);
  assign (j, scope, node->a, text);
}

static Flow
run_statement (Jinja *j, JScope *scope, const JNode *node)
{
  JValue text;

  switch (node->type)
    {
    case N_DATA:
      lm_jinja_buf_add (j, j->out, node->value.str->s, node->value.str->len);
      return FLOW_NEXT;
    case N_OUTPUT:
      lm_jinja_buf_str (j, j->out, eval (j, scope, node->a));
      return FLOW_NEXT;
    case N_IF:
      return run_if (j, scope, node);
    case N_FOR:
      run_for (j, scope, node);
      return FLOW_NEXT;
    case N_SET:
      assign (j, scope, node->a, eval (j, scope, node->b));
      return FLOW_NEXT;
    case N_SET_BLOCK:
      run_set_block (j, scope, node);
      return FLOW_NEXT;
    case N_MACRO:
      bind_name (j, scope, node->atom, new_macro (j, scope, node));
      return FLOW_NEXT;
    case N_CALL_BLOCK:
      run_call_block (j, scope, node);
      return FLOW_NEXT;
    case N_FILTER_BLOCK:
      text = capture (j, new_scope (j, scope, node->c), node->c);
      lm_jinja_buf_str (j, j->out, eval_filter (j, scope, node->b, &text));
      return FLOW_NEXT;
    case N_WITH:
      run_with (j, scope, node);
      return FLOW_NEXT;
    case N_BREAK:
      return FLOW_BREAK;
    case N_CONTINUE:
      return FLOW_CONTINUE;
    default:
      lm_jinja_fail (j, "this is no statement");
    }
}

static Flow
run_body (Jinja *j, JScope *scope, const JNode *body)
{
  Flow flow = FLOW_NEXT;

  lm_jinja_enter (j);
  for (gsize i = 0; i < body->n_kids && flow == FLOW_NEXT; i++)
    {
      lm_jinja_step (j, 1);
      j->line = body->kids[i]->line;
      flow = run_statement (j, scope, body->kids[i]);
    }
  lm_jinja_leave (j);
  return flow;
}

void
lm_jinja_run (Jinja *j, const JNode *body)
{
  j->root = new_scope (j, NULL, NULL);
  run_body (j, new_scope (j, j->root, body), body);
}
