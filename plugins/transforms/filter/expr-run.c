/* SPDX-License-Identifier: Apache-2.0 */
/* expr-run.c: running a program over the columns of a batch.
 *
 * A register holds a value and a null byte for every row, or the same for all
 * rows (stride 0: constants).  An instruction runs over all rows before the
 * next one does.  Numbers and times are read where the column has them.
 */
#include "expr-private.h"

/* A pattern that needs more than this many steps for one row is not worth
 * waiting for; the row is rejected instead. */
#define MATCH_LIMIT 1000000
#define MATCH_DEPTH 10000

typedef struct
{
  union
  {
    const guint8 *b;
    const gint64 *i;
    const double *d;
    const FrStr *s;
    const FrView *view; /* list: lengths only */
    gconstpointer p;
  } v;
  gsize step; /* 0: the one value stands for all rows */
  const guint8 *null;
  gsize null_step;
} Reg;

struct _ExprScratch
{
  const Expr *expr;
  Reg *regs;
  gpointer *values; /* a block for each register, capacity rows of 16 bytes */
  guint8 **nulls;
  FrView *views; /* for each load */
  FrStr *literals;
  gsize capacity;
  guint8 *fault;
  gboolean any_fault;
  GPtrArray *blocks; /* text made by lower() and upper(), freed after the batch */
  gsize block_used, block_size;
#ifdef HAVE_PCRE2
  pcre2_match_data *match;
  pcre2_match_context *limits;
#endif
};

static const guint8 zero_byte = 0, one_byte = 1;

ExprScratch *
expr_scratch_new (const Expr *expr)
{
  ExprScratch *s = g_new0 (ExprScratch, 1);

  s->expr = expr;
  s->regs = g_new0 (Reg, expr->n_regs + 1);
  s->values = g_new0 (gpointer, expr->n_regs + 1);
  s->nulls = g_new0 (guint8 *, expr->n_regs + 1);
  s->views = g_new0 (FrView, expr->loads->len + 1);
  s->literals = g_new0 (FrStr, expr->literals->len + 1);
  s->blocks = g_ptr_array_new_with_free_func (g_free);
#ifdef HAVE_PCRE2
  s->match = pcre2_match_data_create (1, NULL);
  s->limits = pcre2_match_context_create (NULL);
  pcre2_set_match_limit (s->limits, MATCH_LIMIT);
  pcre2_set_depth_limit (s->limits, MATCH_DEPTH);
#endif
  return s;
}

void
expr_scratch_free (ExprScratch *s)
{
  if (s == NULL)
    return;
  for (guint i = 0; i < s->expr->n_regs; i++)
    {
      g_free (s->values[i]);
      g_free (s->nulls[i]);
    }
#ifdef HAVE_PCRE2
  pcre2_match_data_free (s->match);
  pcre2_match_context_free (s->limits);
#endif
  g_ptr_array_unref (s->blocks);
  g_free (s->regs);
  g_free (s->values);
  g_free (s->nulls);
  g_free (s->views);
  g_free (s->literals);
  g_free (s->fault);
  g_free (s);
}

static void
make_room (ExprScratch *s, gsize n)
{
  if (n <= s->capacity)
    return;
  for (guint i = 0; i < s->expr->n_regs; i++)
    {
      g_clear_pointer (&s->values[i], g_free);
      g_clear_pointer (&s->nulls[i], g_free);
    }
  g_free (s->fault);
  s->fault = g_malloc0 (n);
  s->capacity = n;
}

static gpointer
room_for_values (ExprScratch *s, guint reg)
{
  if (s->values[reg] == NULL)
    s->values[reg] = g_malloc_n (s->capacity, sizeof (FrStr));
  return s->values[reg];
}

static guint8 *
room_for_nulls (ExprScratch *s, guint reg)
{
  if (s->nulls[reg] == NULL)
    s->nulls[reg] = g_malloc (s->capacity);
  return s->nulls[reg];
}

/* ---- loading columns and constants --------------------------------------- */

static void
load_nulls (ExprScratch *s, guint i, const FrBatch *batch, const Load *load, gsize n)
{
  FrView view = fr_view (batch, load->column);
  Reg *reg = &s->regs[i];
  guint8 *null = NULL;

  for (guint level = 0;; level++)
    {
      if (view.validity != NULL)
        {
          if (null == NULL)
            null = memset (room_for_nulls (s, i), 0, n);
          for (gsize r = 0; r < n; r++)
            null[r] |= fr_view_is_null (&view, r);
        }
      if (level == load->path->len)
        break;
      view = fr_view_child (&view, g_array_index (load->path, guint, level));
    }
  s->views[i] = view;
  reg->null = null != NULL ? null : &zero_byte;
  reg->null_step = null != NULL;
}

static void
load_column (ExprScratch *s, guint i, gsize n)
{
  const Load *load = &g_array_index (s->expr->loads, Load, i);
  const FrView *view = &s->views[i];
  Reg *reg = &s->regs[i];

  reg->step = 1;
  if ((load->value == VALUE_INT && view->type == FR_TYPE_INT64) || load->value == VALUE_TIME
      || (load->value == VALUE_FLOAT && view->type == FR_TYPE_FLOAT64))
    reg->v.p = view->data;
  else if (load->value == VALUE_INT)
    {
      gint64 *out = room_for_values (s, i);

      for (gsize r = 0; r < n; r++)
        out[r] = ((const gint32 *) view->data)[r];
      reg->v.i = out;
    }
  else if (load->value == VALUE_FLOAT)
    {
      double *out = room_for_values (s, i);

      for (gsize r = 0; r < n; r++)
        out[r] = (double) ((const float *) view->data)[r];
      reg->v.d = out;
    }
  else if (load->value == VALUE_BOOL)
    {
      guint8 *out = room_for_values (s, i);

      for (gsize r = 0; r < n; r++)
        out[r] = fr_view_bool (view, r);
      reg->v.b = out;
    }
  else if (load->value == VALUE_TEXT || load->value == VALUE_BINARY)
    {
      FrStr *out = room_for_values (s, i);

      for (gsize r = 0; r < n; r++)
        out[r] = fr_view_str (view, r);
      reg->v.s = out;
    }
  else
    reg->v.view = view;
}

static void
load_literal (ExprScratch *s, guint i)
{
  Node *node = s->expr->literals->pdata[i];
  Reg *reg = &s->regs[s->expr->loads->len + i];

  *reg = (Reg){ .null = node->value == VALUE_NULL ? &one_byte : &zero_byte };
  if (node->value == VALUE_FLOAT)
    reg->v.d = &node->number;
  else if (node->value == VALUE_TEXT)
    {
      s->literals[i] = (FrStr){ node->text, node->len };
      reg->v.s = &s->literals[i];
    }
  else if (node->value == VALUE_BOOL)
    reg->v.b = node->integer ? &one_byte : &zero_byte;
  else if (node->value == VALUE_NULL)
    {
      /* Wide enough to be read as any type. */
      s->literals[i] = (FrStr){ NULL, 0 };
      reg->v.s = &s->literals[i];
    }
  else
    reg->v.i = &node->integer;
}

/* ---- instructions -------------------------------------------------------- */

typedef struct
{
  ExprScratch *s;
  const Ins *ins;
  gsize n;
  Reg a, b;
  gpointer out;
  guint8 *null;
  const guint8 *mask; /* NULL: every row matters */
} Step;

#define EACH_ROW(t) for (gsize r = 0; r < (t)->n; r++)
#define A(field) (t->a.v.field[r * t->a.step])
#define B(field) (t->b.v.field[r * t->b.step])
#define NULL_A (t->a.null[r * t->a.null_step])
#define NULL_B (t->b.null[r * t->b.null_step])

#define COMPARE_LOOP(field, OP)                                                                    \
  EACH_ROW (t)                                                                                     \
  {                                                                                                \
    out[r] = A (field) OP B (field);                                                               \
    t->null[r] = NULL_A | NULL_B;                                                                  \
  }                                                                                                \
  break

#define COMPARE_ALL(field)                                                                         \
  switch ((Compare) t->ins->aux)                                                                   \
    {                                                                                              \
    case EQ:                                                                                       \
      COMPARE_LOOP (field, ==);                                                                    \
    case NE:                                                                                       \
      COMPARE_LOOP (field, !=);                                                                    \
    case LT:                                                                                       \
      COMPARE_LOOP (field, <);                                                                     \
    case LE:                                                                                       \
      COMPARE_LOOP (field, <=);                                                                    \
    case GT:                                                                                       \
      COMPARE_LOOP (field, >);                                                                     \
    case GE:                                                                                       \
      COMPARE_LOOP (field, >=);                                                                    \
    }

static void
run_compare_int (Step *t)
{
  guint8 *out = t->out;

  COMPARE_ALL (i)
}

static void
run_compare_bool (Step *t)
{
  guint8 *out = t->out;

  COMPARE_ALL (b)
}

static void
run_compare_float (Step *t)
{
  guint8 *out = t->out;

  COMPARE_ALL (d)
}

static int
str_order (FrStr x, FrStr y)
{
  int order = MIN (x.len, y.len) == 0 ? 0 : memcmp (x.data, y.data, MIN (x.len, y.len));

  return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

static void
run_compare_text (Step *t)
{
  guint8 *out = t->out;

  EACH_ROW (t)
  {
    FrStr x = A (s), y = B (s);

    t->null[r] = NULL_A | NULL_B;
    switch ((Compare) t->ins->aux)
      {
      case EQ:
      case NE:
        out[r] = (x.len == y.len && (x.len == 0 || memcmp (x.data, y.data, x.len) == 0))
                 == (t->ins->aux == EQ);
        break;
      case LT:
        out[r] = str_order (x, y) < 0;
        break;
      case LE:
        out[r] = str_order (x, y) <= 0;
        break;
      case GT:
        out[r] = str_order (x, y) > 0;
        break;
      default:
        out[r] = str_order (x, y) >= 0;
      }
  }
}

static void
run_logic (Step *t)
{
  guint8 *out = t->out;

  /* Kleene: false and null is false, true or null is true. */
  switch (t->ins->op)
    {
    case OP_NOT:
      EACH_ROW (t)
      {
        out[r] = A (b) == 0;
        t->null[r] = NULL_A;
      }
      break;
    case OP_AND:
      EACH_ROW (t)
      {
        guint8 x = A (b) | NULL_A, y = B (b) | NULL_B;

        out[r] = x & y;
        t->null[r] = (NULL_A | NULL_B) & x & y;
      }
      break;
    case OP_OR:
      EACH_ROW (t)
      {
        guint8 x = A (b) & (NULL_A == 0), y = B (b) & (NULL_B == 0);

        out[r] = x | y;
        t->null[r] = (NULL_A | NULL_B) & ((x | y) == 0);
      }
      break;
    case OP_MASK_AND:
      EACH_ROW (t)
      {
        out[r] = (A (b) | NULL_A) & (t->mask == NULL || t->mask[r]);
        t->null[r] = 0;
      }
      break;
    default:
      EACH_ROW (t)
      {
        out[r] = ((A (b) == 0) | NULL_A) & (t->mask == NULL || t->mask[r]);
        t->null[r] = 0;
      }
    }
}

static gboolean
set_has_text (const Set *set, FrStr x)
{
  gsize low = 0, high = set->texts->len;

  while (low < high)
    {
      gsize middle = (low + high) / 2;
      int order = str_order (x, *(const FrStr *) set->texts->pdata[middle]);

      if (order == 0)
        return TRUE;
      if (order < 0)
        high = middle;
      else
        low = middle + 1;
    }
  return FALSE;
}

#define SET_SEARCH(name, Type, array)                                                              \
  static gboolean name (const Set *set, Type x)                                                    \
  {                                                                                                \
    const Type *items = (const Type *) (gpointer) set->array->data;                                \
    gsize low = 0, high = set->array->len;                                                         \
                                                                                                   \
    while (low < high)                                                                             \
      {                                                                                            \
        gsize middle = (low + high) / 2;                                                           \
                                                                                                   \
        if (items[middle] == x)                                                                    \
          return TRUE;                                                                             \
        if (x < items[middle])                                                                     \
          high = middle;                                                                           \
        else                                                                                       \
          low = middle + 1;                                                                        \
      }                                                                                            \
    return FALSE;                                                                                  \
  }
SET_SEARCH (set_has_integer, gint64, integers)
SET_SEARCH (set_has_number, double, numbers)

static void
run_in (Step *t)
{
  const Set *set = t->s->expr->sets->pdata[t->ins->aux >> 1];
  gboolean negated = t->ins->aux & 1;
  guint8 *out = t->out;

  EACH_ROW (t)
  {
    gboolean found;

    t->null[r] = NULL_A;
    if (NULL_A)
      found = FALSE;
    else if (set->value == VALUE_TEXT)
      found = set_has_text (set, A (s));
    else if (set->value == VALUE_FLOAT)
      found = set_has_number (set, A (d));
    else
      found = set_has_integer (set, A (i));
    out[r] = found != negated;
  }
}

static void
set_fault (Step *t, gsize r, guint8 what)
{
  t->s->fault[r] = what;
  t->s->any_fault = TRUE;
}

static void
run_int_math (Step *t)
{
  gint64 *out = t->out;

  EACH_ROW (t)
  {
    gint64 x = A (i), y = t->ins->op == OP_NEGATE_INT ? 0 : B (i);
    gboolean over;

    t->null[r] = NULL_A | (t->ins->op == OP_NEGATE_INT ? 0 : NULL_B);
    if (t->ins->op == OP_ADD_INT)
      over = __builtin_add_overflow (x, y, &out[r]);
    else if (t->ins->op == OP_SUB_INT)
      over = __builtin_sub_overflow (x, y, &out[r]);
    else if (t->ins->op == OP_MUL_INT)
      over = __builtin_mul_overflow (x, y, &out[r]);
    else
      over = __builtin_sub_overflow (y, x, &out[r]);
    if (G_UNLIKELY (over) && !t->null[r] && (t->mask == NULL || t->mask[r]))
      set_fault (t, r, EXPR_OVERFLOW);
  }
}

static void
run_float_math (Step *t)
{
  double *out = t->out;

  EACH_ROW (t)
  {
    gboolean one = t->ins->op == OP_NEGATE_FLOAT || t->ins->op == OP_INT_TO_FLOAT;

    t->null[r] = NULL_A | (one ? 0 : NULL_B);
    switch (t->ins->op)
      {
      case OP_ADD_FLOAT:
        out[r] = A (d) + B (d);
        break;
      case OP_SUB_FLOAT:
        out[r] = A (d) - B (d);
        break;
      case OP_MUL_FLOAT:
        out[r] = A (d) * B (d);
        break;
      case OP_NEGATE_FLOAT:
        out[r] = -A (d);
        break;
      case OP_INT_TO_FLOAT:
        out[r] = (double) A (i);
        break;
      default:
        if (B (d) == 0)
          t->null[r] = 1;
        out[r] = B (d) == 0 ? 0 : A (d) / B (d);
      }
  }
}

static gsize
count_chars (FrStr text)
{
  gsize n = 0;

  for (gsize i = 0; i < text.len; i++)
    n += ((guint8) text.data[i] & 0xc0) != 0x80;
  return n;
}

static void
run_length (Step *t)
{
  gint64 *out = t->out;

  EACH_ROW (t)
  {
    gsize start;

    t->null[r] = NULL_A;
    if (t->ins->op == OP_LENGTH_LIST)
      out[r] = (gint64) fr_view_list (t->a.v.view, r, &start);
    else if (t->ins->op == OP_BYTES)
      out[r] = (gint64) A (s).len;
    else
      out[r] = (gint64) count_chars (A (s));
  }
}

/* ---- text ---------------------------------------------------------------- */

static char *
text_room (ExprScratch *s, gsize max)
{
  if (s->blocks->len == 0 || s->block_size - s->block_used < max)
    {
      s->block_size = MAX (max, (gsize) 64 * 1024);
      s->block_used = 0;
      g_ptr_array_add (s->blocks, g_malloc (s->block_size));
    }
  return (char *) s->blocks->pdata[s->blocks->len - 1] + s->block_used;
}

/* The simple case mapping of Unicode, one character to one, which no locale
 * can change. */
static FrStr
change_case (ExprScratch *s, FrStr text, gboolean upper)
{
  /* The widest growth of a simple mapping is two bytes to three. */
  char *out = text_room (s, text.len + text.len / 2 + 4);
  gsize len = 0;

  for (gsize i = 0; i < text.len;)
    {
      guint8 c = (guint8) text.data[i];
      gunichar wide;

      if (c < 0x80)
        {
          out[len++] = upper ? g_ascii_toupper ((char) c) : g_ascii_tolower ((char) c);
          i++;
          continue;
        }
      wide = g_utf8_get_char (text.data + i);
      i += (gsize) g_utf8_skip[c];
      len += (gsize) g_unichar_to_utf8 (upper ? g_unichar_toupper (wide) : g_unichar_tolower (wide),
                                        out + len);
    }
  s->block_used += len;
  return (FrStr){ out, len };
}

static FrStr
trim (FrStr text)
{
  while (text.len > 0)
    {
      gunichar c = g_utf8_get_char (text.data);

      if (!g_unichar_isspace (c) && c != 0xfeff)
        break;
      text.len -= (gsize) g_utf8_skip[(guint8) *text.data];
      text.data += g_utf8_skip[(guint8) *text.data];
    }
  while (text.len > 0)
    {
      const char *last = text.data + text.len - 1;
      gunichar c;

      while (((guint8) *last & 0xc0) == 0x80)
        last--;
      c = g_utf8_get_char (last);
      if (!g_unichar_isspace (c) && c != 0xfeff)
        break;
      text.len = (gsize) (last - text.data);
    }
  return text;
}

static void
run_text (Step *t)
{
  FrStr *out = t->out;

  EACH_ROW (t)
  {
    t->null[r] = NULL_A;
    out[r] = (FrStr){ "", 0 };
    if (NULL_A || (t->mask != NULL && !t->mask[r]))
      continue;
    if (t->ins->op == OP_TRIM)
      out[r] = trim (A (s));
    else
      out[r] = change_case (t->s, A (s), t->ins->op == OP_UPPER);
  }
}

static void
run_find (Step *t)
{
  guint8 *out = t->out;

  EACH_ROW (t)
  {
    FrStr x = A (s), y = B (s);

    t->null[r] = NULL_A | NULL_B;
    out[r] = 0;
    if (t->null[r] || (t->mask != NULL && !t->mask[r]) || y.len > x.len)
      continue;
    if (y.len == 0)
      out[r] = 1;
    else if (t->ins->op == OP_CONTAINS)
      out[r] = memmem (x.data, x.len, y.data, y.len) != NULL;
    else if (t->ins->op == OP_STARTS_WITH)
      out[r] = memcmp (x.data, y.data, y.len) == 0;
    else
      out[r] = memcmp (x.data + x.len - y.len, y.data, y.len) == 0;
  }
}

#ifdef HAVE_PCRE2
static void
run_matches (Step *t)
{
  const Pattern *pattern = &g_array_index (t->s->expr->patterns, Pattern, t->ins->aux);
  guint8 *out = t->out;

  EACH_ROW (t)
  {
    FrStr x = A (s);
    int found;

    t->null[r] = NULL_A;
    out[r] = 0;
    if (NULL_A || (t->mask != NULL && !t->mask[r]))
      continue;
    if (x.data == NULL)
      x.data = "";
    found = pcre2_match (pattern->code, (PCRE2_SPTR) x.data, x.len, 0, PCRE2_NO_UTF_CHECK,
                         t->s->match, t->s->limits);
    /* Machine code has a small stack of its own; the interpreter has the heap. */
    if (found == PCRE2_ERROR_JIT_STACKLIMIT)
      found = pcre2_match (pattern->code, (PCRE2_SPTR) x.data, x.len, 0,
                           PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, t->s->match, t->s->limits);
    if (found >= 0)
      out[r] = 1;
    else if (found != PCRE2_ERROR_NOMATCH)
      set_fault (t, r, EXPR_TOO_HARD);
  }
}
#endif

static void
run_coalesce (Step *t)
{
  EACH_ROW (t)
  {
    gboolean second = NULL_A != 0;

    t->null[r] = NULL_A & NULL_B;
    if (t->ins->value == VALUE_TEXT)
      ((FrStr *) t->out)[r] = second ? B (s) : A (s);
    else if (t->ins->value == VALUE_BOOL)
      ((guint8 *) t->out)[r] = second ? B (b) : A (b);
    else if (t->ins->value == VALUE_FLOAT)
      ((double *) t->out)[r] = second ? B (d) : A (d);
    else
      ((gint64 *) t->out)[r] = second ? B (i) : A (i);
  }
}

static void
run_is_null (Step *t)
{
  guint8 *out = t->out, want = t->ins->aux ? 0 : 1;

  EACH_ROW (t)
  {
    out[r] = NULL_A == want;
    t->null[r] = 0;
  }
}

static void
run_step (Step *t)
{
  switch (t->ins->op)
    {
    case OP_NOT:
    case OP_AND:
    case OP_OR:
    case OP_MASK_AND:
    case OP_MASK_OR:
      run_logic (t);
      break;
    case OP_COMPARE_INT:
      run_compare_int (t);
      break;
    case OP_COMPARE_BOOL:
      run_compare_bool (t);
      break;
    case OP_COMPARE_FLOAT:
      run_compare_float (t);
      break;
    case OP_COMPARE_TEXT:
      run_compare_text (t);
      break;
    case OP_IN:
      run_in (t);
      break;
    case OP_IS_NULL:
      run_is_null (t);
      break;
    case OP_NEGATE_INT:
    case OP_ADD_INT:
    case OP_SUB_INT:
    case OP_MUL_INT:
      run_int_math (t);
      break;
    case OP_LENGTH:
    case OP_LENGTH_LIST:
    case OP_BYTES:
      run_length (t);
      break;
    case OP_LOWER:
    case OP_UPPER:
    case OP_TRIM:
      run_text (t);
      break;
    case OP_CONTAINS:
    case OP_STARTS_WITH:
    case OP_ENDS_WITH:
      run_find (t);
      break;
    case OP_MATCHES:
#ifdef HAVE_PCRE2
      run_matches (t);
#endif
      break;
    case OP_COALESCE:
      run_coalesce (t);
      break;
    default:
      run_float_math (t);
    }
}

void
expr_run (const Expr *expr, ExprScratch *s, const FrBatch *batch, guint8 *result)
{
  gsize n = fr_batch_n_rows (batch);
  const Reg *last;

  make_room (s, n);
  if (s->any_fault)
    memset (s->fault, 0, s->capacity);
  s->any_fault = FALSE;
  for (guint i = 0; i < expr->loads->len; i++)
    {
      load_nulls (s, i, batch, &g_array_index (expr->loads, Load, i), n);
      load_column (s, i, n);
    }
  for (guint i = 0; i < expr->literals->len; i++)
    load_literal (s, i);
  for (guint i = 0; i < expr->code->len; i++)
    {
      const Ins *ins = &g_array_index (expr->code, Ins, i);
      Step step = { .s = s,
                    .ins = ins,
                    .n = n,
                    .a = s->regs[ins->a],
                    .out = room_for_values (s, ins->dst),
                    .null = room_for_nulls (s, ins->dst),
                    .mask = ins->mask == NO_REG ? NULL : s->regs[ins->mask].v.b };

      if (ins->b != NO_REG)
        step.b = s->regs[ins->b];
      run_step (&step);
      s->regs[ins->dst] = (Reg){ .v.p = step.out, .step = 1, .null = step.null, .null_step = 1 };
    }
  last = &s->regs[expr->result];
  for (gsize r = 0; r < n; r++)
    result[r] = s->fault[r]                       ? s->fault[r]
                : last->null[r * last->null_step] ? EXPR_NULL
                                                  : last->v.b[r * last->step];
  g_ptr_array_set_size (s->blocks, 0);
}
