/* SPDX-License-Identifier: Apache-2.0 */
/* turns.c: see turns.h. */
#include "config.h"

#include "text/turns.h"

void
text_turns_init (TextTurns *t)
{
  t->text = g_string_sized_new (4096);
  t->turns = g_array_new (FALSE, FALSE, sizeof (TextTurn));
}

void
text_turns_clear (TextTurns *t)
{
  g_string_free (t->text, TRUE);
  g_array_unref (t->turns);
}

void
text_turns_reset (TextTurns *t)
{
  g_string_truncate (t->text, 0);
  g_array_set_size (t->turns, 0);
}

void
text_turns_begin (TextTurns *t, TextRole role)
{
  TextTurn turn = { .role = role, .start = t->text->len };

  g_array_append_val (t->turns, turn);
}

void
text_turns_end (TextTurns *t)
{
  TextTurn *turn = &g_array_index (t->turns, TextTurn, t->turns->len - 1);

  turn->len = t->text->len - turn->start;
}

FrStr
text_turns_text (const TextTurns *t, const TextTurn *turn)
{
  return (FrStr){ t->text->str + turn->start, turn->len };
}

void
text_turns_put_first (TextTurns *t)
{
  TextTurn last = g_array_index (t->turns, TextTurn, t->turns->len - 1);

  g_array_set_size (t->turns, t->turns->len - 1);
  g_array_prepend_val (t->turns, last);
}

const char *
text_role_word (TextRole role)
{
  static const char *const words[] = { "", "system", "user", "assistant" };

  return words[role];
}

gboolean
text_turns_render (TextTurns *t, TextRole role, const TextTemplate *tmpl, const FrView *views,
                   gsize row, const char **missing)
{
  gboolean ok;

  text_turns_begin (t, role);
  ok = text_template_render (tmpl, views, row, t->text, missing);
  text_turns_end (t);
  return ok;
}

static void
cut (TextTurns *t, gsize text, guint turns)
{
  g_string_truncate (t->text, text);
  g_array_set_size (t->turns, turns);
}

gboolean
text_turns_history (TextTurns *t, const GPtrArray *templates, const FrView *views, gsize row,
                    const char **missing)
{
  for (guint i = 0; i + 1 < templates->len; i += 2)
    {
      gsize text = t->text->len;
      guint turns = t->turns->len;
      gboolean question
          = text_turns_render (t, TEXT_ROLE_USER, templates->pdata[i], views, row, missing);
      gboolean answer
          = text_turns_render (t, TEXT_ROLE_ASSISTANT, templates->pdata[i + 1], views, row, missing);

      if (!question && !answer)
        cut (t, text, turns);
      else if (!question || !answer)
        return FALSE;
    }
  return TRUE;
}

void
text_turns_system (TextTurns *t, const TextTemplate *tmpl, const FrView *views, gsize row)
{
  gsize text = t->text->len;
  guint turns = t->turns->len;
  const char *missing;

  if (text_turns_render (t, TEXT_ROLE_SYSTEM, tmpl, views, row, &missing) && t->text->len > text)
    text_turns_put_first (t);
  else
    cut (t, text, turns);
}
