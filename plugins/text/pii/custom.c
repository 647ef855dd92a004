/* SPDX-License-Identifier: Apache-2.0 */
/* custom.c: patterns of the caller's, by PCRE2 with its limits set.
 *
 * A pattern may be anything, so that its work has to be bounded: at most
 * STEPS_BASE plus STEPS_A_BYTE match steps a search, and a bounded heap.  A text
 * on which that is not enough is reported, never passed as clean.
 */
#include "config.h"

#include <flowrun/error.h>
#include <string.h>

#include "text/pii/pii-private.h"

#ifdef HAVE_PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define STEPS_BASE 10000
#define STEPS_A_BYTE 40
#define DEPTH 1000
#define HEAP_KIB 1024

typedef struct
{
  pcre2_code *code;
  guint type;
} Pattern;

void
pii_pattern_free (gpointer data)
{
  Pattern *pattern = data;

  pcre2_code_free (pattern->code);
  g_free (pattern);
}

gboolean
text_pii_add_pattern (TextPii *pii, guint type, const char *text, GError **error)
{
  int code;
  PCRE2_SIZE offset;
  Pattern *pattern;
  PCRE2_UCHAR message[256];
  guint32 least = 0;
  pcre2_code *compiled = pcre2_compile ((PCRE2_SPTR) text, PCRE2_ZERO_TERMINATED,
                                        PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &offset, NULL);

  if (compiled == NULL)
    {
      pcre2_get_error_message (code, message, sizeof message);
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "the pattern '%.200s' is wrong at character %u: %s", text,
                   (guint) g_utf8_strlen (text, (gssize) offset) + 1, (const char *) message);
      return FALSE;
    }
  pcre2_pattern_info (compiled, PCRE2_INFO_MINLENGTH, &least);
  if (least == 0)
    {
      pcre2_code_free (compiled);
      g_set_error (
          error, FR_ERROR, FR_ERROR_CONFIG,
          "the pattern '%.200s' can match nothing at all; it must take at least one character",
          text);
      return FALSE;
    }
  pcre2_jit_compile (compiled, PCRE2_JIT_COMPLETE);
  pattern = g_new0 (Pattern, 1);
  pattern->code = compiled;
  pattern->type = type;
  g_ptr_array_add (pii->patterns, pattern);
  return TRUE;
}

/* The folded text as UTF-8, and which character each byte belongs to. */
static void
write_folded (Scan *scan)
{
  g_string_truncate (scan->folded, 0);
  g_array_set_size (scan->folded_at, 0);
  for (gsize i = 0; i <= scan->n; i++)
    {
      guint32 at = (guint32) i;
      gsize before = scan->folded->len;

      if (i < scan->n)
        g_string_append_unichar (scan->folded, scan->ch[i]);
      for (gsize k = before; k < MAX (scan->folded->len, before + (i == scan->n)); k++)
        g_array_append_val (scan->folded_at, at);
    }
}

gboolean
pii_patterns_find (Scan *scan)
{
  gboolean whole = TRUE;
  const GPtrArray *patterns = scan->pii->patterns;
  pcre2_match_context *context;

  write_folded (scan);
  if (scan->match_data == NULL)
    {
      scan->match_data = pcre2_match_data_create (2, NULL);
      scan->match_context = pcre2_match_context_create (NULL);
      pcre2_set_depth_limit (scan->match_context, DEPTH);
      pcre2_set_heap_limit (scan->match_context, HEAP_KIB);
    }
  context = scan->match_context;
  pcre2_set_match_limit (
      context, (guint32) MIN (STEPS_BASE + (guint64) STEPS_A_BYTE * scan->folded->len, 10000000));
  for (guint k = 0; k < patterns->len; k++)
    {
      const Pattern *pattern = patterns->pdata[k];
      gsize from = 0;

      while (from < scan->folded->len)
        {
          int rc = pcre2_match (pattern->code, (PCRE2_SPTR) scan->folded->str, scan->folded->len,
                                from, PCRE2_NO_UTF_CHECK, scan->match_data, context);
          PCRE2_SIZE *at = pcre2_get_ovector_pointer (scan->match_data);
          gsize s, e;

          if (rc < 0)
            {
              whole = whole && rc == PCRE2_ERROR_NOMATCH;
              break;
            }
          s = at[0];
          e = at[1];
          from = e > s ? e : s + 1;
          if ((rc == 0 || rc > 1) && at[2] != PCRE2_UNSET && at[3] > at[2])
            {
              s = at[2];
              e = at[3];
            }
          if (e > s && e <= scan->folded->len)
            pii_add (scan, pattern->type, g_array_index (scan->folded_at, guint32, s),
                     g_array_index (scan->folded_at, guint32, e - 1) + 1, 100, TEXT_PII_CHECK_NONE,
                     "pattern", NULL);
        }
    }
  return whole;
}

void
pii_patterns_end (Scan *scan)
{
  if (scan->match_data != NULL)
    pcre2_match_data_free (scan->match_data);
  if (scan->match_context != NULL)
    pcre2_match_context_free (scan->match_context);
}

#else

void
pii_pattern_free (gpointer data)
{
  (void) data;
}

gboolean
text_pii_add_pattern (TextPii *pii, guint type, const char *text, GError **error)
{
  (void) pii;
  (void) type;
  (void) text;
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "this flowrun was built without PCRE2, so that there are no patterns; use words");
  return FALSE;
}

gboolean
pii_patterns_find (Scan *scan)
{
  (void) scan;
  return TRUE;
}

void
pii_patterns_end (Scan *scan)
{
  (void) scan;
}
#endif
