/* SPDX-License-Identifier: Apache-2.0 */
/* chat.h: from records to token ids, for training, evaluation and serving alike.
 *
 * One way to a prompt: the checkpoint's own chat template, rendered, encoded
 * with special tokens parsed and the post-processor off (the template writes
 * bos itself).  Training text is the prompt with add_generation_prompt, then
 * the answer, then the end token; only the last two are learned.  Where the
 * prompt ends in an opened <think> and the answer brings its own, the tag is not
 * doubled.  A checkpoint without a template gets "input\n" as the prompt, and
 * the report says so.
 */
#ifndef FLOWRUN_LM_CHAT_H
#define FLOWRUN_LM_CHAT_H

#include <flowrun/batch.h>
#include <glib.h>
#include <json-glib/json-glib.h>

#include "lm/model.h"

G_BEGIN_DECLS

/** LmChat: a model's way of talking; immutable after lm_chat_new(). */
typedef struct _LmChat LmChat;

/** lm_chat_new: takes tokenizer and template of @model (borrowed, must outlive it). */
LmChat *lm_chat_new (LmModel *model, GError **error);
void lm_chat_free (LmChat *chat);
/** lm_chat_end: the token that ends an answer: what the template writes after one, or the first eos token. */
gint32 lm_chat_end (LmChat *chat);
/** lm_chat_has_template: FALSE: the checkpoint has none, and prompts are plain lines: worth a line in the report. */
gboolean lm_chat_has_template (LmChat *chat);

/**
 * lm_chat_prompt: renders @messages ([{role, content, …}]) for an answer.
 * @tools: or NULL; @variables: more template variables ("enable_thinking"), or NULL; @ids: gint32 appended; @text: appended, or NULL
 */
gboolean lm_chat_prompt (LmChat *chat, JsonArray *messages, JsonNode *tools, JsonObject *variables,
                         GArray *ids, GString *text, GError **error);

/**
 * lm_chat_text: a bare text to be continued, as a base model takes it: no template, special tokens parsed, bos as the
 * tokenizer's post-processor writes it.
 * @ids: gint32 appended
 */
gboolean lm_chat_text (LmChat *chat, const char *text, gsize len, GArray *ids, GError **error);

/**
 * LmSample: a training sample.
 * @ids: gint32; @learn: guint8, one per id: whether it is a target
 * @n_prompt: ids of the prompt
 */
typedef struct {
  GArray *ids;
  GArray *learn;
  gsize n_prompt;
} LmSample;

void lm_sample_init (LmSample *sample);
void lm_sample_clear (LmSample *sample);

/**
 * lm_chat_sample: @messages ends with the answer to be learned.
 * @error: FR_ERROR_DATA: no answer at the end, an empty one, or the template's own complaint
 */
gboolean lm_chat_sample (LmChat *chat, JsonArray *messages, LmSample *sample, GError **error);

/* ---- rows ------------------------------------------------------------------------- */

/** LmRecord: finds the columns of a record: input, output, system, history; or messages (list of structs or JSON text). */
typedef struct _LmRecord LmRecord;
/**
 * lm_record_new:
 * @need_answer: whether output (or a last assistant message) must be there
 * @error: FR_ERROR_TYPE: neither shape, with the columns there are
 */
LmRecord *lm_record_new (const FrSchema *schema, gboolean need_answer, GError **error);
/** lm_record_new_named: the same where column @input takes the place of 'input' and of 'messages'; NULL: no other name. */
LmRecord *lm_record_new_named (const FrSchema *schema, const char *input, gboolean need_answer,
                               GError **error);
void lm_record_free (LmRecord *record);
/** lm_record_messages: the row as messages; without @need_answer a trailing answer is left out.  FR_ERROR_DATA: why this row is none.  json_array_unref(). */
JsonArray *lm_record_messages (LmRecord *record, const FrBatch *batch, gsize row, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmChat, lm_chat_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmRecord, lm_record_free)

G_END_DECLS

#endif
