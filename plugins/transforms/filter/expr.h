/* SPDX-License-Identifier: Apache-2.0 */
/* expr.h: the expression language of transform.filter.
 *
 * A small typed language over the columns of a batch: parsed once, checked
 * against a schema, compiled to a flat program, and run over whole columns.
 * Null behaves as in SQL: an operation on null gives null, and/or follow
 * Kleene's three-valued logic.  filter.c holds the manual of the language.
 *
 * An Expr that is bound is constant and may be used by several threads, each
 * with a scratch of its own.
 */
#ifndef FILTER_EXPR_H
#define FILTER_EXPR_H

#include <flowrun/batch.h>
#include <flowrun/error.h>
#include <glib.h>

typedef struct _Expr Expr;
typedef struct _ExprScratch ExprScratch;

#define EXPR_MAX_BYTES (64 * 1024)

/* What an expression makes of a row. */
enum
{
  EXPR_FALSE = 0,
  EXPR_TRUE = 1,
  EXPR_NULL = 2,
  EXPR_TOO_HARD = 3,
  EXPR_OVERFLOW = 4
};

/** expr_new: parses @text; NULL with FR_ERROR_CONFIG "at character 7: ...". */
Expr *expr_new (const char *text, GError **error);
/** expr_bind: finds columns, checks types, compiles; FALSE with FR_ERROR_CONFIG or FR_ERROR_TYPE,
 * position first. Once per Expr. */
gboolean expr_bind (Expr *expr, const FrSchema *schema, GError **error);
void expr_free (Expr *expr);

ExprScratch *expr_scratch_new (const Expr *expr);
void expr_scratch_free (ExprScratch *scratch);

/** expr_run: one EXPR_* per row into @result, n_rows of the batch long; the batch has the schema of
 * expr_bind(). */
void expr_run (const Expr *expr, ExprScratch *scratch, const FrBatch *batch, guint8 *result);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Expr, expr_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ExprScratch, expr_scratch_free)

#endif
