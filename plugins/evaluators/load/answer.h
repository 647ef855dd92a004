/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h: what comes back from a server with OpenAI's interface, read as it comes.
 *
 * Server-sent events as in the WHATWG's HTML standard, "Server-sent events", of
 * which this interface uses lines of "data"; their content, and that of an
 * answer in one piece, as in OpenAI's API reference ("chat.completion.chunk",
 * "chat.completion", "text_completion", "error").  Nothing of a text is kept:
 * only when it came and how much of it.
 */
#ifndef FLOWRUN_LOAD_ANSWER_H
#define FLOWRUN_LOAD_ANSWER_H

#include <flowrun/error.h>
#include <glib.h>

G_BEGIN_DECLS

/**
 * LoadAnswer: how far an answer has come.
 * @pieces: chunks with text, reasoning counted too; @first, @last: when the first and the last of
 * them came, on the clock of the caller; 0: none did
 * @chars: characters of all text
 * @tokens, @prompt_tokens: by the server's own count ("usage"); -1: it gave none
 * @finished: some choice said why it ended; @done: "[DONE]" came
 * @fault: the server's own words, or what was wrong with the form; NULL: nothing
 * @refused: @fault is the server's own word for an error, not a broken form
 */
typedef struct
{
  guint64 pieces, chars;
  gint64 first, last;
  gint64 tokens, prompt_tokens;
  gboolean finished, done;
  char *fault;
  gboolean refused;
  /* private */
  GString *line; /* of events: what has no end yet */
  GString *data; /* of the event being read */
  gboolean has_data, after_cr;
} LoadAnswer;

/* Bytes of one event, at most: more is no answer of a language model. */
#define LOAD_EVENT_MAX (4 << 20)

void load_answer_init (LoadAnswer *answer);
void load_answer_clear (LoadAnswer *answer);
/** load_answer_feed: @len more bytes of an event stream; @now: when they came.  After a fault of
 * form nothing more is read. */
void load_answer_feed (LoadAnswer *answer, const char *bytes, gsize len, gint64 now);
/** load_answer_whole: an answer in one piece; @now: when it was whole. */
void load_answer_whole (LoadAnswer *answer, const char *body, gsize len, gint64 now);
/** load_answer_is_whole: an answer, not an error, and to its end. */
gboolean load_answer_is_whole (const LoadAnswer *answer);
/** load_answer_error: the message of an error body; NULL: it is none; g_free(). */
char *load_answer_error (const char *body, gsize len);

/** load_models_first: the id of the first model of a list ("/v1/models"); NULL: there is none;
 * g_free(). */
char *load_models_first (const char *body, gsize len);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LoadAnswer, load_answer_clear)

G_END_DECLS

#endif
