/* SPDX-License-Identifier: Apache-2.0 */
/* words.c: a two-column list of words, and texts put into other words with it (words.h). */
#include "config.h"

#include "words.h"

#include <string.h>
#include <xxhash.h>

#include "text/chars.h"

/* What a word may become: FrStr into the text of the list. */
typedef struct
{
  GHashTable *entries; /* FrStr * to GArray of FrStr */
  GHashTable *longest; /* first character to bytes of the longest entry that begins with it */
} Side;

struct _Words
{
  char *text;
  GPtrArray *folded; /* char *: second-column entries in lower case */
  Side forward, backward;
};

/* ---- reading ----------------------------------------------------------------------------------
 */

static guint
str_hash (gconstpointer key)
{
  const FrStr *s = key;

  return (guint) XXH3_64bits (s->data, s->len);
}

static gboolean
str_equal (gconstpointer a, gconstpointer b)
{
  return fr_str_equal (*(const FrStr *) a, *(const FrStr *) b);
}

static FrStr
trim (FrStr s)
{
  while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\r'))
    s.data++, s.len--;
  while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\r'))
    s.len--;
  return s;
}

/* The next piece of @rest up to @mark, trimmed. */
static FrStr
cut (FrStr *rest, char mark)
{
  const char *at = rest->len > 0 ? memchr (rest->data, mark, rest->len) : NULL;
  gsize len = at != NULL ? (gsize) (at - rest->data) : rest->len;
  FrStr piece = { rest->data, len };

  rest->data += len + (at != NULL);
  rest->len -= len + (at != NULL);
  return trim (piece);
}

static gsize
longest_from (const Side *side, gunichar first)
{
  return GPOINTER_TO_SIZE (g_hash_table_lookup (side->longest, GUINT_TO_POINTER (first)));
}

static void
note_longest (Side *side, FrStr word)
{
  gunichar first = g_utf8_get_char (word.data);

  if (word.len > longest_from (side, first))
    g_hash_table_insert (side->longest, GUINT_TO_POINTER (first), GSIZE_TO_POINTER (word.len));
}

static void
add (Side *side, FrStr word, FrStr meaning)
{
  GArray *meanings = g_hash_table_lookup (side->entries, &word);

  if (meanings == NULL)
    {
      FrStr *key = g_memdup2 (&word, sizeof word);

      meanings = g_array_new (FALSE, FALSE, sizeof (FrStr));
      g_hash_table_insert (side->entries, key, meanings);
      note_longest (side, word);
    }
  for (guint i = 0; i < meanings->len; i++)
    if (fr_str_equal (g_array_index (meanings, FrStr, i), meaning))
      return;
  g_array_append_val (meanings, meaning);
}

/* Entries are found whatever the case of the text. */
static FrStr
fold (Words *words, FrStr s)
{
  char *lower = g_utf8_strdown (s.data, (gssize) s.len);

  g_ptr_array_add (words->folded, lower);
  return (FrStr){ lower, strlen (lower) };
}

static gboolean
add_line (Words *words, FrStr line)
{
  FrStr word = cut (&line, '\t');
  gboolean any = FALSE;

  if (word.len == 0)
    return FALSE;
  while (line.len > 0)
    {
      FrStr meaning = cut (&line, ';');

      if (meaning.len == 0)
        continue;
      any = TRUE;
      add (&words->forward, fold (words, word), meaning);
      add (&words->backward, fold (words, meaning), word);
    }
  return any;
}

static void
side_init (Side *side)
{
  side->longest = g_hash_table_new (NULL, NULL);
  side->entries
      = g_hash_table_new_full (str_hash, str_equal, g_free, (GDestroyNotify) g_array_unref);
}

Words *
words_parse (const char *name, const char *text, gsize len, GError **error)
{
  g_autoptr (Words) words = g_new0 (Words, 1);
  FrStr rest;
  guint line = 0;

  side_init (&words->forward);
  side_init (&words->backward);
  words->folded = g_ptr_array_new_with_free_func (g_free);
  words->text = g_strndup (text, len);
  if (memchr (text, '\0', len) != NULL || !g_utf8_validate (text, (gssize) len, NULL))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "'%s' is not UTF-8 text", name);
      return NULL;
    }
  rest = (FrStr){ words->text, len };
  if (g_str_has_prefix (words->text, "\xef\xbb\xbf"))
    rest = (FrStr){ words->text + 3, len - 3 };
  while (rest.len > 0)
    {
      const char *newline = memchr (rest.data, '\n', rest.len);
      FrStr whole = { rest.data, newline != NULL ? (gsize) (newline - rest.data) : rest.len };

      line++;
      rest.data += whole.len + (newline != NULL);
      rest.len -= whole.len + (newline != NULL);
      if (trim (whole).len == 0 || whole.data[0] == '#')
        continue;
      if (!add_line (words, whole))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "%s:%u: expected a word, a tab and its translations with ';' between them",
                       name, line);
          return NULL;
        }
    }
  if (g_hash_table_size (words->forward.entries) == 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "'%s' has no words", name);
      return NULL;
    }
  return g_steal_pointer (&words);
}

static void
side_clear (Side *side)
{
  g_clear_pointer (&side->entries, g_hash_table_unref);
  g_clear_pointer (&side->longest, g_hash_table_unref);
}

void
words_free (Words *words)
{
  if (words == NULL)
    return;
  side_clear (&words->forward);
  side_clear (&words->backward);
  g_ptr_array_unref (words->folded);
  g_free (words->text);
  g_free (words);
}

gsize
words_n (const Words *words)
{
  return g_hash_table_size (words->forward.entries);
}

/* ---- translating ------------------------------------------------------------------------------
 */

static gboolean
is_letter (gunichar c)
{
  return (text_char_flags (c) & TEXT_CH_ALNUM) != 0;
}

static gboolean
is_han (gunichar c)
{
  return (text_char_flags (c) & (TEXT_CH_HAN | TEXT_CH_KANA)) != 0;
}

/* Whether a word may end before @p and another begin there: not inside a run of letters. */
static gboolean
is_border (const char *p, const char *start, const char *end)
{
  gunichar before, after;

  if (p == start || p == end)
    return TRUE;
  before = g_utf8_get_char (text_prev_char (p));
  after = g_utf8_get_char (p);
  return !is_letter (before) || !is_letter (after) || is_han (before) || is_han (after);
}

/* Marks that the two ways of writing have in common, one beside the other. */
static const struct
{
  const char *wide, *narrow;
} marks[] = { { "，", "," }, { "。", "." }, { "！", "!" }, { "？", "?" }, { "；", ";" },
              { "：", ":" }, { "（", "(" }, { "）", ")" }, { "、", "," } };

/* The longest entry at @p; NULL: none. */
static const GArray *
longest (const Side *side, const char *p, const char *start, const char *end, gsize *len)
{
  gsize most = longest_from (side, g_unichar_tolower (g_utf8_get_char (p)));

  if (most == 0 || !is_border (p, start, end))
    return NULL;
  for (const char *q = p + MIN (most, (gsize) (end - p)); q > p; q--)
    {
      g_autofree char *lower = NULL;
      const GArray *found;
      FrStr key;

      if (q < end && ((guchar) *q & 0xc0) == 0x80)
        continue;
      if (!is_border (q, start, end))
        continue;
      lower = g_utf8_strdown (p, q - p);
      key = (FrStr){ lower, strlen (lower) };
      found = g_hash_table_lookup (side->entries, &key);
      if (found != NULL)
        {
          *len = (gsize) (q - p);
          return found;
        }
    }
  return NULL;
}

static FrStr
choose (const GArray *meanings, FrStr word, guint64 seed)
{
  guint64 chance = XXH3_64bits_withSeed (word.data, word.len, seed);

  return g_array_index (meanings, FrStr, chance % meanings->len);
}

/* A word behind what is there, with a blank where one belongs. */
static void
put (GString *out, FrStr word, gboolean spaced)
{
  gunichar last, first;

  if (word.len == 0)
    return;
  if (out->len > 0)
    {
      last = g_utf8_get_char (text_prev_char (out->str + out->len));
      first = g_utf8_get_char (word.data);
      if (spaced && (is_letter (last) || strchr (",.!?;:)", (int) MIN (last, 127u)) != NULL)
          && last < 0x3000 && is_letter (first))
        g_string_append_c (out, ' ');
      else if (!spaced && is_letter (last) && is_letter (first) && !is_han (last)
               && !is_han (first))
        g_string_append_c (out, ' ');
    }
  g_string_append_len (out, word.data, (gssize) word.len);
}

static gboolean
put_mark (GString *out, const char *p, const char *end, gboolean spaced, gsize *len)
{
  for (guint i = 0; i < G_N_ELEMENTS (marks); i++)
    {
      const char *from = spaced ? marks[i].wide : marks[i].narrow;
      const char *to = spaced ? marks[i].narrow : marks[i].wide;

      if ((gsize) (end - p) < strlen (from) || memcmp (p, from, strlen (from)) != 0)
        continue;
      g_string_append (out, to);
      *len = strlen (from);
      return TRUE;
    }
  return FALSE;
}

/* Numbers, and what stands in braces, are no words, whatever the list has. */
static gboolean
is_fixed (const char *p)
{
  return g_ascii_isdigit (*p) || *p == '{';
}

/* What is in no list, from @p on: something in braces, a number with its points and commas, a word,
 * or one character. */
static gsize
unknown_run (const char *p, const char *start, const char *end)
{
  const char *q = p;

  if (*p == '{' && (q = memchr (p, '}', (gsize) (end - p))) != NULL)
    return (gsize) (q + 1 - p);
  q = p;
  if (g_ascii_isdigit (*p))
    {
      while (q < end
             && (g_ascii_isdigit (*q)
                 || ((*q == '.' || *q == ',') && q + 1 < end && g_ascii_isdigit (q[1]))))
        q++;
      return (gsize) (q - p);
    }
  q = g_utf8_next_char (p);
  if (is_letter (g_utf8_get_char (p)))
    while (q < end && !is_border (q, start, end))
      q = g_utf8_next_char (q);
  return (gsize) (q - p);
}

char *
words_translate (const Words *words, FrStr text, gboolean backward, gboolean spaced, guint64 seed,
                 gsize *n_words, gsize *n_unknown)
{
  const Side *side = backward ? &words->backward : &words->forward;
  const char *p = text.data, *end = text.data + text.len;
  GString *out = g_string_sized_new (text.len * 2);

  *n_words = *n_unknown = 0;
  while (p < end)
    {
      const GArray *meanings;
      gsize len = 0;

      if (*p == ' ')
        {
          /* Kept where both neighbours are words that blanks separate, which put() sees to. */
          p++;
          continue;
        }
      meanings = is_fixed (p) ? NULL : longest (side, p, text.data, end, &len);
      if (meanings != NULL)
        {
          put (out, choose (meanings, (FrStr){ p, len }, seed), spaced);
          ++*n_words;
        }
      else if (!put_mark (out, p, end, spaced, &len))
        {
          gboolean letter = is_letter (g_utf8_get_char (p));

          len = unknown_run (p, text.data, end);
          if (letter)
            put (out, (FrStr){ p, len }, spaced);
          else
            g_string_append_len (out, p, (gssize) len);
          *n_words += letter;
          *n_unknown += letter && !g_ascii_isdigit (*p);
        }
      p += len;
    }
  return g_string_free (out, FALSE);
}
