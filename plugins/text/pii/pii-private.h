/* SPDX-License-Identifier: Apache-2.0 */
/* pii-private.h: what the files of text/pii share.
 *
 * A scan goes: fold.c makes characters and their classes of the text; words.c
 * (an automaton) notes context words as events; scan.c walks the classes once
 * and calls a rule wherever one may begin; a rule adds raw hits; scan.c settles
 * overlaps.  All positions here are indices of folded characters.
 */
#ifndef TEXT_PII_PRIVATE_H
#define TEXT_PII_PRIVATE_H

#include "text/pii.h"

/* ---- characters -------------------------------------------------------------- */

enum
{
  C_DIGIT = 1 << 0, /* 0 to 9                                       */
  C_ALPHA = 1 << 1, /* ASCII letter                                 */
  C_HAN = 1 << 2,   /* ideograph; also U+3007                       */
  C_SPACE = 1 << 3, /* blank or tab                                 */
  C_CNNUM = 1 << 4, /* Chinese numeral, C_HAN as well               */
  C_STOP = 1 << 5,  /* ends a sentence or line                      */
  C_LOCAL = 1 << 6, /* may stand in the local part of an address    */
  C_HEX = 1 << 7    /* hexadecimal digit                            */
};
#define C_ALNUM (C_DIGIT | C_ALPHA)

/* ---- words ------------------------------------------------------------------- */

/* What a context word speaks for. */
enum
{
  K_MOBILE = 1 << 0,
  K_LANDLINE = 1 << 1,
  K_ID = 1 << 2,
  K_CARD = 1 << 3,
  K_PASSPORT = 1 << 4,
  K_PERMIT = 1 << 5,
  K_USCC = 1 << 6,
  K_PLATE = 1 << 7,
  K_WECHAT = 1 << 8,
  K_QQ = 1 << 9,
  K_NAME_LABEL = 1 << 10, /* a name follows                              */
  K_NAME_COLON = 1 << 11, /* a name follows if a colon stands between    */
  K_NAME_TITLE = 1 << 12, /* a name stands before                        */
  K_NAME_TITLE_EN = 1 << 13,
  K_NAME_LABEL_EN = 1 << 14,
  K_ADDRESS = 1 << 15, /* an address follows                           */
  K_STREET_EN = 1 << 16,
  K_REGION = 1 << 17, /* a province or prefecture                     */
  K_KEY = 1 << 18,    /* a key or token follows                       */
  K_PASSWORD = 1 << 19,
  K_VERSION = 1 << 20,  /* against an IP address                       */
  K_NUMBER = 1 << 21,   /* against a telephone number or card: an order number */
  K_NOT_NAME = 1 << 22, /* a word that looks like surname and given name */
  K_CUSTOM = 1 << 23,   /* a word of the caller's; `type` says which    */
  K_POSTFIX = 1 << 24   /* words that may follow a name               */
};

typedef struct
{
  const char *text;
  guint32 kinds;
  guint8 type; /* K_CUSTOM */
  guint8 n;    /* characters */
} Word;

typedef struct
{
  guint32 start, end;
  guint32 word;
} Event;

typedef struct _Words Words;

Words *pii_words_new (void);
void pii_words_free (Words *words);
/* @text: owned by the caller for good, or interned */
gboolean pii_words_add (Words *words, const char *text, guint32 kinds, guint type, GError **error);
void pii_words_add_builtin (Words *words);
void pii_words_ready (Words *words);
const Word *pii_words_get (const Words *words, guint32 word);

/* ---- one scan ---------------------------------------------------------------- */

typedef struct
{
  guint32 s, e;
  guint8 type, score, check;
  const char *rule;
  const char *context;
} Raw;

typedef struct
{
  guint32 s, e;   /* digits [s, e) */
  guint8 sep;     /* what stands before the next run: 0 none (last), ' ', '-', '.', '(' mixed */
  guint8 sep_len; /* characters of it */
} Run;

typedef struct _Custom Custom;

struct _TextPii
{
  guint64 types;
  Words *words;
  GPtrArray *names; /* of the caller's types: char * name, zh, en */
  GPtrArray *patterns;
  GStringChunk *strings;
  gboolean ready;
};

struct _TextPiiScan
{
  const TextPii *pii;
  FrStr text;
  guint32 *ch;  /* folded; letters keep their case; n + 4, padded with 0 */
  guint32 *off; /* where character i begins in the text */
  guint8 *cls;
  gsize n, room;
  gsize url_end;  /* of the URL looked at last */
  GArray *events; /* Event, by end */
  GArray *runs;   /* Run: one chain of digits */
  GArray *raw;
  GArray *hits, *doubts; /* TextPiiHit */
  GString *folded;       /* UTF-8 of ch, for patterns */
  GArray *folded_at;     /* by byte of folded: character */
  gpointer match_data, match_context;
};

typedef TextPiiScan Scan;

/* fold.c */
void pii_fold (Scan *scan, FrStr text);
guint32 pii_fold_char (guint32 c);
guint8 pii_class (guint32 c);
/* End of character i in bytes of the text. */
guint32 pii_char_end (const Scan *scan, gsize i);

/* words.c */
void pii_words_find (Scan *scan);

/* scan.c */
static inline gboolean
pii_wants (const Scan *scan, guint type)
{
  return (scan->pii->types & TEXT_PII_BIT (type)) != 0;
}
void pii_add (Scan *scan, guint type, gsize s, gsize e, guint score, guint check, const char *rule,
              const char *context);
/* The nearest event of @kinds that ends at most @reach characters before @at, in the same sentence;
 * NULL. */
const Word *pii_before (const Scan *scan, gsize at, guint32 kinds, guint reach, gsize *end);
/* The same behind, beginning at most @reach characters after @at. */
const Word *pii_after (const Scan *scan, gsize at, guint32 kinds, guint reach);
/* The event of @kinds that begins at @at; the longest. */
const Word *pii_word_at (const Scan *scan, gsize at, guint32 kinds, gsize *end);
/* How many events end at or before @at. */
guint pii_events_before (const Scan *scan, gsize at);
gsize pii_skip_label (const Scan *scan, gsize at, guint most, gboolean *colon);

static inline guint32
pii_at (const Scan *scan, gssize i)
{
  return i >= 0 && (gsize) i < scan->n ? scan->ch[i] : 0;
}
static inline guint8
pii_cls (const Scan *scan, gssize i)
{
  return i >= 0 && (gsize) i < scan->n ? scan->cls[i] : C_STOP;
}
static inline gboolean
pii_is_alnum (const Scan *scan, gssize i)
{
  return (pii_cls (scan, i) & C_ALNUM) != 0;
}

/* digits.c: a chain of runs that begins at i; returns where to go on */
gsize pii_digits (Scan *scan, gsize i);
/* telephone.c: numerals written in Chinese */
gsize pii_numerals (Scan *scan, gsize i);
/* email.c: i is '@' */
void pii_email (Scan *scan, gsize i);
/* token.c: an ASCII token begins at i */
void pii_token (Scan *scan, gsize i);
void pii_secret_after (Scan *scan, const Event *event, const Word *word);
/* url.c */
void pii_url (Scan *scan, gsize i); /* i is ':' before "//" */
gboolean pii_in_file_name (const Scan *scan, gsize s, gsize e);
/* net.c */
void pii_hex_groups (Scan *scan, gsize i);
gboolean pii_ipv4 (Scan *scan, guint a);
/* account.c: WeChat and QQ behind their words */
void pii_account (Scan *scan, const Event *event, const Word *word);
/* name.c */
void pii_name_event (Scan *scan, const Event *event, const Word *word);
void pii_name_beside (Scan *scan, gsize s, gsize e);
void pii_name_signature (Scan *scan, gsize s);
void pii_name_of_mail (Scan *scan, gsize at);
/* address.c */
void pii_address_number (Scan *scan, gsize s, gsize e);
void pii_address_event (Scan *scan, const Event *event, const Word *word);
/* plate.c: i is a province's character before a letter */
void pii_plate (Scan *scan, gsize i);
gboolean pii_is_plate_char (guint32 c);
/* custom.c */
gboolean pii_patterns_find (Scan *scan);
void pii_pattern_free (gpointer pattern);
void pii_patterns_end (Scan *scan);

/* checks.c */
gboolean pii_date_ok (guint year, guint month, guint day);

/* tables.c: facts of public standards */
gboolean pii_province_ok (guint code); /* two digits */
gboolean pii_county_known (guint code);
gboolean pii_area_code (const char *digits, gsize n);
gboolean pii_mobile_segment (guint first_three);
/* Whether issuers give cards of @n digits that begin so: 0 no, 1 only with a context word, 2 yes.
 */
guint pii_issuer (const char *digits, gsize n);
extern const char pii_regions[]; /* names, with '|' between */

/* surnames.c: 0 no surname, 1 rare or a word of its own, 2 common */
guint pii_surname (guint32 c);
gboolean pii_surname_pair (guint32 a, guint32 b);
gboolean pii_given (guint32 c);
gboolean pii_not_in_name (guint32 c);
gboolean pii_not_surname_after (guint32 before, guint32 c);

#endif
