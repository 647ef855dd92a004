/* SPDX-License-Identifier: Apache-2.0 */
/* port.h: the typed inputs and outputs of an element.
 *
 * A port is declared in the element's constant description; the core checks
 * every connection against it before anything opens, and names both ends when
 * they do not fit.
 *
 * An output port that nothing is connected to is not an error: what is pushed
 * there is counted, shown, and let go.  So an element that sets rows aside
 * (the duplicates of transform.dedup, the rest of transform.filter) gives them
 * a port of their own.  Besides those declared, every element has the output
 * port "rejects": see fr_host_reject().
 */
#ifndef FLOWRUN_PORT_H
#define FLOWRUN_PORT_H

#include <flowrun/object.h>
#include <flowrun/schema.h>
#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  FR_PORT_RECORDS = 1, /* batches of rows                       */
  FR_PORT_MODEL,       /* named tensors, tokenizer, template    */
  FR_PORT_REPORT       /* a JSON document of metrics            */
} FrPortKind;

typedef enum {
  FR_PORT_OPTIONAL = 1 << 0,  /* may stay unconnected                                              */
  FR_PORT_MANY = 1 << 1,      /* inputs: takes several connections, read one after the other in order */
  FR_PORT_REWINDABLE = 1 << 2, /* inputs: fr_host_rewind() works; the core keeps the rows on disk     */
  FR_PORT_FORECAST = 1 << 3   /* outputs: filled by forecast alone, for `flowrun head`; cannot be connected */
} FrPortFlags;

/** FrNeed: a column that an input port must bring. */
typedef struct {
  gsize size;
  const char *name;
  guint types; /* FR_TYPES_* set; FR_TYPES_ANY: all */
} FrNeed;

/**
 * FrPort:
 * @size: sizeof (FrPort)
 * @name: "in" and "out" by custom for the only ones
 * @kind: what flows
 * @flags: FrPortFlags
 * @needs: columns required, NULL-terminated; NULL for none
 * @help: one line
 * @object: type of the object that a model or report port carries; needed for outputs, checked for inputs
 *          where it is given (since 0.2)
 */
typedef struct {
  gsize size;
  const char *name;
  FrPortKind kind;
  guint flags;
  const FrNeed *const *needs;
  const char *help;
  const FrObjectType *object;
} FrPort;

#ifndef __cplusplus
/* FR_PORT ("in", FR_PORT_RECORDS, "rows to clean", .flags = FR_PORT_MANY) */
#define FR_PORT(name_, kind_, help_, ...)                                   \
  (&(const FrPort) { .size = sizeof (FrPort), .name = (name_), .kind = (kind_), \
                     .help = (help_), __VA_ARGS__ })
#define FR_NEED(name_, types_) (&(const FrNeed) { sizeof (FrNeed), (name_), (types_) })
#endif

/* Ready-made lists for the most common shapes. */
extern const FrPort *const fr_ports_in[];  /* one input "in" of records, FR_PORT_MANY */
extern const FrPort *const fr_ports_out[]; /* one output "out" of records */

G_END_DECLS

#endif
