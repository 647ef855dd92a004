/* SPDX-License-Identifier: Apache-2.0 */
/* script.c: traditional and simplified Chinese, by OpenCC; see quality.h.
 *
 * OpenCC knows phrases: 头发 becomes 頭髮 and 发现 發現.  Its own tables are used
 * (t2s.json, s2t.json); Japanese and Korean write characters of their own, and
 * are left alone.
 */
#include "config.h"

#include "text/chars.h"
#include "transforms/quality/quality.h"

#ifdef HAVE_OPENCC
#include <opencc/opencc.h>
#endif

struct _QualityScript
{
#ifdef HAVE_OPENCC
  opencc_t converter;
#else
  int unused;
#endif
};

gboolean
quality_script_known (void)
{
#ifdef HAVE_OPENCC
  return TRUE;
#else
  return FALSE;
#endif
}

#ifdef HAVE_OPENCC

QualityScript *
quality_script_new (int script, GError **error)
{
  const char *name = script == SCRIPT_SIMPLIFIED ? "t2s.json" : "s2t.json";
  opencc_t converter = opencc_open (name);
  QualityScript *s;

  if (converter == (opencc_t) -1)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_LOAD,
                   "OpenCC cannot open its table %s (%s); install its data (Debian: "
                   "libopencc-data), or set script to 'keep'",
                   name, opencc_error ());
      return NULL;
    }
  s = g_new0 (QualityScript, 1);
  s->converter = converter;
  return s;
}

void
quality_script_free (QualityScript *s)
{
  if (s == NULL)
    return;
  opencc_close (s->converter);
  g_free (s);
}

/* OpenCC's strings end at NUL, which text may hold: pieces between them. */
static gboolean
convert_pieces (QualityScript *s, FrStr text, GString *out)
{
  const char *p = text.data, *end = text.data + text.len;

  while (p <= end)
    {
      const char *nul = p < end ? memchr (p, '\0', (gsize) (end - p)) : NULL;
      gsize len = (gsize) ((nul != NULL ? nul : end) - p);

      if (len > 0)
        {
          char *piece = opencc_convert_utf8 (s->converter, p, len);

          if (piece == NULL)
            return FALSE;
          g_string_append (out, piece);
          opencc_convert_utf8_free (piece);
        }
      if (nul == NULL)
        return TRUE;
      g_string_append_c (out, '\0');
      p = nul + 1;
    }
  return TRUE;
}

/* Characters that differ, place by place; phrases may be longer or shorter than they were. */
static guint64
count_changes (FrStr text, const GString *out)
{
  const char *a = text.data, *a_end = text.data + text.len, *b = out->str, *b_end = b + out->len;
  guint64 n = 0;

  while (a < a_end && b < b_end)
    n += text_next_char (&a) != text_next_char (&b);
  for (; a < a_end; n++)
    text_next_char (&a);
  for (; b < b_end; n++)
    text_next_char (&b);
  return n;
}

gboolean
quality_script_convert (QualityScript *s, FrStr text, GString *out, guint64 *n_changed,
                        gboolean *japanese)
{
  TextLanguageShare share;

  *n_changed = 0;
  *japanese = FALSE;
  g_string_truncate (out, 0);
  if (!(text_flags_of (text) & TEXT_CH_HAN))
    return FALSE;
  text_language (text, &share);
  *japanese = share.language == TEXT_LANGUAGE_JA || share.language == TEXT_LANGUAGE_KO
              || share.kana * 10 > share.han + share.kana;
  if (*japanese || !convert_pieces (s, text, out)
      || (out->len == text.len && memcmp (out->str, text.data, text.len) == 0))
    return FALSE;
  *n_changed = count_changes (text, out);
  return TRUE;
}

#else

QualityScript *
quality_script_new (int script, GError **error)
{
  (void) script;
  g_set_error_literal (error, FR_ERROR, FR_ERROR_LOAD, "this flowrun was built without OpenCC");
  return NULL;
}

void
quality_script_free (QualityScript *s)
{
  g_free (s);
}

gboolean
quality_script_convert (QualityScript *s, FrStr text, GString *out, guint64 *n_changed,
                        gboolean *japanese)
{
  (void) s;
  (void) text;
  (void) out;
  *n_changed = 0;
  *japanese = FALSE;
  return FALSE;
}

#endif
