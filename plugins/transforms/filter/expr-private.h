/* SPDX-License-Identifier: Apache-2.0 */
/* expr-private.h: what the parser, the binder and the machine of the
 * expression language share.
 *
 *   text --expr-parse.c--> tree of nodes --expr-bind.c--> flat program --expr-run.c--> a byte per
 * row
 */
#ifndef FILTER_EXPR_PRIVATE_H
#define FILTER_EXPR_PRIVATE_H

#include "config.h"

#include "expr.h"

#ifdef HAVE_PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#endif

#define MAX_DEPTH 500
#define MAX_NODES 10000

typedef enum
{
  VALUE_NULL = 1, /* the literal null */
  VALUE_BOOL,
  VALUE_INT,
  VALUE_FLOAT,
  VALUE_TEXT,
  VALUE_TIME,
  VALUE_BINARY,
  VALUE_LIST,
  VALUE_STRUCT
} Value;

typedef enum
{
  NODE_LITERAL = 1,
  NODE_COLUMN,
  NODE_NOT,
  NODE_AND,
  NODE_OR,
  NODE_COMPARE, /* op: one of "= != < <= > >=" as Compare */
  NODE_IN,
  NODE_IS_NULL,
  NODE_NEGATE,
  NODE_ARITHMETIC, /* op: '+', '-', '*', '/' */
  NODE_CALL        /* op: Function */
} NodeType;

typedef enum
{
  EQ,
  NE,
  LT,
  LE,
  GT,
  GE
} Compare;

typedef enum
{
  FUNC_LENGTH,
  FUNC_BYTES,
  FUNC_LOWER,
  FUNC_UPPER,
  FUNC_TRIM,
  FUNC_CONTAINS,
  FUNC_STARTS_WITH,
  FUNC_ENDS_WITH,
  FUNC_MATCHES,
  FUNC_COALESCE
} Function;

typedef struct _Node Node;
struct _Node
{
  NodeType type;
  int op;
  gboolean negated; /* not in, is not null */
  guint at;         /* character position, from 1 */
  Value value;      /* of a literal; of any node once bound */
  gint64 integer;
  double number;
  char *text; /* literal text; name of a column */
  gsize len;
  GPtrArray *path; /* COLUMN: member names after the first, owned strings */
  GPtrArray *args; /* Node *, owned by the Expr */
  guint slot;      /* once bound: register of a literal or column */
};

/* ---- programs ------------------------------------------------------------ */

typedef enum
{
  OP_NOT = 1,
  OP_AND,
  OP_OR,
  OP_MASK_AND, /* dst (bool): rows of mask where a may be true: those that `and` must look at */
  OP_MASK_OR,
  OP_COMPARE_INT, /* int, time; aux: Compare */
  OP_COMPARE_BOOL,
  OP_COMPARE_FLOAT,
  OP_COMPARE_TEXT,
  OP_IN,
  OP_IS_NULL,
  OP_NEGATE_INT,
  OP_NEGATE_FLOAT,
  OP_INT_TO_FLOAT,
  OP_ADD_INT,
  OP_SUB_INT,
  OP_MUL_INT,
  OP_ADD_FLOAT,
  OP_SUB_FLOAT,
  OP_MUL_FLOAT,
  OP_DIV_FLOAT,
  OP_LENGTH,
  OP_LENGTH_LIST,
  OP_BYTES,
  OP_LOWER,
  OP_UPPER,
  OP_TRIM,
  OP_CONTAINS,
  OP_STARTS_WITH,
  OP_ENDS_WITH,
  OP_MATCHES,
  OP_COALESCE
} Op;

#define NO_REG G_MAXUINT16

typedef struct
{
  Op op;
  guint16 dst, a, b;
  guint16 mask; /* register of a bool: rows that matter; NO_REG: all */
  int aux;      /* Compare, negated, index of a set or pattern */
  Value value;
} Ins;

/* A column that the program reads, unpacked before it starts. */
typedef struct
{
  guint column;
  GArray *path; /* guint member indices */
  Value value;
  gboolean only_null; /* nothing but `is null` can read it */
} Load;

/* The constants of an `in (...)`, sorted. */
typedef struct
{
  Value value;
  GArray *integers; /* gint64 */
  GArray *numbers;  /* double */
  GPtrArray *texts; /* FrStr *, into nodes */
} Set;

typedef struct
{
#ifdef HAVE_PCRE2
  pcre2_code *code;
#else
  int unused;
#endif
} Pattern;

struct _Expr
{
  char *source;
  GPtrArray *nodes; /* all of them, for freeing */
  Node *root;
  GArray *loads;       /* Load: registers 0.. */
  GPtrArray *literals; /* Node *: registers after the loads */
  GArray *code;        /* Ins */
  GPtrArray *sets;
  GArray *patterns;
  guint n_regs;
  guint result;
};

#endif
