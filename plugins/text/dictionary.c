/* SPDX-License-Identifier: Apache-2.0 */
/* dictionary.c: a word list with frequencies, read and made a trie; see segment.h.
 *
 * The format is jieba's ("word frequency part-of-speech"), and so is what a frequency means:
 * duplicates count in the total as often as they are there, the last one says the word's own.
 */
#include "config.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "text/dictionary-private.h"

#define MAX_WORD_BYTES 255
#define MAX_POS 4096

typedef struct
{
  FrStr word;
  guint64 frequency;
  guint16 pos;
  gboolean counted; /* the frequency was given */
} Entry;

typedef struct
{
  TextDictionary *dictionary;
  GArray *entries; /* Entry */
  const char *name;
  gboolean user;
} Reader;

/* ---- one line ---------------------------------------------------------------------------------
 */

static gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t' || c == '\r';
}

/* The last piece of @line between blanks; @line becomes what stands before it. */
static FrStr
take_last (FrStr *line)
{
  gsize end = line->len, start;

  while (end > 0 && is_blank (line->data[end - 1]))
    end--;
  start = end;
  while (start > 0 && !is_blank (line->data[start - 1]))
    start--;
  line->len = start;
  while (line->len > 0 && is_blank (line->data[line->len - 1]))
    line->len--;
  return (FrStr){ line->data + start, end - start };
}

static gboolean
is_tag (FrStr s)
{
  for (gsize i = 0; i < s.len; i++)
    if (!g_ascii_isalpha (s.data[i]))
      return FALSE;
  return s.len > 0 && s.len <= 16;
}

static gboolean
is_number (FrStr s, guint64 *value)
{
  *value = 0;
  for (gsize i = 0; i < s.len; i++)
    {
      if (!g_ascii_isdigit (s.data[i]) || i >= 15)
        return FALSE;
      *value = *value * 10 + (guint64) (s.data[i] - '0');
    }
  return s.len > 0;
}

static guint16
pos_id (TextDictionary *d, FrStr name)
{
  g_autofree char *text = g_strndup (name.data, name.len);
  gpointer known = g_hash_table_lookup (d->pos_ids, text);

  if (known != NULL)
    return (guint16) GPOINTER_TO_UINT (known);
  /* More tags than that is no tag set; they are left unsaid. */
  if (d->pos_names->len >= MAX_POS)
    return 0;
  g_hash_table_insert (d->pos_ids, text, GUINT_TO_POINTER (d->pos_names->len));
  g_ptr_array_add (d->pos_names, g_steal_pointer (&text));
  return (guint16) (d->pos_names->len - 1);
}

static gboolean
wrong (const Reader *reader, guint64 line, FrStr what, const char *expected, GError **error)
{
  gsize len = MIN (what.len, 60);
  g_autofree char *shown = NULL;

  while (len < what.len && len > 0 && ((guchar) what.data[len] & 0xc0) == 0x80)
    len--;
  shown = g_utf8_make_valid (what.data, (gssize) len);
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s:%" G_GUINT64_FORMAT ": '%s%s' %s", reader->name,
               line, shown, len < what.len ? "…" : "", expected);
  return FALSE;
}

static gboolean
read_line (Reader *reader, guint64 at, FrStr line, GError **error)
{
  FrStr rest = line, last = take_last (&rest);
  Entry entry = { .counted = FALSE };

  if (last.len == 0 || (line.len > 1 && line.data[0] == '#' && is_blank (line.data[1])))
    return TRUE;
  if (rest.len > 0 && is_tag (last))
    {
      entry.pos = pos_id (reader->dictionary, last);
      entry.word = rest; /* as long as no number follows */
      last = take_last (&rest);
    }
  else
    entry.word = (FrStr){ line.data, (gsize) (last.data + last.len - line.data) };
  if (rest.len > 0 && is_number (last, &entry.frequency))
    {
      entry.counted = TRUE;
      entry.word = rest;
    }
  while (entry.word.len > 0 && is_blank (entry.word.data[0]))
    entry.word = (FrStr){ entry.word.data + 1, entry.word.len - 1 };
  if (!entry.counted && !reader->user)
    return wrong (reader, at, line,
                  "is no line of a dictionary: a word, its frequency and its part of speech, as in "
                  "'你好 100 l'",
                  error);
  if (entry.word.len > MAX_WORD_BYTES)
    return wrong (reader, at, entry.word, "is longer than 255 bytes, which no word is", error);
  if (!g_utf8_validate (entry.word.data, (gssize) entry.word.len, NULL))
    return wrong (reader, at, entry.word, "is not UTF-8; convert the file, as with iconv", error);
  g_array_append_val (reader->entries, entry);
  return TRUE;
}

static gboolean
read_text (Reader *reader, FrStr text, GError **error)
{
  const char *p = text.data, *end = p + text.len;

  if (text.len >= 3 && memcmp (p, "\xef\xbb\xbf", 3) == 0)
    p += 3;
  for (guint64 line = 1; p < end; line++)
    {
      const char *eol = memchr (p, '\n', (gsize) (end - p));

      if (eol == NULL)
        eol = end;
      if (!read_line (reader, line, (FrStr){ p, (gsize) (eol - p) }, error))
        return FALSE;
      p = eol + 1;
    }
  return TRUE;
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

/* The hash depends on what the dictionary says, not on the order in which it does. */
static char *
make_version (const TextDictionary *d, const char *name, GArray *entries)
{
  guint64 sum = 0;
  g_autofree char *base = g_path_get_basename (name);

  for (guint i = 0; i < entries->len; i++)
    {
      const Entry *e = &g_array_index (entries, Entry, i);
      const char *pos = d->pos_names->pdata[e->pos];

      sum += XXH3_64bits_withSeed (e->word.data, e->word.len,
                                   e->frequency ^ XXH3_64bits (pos, strlen (pos)));
    }
  return g_strdup_printf ("%s:%" G_GSIZE_FORMAT ":%016" G_GINT64_MODIFIER "x", base, d->n_words,
                          sum);
}

static gboolean
make_trie (TextDictionary *d, GArray *entries, GError **error)
{
  g_autofree FrStr *words = g_new (FrStr, entries->len + 1);
  g_autofree guint64 *values = g_new (guint64, entries->len + 1);
  double log_total;
  gsize n = 0;

  g_clear_pointer (&d->trie, text_trie_free);
  d->total = 0;
  d->infos = g_renew (TextWordInfo, d->infos, entries->len + 1);
  for (guint i = 0; i < entries->len; i++)
    {
      const Entry *e = &g_array_index (entries, Entry, i);

      d->total += (double) e->frequency;
      d->infos[i] = (TextWordInfo){ e->frequency, e->pos };
      words[n] = e->word;
      values[n++] = i;
    }
  d->trie = text_trie_new (words, values, n, error);
  if (d->trie == NULL)
    return FALSE;
  log_total = log (MAX (d->total, 1));
  d->unknown = log (1) - log_total;
  d->n_words = 0;
  g_free (d->pos_of_node);
  g_free (d->info_of_node);
  d->pos_of_node = g_new0 (guint16, d->trie->n_nodes);
  d->info_of_node = g_new0 (guint32, d->trie->n_nodes);
  for (guint32 i = 0; i < d->trie->n_nodes; i++)
    {
      TextTrieNode *node = &d->trie->nodes[i];
      guint32 info = (guint32) node->value.number;

      if (node->value.number == TEXT_TRIE_NONE)
        continue;
      if (d->infos[info].frequency == 0) /* taken out */
        {
          node->value.number = TEXT_TRIE_NONE;
          continue;
        }
      d->n_words++;
      d->info_of_node[i] = info;
      d->pos_of_node[i] = d->infos[info].pos;
      node->value.weight = log ((double) d->infos[info].frequency) - log_total;
    }
  g_free (d->joins);
  d->joins = g_new0 (guint8, d->trie->n_codes + 1);
  for (gsize i = 0; i < n; i++)
    {
      const char *p = words[i].data, *end = p + words[i].len;
      gunichar first = text_next_char (&p);

      if (p == end)
        continue;
      d->joins[text_trie_code (d->trie, first)] = 1;
      while (p < end)
        d->joins[text_trie_code (d->trie, text_next_char (&p))] = 1;
    }
  return TRUE;
}

/* What frequency @word needs to come out whole. */
static guint64
suggest (const TextDictionary *d, FrStr word)
{
  guint16 codes[MAX_WORD_BYTES] = { 0 };
  double scores[MAX_WORD_BYTES + 1], share = 1;
  guint32 ends[MAX_WORD_BYTES + 1], nodes[MAX_WORD_BYTES + 1];
  const char *p = word.data, *end = p + word.len;
  guint64 frequency;
  gsize n = 0;
  TextWord known;

  while (p < end)
    codes[n++] = (guint16) text_trie_code (d->trie, text_next_char (&p));
  text_route_block (d, codes, n, scores, ends, nodes);
  for (gsize i = 0; i < n; i = ends[i])
    {
      double here = nodes[i] != 0 ? (double) d->infos[d->info_of_node[nodes[i]]].frequency : 1;

      share *= here / MAX (d->total, 1);
    }
  frequency = (guint64) MIN (share * d->total, 1e15) + 1;
  if (text_dictionary_find (d, word, &known))
    frequency = MAX (frequency, known.frequency);
  return frequency;
}

TextDictionary *
text_dictionary_new_text (FrStr words, const char *name, FrStr user, const char *user_name,
                          GError **error)
{
  g_autoptr (TextDictionary) d = g_new0 (TextDictionary, 1);
  g_autoptr (GArray) entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  Reader reader = { d, entries, name, FALSE };
  guint n_base;

  d->refs = 1;
  d->pos_names = g_ptr_array_new_with_free_func (g_free);
  d->pos_ids = g_hash_table_new (g_str_hash, g_str_equal);
  g_ptr_array_add (d->pos_names, g_strdup (""));
  if (!read_text (&reader, words, error))
    return NULL;
  if (entries->len == 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "%s: there is no word in it; a dictionary has a line 'word frequency "
                   "part-of-speech' for each",
                   name);
      return NULL;
    }
  if (!make_trie (d, entries, error))
    {
      g_prefix_error (error, "%s: ", name);
      return NULL;
    }
  n_base = entries->len;
  reader.name = user_name;
  reader.user = TRUE;
  if (user.len > 0 && !read_text (&reader, user, error))
    return NULL;
  for (guint i = n_base; i < entries->len; i++)
    {
      Entry *e = &g_array_index (entries, Entry, i);

      if (!e->counted)
        e->frequency = suggest (d, e->word);
    }
  if (entries->len > n_base && !make_trie (d, entries, error))
    {
      g_prefix_error (error, "%s: ", user_name);
      return NULL;
    }
  d->version = make_version (d, name, entries);
  return g_steal_pointer (&d);
}

static GMappedFile *
map_file (const char *path, FrStr *text, GError **error)
{
  g_autoptr (GError) failed = NULL;
  GMappedFile *file = g_mapped_file_new (path, FALSE, &failed);

  if (file == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot read the dictionary '%s': %s", path,
                   failed->message);
      return NULL;
    }
  *text = (FrStr){ g_mapped_file_get_contents (file), g_mapped_file_get_length (file) };
  if (text->data == NULL)
    *text = FR_STR ("");
  return file;
}

TextDictionary *
text_dictionary_new (const char *path, const char *user, GError **error)
{
  g_autoptr (GMappedFile) file = NULL, user_file = NULL;
  FrStr text, user_text = FR_STR ("");

  file = map_file (path, &text, error);
  if (file == NULL)
    return NULL;
  if (user != NULL && (user_file = map_file (user, &user_text, error)) == NULL)
    return NULL;
  return text_dictionary_new_text (text, path, user_text, user, error);
}

TextDictionary *
text_dictionary_ref (TextDictionary *dictionary)
{
  g_atomic_int_inc (&dictionary->refs);
  return dictionary;
}

void
text_dictionary_unref (TextDictionary *d)
{
  if (d == NULL || !g_atomic_int_dec_and_test (&d->refs))
    return;
  text_trie_free (d->trie);
  g_free (d->joins);
  g_free (d->pos_of_node);
  g_free (d->info_of_node);
  g_free (d->infos);
  g_hash_table_unref (d->pos_ids);
  g_ptr_array_unref (d->pos_names);
  g_free (d->version);
  g_free (d);
}

/* ---- asking
 * --------------------------------------------------------------------------------------- */

gboolean
text_dictionary_find (const TextDictionary *d, FrStr word, TextWord *found)
{
  const char *p = word.data, *end = p + word.len;
  guint32 at = 0;

  while (p < end)
    {
      guint32 code = text_trie_code (d->trie, text_next_char (&p));

      if (code == 0 || (at = text_trie_step (d->trie, at, code)) == 0)
        return FALSE;
    }
  if (at == 0 || d->trie->nodes[at].value.number == TEXT_TRIE_NONE)
    return FALSE;
  if (found != NULL)
    *found = (TextWord){ d->infos[d->info_of_node[at]].frequency,
                         d->pos_names->pdata[d->pos_of_node[at]] };
  return TRUE;
}

gsize
text_dictionary_n_words (const TextDictionary *d)
{
  return d->n_words;
}

const char *
text_dictionary_version (const TextDictionary *d)
{
  return d->version;
}
