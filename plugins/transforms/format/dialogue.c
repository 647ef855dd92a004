/* SPDX-License-Identifier: Apache-2.0 */
/* dialogue.c: see dialogue.h.  The shapes are those of Alpaca (history as
 * pairs), ShareGPT (from, value) and OpenAI's chat files (role, content). */
#include "config.h"

#include "dialogue.h"

#include <string.h>

#include "text/cell.h"
#include "text/chars.h"

void
dialogue_init (Dialogue *d)
{
  text_turns_init (&d->said);
  fr_json_reader_init (&d->reader, "", 0, 0);
}

void
dialogue_clear (Dialogue *d)
{
  text_turns_clear (&d->said);
  fr_json_reader_clear (&d->reader);
}

TextRole
dialogue_role (const FrPair *roles, FrStr name)
{
  static const struct
  {
    const char *name;
    TextRole role;
  } known[] = { { "user", TEXT_ROLE_USER },           { "human", TEXT_ROLE_USER },
                { "assistant", TEXT_ROLE_ASSISTANT }, { "gpt", TEXT_ROLE_ASSISTANT },
                { "chatgpt", TEXT_ROLE_ASSISTANT },   { "bot", TEXT_ROLE_ASSISTANT },
                { "model", TEXT_ROLE_ASSISTANT },     { "system", TEXT_ROLE_SYSTEM },
                { "developer", TEXT_ROLE_SYSTEM } };

  for (const FrPair *pair = roles; pair != NULL && pair->key != NULL; pair++)
    if (fr_str_equal (name, (FrStr){ pair->key, strlen (pair->key) }))
      {
        name = (FrStr){ pair->value, strlen (pair->value) };
        break;
      }
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (strlen (known[i].name) == name.len
        && g_ascii_strncasecmp (known[i].name, name.data, name.len) == 0)
      return known[i].role;
  return TEXT_ROLE_NONE;
}

static TextRole
find_role (Dialogue *d, const FrPair *roles, FrStr name)
{
  TextRole role = name.data ? dialogue_role (roles, name) : TEXT_ROLE_NONE;

  if (role == TEXT_ROLE_NONE)
    {
      gsize n = MIN (name.len, sizeof d->role_seen - 1);

      while (n < name.len && n > 0 && ((guchar) name.data[n] & 0xc0) == 0x80)
        n--;
      if (n > 0)
        memcpy (d->role_seen, name.data, n);
      d->role_seen[n] = 0;
    }
  return role;
}

/* ---- JSON text ------------------------------------------------------------- */

static gboolean
key_is (FrStr key, const char *a, const char *b)
{
  return fr_str_equal (key, (FrStr){ a, strlen (a) })
         || fr_str_equal (key, (FrStr){ b, strlen (b) });
}

/* One message, its '{' just read. */
static Fault
json_message (Dialogue *d, const FrPair *roles)
{
  FrJsonReader *r = &d->reader;
  TextRole role = TEXT_ROLE_NONE;
  gboolean has_content = FALSE, has_role = FALSE;
  FrJsonToken token;

  text_turns_begin (&d->said, TEXT_ROLE_NONE);
  while ((token = fr_json_reader_next (r)) == FR_JSON_KEY)
    {
      gboolean is_role = key_is (r->str, "role", "from");

      if (!is_role && !key_is (r->str, "content", "value"))
        {
          if (!fr_json_reader_skip (r))
            return FAULT_SHAPE;
          continue;
        }
      if (fr_json_reader_next (r) != FR_JSON_STRING || (is_role ? has_role : has_content))
        return FAULT_SHAPE;
      if (is_role)
        {
          role = find_role (d, roles, r->str);
          has_role = TRUE;
        }
      else
        {
          g_string_append_len (d->said.text, r->str.data, (gssize) r->str.len);
          has_content = TRUE;
        }
    }
  if (token != FR_JSON_OBJECT_END || !has_content || !has_role)
    return FAULT_SHAPE;
  text_turns_end (&d->said);
  g_array_index (d->said.turns, TextTurn, d->said.turns->len - 1).role = role;
  return role == TEXT_ROLE_NONE ? FAULT_ROLE : FAULT_NONE;
}

Fault
dialogue_add_json (Dialogue *d, const FrPair *roles, FrStr json)
{
  FrJsonToken token;

  fr_json_reader_reset (&d->reader, json.data, json.len);
  if (fr_json_reader_next (&d->reader) != FR_JSON_ARRAY)
    return FAULT_SHAPE;
  while ((token = fr_json_reader_next (&d->reader)) == FR_JSON_OBJECT)
    {
      Fault fault = json_message (d, roles);

      if (fault != FAULT_NONE)
        return fault;
    }
  return token == FR_JSON_ARRAY_END && fr_json_reader_next (&d->reader) == FR_JSON_END
             ? FAULT_NONE
             : FAULT_SHAPE;
}

/* ---- lists ------------------------------------------------------------------ */

Fault
dialogue_add_list (Dialogue *d, const FrPair *roles, const FrView *list, gsize row, guint role,
                   guint content)
{
  FrView items = fr_view_child (list, 0);
  FrView role_view = fr_view_child (&items, role), content_view = fr_view_child (&items, content);
  gsize start, n = fr_view_list (list, row, &start);

  for (gsize i = start; i < start + n; i++)
    {
      TextRole who = find_role (d, roles, fr_view_str (&role_view, i));
      FrStr text = fr_view_str (&content_view, i);

      if (fr_view_is_null (&items, i))
        return FAULT_SHAPE;
      if (who == TEXT_ROLE_NONE)
        return FAULT_ROLE;
      text_turns_begin (&d->said, who);
      g_string_append_len (d->said.text, text.data ? text.data : "", (gssize) text.len);
      text_turns_end (&d->said);
    }
  return FAULT_NONE;
}

static void
add_pair_part (Dialogue *d, gsize i, FrStr text)
{
  text_turns_begin (&d->said, i == 0 ? TEXT_ROLE_USER : TEXT_ROLE_ASSISTANT);
  g_string_append_len (d->said.text, text.data ? text.data : "", (gssize) text.len);
  text_turns_end (&d->said);
}

static Fault
json_history (Dialogue *d, FrStr json)
{
  FrJsonReader *r = &d->reader;
  FrJsonToken token;

  fr_json_reader_reset (r, json.data, json.len);
  if (fr_json_reader_next (r) != FR_JSON_ARRAY)
    return FAULT_SHAPE;
  while ((token = fr_json_reader_next (r)) == FR_JSON_ARRAY)
    for (guint i = 0; (token = fr_json_reader_next (r)) != FR_JSON_ARRAY_END || i != 2; i++)
      {
        if (token != FR_JSON_STRING || i > 1)
          return FAULT_SHAPE;
        add_pair_part (d, i, r->str);
      }
  return token == FR_JSON_ARRAY_END && fr_json_reader_next (r) == FR_JSON_END ? FAULT_NONE
                                                                              : FAULT_SHAPE;
}

Fault
dialogue_add_history (Dialogue *d, const FrView *view, gsize row)
{
  FrView pairs, texts;
  gsize start, n;

  if (text_cell_is_empty (view, row))
    return FAULT_NONE;
  if (view->type != FR_TYPE_LIST)
    return json_history (d, fr_view_str (view, row));
  pairs = fr_view_child (view, 0);
  texts = fr_view_child (&pairs, 0);
  n = fr_view_list (view, row, &start);
  for (gsize i = start; i < start + n; i++)
    {
      gsize first;

      if (fr_view_list (&pairs, i, &first) != 2)
        return FAULT_SHAPE;
      for (gsize part = 0; part < 2; part++)
        add_pair_part (d, part, fr_view_str (&texts, first + part));
    }
  return FAULT_NONE;
}

/* ---- the check ---------------------------------------------------------------- */

static gboolean
is_blank (FrStr text)
{
  const char *p = text.data, *end = p + text.len;

  while (p < end)
    if (!(text_char_flags (text_next_char (&p)) & (TEXT_CH_BLANK | TEXT_CH_NEWLINE)))
      return FALSE;
  return TRUE;
}

Fault
dialogue_check (const Dialogue *d)
{
  const TextTurn *turns = (const TextTurn *) (gpointer) d->said.turns->data;
  guint first = d->said.turns->len > 0 && turns[0].role == TEXT_ROLE_SYSTEM;

  if (d->said.turns->len < first + 2 || (d->said.turns->len - first) % 2 != 0)
    return FAULT_ALTERNATION;
  for (guint i = first; i < d->said.turns->len; i++)
    if (turns[i].role != ((i - first) % 2 == 0 ? TEXT_ROLE_USER : TEXT_ROLE_ASSISTANT))
      return FAULT_ALTERNATION;
  for (guint i = first; i < d->said.turns->len; i++)
    if (is_blank (text_turns_text (&d->said, &turns[i])))
      return FAULT_EMPTY;
  return FAULT_NONE;
}
