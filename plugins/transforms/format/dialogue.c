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
  d->text = g_string_sized_new (4096);
  d->turns = g_array_new (FALSE, FALSE, sizeof (Turn));
  fr_json_reader_init (&d->reader, "", 0, 0);
}

void
dialogue_clear (Dialogue *d)
{
  g_string_free (d->text, TRUE);
  g_array_unref (d->turns);
  fr_json_reader_clear (&d->reader);
}

void
dialogue_reset (Dialogue *d)
{
  g_string_truncate (d->text, 0);
  g_array_set_size (d->turns, 0);
}

void
dialogue_begin (Dialogue *d, Role role)
{
  Turn turn = { .role = role, .start = d->text->len };

  g_array_append_val (d->turns, turn);
}

void
dialogue_end (Dialogue *d)
{
  Turn *turn = &g_array_index (d->turns, Turn, d->turns->len - 1);

  turn->len = d->text->len - turn->start;
}

FrStr
dialogue_text (const Dialogue *d, const Turn *turn)
{
  return (FrStr){ d->text->str + turn->start, turn->len };
}

void
dialogue_put_first (Dialogue *d)
{
  Turn last = g_array_index (d->turns, Turn, d->turns->len - 1);

  g_array_set_size (d->turns, d->turns->len - 1);
  g_array_prepend_val (d->turns, last);
}

Role
dialogue_role (const FrPair *roles, FrStr name)
{
  static const struct
  {
    const char *name;
    Role role;
  } known[] = { { "user", ROLE_USER },           { "human", ROLE_USER },
                { "assistant", ROLE_ASSISTANT }, { "gpt", ROLE_ASSISTANT },
                { "chatgpt", ROLE_ASSISTANT },   { "bot", ROLE_ASSISTANT },
                { "model", ROLE_ASSISTANT },     { "system", ROLE_SYSTEM },
                { "developer", ROLE_SYSTEM } };

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
  return ROLE_NONE;
}

static Role
find_role (Dialogue *d, const FrPair *roles, FrStr name)
{
  Role role = name.data ? dialogue_role (roles, name) : ROLE_NONE;

  if (role == ROLE_NONE)
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
  Role role = ROLE_NONE;
  gboolean has_content = FALSE, has_role = FALSE;
  FrJsonToken token;

  dialogue_begin (d, ROLE_NONE);
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
          g_string_append_len (d->text, r->str.data, (gssize) r->str.len);
          has_content = TRUE;
        }
    }
  if (token != FR_JSON_OBJECT_END || !has_content || !has_role)
    return FAULT_SHAPE;
  dialogue_end (d);
  g_array_index (d->turns, Turn, d->turns->len - 1).role = role;
  return role == ROLE_NONE ? FAULT_ROLE : FAULT_NONE;
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
      Role who = find_role (d, roles, fr_view_str (&role_view, i));
      FrStr text = fr_view_str (&content_view, i);

      if (fr_view_is_null (&items, i))
        return FAULT_SHAPE;
      if (who == ROLE_NONE)
        return FAULT_ROLE;
      dialogue_begin (d, who);
      g_string_append_len (d->text, text.data ? text.data : "", (gssize) text.len);
      dialogue_end (d);
    }
  return FAULT_NONE;
}

static void
add_pair_part (Dialogue *d, gsize i, FrStr text)
{
  dialogue_begin (d, i == 0 ? ROLE_USER : ROLE_ASSISTANT);
  g_string_append_len (d->text, text.data ? text.data : "", (gssize) text.len);
  dialogue_end (d);
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
  const Turn *turns = (const Turn *) (gpointer) d->turns->data;
  guint first = d->turns->len > 0 && turns[0].role == ROLE_SYSTEM;

  if (d->turns->len < first + 2 || (d->turns->len - first) % 2 != 0)
    return FAULT_ALTERNATION;
  for (guint i = first; i < d->turns->len; i++)
    if (turns[i].role != ((i - first) % 2 == 0 ? ROLE_USER : ROLE_ASSISTANT))
      return FAULT_ALTERNATION;
  for (guint i = first; i < d->turns->len; i++)
    if (is_blank (dialogue_text (d, &turns[i])))
      return FAULT_EMPTY;
  return FAULT_NONE;
}
