/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-quality.c: figures and the language of any text: no crash, shares between 0 and 1, the same
 * again with memory that other texts have been through, and units that add up.
 */
#include "config.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "text/language.h"
#include "text/quality.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static TextQuality *used;
  g_autoptr (TextQuality) fresh = text_quality_new ();
  g_autofree char *text = g_utf8_make_valid ((const char *) data, (gssize) size);
  FrStr s = { text, strlen (text) };
  double once[TEXT_N_FIGURES], again[TEXT_N_FIGURES];
  TextLanguageShare share;
  TextLanguage language;

  if (used == NULL)
    used = text_quality_new ();
  text_quality_measure (used, s, once);
  text_quality_measure (fresh, s, again);
  for (guint i = 0; i < TEXT_N_FIGURES; i++)
    {
      g_assert_true (isnan (once[i]) == isnan (again[i]));
      if (isnan (once[i]))
        continue;
      g_assert_cmpfloat (once[i], ==, again[i]);
      g_assert_true (isfinite (once[i]) && once[i] >= 0);
      g_assert_true (!text_quality_is_share ((TextFigureOfQuality) i) || once[i] <= 1);
    }
  g_assert_cmpfloat (once[TEXT_FIGURE_UNITS], <=, once[TEXT_FIGURE_CHARACTERS]);
  g_assert_cmpfloat (once[TEXT_FIGURE_SENTENCES], <=, once[TEXT_FIGURE_UNITS]);
  language = text_language (s, &share);
  g_assert_true (language == share.language && language < TEXT_N_LANGUAGES);
  g_assert_true (share.confidence >= 0 && share.confidence <= 1);
  g_assert_cmpuint (share.simplified + share.traditional, <=, share.han);
  g_assert_true ((language == TEXT_LANGUAGE_NONE)
                 == (share.han + share.latin + share.kana + share.hangul + share.other == 0));
  g_assert_nonnull (text_language_name (language));
  return 0;
}
