/* SPDX-License-Identifier: Apache-2.0 */
/* classes.c: what kind of character a code point is.
 *
 * The patterns of tokenizers are matched by Oniguruma, which knows Unicode
 * 16.0, and digits are told by a library that knows 17.0; ids must not depend
 * on the Unicode of the ICU that happens to be installed.  So classes are
 * ICU's for what Unicode 15.0 had, corrected to those versions.
 */
#include "config.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include "tokenizer-private.h"

typedef struct
{
  guint32 first, last;
  guint8 classes;
} Range;

#define L LM_CLASS_L
#define M LM_CLASS_M
#define N (LM_CLASS_N | LM_CLASS_NUMERIC)
#define P LM_CLASS_P
#define S LM_CLASS_S

/* Assigned by Unicode 15.1 and 16.0; the numbers at the end, by 17.0. */
static const Range later[] = { { 0x0897, 0x0897, M },
                               { 0x1b4e, 0x1b4f, P },
                               { 0x1b7f, 0x1b7f, P },
                               { 0x1c89, 0x1c8a, L },
                               { 0x2427, 0x2429, S },
                               { 0x2ffc, 0x2fff, S },
                               { 0x31e4, 0x31e5, S },
                               { 0x31ef, 0x31ef, S },
                               { 0xa7cb, 0xa7cd, L },
                               { 0xa7da, 0xa7dc, L },
                               { 0x105c0, 0x105f3, L },
                               { 0x10d40, 0x10d49, N },
                               { 0x10d4a, 0x10d65, L },
                               { 0x10d69, 0x10d6d, M },
                               { 0x10d6e, 0x10d6e, P },
                               { 0x10d6f, 0x10d85, L },
                               { 0x10d8e, 0x10d8f, S },
                               { 0x10ec2, 0x10ec4, L },
                               { 0x10efc, 0x10efc, M },
                               { 0x11380, 0x11389, L },
                               { 0x1138b, 0x1138b, L },
                               { 0x1138e, 0x1138e, L },
                               { 0x11390, 0x113b5, L },
                               { 0x113b7, 0x113b7, L },
                               { 0x113b8, 0x113c0, M },
                               { 0x113c2, 0x113c2, M },
                               { 0x113c5, 0x113c5, M },
                               { 0x113c7, 0x113ca, M },
                               { 0x113cc, 0x113d0, M },
                               { 0x113d1, 0x113d1, L },
                               { 0x113d2, 0x113d2, M },
                               { 0x113d3, 0x113d3, L },
                               { 0x113d4, 0x113d5, P },
                               { 0x113d7, 0x113d8, P },
                               { 0x113e1, 0x113e2, M },
                               { 0x116d0, 0x116e3, N },
                               { 0x11bc0, 0x11be0, L },
                               { 0x11be1, 0x11be1, P },
                               { 0x11bf0, 0x11bf9, N },
                               { 0x11f5a, 0x11f5a, M },
                               { 0x13460, 0x143fa, L },
                               { 0x16100, 0x1611d, L },
                               { 0x1611e, 0x1612f, M },
                               { 0x16130, 0x16139, N },
                               { 0x16d40, 0x16d6c, L },
                               { 0x16d6d, 0x16d6f, P },
                               { 0x16d70, 0x16d79, N },
                               { 0x18cff, 0x18cff, L },
                               { 0x1cc00, 0x1ccef, S },
                               { 0x1ccf0, 0x1ccf9, N },
                               { 0x1cd00, 0x1ceb3, S },
                               { 0x1e5d0, 0x1e5ed, L },
                               { 0x1e5ee, 0x1e5ef, M },
                               { 0x1e5f0, 0x1e5f0, L },
                               { 0x1e5f1, 0x1e5fa, N },
                               { 0x1e5ff, 0x1e5ff, P },
                               { 0x1f8b2, 0x1f8bb, S },
                               { 0x1f8c0, 0x1f8c1, S },
                               { 0x1fa89, 0x1fa89, S },
                               { 0x1fa8f, 0x1fa8f, S },
                               { 0x1fabe, 0x1fabe, S },
                               { 0x1fac6, 0x1fac6, S },
                               { 0x1fadc, 0x1fadc, S },
                               { 0x1fadf, 0x1fadf, S },
                               { 0x1fae9, 0x1fae9, S },
                               { 0x1fbcb, 0x1fbef, S },
                               { 0x2ebf0, 0x2ee5d, L },
                               { 0x11de0, 0x11de9, LM_CLASS_NUMERIC },
                               { 0x16ff4, 0x16ff6, LM_CLASS_NUMERIC } };
#undef L
#undef M
#undef N
#undef P
#undef S

static guint8
classes_of (int8_t type)
{
  switch (type)
    {
    case U_UPPERCASE_LETTER:
    case U_LOWERCASE_LETTER:
    case U_TITLECASE_LETTER:
    case U_MODIFIER_LETTER:
    case U_OTHER_LETTER:
      return LM_CLASS_L;
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_COMBINING_SPACING_MARK:
      return LM_CLASS_M;
    case U_DECIMAL_DIGIT_NUMBER:
    case U_LETTER_NUMBER:
    case U_OTHER_NUMBER:
      return LM_CLASS_N | LM_CLASS_NUMERIC;
    case U_DASH_PUNCTUATION:
    case U_START_PUNCTUATION:
    case U_END_PUNCTUATION:
    case U_CONNECTOR_PUNCTUATION:
    case U_OTHER_PUNCTUATION:
    case U_INITIAL_PUNCTUATION:
    case U_FINAL_PUNCTUATION:
      return LM_CLASS_P;
    case U_MATH_SYMBOL:
    case U_CURRENCY_SYMBOL:
    case U_MODIFIER_SYMBOL:
    case U_OTHER_SYMBOL:
      return LM_CLASS_S;
    default:
      return 0;
    }
}

/* Age is looked at only where a later Unicode could have added something. */
static gboolean
is_later (UChar32 c)
{
  UVersionInfo age;

  u_charAge (c, age);
  return age[0] > 15 || (age[0] == 15 && age[1] > 0);
}

static UBool U_CALLCONV
set_range (const void *context, UChar32 start, UChar32 limit, UCharCategory type)
{
  guint8 *flat = (guint8 *) context, classes = classes_of ((int8_t) type);
  UVersionInfo newest;

  u_getUnicodeVersion (newest);
  if (classes != 0)
    for (UChar32 c = start; c < limit; c++)
      if (newest[0] < 15 || (newest[0] == 15 && newest[1] == 0) || !is_later (c))
        flat[c] = classes;
  return TRUE;
}

static void
set_composing (guint8 *flat)
{
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2 *nfc = unorm2_getNFCInstance (&status);

  /* Nothing below U+0300 composes backward; nor do the ideographs and syllables that make up most
   * of the rest. */
  for (UChar32 c = 0x300; nfc != NULL && c < 0x30000; c++)
    {
      if (c == 0x3400)
        c = 0xa000;
      if (c == 0xac00)
        c = 0xf900;
      if (c == 0x17000)
        c = 0x1b000;
      if (c == 0x20000)
        c = 0x2f800;
      if (!unorm2_hasBoundaryBefore (nfc, c)
          || u_getIntPropertyValue (c, UCHAR_NFC_QUICK_CHECK) != UNORM_YES
          || u_getCombiningClass (c) != 0)
        flat[c] |= LM_CLASS_COMPOSES;
    }
}

static gpointer
make (gpointer unused G_GNUC_UNUSED)
{
  static const guint32 spaces[]
      = { 0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000 };
  g_autofree guint8 *flat = g_malloc0 (0x110000);
  LmClasses *t = g_new0 (LmClasses, 1);
  guint room = 512;

  u_enumCharTypes (set_range, flat);
  for (gsize i = 0; i < G_N_ELEMENTS (later); i++)
    memset (flat + later[i].first, later[i].classes, later[i].last - later[i].first + 1);
  for (guint32 c = 0x9; c <= 0xd; c++)
    flat[c] |= LM_CLASS_SPACE;
  for (guint32 c = 0x2000; c <= 0x200a; c++)
    flat[c] |= LM_CLASS_SPACE;
  for (gsize i = 0; i < G_N_ELEMENTS (spaces); i++)
    flat[spaces[i]] |= LM_CLASS_SPACE;
  set_composing (flat);
  t->classes = g_malloc (room * 256);
  for (guint b = 0; b < 0x1100; b++)
    {
      guint same = t->n_blocks;

      /* Equal blocks lie in runs. */
      if (same > 0 && memcmp (t->classes[same - 1], flat + b * 256, 256) == 0)
        same--;
      else if (b > 0 && memcmp (t->classes[0], flat + b * 256, 256) == 0)
        same = 0;
      else
        {
          if (t->n_blocks == room)
            t->classes = g_realloc (t->classes, (room *= 2) * 256);
          memcpy (t->classes[t->n_blocks++], flat + b * 256, 256);
        }
      t->block[b] = (guint16) same;
    }
  return t;
}

const LmClasses *
lm_classes (void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once (&once, make, NULL);
}
