/* SPDX-License-Identifier: Apache-2.0 */
/* row.c: a row to a sample: rejected, cut, or as it is. */
#include "config.h"

#include <flowrun/error.h>

#include "lm/samples.h"

static gboolean
none (LmSampleFate *fate, const char *rule)
{
  fate->rule = rule;
  return FALSE;
}

gboolean
lm_sample_from_row (LmRecord *record, LmChat *chat, const FrBatch *batch, gsize row, gsize max,
                    LmTruncate truncate, LmSample *sample, LmSampleFate *fate, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonArray) messages = lm_record_messages (record, batch, row, &local);

  *fate = (LmSampleFate){ 0 };
  g_array_set_size (sample->ids, 0);
  g_array_set_size (sample->learn, 0);
  if (messages == NULL || !lm_chat_sample (chat, messages, sample, &local))
    {
      gboolean data = g_error_matches (local, FR_ERROR, FR_ERROR_DATA);

      g_propagate_error (error, g_steal_pointer (&local));
      return none (fate, data ? "no_sample" : NULL);
    }
  fate->n_tokens = sample->ids->len;
  fate->over = fate->n_tokens > max;
  fate->cut = fate->over && (truncate == LM_TRUNCATE_LEFT || truncate == LM_TRUNCATE_RIGHT);
  if (fate->over && truncate == LM_TRUNCATE_REJECT)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "%" G_GSIZE_FORMAT " tokens; max_length is %" G_GSIZE_FORMAT, fate->n_tokens,
                   max);
      return none (fate, "too_long");
    }
  if (fate->cut)
    lm_dataset_cut (sample, max, truncate == LM_TRUNCATE_LEFT);
  if (lm_dataset_labels (sample) > 0)
    return TRUE;
  g_set_error_literal (error, FR_ERROR, FR_ERROR_DATA,
                       "no token of the answer is left to learn after the cut to max_length");
  return none (fate, "nothing_to_learn");
}
