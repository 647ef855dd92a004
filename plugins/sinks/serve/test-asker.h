/* SPDX-License-Identifier: Apache-2.0 */
/* test-asker.h: as much of a server as it takes to ask: a small random model, limits, a format; no
 * connections and no scheduler. */
#ifndef SERVE_TEST_ASKER_H
#define SERVE_TEST_ASKER_H

#include "generate.h"
#include "lm/chat/test-model.h"

#define TEST_FORMAT                                                                                     \
  "{\"input\": \"为{name}写一句[[，给{audience}]]。\", \"system\": \"语气：{tone|平实}\", " \
  "\"history\": [\"{q}\", \"{a}\"], \"fields\": {\"name\": {\"label\": \"品名\"}}}"

static void
test_asker_init (Serve *serve, guint context, const char *format)
{
  memset (serve, 0, sizeof *serve);
  serve->model = test_model (context, TEST_CHATML);
  serve->chat = lm_chat_new (serve->model, NULL);
  serve->context = context;
  serve->sampling
      = (LmSampling){ .top_p = 1, .repetition_penalty = 1, .max_tokens = 64, .temperature = 0.5 };
  serve->sampling.ends = g_array_new (FALSE, FALSE, sizeof (gint32));
  serve->limits = (ServeLimits){ .choices = 4, .prompts = 4, .stops = 4, .output_tokens = 1000 };
  serve->fingerprint = g_strdup ("fp_test");
  if (format != NULL)
    {
      g_autoptr (JsonNode) node = fr_json_parse (format, -1, 0, NULL);

      serve->format = serve_format_new (node, NULL);
      g_assert_nonnull (serve->format);
    }
}

G_GNUC_UNUSED static void
test_asker_clear (Serve *serve)
{
  lm_chat_free (serve->chat);
  fr_object_unref (serve->model);
  g_array_unref (serve->sampling.ends);
  serve_format_free (serve->format);
  g_free (serve->fingerprint);
}

#endif
