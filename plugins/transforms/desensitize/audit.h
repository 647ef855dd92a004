/* SPDX-License-Identifier: Apache-2.0 */
/* audit.h: what was found and done, counted by column and type; never a value. */
#ifndef DESENSITIZE_AUDIT_H
#define DESENSITIZE_AUDIT_H

#include "actions.h"
#include <flowrun/flowrun.h>

typedef struct
{
  guint64 found;    /* hits                                     */
  guint64 hidden;   /* of them written as something else        */
  guint64 doubtful; /* right form, wrong checksum               */
} Tally;

typedef struct
{
  guint n_columns, n_types;
  Tally *tallies;                         /* n_columns rows of n_types                */
  GHashTable *rules;                      /* static rule name -> guint64 * hits       */
  guint64 *residual;                      /* by type                                  */
  guint64 rows, changed, dropped, unsure; /* unsure: a pattern's limit was passed */
} Audit;

Audit *audit_new (guint n_columns, guint n_types);
void audit_free (Audit *audit);
static inline Tally *
audit_at (Audit *audit, guint column, guint type)
{
  return &audit->tallies[column * audit->n_types + type];
}
void audit_rule (Audit *audit, const char *rule, guint64 n);
/** audit_merge: adds @from to @to and empties it. */
void audit_merge (Audit *to, Audit *from);
guint64 audit_residual (const Audit *audit);
/** audit_report: the part of report.json and the views; @names: of the columns, @actions: by type.
 */
void audit_report (const Audit *audit, FrHost *host, const TextPii *pii, const char *const *names,
                   const Action *actions, gboolean checked);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Audit, audit_free)

#endif
