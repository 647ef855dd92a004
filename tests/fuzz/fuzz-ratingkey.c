/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-ratingkey.c: reads the key of a rating page; what is one is written, and read again the
 * same. */
#include "config.h"

#include <stdint.h>

#include "evaluators/rating/key.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RatingKey) key = rating_key_parse ((const char *) data, size, &error), again = NULL;
  g_autoptr (GString) first = NULL, second = NULL;

  g_assert_true ((key != NULL) == (error == NULL));
  if (key == NULL)
    return 0;
  for (guint i = 0; i < key->items->len; i++)
    g_assert_nonnull (rating_key_text (key, i));
  first = rating_key_to_json (key);
  again = rating_key_parse (first->str, first->len, &error);
  g_assert_no_error (error);
  second = rating_key_to_json (again);
  g_assert_cmpstr (first->str, ==, second->str);
  return 0;
}
