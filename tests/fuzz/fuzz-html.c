/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-html.c: HTML to text: valid UTF-8 comes out, and leftovers are gone for good. */
#include "config.h"

#include <stdint.h>

#include "text/html.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GString) twice = g_string_new (NULL);
  FrStr html = { (const char *) data, size };

  if (!g_utf8_validate_len ((const char *) data, size, NULL))
    return 0;
  text_html_to_text (html, 0, out, NULL);
  g_assert_true (g_utf8_validate_len (out->str, out->len, NULL));
  g_string_truncate (out, 0);
  text_html_to_text (html, TEXT_HTML_LEFTOVERS, out, NULL);
  g_assert_true (g_utf8_validate_len (out->str, out->len, NULL));
  text_html_to_text ((FrStr){ out->str, out->len }, TEXT_HTML_LEFTOVERS, twice, NULL);
  g_assert_true (fr_str_equal ((FrStr){ out->str, out->len }, (FrStr){ twice->str, twice->len }));
  return 0;
}
