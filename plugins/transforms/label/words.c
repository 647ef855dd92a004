/* SPDX-License-Identifier: Apache-2.0 */
/* words.c: see words.h. */
#include "config.h"

#include "words.h"

#include <flowrun/error.h>
#include <math.h>
#include <string.h>

#include "text/chars.h"
#include "text/trie.h"

#define MAX_WORD_BYTES 255
#define MAX_WEIGHT 1e9

struct _Words
{
  GHashTable *known; /* folded word to index + 1 */
  GArray *words;     /* Word */
  TextTrie *trie;
};

Words *
words_new (void)
{
  Words *w = g_new0 (Words, 1);

  w->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  w->words = g_array_new (FALSE, FALSE, sizeof (Word));
  return w;
}

void
words_free (Words *w)
{
  if (w == NULL)
    return;
  g_hash_table_unref (w->known);
  g_array_unref (w->words);
  text_trie_free (w->trie);
  g_free (w);
}

static gunichar
fold_char (gunichar c)
{
  if (c >= 0xff01 && c <= 0xff5e)
    c -= 0xfee0;
  return c < 0x80 ? (guchar) g_ascii_tolower ((char) c) : g_unichar_tolower (c);
}

void
words_add (Words *w, FrStr word, double weight, guint label)
{
  g_autoptr (GString) key = g_string_sized_new (word.len + 1);
  gpointer known;

  if (word.len == 0 || memchr (word.data, '\0', word.len) != NULL)
    return;
  for (const char *p = word.data, *end = p + word.len; p < end;)
    g_string_append_unichar (key, fold_char (text_next_char (&p)));
  known = g_hash_table_lookup (w->known, key->str);
  if (known != NULL)
    {
      Word *old = &g_array_index (w->words, Word, GPOINTER_TO_UINT (known) - 1);

      old->weight = weight;
      old->labels |= G_GUINT64_CONSTANT (1) << label;
      return;
    }
  {
    Word one = { weight, G_GUINT64_CONSTANT (1) << label };

    g_array_append_val (w->words, one);
    g_hash_table_insert (w->known, g_string_free (g_steal_pointer (&key), FALSE),
                         GUINT_TO_POINTER (w->words->len));
  }
}

void
words_add_list (Words *w, const char *list, double weight, guint label)
{
  while (*list != '\0')
    {
      gsize n = strcspn (list, " ");

      words_add (w, (FrStr){ list, n }, weight, label);
      list += n + (list[n] != '\0');
    }
}

gboolean
words_read (Words *w, const char *name, const char *text, gsize len, double weight, guint label,
            GError **error)
{
  const char *p = text, *end = text + len;

  if (len >= 3 && memcmp (p, "\xef\xbb\xbf", 3) == 0)
    p += 3;
  for (guint64 line = 1; p < end; line++)
    {
      const char *eol = memchr (p, '\n', (gsize) (end - p)), *stop;
      FrStr word = { p, 0 };
      double value = weight;

      if (eol == NULL)
        eol = end;
      stop = eol;
      while (stop > p && g_ascii_isspace (stop[-1]))
        stop--;
      while (word.data < stop && g_ascii_isspace (*word.data))
        word.data++;
      p = eol + 1;
      if (word.data == stop || *word.data == '#')
        continue;
      while (word.data + word.len < stop && !g_ascii_isspace (word.data[word.len]))
        word.len++;
      if (word.data + word.len < stop)
        {
          g_autofree char *number
              = g_strndup (word.data + word.len, (gsize) (stop - word.data) - word.len);
          char *after;

          g_strstrip (number);
          value = g_ascii_strtod (number, &after);
          if (*number == '\0' || *after != '\0' || !(fabs (value) <= MAX_WEIGHT))
            {
              g_set_error (
                  error, FR_ERROR, FR_ERROR_DATA,
                  "%s:%" G_GUINT64_FORMAT ": a line is a word and perhaps a number after a "
                  "tab or blank; what follows the word is no number, or beyond a thousand millions",
                  name, line);
              return FALSE;
            }
        }
      if (word.len > MAX_WORD_BYTES || !g_utf8_validate (word.data, (gssize) word.len, NULL))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "%s:%" G_GUINT64_FORMAT ": a word must be UTF-8 and at most 255 bytes long",
                       name, line);
          return FALSE;
        }
      words_add (w, word, value, label);
    }
  return TRUE;
}

gboolean
words_ready (Words *w, GError **error)
{
  guint n = g_hash_table_size (w->known), i = 0;
  g_autofree FrStr *words = g_new (FrStr, n + 1);
  g_autofree guint64 *values = g_new (guint64, n + 1);
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init (&iter, w->known);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      words[i] = (FrStr){ key, strlen (key) };
      values[i++] = GPOINTER_TO_UINT (value) - 1;
    }
  w->trie = text_trie_new (words, values, n, error);
  return w->trie != NULL;
}

guint
words_n (const Words *w)
{
  return w->words->len;
}

double
words_max_weight (const Words *w)
{
  double max = 0;

  for (guint i = 0; i < w->words->len; i++)
    max = MAX (max, g_array_index (w->words, Word, i).weight);
  return max;
}

const Word *
words_at (const Words *w, FrStr text, gsize at, const guint8 *cuts, gsize *len)
{
  const char *start = text.data + at, *p = start, *end = text.data + text.len;
  guint32 node = 0;
  const Word *found = NULL;

  if (!cuts[at])
    return NULL;
  while (p < end)
    {
      guint32 code = text_trie_code (w->trie, fold_char (text_next_char (&p)));

      if (code == 0 || (node = text_trie_step (w->trie, node, code)) == 0)
        break;
      if (w->trie->nodes[node].value.number == TEXT_TRIE_NONE || !cuts[p - text.data])
        continue;
      found = &g_array_index (w->words, Word, w->trie->nodes[node].value.number);
      *len = (gsize) (p - start);
    }
  return found;
}
