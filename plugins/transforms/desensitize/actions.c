/* SPDX-License-Identifier: Apache-2.0 */
/* actions.c: see actions.h. */
#include "config.h"

#include "actions.h"

#include <string.h>

static const struct
{
  const char *word;
  TextPiiAction action;
  gboolean off, drop;
} words[] = {
  { "off", TEXT_PII_KEEP, TRUE, FALSE },   { "keep", TEXT_PII_KEEP, FALSE, FALSE },
  { "mask", TEXT_PII_MASK, FALSE, FALSE }, { "partial", TEXT_PII_PARTIAL, FALSE, FALSE },
  { "tag", TEXT_PII_TAG, FALSE, FALSE },   { "pseudonym", TEXT_PII_PSEUDONYM, FALSE, FALSE },
  { "drop", TEXT_PII_TAG, FALSE, TRUE },
};

/* "3" or "3,4" behind "partial:"; one number is how many stay at the end. */
static gboolean
parse_ends (const char *text, TextPiiHide *hide)
{
  char *end;
  guint64 first = g_ascii_strtoull (text, &end, 10), last;

  if (end == text || first > 99)
    return FALSE;
  if (*end == '\0')
    {
      hide->first = 0;
      hide->last = (guint) first;
      return TRUE;
    }
  if (*end != ',')
    return FALSE;
  text = end + 1;
  last = g_ascii_strtoull (text, &end, 10);
  hide->first = (guint) first;
  hide->last = (guint) last;
  return end != text && *end == '\0' && last <= 99;
}

gboolean
action_parse (const char *text, Action *action)
{
  gsize len = strcspn (text, ":");

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      if (strlen (words[i].word) != len || strncmp (text, words[i].word, len) != 0)
        continue;
      action->off = words[i].off;
      action->drop = words[i].drop;
      action->hide.action = words[i].action;
      action->hide.first = action->hide.last = TEXT_PII_USUAL;
      if (text[len] == '\0')
        return TRUE;
      return words[i].action == TEXT_PII_PARTIAL && parse_ends (text + len + 1, &action->hide);
    }
  return FALSE;
}

const char *
action_name (const Action *action)
{
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (words[i].off == action->off && words[i].drop == action->drop
        && words[i].action == action->hide.action)
      return words[i].word;
  return "keep";
}

gboolean
action_hides (const Action *action)
{
  return !action->off && (action->drop || action->hide.action != TEXT_PII_KEEP);
}
