/* SPDX-License-Identifier: Apache-2.0 */
/* dialogue.h: one training record on its way through transform.format: who
 * says what, whatever shape it came in and leaves in. */
#ifndef FORMAT_DIALOGUE_H
#define FORMAT_DIALOGUE_H

#include <flowrun/batch.h>
#include <flowrun/json.h>
#include <flowrun/param.h>

#include "text/turns.h"

typedef struct
{
  TextTurns said;
  FrJsonReader reader;
  char role_seen[64]; /* a role that is none, for the message */
} Dialogue;

/* What is wrong with a dialogue; 0: nothing. */
typedef enum
{
  FAULT_NONE = 0,
  FAULT_SHAPE,
  FAULT_ROLE,
  FAULT_ALTERNATION,
  FAULT_EMPTY
} Fault;

void dialogue_init (Dialogue *d);
void dialogue_clear (Dialogue *d);
/** dialogue_role: the role that @name means, with the user's own names first. */
TextRole dialogue_role (const FrPair *roles, FrStr name);

/** dialogue_add_json: turns from JSON text [{"role": ..., "content": ...}] or [{"from": ...,
 * "value": ...}]. */
Fault dialogue_add_json (Dialogue *d, const FrPair *roles, FrStr json);
/** dialogue_add_list: turns from a list of structs; members @role and @content hold the texts. */
Fault dialogue_add_list (Dialogue *d, const FrPair *roles, const FrView *list, gsize row,
                         guint role, guint content);
/** dialogue_add_history: pairs from a list of lists of text, or from JSON text [["q","a"], ...]. */
Fault dialogue_add_history (Dialogue *d, const FrView *view, gsize row);

/** dialogue_check: an optional system text, then user and assistant in turn, all with something to
 * say. */
Fault dialogue_check (const Dialogue *d);

#endif
