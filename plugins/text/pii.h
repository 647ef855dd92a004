/* SPDX-License-Identifier: Apache-2.0 */
/* pii.h: personal data in Chinese and English text, found and hidden (libflowrun-text).
 *
 * One set of rules for whoever must not let a telephone number out: the
 * cleaning of training data (transform.desensitize) and the answers of a model
 * that serves.  The rules know no word borders, since Chinese has none: a
 * number ends where a digit of its own kind does not follow, an e-mail address
 * where a character that it may not hold stands.
 *
 *     g_autoptr (TextPii) pii = text_pii_new (TEXT_PII_ALL);
 *     text_pii_ready (pii, NULL);
 *     g_autoptr (TextPiiScan) scan = text_pii_scan_new (pii);     (one a thread)
 *     if (text_pii_scan (scan, text, TEXT_PII_MIN_SCORE))
 *       for (guint i = 0; i < text_pii_n_hits (scan); i++)
 *         ... text_pii_hits (scan)[i] ...
 *
 * ## How a text is read
 *
 * Once, from left to right, as *folded* characters: full-width letters, digits
 * and marks as their ASCII selves, characters of no width left out.  Hits are
 * given in bytes of the text as it was, zero-width characters and blanks inside
 * them included.  Context words (电话, 收件人, "card no") are found in the same
 * pass by one automaton (Aho and Corasick, 1975), then a table by character
 * class says where a rule has anything to look at.  Time is linear in the text
 * whatever it holds; each rule looks a bounded way to both sides.
 *
 * ## What a hit rests on
 *
 * A score of 0 to 100: the form alone, a checksum that holds, a place in a
 * table of issued numbers, a context word near by, and what speaks against it
 * (an order number, a price, a file name).  Nothing below the scan's threshold
 * is a hit.  What has the form and the context word but a checksum that is
 * wrong is a *doubt*: it is given apart, for a person to look at or to hide too.
 *
 * Where hits overlap, the type that stands first in TextPiiType's priority
 * (text_pii_priority()) wins, then the longer, then the higher score.
 *
 * ## The values a pseudonym is written as
 *
 * A pseudonym of a number keeps its length and punctuation and is never a
 * number that somebody may have: telephone numbers begin with 12 (no such
 * segment), identity cards with province 00 and have a wrong check digit, bank
 * cards begin with 0 (no issuer), IPv4 addresses lie in 240.0.0.0/4, IPv6 in
 * 2001:db8::/32 (RFC 3849), e-mail addresses end in .invalid (RFC 2606), MAC
 * addresses begin with f2:ff:ff (locally administered).  So no validator
 * takes one for real, and scanning hidden text again finds nothing.
 */
#ifndef FLOWRUN_TEXT_PII_H
#define FLOWRUN_TEXT_PII_H

#include <flowrun/batch.h>
#include <glib.h>

G_BEGIN_DECLS

/**
 * TextPiiType:
 *
 * Types that a caller adds are numbered from TEXT_PII_BUILTIN on, at most
 * TEXT_PII_MAX in all.
 */
typedef enum
{
  TEXT_PII_MOBILE = 0, /* mainland mobile, 11 digits, with or without +86                      */
  TEXT_PII_LANDLINE,   /* area code and number; 400 and 800 numbers                            */
  TEXT_PII_ID_CARD,    /* GB 11643: 18 characters, or 15 digits of before 1999                 */
  TEXT_PII_BANK_CARD,  /* ISO/IEC 7812: 13 to 19 digits, Luhn, issuer's range                  */
  TEXT_PII_PASSPORT,   /* context word needed                                                  */
  TEXT_PII_PERMIT,     /* Hong Kong, Macau and Taiwan permits; context word needed             */
  TEXT_PII_USCC,       /* GB 32100 unified social credit code                                  */
  TEXT_PII_PLATE,      /* GA 36 vehicle plates, new-energy too                                 */
  TEXT_PII_EMAIL,      /* RFC 5321 mailbox                                                     */
  TEXT_PII_WECHAT,     /* context word needed                                                  */
  TEXT_PII_QQ,         /* context word needed                                                  */
  TEXT_PII_NAME,       /* a person's, by surname and context                                   */
  TEXT_PII_ADDRESS,    /* from the administrative tree down to a door                          */
  TEXT_PII_IP,         /* IPv4 and IPv6                                                        */
  TEXT_PII_MAC,        /* IEEE 802 address                                                     */
  TEXT_PII_URL_TOKEN,  /* the secret value inside a URL                                        */
  TEXT_PII_API_KEY,    /* keys, tokens, passwords: known forms, or label and entropy           */
  TEXT_PII_BUILTIN,
  TEXT_PII_MAX = 64
} TextPiiType;

#define TEXT_PII_BIT(type) (G_GUINT64_CONSTANT (1) << (type))
#define TEXT_PII_ALL (TEXT_PII_BIT (TEXT_PII_BUILTIN) - 1)

/** TEXT_PII_MIN_SCORE: the threshold at which the figures in transform.desensitize's manual were
 * measured. */
#define TEXT_PII_MIN_SCORE 50

typedef struct _TextPii TextPii; /* the rules: immutable once ready, shared between threads */
typedef struct _TextPiiScan TextPiiScan; /* what one thread needs to use them */

/* ---- types ------------------------------------------------------------------- */

/** text_pii_type_from_name: the built-in type called @name ("mobile", "id_card"), or -1. */
int text_pii_type_from_name (const char *name);
/** text_pii_type_names: the names of the built-in types, in order, NULL-terminated. */
const char *const *text_pii_type_names (void);

/* ---- rules ------------------------------------------------------------------- */

/** text_pii_new: rules for the built-in types of @types (TEXT_PII_BIT()s). */
TextPii *text_pii_new (guint64 types);
void text_pii_free (TextPii *pii);

/**
 * text_pii_add_type: a type of the caller's own.
 * @name: lower-case letters, digits and '_', no built-in type's
 * @zh, @en: what a tag shows, "工号", "EMPLOYEE_NO"; NULL: @name
 *
 * Returns its number, or -1 with FR_ERROR_CONFIG.  A type that is there already is returned as it
 * is.
 */
int text_pii_add_type (TextPii *pii, const char *name, const char *zh, const char *en,
                       GError **error);

/** text_pii_add_word: @word (folded and in any ASCII case) is a hit of @type wherever it stands;
 * ASCII words at word borders. */
gboolean text_pii_add_word (TextPii *pii, guint type, const char *word, gsize len, GError **error);

/**
 * text_pii_add_pattern: what PCRE2 pattern @pattern matches is a hit of @type.
 *
 * The pattern sees the text folded; group 1 is the hit when there is one, else
 * all of the match.  Matching is bounded: a text on which the pattern runs
 * into its limit makes text_pii_scan() say so.  FR_ERROR_CONFIG when it cannot
 * be compiled, matches the empty string, or PCRE2 is not built in.
 */
gboolean text_pii_add_pattern (TextPii *pii, guint type, const char *pattern, GError **error);

/** text_pii_ready: after the last text_pii_add_*(); from then on @pii is constant. */
gboolean text_pii_ready (TextPii *pii, GError **error);

guint text_pii_n_types (const TextPii *pii);
const char *text_pii_type_name (const TextPii *pii, guint type);
/** text_pii_type_label: what a tag shows, without the angle brackets. */
const char *text_pii_type_label (const TextPii *pii, guint type, gboolean chinese);
/** text_pii_priority: lower wins where hits overlap; types of the caller's win over all. */
guint text_pii_priority (guint type);

/* ---- scanning ---------------------------------------------------------------- */

/**
 * text_pii_is_label: whether @name, of a column or field, tells what stands there
 * ("phone", "收件人", "order_no"), so that a value without a sentence round it is read as "NAME:
 * value".
 */
gboolean text_pii_is_label (const TextPii *pii, const char *name);

typedef enum
{
  TEXT_PII_CHECK_NONE = 0, /* the type has none                                    */
  TEXT_PII_CHECK_OK,       /* checksum, date and table hold                        */
  TEXT_PII_CHECK_WRONG     /* only in doubts                                       */
} TextPiiCheck;

/**
 * TextPiiHit:
 * @type: TextPiiType or a type of the caller's
 * @score: 0 to 100
 * @check: what came of the checksum
 * @start, @end: bytes of the text scanned
 * @rule: which rule ("mobile.segment", "name.label"); owned by the rules
 * @context: the context word that it rests on ("收件人"); owned by the rules; NULL for none
 */
typedef struct
{
  guint8 type;
  guint8 score;
  guint8 check;
  guint32 start, end;
  const char *rule;
  const char *context;
} TextPiiHit;

TextPiiScan *text_pii_scan_new (const TextPii *pii);
void text_pii_scan_free (TextPiiScan *scan);

/**
 * text_pii_scan: looks through @text (valid UTF-8, less than 2 GiB).
 * @min_score: hits of less are left out
 *
 * Returns FALSE when a pattern of the caller's ran into its limit: the hits are
 * those of all other rules, and the text must not be taken for clean.
 * What it found is valid until the next call on @scan.
 */
gboolean text_pii_scan (TextPiiScan *scan, FrStr text, guint min_score);

/** text_pii_hits: by place, without overlaps. */
const TextPiiHit *text_pii_hits (const TextPiiScan *scan);
guint text_pii_n_hits (const TextPiiScan *scan);
/** text_pii_doubts: right form and context word, wrong checksum; none of them overlaps a hit. */
const TextPiiHit *text_pii_doubts (const TextPiiScan *scan);
guint text_pii_n_doubts (const TextPiiScan *scan);

/**
 * text_pii_residual: what is left in @text after hiding, by a second, plain set of rules.
 * @types: which built-in types to look for
 * @counts: TEXT_PII_BUILTIN numbers, added to
 *
 * The rules share no code with text_pii_scan() but the tables and checksums:
 * every number of 11 digits that is a mobile number's, of 18 characters that is
 * an identity card's, of 16 to 19 that an issuer gives out and Luhn takes, alone
 * or in the usual groups, every '@' with a name and a domain, every known form of
 * key.  They ask for no context, so that a fault in a rule shows here; excepted
 * are parts of file names and URLs and numbers labelled as something else
 * (订单号, SKU, ¥).  Returns how many were found.
 */
guint text_pii_residual (TextPiiScan *scan, FrStr text, guint64 types, guint64 *counts);

/* ---- hiding ------------------------------------------------------------------ */

typedef enum
{
  TEXT_PII_KEEP = 0, /* as it is                                              */
  TEXT_PII_MASK,     /* every letter and digit becomes the mask character     */
  TEXT_PII_PARTIAL,  /* the same, but for some at the ends                    */
  TEXT_PII_TAG,      /* <手机号> or <PHONE>                                   */
  TEXT_PII_PSEUDONYM /* always the same other value for one value and key     */
} TextPiiAction;

/** TEXT_PII_USUAL: for @first and @last: what is customary for the type (mobile 3 and 4, card 0 and
 * 4, ...). */
#define TEXT_PII_USUAL G_MAXUINT

/**
 * TextPiiHide:
 * @action: what to do
 * @first, @last: PARTIAL: how many letters or digits stay; never more than half of them in all
 * @chinese: TAG and PSEUDONYM: Chinese words rather than English ones
 * @digits: PSEUDONYM: hexadecimal digits behind a word (用户_7F3A), 4 to 32; values of one
 * pseudonym may meet by chance: of n values about n²/2^(4*@digits+1) pairs
 */
typedef struct
{
  TextPiiAction action;
  guint first, last;
  gboolean chinese;
  guint digits;
} TextPiiHide;

/** TextPiiKey: the secret of pseudonyms and audit hashes: HMAC-SHA256 (RFC 2104, FIPS 180-4). */
typedef struct _TextPiiKey TextPiiKey;

TextPiiKey *text_pii_key_new (const char *secret, gsize len);
void text_pii_key_free (TextPiiKey *key);

/**
 * text_pii_append_canonical: @value as it is compared: a number without its
 * punctuation, country code and width, an address in lower case, ...
 */
void text_pii_append_canonical (guint type, FrStr value, GString *out);

/** text_pii_append_hash: the first @digits hexadecimal digits of HMAC (key, type name, canonical
 * value), in lower case. */
void text_pii_append_hash (const TextPii *pii, const TextPiiKey *key, guint type, FrStr value,
                           guint digits, GString *out);

/**
 * text_pii_append_hidden: appends what stands for @value.
 * @key: for TEXT_PII_PSEUDONYM; may be NULL otherwise
 */
void text_pii_append_hidden (const TextPii *pii, const TextPiiKey *key, guint type, FrStr value,
                             const TextPiiHide *hide, GString *out);

/* ---- checksums --------------------------------------------------------------- */

/** text_pii_luhn: whether @n digits (as '0' to '9') hold by ISO/IEC 7812-1 annex B. */
gboolean text_pii_luhn (const char *digits, gsize n);
/** text_pii_id_check: the check character of GB 11643 (ISO 7064 MOD 11-2) for 17 digits. */
char text_pii_id_check (const char *digits);
/** text_pii_uscc_check: the check character of GB 32100 for 17 characters; 0 when one of them is
 * not in its alphabet. */
char text_pii_uscc_check (const char *chars);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextPii, text_pii_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextPiiScan, text_pii_scan_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextPiiKey, text_pii_key_free)

G_END_DECLS

#endif
