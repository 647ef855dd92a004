/* SPDX-License-Identifier: Apache-2.0 */
/* actions.h: what is done with each type, as the parameters say it.
 *
 * "off", "keep", "mask", "partial", "partial:3", "partial:3,4", "tag",
 * "pseudonym", "drop".
 */
#ifndef DESENSITIZE_ACTIONS_H
#define DESENSITIZE_ACTIONS_H

#include "text/pii.h"

/* What an ENUM or a pattern takes. */
#define ACTION_PATTERN "off|keep|mask|partial(:[0-9]{1,2}(,[0-9]{1,2})?)?|tag|pseudonym|drop"

typedef struct
{
  gboolean off;  /* not looked for  */
  gboolean drop; /* the row goes    */
  TextPiiHide hide;
} Action;

/** action_parse: @text, which the pattern has let through, or one it has not: FALSE. */
gboolean action_parse (const char *text, Action *action);
/** action_name: "mask", ...; static. */
const char *action_name (const Action *action);
/** action_hides: whether the value is gone afterwards. */
gboolean action_hides (const Action *action);

#endif
