/* SPDX-License-Identifier: Apache-2.0 */
/* quality.c: see quality.h.
 *
 * One walk over the text makes units, lines and paragraphs, and counts
 * characters; what repeats is found afterwards by hashes of them.
 */
#include "config.h"

#include "text/quality.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "text/chars.h"
#include "text/grams.h"

#define SHORT_COLUMNS 30
#define LEAST_WORDS 10 /* for the mean length of a word */
#define CHARACTERS_IN_A_ROW 10

static const struct
{
  const char *name;
  gboolean is_share;
} names[TEXT_N_FIGURES] = {
  { "characters", FALSE },
  { "units", FALSE },
  { "sentences", FALSE },
  { "mean_word", FALSE },
  { "longest_word", FALSE },
  { "mean_line", FALSE },
  { "repeated_lines", TRUE },
  { "repeated_line_characters", TRUE },
  { "repeated_paragraphs", TRUE },
  { "repeated_paragraph_characters", TRUE },
  { "top_2gram", TRUE },
  { "top_3gram", TRUE },
  { "top_4gram", TRUE },
  { "repeated_5grams", TRUE },
  { "repeated_6grams", TRUE },
  { "repeated_7grams", TRUE },
  { "repeated_8grams", TRUE },
  { "repeated_9grams", TRUE },
  { "repeated_10grams", TRUE },
  { "repeated_characters", TRUE },
  { "marks_per_unit", FALSE },
  { "bullet_lines", TRUE },
  { "ellipsis_lines", TRUE },
  { "alphabetic", TRUE },
  { "alphanumeric", TRUE },
  { "symbols", TRUE },
  { "digits", TRUE },
  { "stop_words", FALSE },
  { "stop_share", TRUE },
  { "end_marks", TRUE },
  { "short_lines", TRUE },
  { "newlines", FALSE },
  { "boilerplate", TRUE },
};

const char *
text_quality_name (TextFigureOfQuality figure)
{
  return names[figure].name;
}

gboolean
text_quality_is_share (TextFigureOfQuality figure)
{
  return names[figure].is_share;
}

/* ---- words ------------------------------------------------------------------------ */

/* The first eight are Gopher's, the first sixteen Chinese ones as frequent; the rest are as grammar
 * has them. */
static const char stop_words[]
    = "the be to of and that have with "
      "a an in is are was were been being it its this these those he she they we you i his her "
      "their "
      "our your my me him them us for on at by from as or but not no so if than then there here "
      "what "
      "which who when where why how do does did has had can could will would shall should may "
      "might "
      "must about into over under after before between through during above below up down out off "
      "again very just too only own same such both each few more most other some any all";
#define N_FIRST_WORDS 8
static const char stop_characters[]
    = "的了是在和有不我他这就也都与为要"
      "這與為于於之而及或但被把从從向对對以所其它她你您们們着著过過得地"
      "个個吗嗎呢吧啊很更最又再还還没沒无無因由到上下中里裡内內外前后後";
#define N_FIRST_CHARACTERS 16

static inline guint64
mix (guint64 x)
{
  x ^= x >> 33;
  x *= G_GUINT64_CONSTANT (0xff51afd7ed558ccd);
  x ^= x >> 33;
  x *= G_GUINT64_CONSTANT (0xc4ceb9fe1a85ec53);
  return x ^ x >> 33;
}

static inline guint64
add_letter (guint64 word, gunichar c)
{
  return mix (word ^ c) + c;
}

/* Hashes of stop words, to 1 + their place among the first ones, or to 255. */
static GHashTable *
stop_table (void)
{
  static GHashTable *known;

  if (g_once_init_enter (&known))
    {
      GHashTable *table = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
      g_auto (GStrv) words = g_strsplit (stop_words, " ", -1);
      guint n = 0;

      for (guint i = 0; words[i] != NULL; i++)
        {
          guint64 hash = 0;

          for (const char *p = words[i]; *p != '\0'; p++)
            hash = add_letter (hash, (guchar) *p);
          g_hash_table_insert (table, g_memdup2 (&hash, sizeof hash),
                               GUINT_TO_POINTER (i < N_FIRST_WORDS ? i + 1 : 255));
        }
      for (const char *p = stop_characters; *p != '\0'; p = g_utf8_next_char (p), n++)
        {
          guint64 hash = add_letter (0, g_utf8_get_char (p));

          g_hash_table_insert (
              table, g_memdup2 (&hash, sizeof hash),
              GUINT_TO_POINTER (n < N_FIRST_CHARACTERS ? N_FIRST_WORDS + n + 1 : 255));
        }
      g_once_init_leave (&known, table);
    }
  return known;
}

/* What a web page says around its content.  Lower case; Chinese in both scripts where they differ.
 */
static const char *const frame_phrases[] = { "lorem ipsum",
                                             "enable javascript",
                                             "javascript is disabled",
                                             "requires javascript",
                                             "uses cookies",
                                             "use cookies",
                                             "use of cookies",
                                             "cookie policy",
                                             "accept cookies",
                                             "accept all cookies",
                                             "privacy policy",
                                             "terms of use",
                                             "terms of service",
                                             "terms & conditions",
                                             "all rights reserved",
                                             "sign up for our newsletter",
                                             "启用javascript",
                                             "启用 javascript",
                                             "使用cookie",
                                             "使用 cookie",
                                             "隐私政策",
                                             "隱私政策",
                                             "隐私声明",
                                             "用户协议",
                                             "用戶協議",
                                             "服务条款",
                                             "服務條款",
                                             "使用条款",
                                             "版权所有",
                                             "版權所有",
                                             "保留所有权利",
                                             "icp备",
                                             "扫码关注",
                                             "扫一扫关注",
                                             "责任编辑",
                                             "转载请注明",
                                             "点击阅读原文",
                                             "免责声明" };

/* ---- what is kept of a text ---------------------------------------------------------- */

typedef struct
{
  guint64 hash;
  guint32 characters;
  guint8 weight; /* two halves make a word */
} Unit;

/* A line or a paragraph. */
typedef struct
{
  guint64 hash, characters;
} Piece;

typedef struct
{
  guint64 hash;
  guint32 round, count;
} Slot;

struct _TextQuality
{
  GArray *units;              /* Unit */
  GArray *lines, *paragraphs; /* Piece */
  Slot *slots;
  gsize n_slots;
  guint32 round; /* slots of other rounds are free */
  GString *lower;
  TextGrams *characters;
  /* the walk */
  guint64 n_characters, n_alnum, n_digits, n_symbols, n_symbol_runs, n_alphabetic, n_marks;
  guint64 n_sentences, n_newlines, n_words, n_word_letters, longest, n_stop;
  guint64 n_bullets, n_ellipses, n_ended, n_short, n_frames;
  guint32 stops; /* of the first ones, seen */
};

TextQuality *
text_quality_new (void)
{
  static const TextGramRule rule
      = { TEXT_GRAM_CHARACTERS, .characters = CHARACTERS_IN_A_ROW, .words = 1 };
  TextQuality *q = g_new0 (TextQuality, 1);

  q->units = g_array_new (FALSE, FALSE, sizeof (Unit));
  q->lines = g_array_new (FALSE, FALSE, sizeof (Piece));
  q->paragraphs = g_array_new (FALSE, FALSE, sizeof (Piece));
  q->lower = g_string_new (NULL);
  q->characters = text_grams_new (&rule);
  return q;
}

void
text_quality_free (TextQuality *q)
{
  if (q == NULL)
    return;
  g_array_unref (q->units);
  g_array_unref (q->lines);
  g_array_unref (q->paragraphs);
  g_free (q->slots);
  g_string_free (q->lower, TRUE);
  text_grams_free (q->characters);
  g_free (q);
}

/* ---- a table of hashes ---------------------------------------------------------------- */

static void
begin_table (TextQuality *q, gsize n)
{
  gsize wanted = 64;

  while (wanted < n * 2)
    wanted *= 2;
  if (q->n_slots < wanted || q->round == G_MAXUINT32)
    {
      g_free (q->slots);
      q->n_slots = MAX (wanted, q->n_slots);
      q->slots = g_new0 (Slot, q->n_slots);
      q->round = 0;
    }
  q->round++;
}

/* Counts @hash; how often it was there, this time included. */
static guint32
count_hash (TextQuality *q, guint64 hash)
{
  gsize at = (gsize) hash & (q->n_slots - 1);

  for (;; at = (at + 1) & (q->n_slots - 1))
    {
      Slot *slot = &q->slots[at];

      if (slot->round != q->round)
        {
          *slot = (Slot){ hash, q->round, 1 };
          return 1;
        }
      if (slot->hash == hash)
        return ++slot->count;
    }
}

/* ---- characters ------------------------------------------------------------------------- */

static gboolean
is_one_of (gunichar c, const char *chars)
{
  for (const char *p = chars; *p != '\0'; p = g_utf8_next_char (p))
    if (g_utf8_get_char (p) == c)
      return TRUE;
  return FALSE;
}

/* What ends a sentence. */
static gboolean
is_end (gunichar c)
{
  return c < 0x80 ? c == '.' || c == '!' || c == '?' : is_one_of (c, "。！？…．｡؟।");
}

/* What may close behind an end mark, or stand for one: C4 takes a quote for the end of a line too.
 */
static gboolean
is_closing (gunichar c)
{
  return c < 0x80 ? c == '"' || c == '\'' || c == ')' : is_one_of (c, "”’」』）》】；");
}

static gboolean
is_usual (gunichar c)
{
  if (c < 0x80)
    return strchr (".,;:!?'\"()-", (int) c) != NULL;
  return is_one_of (c, "，。、；：？！“”‘’（）《》【】「」『』…—～·．–");
}

static gboolean
is_bullet (gunichar c)
{
  return c < 0x80 ? c == '-' || c == '*' : is_one_of (c, "•‣●○◦▪■□◆◇★☆※·–—➤►");
}

static guint
columns_of (gunichar c)
{
  return g_unichar_iswide (c) ? 2 : 1;
}

/* ---- the walk ---------------------------------------------------------------------------- */

typedef struct
{
  TextQuality *q;
  GHashTable *stops;
  guint64 word; /* under way */
  guint32 letters;
  gboolean has_letter, in_symbols, is_stop;
  guint64 solid; /* characters since the last blank or ideograph */
  gboolean said; /* a unit since the last end mark */
} Walk;

static void
take_unit (Walk *w, guint64 hash, guint32 characters, gboolean is_word, gboolean alphabetic)
{
  Unit unit = { hash, characters, is_word ? 2 : 1 };
  guint stop = GPOINTER_TO_UINT (g_hash_table_lookup (w->stops, &hash));

  g_array_append_val (w->q->units, unit);
  w->q->n_alphabetic += alphabetic;
  w->q->n_stop += stop != 0;
  if (stop != 0 && stop != 255)
    w->q->stops |= 1u << (stop - 1);
  w->said = TRUE;
}

static void
end_word (Walk *w)
{
  if (w->letters == 0)
    return;
  take_unit (w, w->word, w->letters, TRUE, w->has_letter);
  if (w->has_letter)
    {
      w->q->n_words++;
      w->q->n_word_letters += w->letters;
    }
  w->word = 0;
  w->letters = 0;
  w->has_letter = FALSE;
}

static void
take_alnum (Walk *w, gunichar c, guint32 flags)
{
  TextQuality *q = w->q;

  q->n_alnum++;
  q->n_digits += (flags & TEXT_CH_DIGIT) != 0;
  w->in_symbols = FALSE;
  if (text_stands_alone (c))
    {
      end_word (w);
      take_unit (w, add_letter (0, c), 1, FALSE, TRUE);
      w->solid = 0;
      return;
    }
  w->word = add_letter (w->word,
                        c < 0x80 ? (gunichar) g_ascii_tolower ((char) c) : g_unichar_tolower (c));
  w->letters++;
  w->has_letter |= !(flags & TEXT_CH_DIGIT);
  w->solid++;
  q->longest = MAX (q->longest, w->solid);
}

static void
take_mark (Walk *w, gunichar c, gunichar before)
{
  TextQuality *q = w->q;
  gboolean usual = is_usual (c);

  end_word (w);
  q->n_symbols += !usual;
  q->n_symbol_runs += !usual && !w->in_symbols;
  w->in_symbols = !usual;
  q->n_marks += c == '#' || c == 0x2026 || (c == '.' && before == '.');
  if (is_end (c) && w->said)
    {
      q->n_sentences++;
      w->said = FALSE;
    }
  if (c >= 0x80)
    w->solid = 0;
  else
    {
      w->solid++;
      q->longest = MAX (q->longest, w->solid);
    }
}

static void
take_char (Walk *w, gunichar c, gunichar before)
{
  guint32 flags = text_char_flags (c);

  if (flags & (TEXT_CH_BLANK | TEXT_CH_NEWLINE))
    {
      end_word (w);
      w->in_symbols = FALSE;
      w->solid = 0;
      return;
    }
  w->q->n_characters++;
  if (flags & (TEXT_CH_ALNUM | TEXT_CH_MARK))
    take_alnum (w, c, flags);
  else
    take_mark (w, c, before);
}

/* ---- lines --------------------------------------------------------------------------------- */

static FrStr
trimmed (const char *from, const char *to)
{
  while (from < to)
    {
      const char *next = from;

      if (!(text_char_flags (text_next_char (&next)) & (TEXT_CH_BLANK | TEXT_CH_NEWLINE)))
        break;
      from = next;
    }
  while (to > from)
    {
      const char *last = text_prev_char (to), *p = last;

      if (!(text_char_flags (text_next_char (&p)) & (TEXT_CH_BLANK | TEXT_CH_NEWLINE)))
        break;
      to = last;
    }
  return (FrStr){ from, (gsize) (to - from) };
}

static gunichar
char_before (const char *from, const char **to)
{
  const char *p;

  if (*to <= from)
    return 0;
  *to = text_prev_char (*to);
  p = *to;
  return text_next_char (&p);
}

static void
look_at_ends (TextQuality *q, FrStr line)
{
  const char *first = line.data, *last = line.data + line.len;
  gunichar end = char_before (line.data, &last), before = char_before (line.data, &last);

  q->n_bullets += is_bullet (text_next_char (&first));
  q->n_ellipses
      += end == 0x2026 || (end == '.' && before == '.') || (end == 0x3002 && before == 0x3002);
  q->n_ended += is_end (end) || is_closing (end);
}

static void
take_line (TextQuality *q, FrStr line)
{
  Piece piece = { XXH3_64bits (line.data, line.len), 0 };
  const char *p = line.data, *end = line.data + line.len;
  guint columns = 0;

  while (p < end)
    {
      gunichar c = text_next_char (&p);

      piece.characters++;
      columns += columns <= SHORT_COLUMNS ? columns_of (c) : 0;
    }
  g_array_append_val (q->lines, piece);
  q->n_short += columns <= SHORT_COLUMNS;
  look_at_ends (q, line);
}

static void
take_paragraph (TextQuality *q, const char *from, const char *to)
{
  FrStr text = trimmed (from, to);
  Piece piece = { 0, 0 };

  if (text.len == 0)
    return;
  piece.hash = XXH3_64bits (text.data, text.len);
  piece.characters = text.len; /* of a repeat all that matters is how they relate */
  g_array_append_val (q->paragraphs, piece);
}

static void
cut_lines (TextQuality *q, FrStr text)
{
  const char *p = text.data, *end = text.data + text.len, *line = p, *paragraph = p;

  while (p < end)
    {
      const char *newline = memchr (p, '\n', (gsize) (end - p));
      const char *to = newline != NULL ? newline : end;
      FrStr content = trimmed (line, to);

      q->n_newlines += newline != NULL;
      if (content.len > 0)
        take_line (q, content);
      else
        {
          take_paragraph (q, paragraph, line);
          paragraph = to;
        }
      p = line = newline != NULL ? newline + 1 : end;
    }
  take_paragraph (q, paragraph, end);
}

/* Lines with a phrase of a page's frame; most texts have none, and that is found at once. */
static void
look_for_frames (TextQuality *q, FrStr text)
{
  g_autofree char *lower = NULL;
  gsize n = 0;
  const char *found[G_N_ELEMENTS (frame_phrases)];

  g_string_truncate (q->lower, 0);
  g_string_append_len (q->lower, text.data, (gssize) text.len);
  for (gsize i = 0; i < q->lower->len; i++)
    q->lower->str[i] = g_ascii_tolower (q->lower->str[i]);
  for (guint i = 0; i < G_N_ELEMENTS (frame_phrases); i++)
    if (memmem (q->lower->str, q->lower->len, frame_phrases[i], strlen (frame_phrases[i])) != NULL)
      found[n++] = frame_phrases[i];
  for (const char *p = q->lower->str, *end = p + q->lower->len; n > 0 && p < end;)
    {
      const char *newline = memchr (p, '\n', (gsize) (end - p));
      gsize len = (gsize) ((newline != NULL ? newline : end) - p), i = 0;

      while (i < n && memmem (p, len, found[i], strlen (found[i])) == NULL)
        i++;
      q->n_frames += i < n;
      p += len + (newline != NULL);
    }
}

/* ---- repeats ------------------------------------------------------------------------------- */

static double
share (guint64 part, guint64 all)
{
  return all > 0 ? MIN ((double) part / (double) all, 1) : (double) NAN;
}

static void
repeated_pieces (TextQuality *q, const GArray *pieces, guint least, double *of_pieces,
                 double *of_characters)
{
  guint64 again = 0, characters = 0, all = 0;

  *of_pieces = *of_characters = (double) NAN;
  if (pieces->len < least)
    return;
  begin_table (q, pieces->len);
  for (guint i = 0; i < pieces->len; i++)
    {
      const Piece *piece = &g_array_index (pieces, Piece, i);

      all += piece->characters;
      if (count_hash (q, piece->hash) > 1)
        {
          again++;
          characters += piece->characters;
        }
    }
  *of_pieces = share (again, pieces->len);
  *of_characters = share (characters, all);
}

/* Grams of @n words from each unit on: a window that is as heavy as they are. */
typedef struct
{
  const Unit *units;
  guint n_units, from, to, full, weight;
  guint64 characters, hash;
} Window;

static gboolean
window_next (Window *w)
{
  if (w->from >= w->n_units)
    return FALSE;
  while (w->weight < w->full && w->to < w->n_units)
    {
      w->weight += w->units[w->to].weight;
      w->characters += w->units[w->to++].characters;
    }
  if (w->weight < w->full)
    return FALSE;
  w->hash = 0;
  for (guint i = w->from; i < w->to; i++)
    w->hash = (w->hash + w->units[i].hash) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  w->hash = mix (w->hash);
  return TRUE;
}

static void
window_move (Window *w)
{
  w->weight -= w->units[w->from].weight;
  w->characters -= w->units[w->from++].characters;
}

static Window
window_of (const TextQuality *q, guint n)
{
  return (Window){ .units = (const Unit *) (gpointer) q->units->data,
                   .n_units = q->units->len,
                   .full = 2 * n };
}

static guint64
all_characters (const TextQuality *q)
{
  guint64 n = 0;

  for (guint i = 0; i < q->units->len; i++)
    n += g_array_index (q->units, Unit, i).characters;
  return n;
}

/* The share of the most frequent gram; of as frequent ones the longest.  Once is no repeat. */
static double
top_gram (TextQuality *q, guint n, guint64 all)
{
  Window w = window_of (q, n);
  guint64 best = 0;
  guint32 most = 1;

  begin_table (q, q->units->len);
  for (; window_next (&w); window_move (&w))
    {
      guint32 count = count_hash (q, w.hash);

      if (count > most)
        best = w.characters;
      else if (count == most && count > 1)
        best = MAX (best, w.characters);
      most = MAX (most, count);
    }
  return most > 1 ? share (most * best, all) : 0;
}

/* The share of grams that were there before, no character counted twice. */
static double
repeated_grams (TextQuality *q, guint n, guint64 all)
{
  Window w = window_of (q, n);
  guint64 characters = 0;

  begin_table (q, q->units->len);
  while (window_next (&w))
    {
      guint to = w.to;

      if (count_hash (q, w.hash) == 1)
        {
          window_move (&w);
          continue;
        }
      characters += w.characters;
      while (w.from < to)
        window_move (&w);
    }
  return share (characters, all);
}

static double
repeated_characters (TextQuality *q, FrStr text)
{
  gsize n, again = 0;
  gboolean whole;
  const guint64 *grams = text_grams_of (q->characters, text, &n, &whole);

  if (whole || n < CHARACTERS_IN_A_ROW)
    return (double) NAN;
  begin_table (q, n);
  for (gsize i = 0; i < n; i++)
    again += count_hash (q, grams[i]) > 1;
  return share (again, n);
}

/* Twice the words that the units stand for. */
static guint64
weight_of (const TextQuality *q)
{
  guint64 weight = 0;

  for (guint i = 0; i < q->units->len; i++)
    weight += g_array_index (q->units, Unit, i).weight;
  return weight;
}

static void
find_repeats (TextQuality *q, FrStr text, gboolean enough, double *f)
{
  guint64 all = all_characters (q);

  repeated_pieces (q, q->lines, TEXT_QUALITY_LEAST_LINES, &f[TEXT_FIGURE_REPEATED_LINES],
                   &f[TEXT_FIGURE_REPEATED_LINE_CHARACTERS]);
  repeated_pieces (q, q->paragraphs, TEXT_QUALITY_LEAST_LINES, &f[TEXT_FIGURE_REPEATED_PARAGRAPHS],
                   &f[TEXT_FIGURE_REPEATED_PARAGRAPH_CHARACTERS]);
  f[TEXT_FIGURE_REPEATED_CHARACTERS] = repeated_characters (q, text);
  for (guint i = TEXT_FIGURE_TOP_2GRAM; i <= TEXT_FIGURE_REPEATED_10GRAMS; i++)
    f[i] = (double) NAN;
  if (!enough)
    return;
  for (guint n = 2; n <= 4; n++)
    {
      double *figure = &f[TEXT_FIGURE_TOP_2GRAM + n - 2];

      /* What repeats in a long gram repeats in a short one. */
      *figure = n > 2 && figure[-1] == 0 ? 0 : top_gram (q, n, all);
    }
  for (guint n = 5; n <= 10; n++)
    {
      double *figure = &f[TEXT_FIGURE_REPEATED_5GRAMS + n - 5];

      *figure = figure[-1] == 0 ? 0 : repeated_grams (q, n, all);
    }
}

/* ---- all figures ----------------------------------------------------------------------------- */

static void
begin (TextQuality *q)
{
  g_array_set_size (q->units, 0);
  g_array_set_size (q->lines, 0);
  g_array_set_size (q->paragraphs, 0);
  q->n_characters = q->n_alnum = q->n_digits = q->n_symbols = q->n_symbol_runs = 0;
  q->n_alphabetic = q->n_marks = q->n_sentences = q->n_newlines = q->n_words = 0;
  q->n_word_letters = q->longest = q->n_stop = 0;
  q->n_bullets = q->n_ellipses = q->n_ended = q->n_short = q->n_frames = 0;
  q->stops = 0;
}

static void
walk (TextQuality *q, FrStr text)
{
  Walk w = { .q = q, .stops = stop_table () };
  const char *p = text.data, *end = text.data + text.len;
  gunichar before = 0;

  while (p < end)
    {
      gunichar c = text_next_char (&p);

      take_char (&w, c, before);
      before = c;
    }
  end_word (&w);
  q->n_sentences += w.said;
}

static void
lines_to_figures (const TextQuality *q, double *f)
{
  guint n = q->lines->len;
  guint64 characters = 0;
  gboolean enough = n >= TEXT_QUALITY_LEAST_LINES;

  for (guint i = 0; i < n; i++)
    characters += g_array_index (q->lines, Piece, i).characters;
  f[TEXT_FIGURE_MEAN_LINE] = n > 0 ? (double) characters / n : (double) NAN;
  f[TEXT_FIGURE_BULLET_LINES] = enough ? share (q->n_bullets, n) : (double) NAN;
  f[TEXT_FIGURE_ELLIPSIS_LINES] = enough ? share (q->n_ellipses, n) : (double) NAN;
  f[TEXT_FIGURE_END_MARKS] = enough ? share (q->n_ended, n) : (double) NAN;
  f[TEXT_FIGURE_SHORT_LINES] = enough ? share (q->n_short, n) : (double) NAN;
  f[TEXT_FIGURE_BOILERPLATE] = share (q->n_frames, n);
}

void
text_quality_measure (TextQuality *q, FrStr text, double f[TEXT_N_FIGURES])
{
  gboolean enough, mostly_words;
  guint64 weight;

  begin (q);
  walk (q, text);
  cut_lines (q, text);
  look_for_frames (q, text);
  weight = weight_of (q);
  enough = weight >= 2 * TEXT_QUALITY_LEAST_WORDS;
  mostly_words = q->n_words >= LEAST_WORDS && 4 * q->n_words >= weight;
  f[TEXT_FIGURE_CHARACTERS] = (double) q->n_characters;
  f[TEXT_FIGURE_UNITS] = q->units->len;
  f[TEXT_FIGURE_SENTENCES] = (double) q->n_sentences;
  f[TEXT_FIGURE_MEAN_WORD]
      = mostly_words ? (double) q->n_word_letters / (double) q->n_words : (double) NAN;
  f[TEXT_FIGURE_LONGEST_WORD] = (double) q->longest;
  f[TEXT_FIGURE_MARKS_PER_UNIT] = enough ? (double) q->n_marks / q->units->len : (double) NAN;
  f[TEXT_FIGURE_ALPHABETIC] = share (q->n_alphabetic, q->units->len + q->n_symbol_runs);
  f[TEXT_FIGURE_ALPHANUMERIC] = share (q->n_alnum, q->n_characters);
  f[TEXT_FIGURE_SYMBOLS] = share (q->n_symbols, q->n_characters);
  f[TEXT_FIGURE_DIGITS] = share (q->n_digits, q->n_characters);
  f[TEXT_FIGURE_STOP_WORDS] = enough ? (double) __builtin_popcount (q->stops) : (double) NAN;
  f[TEXT_FIGURE_STOP_SHARE] = enough ? share (q->n_stop, q->units->len) : (double) NAN;
  f[TEXT_FIGURE_NEWLINES] = enough ? (double) q->n_newlines / q->units->len : (double) NAN;
  lines_to_figures (q, f);
  find_repeats (q, text, enough, f);
}
