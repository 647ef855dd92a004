/* SPDX-License-Identifier: Apache-2.0 */
/* jinja-private.h: the parts of the template interpreter and what passes between them.
 *
 *   source --lexer.c--> tokens --parser.c--> tree --eval.c--> text
 *                                              |
 *                     value.c: values as Python has them: truth, order, str(), repr(), json.dumps()
 *                     filters.c, methods.c: what templates call
 *
 * All memory of one compilation or rendering comes from one arena and goes with
 * it, so a failure, from however deep, is a jump to where the work began
 * (lm_jinja_fail): nothing on the way owns anything.  The arena, steps, depth
 * and output are limited, for templates are other people's programs.
 *
 * Follows Jinja2 3.1 (lexer rules, grammar, scoping, sandbox) and Python 3 (what
 * operators and methods do).
 */
#ifndef FLOWRUN_LM_JINJA_PRIVATE_H
#define FLOWRUN_LM_JINJA_PRIVATE_H

#include <flowrun/error.h>
#include <glib.h>
#include <json-glib/json-glib.h>
#include <setjmp.h>

G_BEGIN_DECLS

#define LM_JINJA_MAX_STEPS 20000000
#define LM_JINJA_MAX_DEPTH 400
#define LM_JINJA_MAX_MEMORY ((gsize) 512 << 20)
#define LM_JINJA_MAX_OUTPUT ((gsize) 64 << 20)

/* ---- memory and failure -------------------------------------------------------------- */

typedef struct _JChunk JChunk;

/**
 * Jinja: one compilation or one rendering.
 * @chunks, @room, @used: the arena
 * @name, @line: for messages; the line of what is being done
 * @scratch: one allocation that is not in the arena, freed at the end
 * @atoms: names of the template, while it is parsed
 */
typedef struct _Jinja
{
  JChunk *chunks;
  gsize room, used;
  const char *name;
  guint line;
  guint64 steps;
  guint depth;
  char *scratch;
  GHashTable *atoms;
  JsonObject *variables;
  struct _JScope *root;
  struct _JBuf *out;
  const struct _JSyntax *syntax;
  GError *error;
  jmp_buf failure;
} Jinja;

/** lm_jinja_alloc: cleared memory of the arena. */
gpointer lm_jinja_alloc (Jinja *j, gsize bytes);
void lm_jinja_release (Jinja *j);
/** lm_jinja_fail: ends the work with FR_ERROR_DATA: name, line and what @format says. */
G_NORETURN void lm_jinja_fail (Jinja *j, const char *format, ...) G_GNUC_PRINTF (2, 3);
/** lm_jinja_fail_plain: the same without name and line: the template's own words. */
G_NORETURN void lm_jinja_fail_plain (Jinja *j, const char *text, gsize len);
/** lm_jinja_step: counts @n units of work. */
void lm_jinja_step (Jinja *j, gsize n);
void lm_jinja_enter (Jinja *j);
#define lm_jinja_leave(j) ((void) (j)->depth--)

/* ---- values -------------------------------------------------------------------------------- */

typedef enum
{
  J_MISSING, /* an argument not given; never seen by a template */
  J_UNDEFINED,
  J_NONE,
  J_BOOL,
  J_INT,
  J_FLOAT,
  J_STR,
  J_LIST,
  J_TUPLE,
  J_RANGE,
  J_VIEW, /* dict.keys(), values(), items() */
  J_ITER, /* what a generator is: read once */
  J_DICT,
  J_NAMESPACE,
  J_LOOP,
  J_MACRO,
  J_FUNC,
  J_METHOD
} JKind;

/** JStr: valid UTF-8. @chars: code points, which is what Python counts. */
typedef struct
{
  const char *s;
  gsize len, chars;
  gboolean markup; /* marked safe: `+` escapes what it joins */
} JStr;

typedef struct _JValue JValue;
typedef struct _JDict JDict;
typedef struct _JLoop JLoop;
typedef struct _JMacro JMacro;
typedef struct _JMethod JMethod;
typedef struct _JFunc JFunc;
typedef struct _JArgs JArgs;

/** JUndefined: why a value is none. @owner: kind it was looked for in, J_MISSING: a variable; @hint: instead of all that. */
typedef struct
{
  const char *hint;
  const char *name;
  JKind owner;
} JUndefined;

/** JList: items of all that is a sequence. @pos: of an iterator; @label: of a view; @range: start, stop, step; @lazy: what makes
 * the items of an iterator when the first is wanted, and its errors; NULL: they are there */
typedef struct _JLazy JLazy;
typedef struct
{
  JValue *v;
  gsize n, cap, pos;
  const char *label;
  gint64 range[3];
  JLazy *lazy;
} JList;

struct _JValue
{
  JKind kind;
  union {
    gint64 i;
    double f;
    JStr *str;
    JList *list;
    JDict *dict;
    JLoop *loop;
    JMacro *macro;
    JMethod *method;
    const JFunc *func;
    JUndefined *undefined;
  };
};

struct _JDict
{
  JValue *keys, *values;
  gsize n, cap;
};

struct _JArgs
{
  JValue *v;
  gsize n;
  JStr **names;
  JValue *named;
  gsize n_named;
};

/** JFunc: something built in that can be called. @call: NULL: Jinja or Python has it, we do not: refused by name */
struct _JFunc
{
  const char *name;
  JValue (*call) (Jinja *j, JValue self, JArgs *args);
};

struct _JLazy
{
  JValue (*make) (Jinja *j, JValue source, JArgs *args);
  JValue source;
  JArgs args;
};

struct _JMethod
{
  JValue self;
  const JFunc *func;
};

static inline JValue
j_none (void)
{
  return (JValue){ .kind = J_NONE };
}
static inline JValue
j_bool (gboolean b)
{
  return (JValue){ .kind = J_BOOL, .i = b != 0 };
}
static inline JValue
j_int (gint64 i)
{
  return (JValue){ .kind = J_INT, .i = i };
}
static inline JValue
j_float (double f)
{
  return (JValue){ .kind = J_FLOAT, .f = f };
}
static inline gboolean
j_is_int (JValue v)
{
  return v.kind == J_INT || v.kind == J_BOOL;
}
static inline gboolean
j_is_number (JValue v)
{
  return j_is_int (v) || v.kind == J_FLOAT;
}
static inline double
j_number (JValue v)
{
  return v.kind == J_FLOAT ? v.f : (double) v.i;
}
static inline gboolean
j_is_sequence (JValue v)
{
  return v.kind == J_LIST || v.kind == J_TUPLE || v.kind == J_RANGE;
}

JValue lm_jinja_str (Jinja *j, const char *s, gssize len);
/** lm_jinja_str_static: @s lives as long as the arena. */
JValue lm_jinja_str_static (Jinja *j, const char *s, gsize len);
JValue lm_jinja_printf (Jinja *j, const char *format, ...) G_GNUC_PRINTF (2, 3);
JValue lm_jinja_list (Jinja *j, JKind kind, gsize cap);
void lm_jinja_append (Jinja *j, JValue list, JValue item);
/** lm_jinja_lazy: an iterator over what @make gives. */
JValue lm_jinja_lazy (Jinja *j, JValue (*make) (Jinja *, JValue, JArgs *), JValue source,
                      const JArgs *args);
/** lm_jinja_force: makes the items of an iterator. */
void lm_jinja_force (Jinja *j, JList *iter);
JValue lm_jinja_pair (Jinja *j, JValue a, JValue b);
JValue lm_jinja_dict (Jinja *j, JKind kind, gsize cap);
/** lm_jinja_put: fails for a key that Python cannot hash. */
void lm_jinja_put (Jinja *j, JDict *dict, JValue key, JValue value);
const JValue *lm_jinja_get (Jinja *j, const JDict *dict, JValue key);
const JValue *lm_jinja_get_str (Jinja *j, const JDict *dict, const char *key, gsize len);
JValue lm_jinja_undefined (Jinja *j, const char *name, JKind owner);
JValue lm_jinja_undefined_hint (Jinja *j, const char *hint);
/** lm_jinja_fail_undefined: as Jinja's UndefinedError says it. */
G_NORETURN void lm_jinja_fail_undefined (Jinja *j, JValue v);
JValue lm_jinja_from_json (Jinja *j, JsonNode *node);

/** lm_jinja_type: Python's name of a value's type. */
const char *lm_jinja_type (JValue v);
gboolean lm_jinja_truth (Jinja *j, JValue v);
gboolean lm_jinja_equal (Jinja *j, JValue a, JValue b);
/** lm_jinja_less: Python's a < b; fails where that raises; @op for the message. */
gboolean lm_jinja_less (Jinja *j, JValue a, JValue b, const char *op);
gboolean lm_jinja_contains (Jinja *j, JValue container, JValue item);
gsize lm_jinja_length (Jinja *j, JValue v);
/** lm_jinja_items: what iterating gives, as a list; an iterator is read to its end. */
JList *lm_jinja_items (Jinja *j, JValue v);
/** lm_jinja_to_str: str (v). */
JStr *lm_jinja_to_str (Jinja *j, JValue v);
/** lm_jinja_need_str: fails with @what unless @v is text. */
JStr *lm_jinja_need_str (Jinja *j, JValue v, const char *what);
gint64 lm_jinja_need_int (Jinja *j, JValue v, const char *what);

/** lm_jinja_sort: stable, by keys[i]; fails where Python's sorted() does. */
void lm_jinja_sort (Jinja *j, JValue *items, JValue *keys, gsize n, gboolean reverse);

/* Text by code points. */
gsize lm_jinja_offset (const JStr *s, gsize chars); /* bytes before that code point */
JValue lm_jinja_substr (Jinja *j, const JStr *s, gsize from_byte, gsize to_byte);
gboolean lm_jinja_is_space (gunichar c);

/* ---- buffers ------------------------------------------------------------------------------- */

typedef struct _JBuf
{
  char *s;
  gsize len, cap;
} JBuf;

void lm_jinja_buf_add (Jinja *j, JBuf *buf, const char *s, gsize len);
void lm_jinja_buf_char (Jinja *j, JBuf *buf, gunichar c);
void lm_jinja_buf_str (Jinja *j, JBuf *buf, JValue v);  /* str (v) */
void lm_jinja_buf_repr (Jinja *j, JBuf *buf, JValue v); /* repr (v) */
JValue lm_jinja_buf_done (Jinja *j, JBuf *buf);
/** lm_jinja_float: repr (float). */
void lm_jinja_float (Jinja *j, JBuf *buf, double f);

/**
 * JDump: how json.dumps() is asked to write.
 * @indent: NULL: on one line
 */
typedef struct
{
  gboolean ensure_ascii, sort_keys;
  const JStr *indent, *item_separator, *key_separator;
} JDump;
void lm_jinja_dump (Jinja *j, JBuf *buf, JValue v, const JDump *how, guint level);

/* ---- tokens and tree ------------------------------------------------------------------------ */

typedef enum
{
  T_EOF,
  T_DATA,
  T_VARIABLE_BEGIN,
  T_VARIABLE_END,
  T_BLOCK_BEGIN,
  T_BLOCK_END,
  T_NAME,
  T_STRING,
  T_INT,
  T_FLOAT,
  T_OP
} JTokenType;

/** JToken: @text: of a name, operator, string or data; @value: of a number */
typedef struct
{
  JTokenType type;
  guint line;
  const char *text;
  gsize len;
  JValue value;
} JToken;

JToken *lm_jinja_lex (Jinja *j, const char *source, gsize len, gsize *n);

typedef enum
{
  /* expressions */
  N_CONST,
  N_NAME,
  N_LIST,
  N_TUPLE,
  N_DICT, /* kids: key, value, key, … */
  N_GETATTR,
  N_GETITEM,
  N_SLICE, /* a of b, c, d */
  N_CALL,
  N_FILTER, /* a NULL: of a filter block */
  N_TEST,
  N_NOT,
  N_NEG,
  N_POS,
  N_AND,
  N_OR,
  N_BINARY,
  N_CONCAT,
  N_COMPARE, /* a, then kids with their ops */
  N_COND,    /* b if a else c */
  N_NSREF,
  /* statements */
  N_OUTPUT,
  N_DATA,
  N_IF,  /* kids: test, body, test, body, …; b: else */
  N_FOR, /* for a in b if c: d else e */
  N_SET, /* a = b */
  N_SET_BLOCK,
  N_MACRO,
  N_CALL_BLOCK, /* a: the call, b: the caller, a macro */
  N_FILTER_BLOCK,
  N_WITH, /* kids: target, value, …; a: body */
  N_SCOPE,
  N_BODY,
  N_BREAK,
  N_CONTINUE
} JNodeType;

typedef enum
{
  OP_ADD,
  OP_SUB,
  OP_MUL,
  OP_DIV,
  OP_FLOORDIV,
  OP_MOD,
  OP_POW,
  OP_EQ,
  OP_NE,
  OP_LT,
  OP_LE,
  OP_GT,
  OP_GE,
  OP_IN,
  OP_NOT_IN
} JOp;

/** JNode: one node of the tree. @atom: a name, equal names being one pointer; what a to e and kids are: see JNodeType */
typedef struct _JNode JNode;
struct _JNode
{
  JNodeType type;
  guint line;
  const char *atom;
  JValue value;
  JNode *a, *b, *c, *d, *e;
  JNode **kids;
  JOp *ops;
  gsize n_kids;
  JOp op;
  struct
  {
    JNode **pos;
    JStr **names;
    JNode **named;
    gsize n, n_named;
    JNode *star, *star_star;
  } args;
  const JFunc *func; /* of a filter or test; NULL: not known, an error when it is reached */
  gboolean uses_caller, uses_varargs, uses_kwargs;
  const char **hidden; /* of a body with a scope: names undefined in it until it assigns them */
  gsize n_hidden, cap_hidden;
};

/** JSyntax: a parsed template and the names that mean something by themselves. */
typedef struct _JSyntax
{
  JNode *body;
  const char *loop, *caller, *varargs, *kwargs;
} JSyntax;

/** lm_jinja_track: fills the bodies' hidden names. */
void lm_jinja_track (Jinja *j, JSyntax *syntax);
JSyntax *lm_jinja_parse (Jinja *j, JToken *tokens, gsize n);

/* ---- running ---------------------------------------------------------------------------------- */

typedef struct _JScope JScope;
struct _JScope
{
  JScope *parent;
  const char **atoms;
  JValue *values;
  gsize n, cap;
};

struct _JMacro
{
  const JNode *node;
  JScope *scope;
};

struct _JLoop
{
  JList *items;
  gsize index0;
  guint depth0;
  JValue changed;
};

void lm_jinja_run (Jinja *j, const JNode *body);
JValue lm_jinja_call (Jinja *j, JValue callee, JArgs *args);
JValue lm_jinja_getattr (Jinja *j, JValue v, const char *name, gsize len);
JValue lm_jinja_getitem (Jinja *j, JValue v, JValue key);
JValue lm_jinja_slice (Jinja *j, JValue v, JValue from, JValue to, JValue step);
JValue lm_jinja_binary (Jinja *j, JOp op, JValue a, JValue b);
gboolean lm_jinja_compare (Jinja *j, JOp op, JValue a, JValue b);
/** lm_jinja_format: a % b for text a. */
JValue lm_jinja_format (Jinja *j, const JStr *format, JValue args);
JValue lm_jinja_escape (Jinja *j, JValue v);

/**
 * lm_jinja_bind: arguments to parameters as Python does it.
 * @params: names apart by blanks; out[i] is J_MISSING where none was given
 * @n_required: so many must be there
 */
void lm_jinja_bind (Jinja *j, const char *what, JArgs *args, const char *params, gsize n_required,
                    JValue *out);

const JFunc *lm_jinja_filter (const char *name);
const JFunc *lm_jinja_test (const char *name);
const JFunc *lm_jinja_global (const char *name);
/** lm_jinja_method: NULL: Python has none of that name; @refused: it has, and the sandbox keeps it away. */
const JFunc *lm_jinja_method (JKind kind, const char *name, gsize len, gboolean *refused);

G_END_DECLS

#endif
