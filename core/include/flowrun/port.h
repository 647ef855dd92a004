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
 *
 * Rows that are held out, to choose or to measure with, must not be learned
 * from.  An output that gives such rows says FR_PORT_HELD_OUT, as transform.split
 * does with validation and test.  From there the core follows the rows: every
 * output of records, "rejects" too, of a stage that such rows enter is held out
 * as well, unless they enter by a port that says FR_PORT_LOOKS, whose rows are
 * compared with and let go.  An input that says FR_PORT_TRAINING takes no
 * held-out rows: `flowrun check` and the run refuse the connection, with both
 * ends and the way between them named.  What leaves by a model, a report or a
 * file is not followed.
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
  FR_PORT_FORECAST = 1 << 3,  /* outputs: filled by forecast alone, for `flowrun head`; cannot be connected */
  FR_PORT_HELD_OUT = 1 << 4,  /* outputs of records: rows to choose or measure with, not to learn from (since 0.3) */
  FR_PORT_TRAINING = 1 << 5,  /* inputs of records: rows that are held out are refused (since 0.3) */
  FR_PORT_LOOKS = 1 << 6      /* inputs of records: none of its rows leaves by an output (since 0.3) */
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
