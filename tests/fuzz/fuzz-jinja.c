/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-jinja.c: any bytes as a chat template, rendered with a fixed conversation. */
#include "config.h"

#include <flowrun/json.h>
#include <string.h>

#include "lm/template.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static const char variables[]
    = "{\"messages\": [{\"role\": \"system\", \"content\": \"Be terse.\"}, {\"role\": \"user\", \"content\": \"H\\u00e9 \\ud83d\\ude00\"},"
      " {\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"type\": \"function\", \"function\": {\"name\": \"f\","
      " \"arguments\": {\"a\": 1, \"b\": [2.5, true, null]}}}]}, {\"role\": \"tool\", \"content\": \"ok\"}], \"tools\": null,"
      " \"add_generation_prompt\": true, \"bos_token\": \"<s>\", \"s\": \"abc\", \"n\": 3, \"l\": [3, 1, 2], \"d\": {\"b\": 1, \"a\": 2}}";

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (JsonNode) node = fr_json_parse (variables, -1, 0, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmTemplate) tmpl = lm_template_new ("fuzz", (const char *) data, size, &error);
  g_autofree char *text = NULL;
  gsize len;

  g_assert_true ((tmpl != NULL) == (error == NULL));
  if (tmpl == NULL)
    return 0;
  text = lm_template_render (tmpl, json_node_get_object (node), &len, &error);
  g_assert_true ((text != NULL) == (error == NULL));
  if (text != NULL)
    g_assert_true (g_utf8_validate (text, (gssize) len, NULL) || memchr (text, '\0', len) != NULL);
  return 0;
}
