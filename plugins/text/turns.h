/* SPDX-License-Identifier: Apache-2.0 */
/* turns.h: who says what: a dialogue on its way from a row's templates to a record or a prompt.
 *
 * The one place that makes a question of columns, for training (transform.format) and for whoever
 * asks the trained model (sink.serve), so that both see the same text.
 */
#ifndef FLOWRUN_TEXT_TURNS_H
#define FLOWRUN_TEXT_TURNS_H

#include <flowrun/batch.h>
#include <glib.h>

#include "text/template.h"

G_BEGIN_DECLS

typedef enum
{
  TEXT_ROLE_NONE = 0,
  TEXT_ROLE_SYSTEM,
  TEXT_ROLE_USER,
  TEXT_ROLE_ASSISTANT
} TextRole;

/** TextTurn: what one of them says: @len bytes of TextTurns.text from @start. */
typedef struct
{
  TextRole role;
  gsize start, len;
} TextTurn;

typedef struct
{
  GString *text;
  GArray *turns; /* TextTurn */
} TextTurns;

void text_turns_init (TextTurns *turns);
void text_turns_clear (TextTurns *turns);
void text_turns_reset (TextTurns *turns);
/** text_turns_begin: text appended to turns->text from here to text_turns_end() is what @role says. */
void text_turns_begin (TextTurns *turns, TextRole role);
void text_turns_end (TextTurns *turns);
FrStr text_turns_text (const TextTurns *turns, const TextTurn *turn);
/** text_turns_put_first: moves the last turn to the front (a system text made late). */
void text_turns_put_first (TextTurns *turns);
/** text_role_word: "system", "user", "assistant"; "" for none. */
const char *text_role_word (TextRole role);

/**
 * text_turns_render: a turn of @tmpl.  FALSE: a cell that it needs is empty: *@missing is its column.
 * @views, @row: as text_template_render() takes them
 */
gboolean text_turns_render (TextTurns *turns, TextRole role, const TextTemplate *tmpl,
                            const FrView *views, gsize row, const char **missing);
/**
 * text_turns_history: earlier exchanges; @templates: TextTemplate *, question and answer in turn.
 * An exchange that lacks both is left out; FALSE: one that lacks one of them.
 */
gboolean text_turns_history (TextTurns *turns, const GPtrArray *templates, const FrView *views,
                             gsize row, const char **missing);
/** text_turns_system: the system text of @tmpl, put first; an empty one, or one that lacks a cell, is none. */
void text_turns_system (TextTurns *turns, const TextTemplate *tmpl, const FrView *views, gsize row);

G_END_DECLS

#endif
