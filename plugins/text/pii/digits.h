/* SPDX-License-Identifier: Apache-2.0 */
/* digits.h: a number in a chain of digits, and what stands beside it; see digits.c. */
#ifndef TEXT_PII_DIGITS_H
#define TEXT_PII_DIGITS_H

#include "text/pii/pii-private.h"

#define MOST_DIGITS 24

enum
{
  BESIDE_LETTER = 1 << 0, /* a letter or '_' touches           */
  BESIDE_HYPHEN = 1 << 1, /* a hyphen and more digits          */
  BESIDE_POINT = 1 << 2,  /* a decimal point                   */
  BESIDE_MONEY = 1 << 3,  /* a currency sign or unit           */
  BESIDE_PATH = 1 << 4,   /* part of a path or a URL, perhaps  */
  BESIDE_COUNT = 1 << 5   /* a word that counts                */
};

typedef struct
{
  guint a, b; /* runs, inclusive */
  gsize s, e; /* characters */
  guint n;    /* digits */
  guint8 sep; /* between all runs; 0: one run; 'x': different ones */
  guint left, right;
  char d[MOST_DIGITS + 1];
} Number;

typedef struct
{
  const Word *word; /* that speaks for it, or NULL */
  gboolean near;    /* directly before */
  gboolean against; /* a number of another kind, directly before */
} Context;

static inline const Run *
run_at (const Scan *scan, guint i)
{
  return &g_array_index (scan->runs, Run, i);
}

static inline guint
run_len (const Scan *scan, guint i)
{
  return run_at (scan, i)->e - run_at (scan, i)->s;
}

/* digits.c: Runs a to b as one number; FALSE: too long. */
gboolean pii_take_number (const Scan *scan, guint a, guint b, Number *number);
/* BESIDE_* of run @b's right and run @a's left side. */
guint pii_beside_left (const Scan *scan, guint a);
guint pii_beside_right (const Scan *scan, guint b);
/* What words say of a number from @s to @e: @kinds speak for it, K_NUMBER against. */
Context pii_context_of (const Scan *scan, gsize s, gsize e, guint32 kinds, guint reach);
/* Whether a context word of @kinds ends right at @s. */
gboolean pii_label_touches (const Scan *scan, gsize s, guint32 kinds);
static inline const char *
word_text (const Context *context)
{
  return context->word ? context->word->text : NULL;
}

/* telephone.c: numbers that begin with run @a */
void pii_mobile (Scan *scan, guint a);
void pii_landline (Scan *scan, guint a);
/* cards.c */
void pii_id_card (Scan *scan, Number *number);
void pii_bank_card (Scan *scan, Number *number);
void pii_uscc_of_digits (Scan *scan, Number *number);

#endif
