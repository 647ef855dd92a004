/* SPDX-License-Identifier: Apache-2.0 */
/* scan.c: one pass over a text, and what is left where hits overlap. */
#include "config.h"

#include <string.h>
#include <wchar.h>

#include "text/pii/pii-private.h"

TextPiiScan *
text_pii_scan_new (const TextPii *pii)
{
  Scan *scan = g_new0 (Scan, 1);

  scan->pii = pii;
  scan->events = g_array_new (FALSE, FALSE, sizeof (Event));
  scan->runs = g_array_new (FALSE, FALSE, sizeof (Run));
  scan->raw = g_array_new (FALSE, FALSE, sizeof (Raw));
  scan->hits = g_array_new (FALSE, FALSE, sizeof (TextPiiHit));
  scan->doubts = g_array_new (FALSE, FALSE, sizeof (TextPiiHit));
  scan->folded = g_string_new (NULL);
  scan->folded_at = g_array_new (FALSE, FALSE, sizeof (guint32));
  return scan;
}

void
text_pii_scan_free (TextPiiScan *scan)
{
  if (scan == NULL)
    return;
  g_free (scan->ch);
  g_free (scan->off);
  g_free (scan->cls);
  g_array_unref (scan->events);
  g_array_unref (scan->runs);
  g_array_unref (scan->raw);
  g_array_unref (scan->hits);
  g_array_unref (scan->doubts);
  g_string_free (scan->folded, TRUE);
  g_array_unref (scan->folded_at);
  pii_patterns_end (scan);
  g_free (scan);
}

static gboolean
begins_with (const Scan *scan, gsize s, gsize e, const char *word, gsize *end)
{
  for (; *word != '\0'; word++, s++)
    if (s >= e || scan->ch[s] != (guint32) *word)
      return FALSE;
  *end = s;
  return TRUE;
}

/* "TOKEN_7F3A09C1", "User_…": a pseudonym of ours, see hide.c. */
static gboolean
is_pseudonym (const Scan *scan, gsize s, gsize e)
{
  gsize at = 0;
  gboolean ours = FALSE;

  if (!(scan->cls[s] & C_ALPHA) || scan->ch[s] >= 'a')
    return FALSE;
  ours = begins_with (scan, s, e, "User", &at);
  for (guint type = 0; type < TEXT_PII_BUILTIN && !ours; type++)
    ours = begins_with (scan, s, e, text_pii_type_label (scan->pii, type, FALSE), &at)
           && scan->ch[at] == '_';
  if (!ours || at + 5 > e || scan->ch[at] != '_')
    return FALSE;
  while (++at < e)
    if (!(scan->cls[at] & C_HEX) || scan->ch[at] >= 'a')
      return FALSE;
  return TRUE;
}

void
pii_add (Scan *scan, guint type, gsize s, gsize e, guint score, guint check, const char *rule,
         const char *context)
{
  Raw raw = { .s = (guint32) s,
              .e = (guint32) e,
              .type = (guint8) type,
              .score = (guint8) MIN (score, 100),
              .check = (guint8) check,
              .rule = rule,
              .context = context };

  if (s < e && is_pseudonym (scan, s, e))
    return;
  if (s < e && e <= scan->n && (type >= TEXT_PII_BUILTIN || pii_wants (scan, type)))
    g_array_append_val (scan->raw, raw);
}

/* ---- context ----------------------------------------------------------------- */

/* How many events end at or before @at. */
guint
pii_events_before (const Scan *scan, gsize at)
{
  const Event *events = (const Event *) (const void *) scan->events->data;
  guint low = 0, high = scan->events->len;

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (events[middle].end <= at)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static gboolean
has_stop (const Scan *scan, gsize s, gsize e)
{
  for (; s < e; s++)
    if (scan->cls[s] & C_STOP)
      return TRUE;
  return FALSE;
}

/* No sentence needs more than so many words next to one place. */
#define MAX_LOOKS 64

const Word *
pii_before (const Scan *scan, gsize at, guint32 kinds, guint reach, gsize *end)
{
  guint i = pii_events_before (scan, at);

  for (guint looks = 0; i > 0 && looks < MAX_LOOKS; i--, looks++)
    {
      const Event *event = &g_array_index (scan->events, Event, i - 1);
      const Word *word = pii_words_get (scan->pii->words, event->word);

      if (event->end + reach < at)
        return NULL;
      if (!(word->kinds & kinds))
        continue;
      if (has_stop (scan, event->end, at))
        return NULL;
      if (end != NULL)
        *end = event->end;
      return word;
    }
  return NULL;
}

const Word *
pii_after (const Scan *scan, gsize at, guint32 kinds, guint reach)
{
  for (guint i = pii_events_before (scan, at), looks = 0;
       i < scan->events->len && looks < MAX_LOOKS; i++, looks++)
    {
      const Event *event = &g_array_index (scan->events, Event, i);
      const Word *word = pii_words_get (scan->pii->words, event->word);

      if (event->start > at + reach)
        return NULL;
      if (event->start < at || !(word->kinds & kinds))
        continue;
      return has_stop (scan, at, event->start) ? NULL : word;
    }
  return NULL;
}

const Word *
pii_word_at (const Scan *scan, gsize at, guint32 kinds, gsize *end)
{
  const Word *found = NULL;
  gsize best = at;

  for (guint i = pii_events_before (scan, at), looks = 0;
       i < scan->events->len && looks < MAX_LOOKS; i++, looks++)
    {
      const Event *event = &g_array_index (scan->events, Event, i);
      const Word *word = pii_words_get (scan->pii->words, event->word);

      if (event->end > at + 64)
        break;
      if (event->start != at || !(word->kinds & kinds) || event->end <= best)
        continue;
      found = word;
      best = event->end;
    }
  if (found != NULL && end != NULL)
    *end = best;
  return found;
}

/* What may stand between a label and its value: blanks, a colon, "是", quotes. */
gsize
pii_skip_label (const Scan *scan, gsize at, guint most, gboolean *colon)
{
  gsize limit = at + most;

  *colon = FALSE;
  for (; at < scan->n && at < limit; at++)
    {
      guint32 c = scan->ch[at];

      if (c == ':' || c == '=' || c == L'是' || c == L'为' || c == '>')
        *colon = TRUE;
      else if (!(scan->cls[at] & C_SPACE) && c != '"' && c != '\'' && c != '(' && c != ')'
               && c != '[' && c != ']' && c != 0x201c && c != 0x201d && c != 0x3010 && c != 0x3011
               && c != 0x300c && c != '|' && c != '/' && c != '*' && c != '`')
        break;
    }
  return at;
}

/* ---- overlaps ---------------------------------------------------------------- */

guint
text_pii_priority (guint type)
{
  static const guint8 order[TEXT_PII_BUILTIN] = {
    [TEXT_PII_EMAIL] = 2,     [TEXT_PII_URL_TOKEN] = 1, [TEXT_PII_API_KEY] = 3,
    [TEXT_PII_ID_CARD] = 4,   [TEXT_PII_USCC] = 5,      [TEXT_PII_BANK_CARD] = 6,
    [TEXT_PII_MOBILE] = 7,    [TEXT_PII_MAC] = 8,       [TEXT_PII_IP] = 9,
    [TEXT_PII_PERMIT] = 10,   [TEXT_PII_PASSPORT] = 11, [TEXT_PII_PLATE] = 12,
    [TEXT_PII_LANDLINE] = 13, [TEXT_PII_QQ] = 14,       [TEXT_PII_WECHAT] = 15,
    [TEXT_PII_ADDRESS] = 16,  [TEXT_PII_NAME] = 17,
  };

  return type < TEXT_PII_BUILTIN ? order[type] : 0;
}

/* The better one first. */
static int
by_rank (gconstpointer a, gconstpointer b)
{
  const Raw *x = a, *y = b;
  guint px = text_pii_priority (x->type), py = text_pii_priority (y->type);

  if ((x->check == TEXT_PII_CHECK_WRONG) != (y->check == TEXT_PII_CHECK_WRONG))
    return x->check == TEXT_PII_CHECK_WRONG ? 1 : -1;
  if (px != py)
    return px < py ? -1 : 1;
  if (x->e - x->s != y->e - y->s)
    return x->e - x->s > y->e - y->s ? -1 : 1;
  if (x->score != y->score)
    return x->score > y->score ? -1 : 1;
  return x->s != y->s ? (x->s < y->s ? -1 : 1) : x->type < y->type ? -1 : x->type > y->type;
}

static int
by_place (gconstpointer a, gconstpointer b)
{
  const Raw *x = a, *y = b;

  return x->s < y->s ? -1 : x->s > y->s;
}

/* Index of the first kept range that ends behind @s. */
static guint
place_of (const GArray *kept, guint32 s)
{
  guint low = 0, high = kept->len;

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (g_array_index (kept, Raw, middle).e <= s)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static void
give (Scan *scan, const Raw *raw)
{
  TextPiiHit hit = { .type = raw->type,
                     .score = raw->score,
                     .check = raw->check,
                     .start = scan->off[raw->s],
                     .end = pii_char_end (scan, raw->e - 1),
                     .rule = raw->rule,
                     .context = raw->context };

  g_array_append_val (raw->check == TEXT_PII_CHECK_WRONG ? scan->doubts : scan->hits, hit);
}

static int
raw_clusters (gconstpointer a, gconstpointer b)
{
  const Raw *x = a, *y = b;

  return x->s != y->s ? (x->s < y->s ? -1 : 1) : x->e > y->e ? -1 : x->e < y->e;
}

/* Overlapping hits form clusters; each is settled by itself, so that a text of
 * a million hits costs no more than their number. */
static void
settle (Scan *scan)
{
  GArray *raw = scan->raw;
  guint from = 0;

  g_array_sort (raw, raw_clusters);
  while (from < raw->len)
    {
      guint32 reach = g_array_index (raw, Raw, from).e;
      guint to = from + 1;

      while (to < raw->len && g_array_index (raw, Raw, to).s < reach)
        {
          reach = MAX (reach, g_array_index (raw, Raw, to).e);
          to++;
        }
      if (to == from + 1)
        give (scan, &g_array_index (raw, Raw, from));
      else
        {
          g_autoptr (GArray) kept = g_array_new (FALSE, FALSE, sizeof (Raw));

          qsort (&g_array_index (raw, Raw, from), to - from, sizeof (Raw), by_rank);
          for (guint i = from; i < to; i++)
            {
              const Raw *r = &g_array_index (raw, Raw, i);
              guint at = place_of (kept, r->s);

              if (at == kept->len || g_array_index (kept, Raw, at).s >= r->e)
                g_array_insert_val (kept, at, *r);
            }
          g_array_sort (kept, by_place);
          for (guint i = 0; i < kept->len; i++)
            give (scan, &g_array_index (kept, Raw, i));
        }
      from = to;
    }
}

/* ---- the pass ---------------------------------------------------------------- */

static void
look_at_words (Scan *scan)
{
  for (guint i = 0; i < scan->events->len; i++)
    {
      const Event event = g_array_index (scan->events, Event, i);
      const Word *word = pii_words_get (scan->pii->words, event.word);

      if (word->kinds & K_CUSTOM)
        pii_add (scan, word->type, event.start, event.end, 100, TEXT_PII_CHECK_NONE, "word", NULL);
      if (word->kinds
              & (K_NAME_LABEL | K_NAME_COLON | K_NAME_TITLE | K_NAME_TITLE_EN | K_NAME_LABEL_EN)
          && pii_wants (scan, TEXT_PII_NAME))
        pii_name_event (scan, &event, word);
      if (word->kinds & (K_ADDRESS | K_STREET_EN) && pii_wants (scan, TEXT_PII_ADDRESS))
        pii_address_event (scan, &event, word);
      if (word->kinds & (K_WECHAT | K_QQ))
        pii_account (scan, &event, word);
      if (word->kinds & (K_KEY | K_PASSWORD) && pii_wants (scan, TEXT_PII_API_KEY))
        pii_secret_after (scan, &event, word);
    }
}

static void
look_at_characters (Scan *scan)
{
  const guint8 *cls = scan->cls;
  gsize digits_end = 0;

  for (gsize i = 0; i < scan->n; i++)
    {
      guint8 c = cls[i], before = i > 0 ? cls[i - 1] : 0;

      if (c & C_ALNUM)
        {
          if (!(before & C_ALNUM) && (i == 0 || scan->ch[i - 1] != '_'))
            pii_token (scan, i);
          if (c & C_DIGIT && !(before & C_DIGIT) && i >= digits_end)
            digits_end = pii_digits (scan, i);
        }
      else if (c & C_CNNUM)
        {
          if (!(before & C_CNNUM))
            pii_numerals (scan, i);
        }
      else if (scan->ch[i] == '@')
        pii_email (scan, i);
      else if (scan->ch[i] == '-' && i > 0 && scan->ch[i - 1] == '-' && cls[i + 1] & C_HAN)
        pii_name_signature (scan, i + 1);
      else if (scan->ch[i] == ':' && scan->ch[i + 1] == '/' && scan->ch[i + 2] == '/')
        pii_url (scan, i);
      if (c & C_HAN && cls[i + 1] & C_ALPHA && pii_is_plate_char (scan->ch[i]))
        pii_plate (scan, i);
    }
}

gboolean
text_pii_scan (TextPiiScan *scan, FrStr text, guint min_score)
{
  gboolean whole = TRUE;

  g_return_val_if_fail (scan->pii->ready, FALSE);
  g_array_set_size (scan->events, 0);
  g_array_set_size (scan->raw, 0);
  g_array_set_size (scan->hits, 0);
  g_array_set_size (scan->doubts, 0);
  if (text.len == 0)
    return TRUE;
  scan->url_end = 0;
  pii_fold (scan, text);
  pii_words_find (scan);
  look_at_characters (scan);
  look_at_words (scan);
  if (scan->pii->patterns->len > 0)
    whole = pii_patterns_find (scan);
  for (guint i = scan->raw->len; i > 0; i--)
    if (g_array_index (scan->raw, Raw, i - 1).score < min_score)
      g_array_remove_index_fast (scan->raw, i - 1);
  settle (scan);
  return whole;
}

gboolean
text_pii_is_label (const TextPii *pii, const char *name)
{
  g_autoptr (TextPiiScan) scan = text_pii_scan_new (pii);
  g_autofree char *spaced = g_strdelimit (g_strdup (name), "_-.", ' ');
  const guint32 kinds = K_MOBILE | K_LANDLINE | K_ID | K_CARD | K_PASSPORT | K_PERMIT | K_USCC
                        | K_PLATE | K_WECHAT | K_QQ | K_NAME_LABEL | K_NAME_LABEL_EN | K_ADDRESS
                        | K_KEY | K_PASSWORD | K_NUMBER; /* the last says what it is not */

  pii_fold (scan, (FrStr){ spaced, strlen (spaced) });
  pii_words_find (scan);
  /* The last word says what it is: "phone_model" is no telephone.  A bare "name" is as often
   * a product's. */
  if (g_ascii_strcasecmp (spaced, "name") == 0)
    return FALSE;
  for (guint i = 0; i < scan->events->len; i++)
    {
      const Event *event = &g_array_index (scan->events, Event, i);

      if (event->end == scan->n && pii_words_get (pii->words, event->word)->kinds & kinds)
        return TRUE;
    }
  return FALSE;
}

const TextPiiHit *
text_pii_hits (const TextPiiScan *scan)
{
  return (const TextPiiHit *) (const void *) scan->hits->data;
}

guint
text_pii_n_hits (const TextPiiScan *scan)
{
  return scan->hits->len;
}

const TextPiiHit *
text_pii_doubts (const TextPiiScan *scan)
{
  return (const TextPiiHit *) (const void *) scan->doubts->data;
}

guint
text_pii_n_doubts (const TextPiiScan *scan)
{
  return scan->doubts->len;
}
