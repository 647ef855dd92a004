/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-param.c: any JSON as the parameters of an element with every type, and
 * any text as a size and a duration. */
#include <stdint.h>

#include "param/param-private.h"
#include "pipeline/fake.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What is in force, given again, is in force again. */
static void
again (const FrElement *element, gpointer config)
{
  g_autoptr (JsonNode) once = fri_params_fingerprint (element, config);
  JsonObject *object = json_node_get_object (once);
  g_autoptr (GList) keys = json_object_get_members (object);
  g_autoptr (FrProblems) problems = fri_problems_new ("again");
  g_autofree char *first = fr_json_to_string (once, 0), *second = NULL;
  g_autoptr (JsonNode) twice = NULL;
  gpointer copy;

  for (GList *k = keys; k != NULL; k = k->next)
    if (JSON_NODE_HOLDS_NULL (json_object_get_member (object, k->data))
        || strcmp (k->data, "secret") == 0)
      json_object_remove_member (object, k->data);
  copy = fri_params_fill (element, once, "/elsewhere", TRUE, problems);
  twice = fri_params_fingerprint (element, copy);
  second = fr_json_to_string (twice, 0);
  if (strstr (first, "\"secret\":{") == NULL)
    g_assert_cmpstr (first, ==, second);
  fri_params_free (element, copy);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (JsonNode) with = fr_json_parse (text, (gssize) strlen (text), FR_JSON_COMMENTS, NULL);
  guint64 bytes;
  gint64 microseconds;

  fri_parse_size (text, &bytes);
  if (fri_parse_duration (text, &microseconds))
    g_assert (microseconds >= 0);
  if (with == NULL || !JSON_NODE_HOLDS_OBJECT (with))
    return 0;
  for (guint i = 0; fake_elements[i] != NULL; i++)
    {
      g_autoptr (FrProblems) problems = fri_problems_new ("fuzz");
      gpointer config = fri_params_fill (fake_elements[i], with, "/base", TRUE, problems);
      g_autoptr (JsonNode) effective = fri_params_effective (fake_elements[i], config);

      if (fri_problems_n_errors (problems) == 0)
        again (fake_elements[i], config);
      fri_params_free (fake_elements[i], config);
    }
  return 0;
}
