/* SPDX-License-Identifier: Apache-2.0 */
/* lexicon.c: see lexicon.h. */
#include "config.h"

#include "lexicon.h"

#include <flowrun/error.h>
#include <string.h>

#include "text/chars.h"
#include "text/trie.h"

#define MAX_WORD_BYTES 120
#define MAX_SYNONYMS 64

/* An entry while words are added. */
typedef struct
{
  Origin origin;
  GArray *synonyms; /* Synonym */
  guint8 senses[4];
} Draft;

struct _Lexicon
{
  GStringChunk *texts;
  GHashTable *drafts;  /* folded word to Draft */
  GHashTable *synsets; /* "01234567-n" to GPtrArray of words; of the file being read */
  GPtrArray *order;    /* the same synsets' names as they came */
  TextTrie *trie;      /* to entries */
  GArray *entries;     /* Entry */
};

static const char pos_letters[] = "nvad";

static void
draft_free (gpointer data)
{
  Draft *draft = data;

  g_array_unref (draft->synonyms);
  g_free (draft);
}

Lexicon *
lexicon_new (void)
{
  Lexicon *l = g_new0 (Lexicon, 1);

  l->texts = g_string_chunk_new (1 << 16);
  l->drafts = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, draft_free);
  return l;
}

void
lexicon_free (Lexicon *l)
{
  if (l == NULL)
    return;
  text_trie_free (l->trie);
  if (l->entries != NULL)
    g_array_unref (l->entries);
  g_hash_table_unref (l->drafts);
  g_clear_pointer (&l->synsets, g_hash_table_unref);
  g_clear_pointer (&l->order, g_ptr_array_unref);
  g_string_chunk_free (l->texts);
  g_free (l);
}

static gunichar
fold_char (gunichar c)
{
  if (c >= 0xff01 && c <= 0xff5e)
    c -= 0xfee0;
  return c < 0x80 ? (guchar) g_ascii_tolower ((char) c) : g_unichar_tolower (c);
}

static const char *
fold (Lexicon *l, FrStr word)
{
  g_autoptr (GString) out = g_string_sized_new (word.len + 1);

  for (const char *p = word.data, *end = p + word.len; p < end;)
    g_string_append_unichar (out, fold_char (text_next_char (&p)));
  return g_string_chunk_insert_const (l->texts, out->str);
}

static gboolean
add_pos (Lexicon *l, Origin origin, FrStr word, FrStr synonym, char pos)
{
  const char *key;
  Draft *draft;
  Synonym one = { .pos = pos };

  word = text_strip (word);
  synonym = text_strip (synonym);
  if (word.len == 0 || synonym.len == 0 || word.len > MAX_WORD_BYTES || synonym.len > MAX_WORD_BYTES
      || fr_str_equal (word, synonym) || memchr (word.data, '\0', word.len)
      || memchr (synonym.data, '\0', synonym.len))
    return FALSE;
  key = fold (l, word);
  draft = g_hash_table_lookup (l->drafts, key);
  if (draft == NULL)
    {
      draft = g_new0 (Draft, 1);
      draft->origin = origin;
      draft->synonyms = g_array_new (FALSE, FALSE, sizeof (Synonym));
      g_hash_table_insert (l->drafts, (gpointer) key, draft);
    }
  if (draft->origin != origin || draft->synonyms->len >= MAX_SYNONYMS)
    return TRUE;
  for (guint i = 0; i < draft->synonyms->len; i++)
    if (fr_str_equal (g_array_index (draft->synonyms, Synonym, i).word, synonym)
        && g_array_index (draft->synonyms, Synonym, i).pos == pos)
      return TRUE;
  one.word.data = g_string_chunk_insert_len (l->texts, synonym.data, (gssize) synonym.len);
  one.word.len = synonym.len;
  g_array_append_val (draft->synonyms, one);
  return TRUE;
}

gboolean
lexicon_add (Lexicon *l, Origin origin, FrStr word, FrStr synonym)
{
  return add_pos (l, origin, word, synonym, 0);
}

/* ---- files
 * ---------------------------------------------------------------------------------------- */

static gboolean
is_separator (gunichar c)
{
  return c == ',' || c == ';' || c == '/' || c == '|' || c == '\t' || c == 0xff0c || c == 0x3001
         || c == 0xff1b;
}

static void
add_list (Lexicon *l, Origin origin, FrStr word, FrStr list)
{
  const char *start = list.data, *end = start + list.len;

  for (const char *p = start; start < end;)
    {
      const char *here = p;
      gunichar c = p < end ? text_next_char (&p) : ',';

      if (!is_separator (c))
        continue;
      lexicon_add (l, origin, word, (FrStr){ start, (gsize) (here - start) });
      start = p;
      if (here == end)
        break;
    }
}

/* A lemma as running text has it: '+' joins parts, adjectives and adverbs bring their particle. */
static char *
lemma (FrStr s, char pos)
{
  g_autoptr (GString) out = g_string_sized_new (s.len + 1);
  gsize n = 0;

  for (gsize i = 0; i < s.len; i++)
    if (s.data[i] != '+')
      g_string_append_c (out, s.data[i]);
  n = (gsize) g_utf8_strlen (out->str, (gssize) out->len);
  if (n > 2
      && ((pos == 'a' && g_str_has_suffix (out->str, "的"))
          || (pos == 'd' && g_str_has_suffix (out->str, "地"))))
    g_string_truncate (out, out->len - 3);
  for (const char *p = out->str; *p != '\0';)
    if (!(text_char_flags (text_next_char (&p)) & TEXT_CH_HAN))
      return NULL;
  return out->len > 0 ? g_string_free (g_steal_pointer (&out), FALSE) : NULL;
}

/* "01234567-n": the part of speech, 0 when it is no synset. */
static char
synset_pos (FrStr s)
{
  if (s.len != 10 || s.data[8] != '-')
    return 0;
  for (guint i = 0; i < 8; i++)
    if (!g_ascii_isdigit (s.data[i]))
      return 0;
  return s.data[9] == 'r'            ? 'd'
         : s.data[9] == 's'          ? 'a'
         : strchr ("nva", s.data[9]) ? s.data[9]
                                     : 0;
}

static void
add_lemma (Lexicon *l, FrStr synset, FrStr word, char pos)
{
  g_autofree char *name = g_strndup (synset.data, synset.len);
  g_autofree char *text = lemma (word, pos);
  GPtrArray *words;

  if (text == NULL || strlen (text) > MAX_WORD_BYTES)
    return;
  words = g_hash_table_lookup (l->synsets, name);
  if (words == NULL)
    {
      words = g_ptr_array_new ();
      g_ptr_array_add (l->order, name);
      g_hash_table_insert (l->synsets, g_steal_pointer (&name), words);
    }
  if (words->len < MAX_SYNONYMS)
    g_ptr_array_add (words, g_string_chunk_insert (l->texts, text));
}

static void
join_synsets (Lexicon *l)
{
  for (guint s = 0; s < l->order->len; s++)
    {
      const char *name = l->order->pdata[s];
      const GPtrArray *words = g_hash_table_lookup (l->synsets, name);
      char pos = synset_pos ((FrStr){ name, strlen (name) });
      guint which = (guint) (strchr (pos_letters, pos) - pos_letters);

      for (guint i = 0; i < words->len; i++)
        {
          FrStr word = { words->pdata[i], strlen (words->pdata[i]) };
          Draft *draft;

          for (guint k = 0; k < words->len; k++)
            add_pos (l, FROM_WORDNET, word, (FrStr){ words->pdata[k], strlen (words->pdata[k]) },
                     pos);
          draft = g_hash_table_lookup (l->drafts, fold (l, word));
          if (draft != NULL && draft->origin == FROM_WORDNET && draft->senses[which] < 255)
            draft->senses[which]++;
        }
    }
}

static gboolean
read_line (Lexicon *l, FrStr line)
{
  const char *tab = memchr (line.data, '\t', line.len);
  const char *equals = memchr (line.data, '=', line.len);
  FrStr word, rest;
  char pos;

  if (tab == NULL || (equals != NULL && equals < tab))
    tab = equals;
  if (tab == NULL)
    return FALSE;
  word = (FrStr){ line.data, (gsize) (tab - line.data) };
  rest = (FrStr){ tab + 1, line.len - word.len - 1 };
  pos = *tab == '\t' ? synset_pos (word) : 0;
  if (pos != 0)
    {
      const char *second = memchr (rest.data, '\t', rest.len);

      if (second == NULL)
        return FALSE;
      if (second - rest.data >= 6 && memcmp (second - 6, ":lemma", 6) == 0)
        {
          FrStr text = { second + 1, (gsize) (rest.data + rest.len - second - 1) };
          const char *more = memchr (text.data, '\t', text.len);

          if (more != NULL)
            text.len = (gsize) (more - text.data);
          add_lemma (l, word, text_strip (text), pos);
        }
      return TRUE;
    }
  if (text_strip (word).len == 0 || text_strip (rest).len == 0)
    return FALSE;
  add_list (l, FROM_LIST, word, rest);
  return TRUE;
}

gboolean
lexicon_read (Lexicon *l, const char *name, const char *text, gsize len, GError **error)
{
  const char *p = text, *end = text + len;

  g_clear_pointer (&l->synsets, g_hash_table_unref);
  g_clear_pointer (&l->order, g_ptr_array_unref);
  l->synsets
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  l->order = g_ptr_array_new ();
  if (len >= 3 && memcmp (p, "\xef\xbb\xbf", 3) == 0)
    p += 3;
  for (guint64 line = 1; p < end; line++)
    {
      const char *eol = memchr (p, '\n', (gsize) (end - p));
      FrStr all;

      if (eol == NULL)
        eol = end;
      all = text_strip ((FrStr){ p, (gsize) (eol - p) });
      p = eol + 1;
      if (all.len == 0 || all.data[0] == '#')
        continue;
      if (!g_utf8_validate (all.data, (gssize) all.len, NULL) || !read_line (l, all))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "%s:%" G_GUINT64_FORMAT
                       ": this is no line of a synonym list in UTF-8: give a "
                       "word, a tab or '=', and its synonyms with commas between",
                       name, line);
          return FALSE;
        }
    }
  join_synsets (l);
  return TRUE;
}

void
lexicon_add_domain (Lexicon *l)
{
  const char *const *lines = lexicon_domain ();

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *equals = strchr (lines[i], '=');

      add_list (l, FROM_DOMAIN, (FrStr){ lines[i], (gsize) (equals - lines[i]) },
                (FrStr){ equals + 1, strlen (equals + 1) });
    }
}

/* ---- looking up
 * --------------------------------------------------------------------------------------- */

/* How many senses the synonyms have themselves. */
static void
count_senses (Lexicon *l, Draft *draft)
{
  for (guint i = 0; draft->origin == FROM_WORDNET && i < draft->synonyms->len; i++)
    {
      Synonym *synonym = &g_array_index (draft->synonyms, Synonym, i);
      const Draft *own = g_hash_table_lookup (l->drafts, fold (l, synonym->word));
      const char *which = synonym->pos != 0 ? strchr (pos_letters, synonym->pos) : NULL;

      if (own != NULL && which != NULL)
        synonym->senses = own->senses[which - pos_letters];
    }
}

gboolean
lexicon_ready (Lexicon *l, GError **error)
{
  guint n = g_hash_table_size (l->drafts), i = 0;
  g_autofree FrStr *words = g_new (FrStr, n + 1);
  g_autofree guint64 *values = g_new (guint64, n + 1);
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init (&iter, l->drafts);
  while (g_hash_table_iter_next (&iter, &key, &value))
    count_senses (l, value);
  l->entries = g_array_sized_new (FALSE, FALSE, sizeof (Entry), n);
  g_hash_table_iter_init (&iter, l->drafts);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      const Draft *draft = value;
      Entry entry = { draft->origin,
                      (const Synonym *) (gpointer) draft->synonyms->data,
                      draft->synonyms->len,
                      { 0 } };

      memcpy (entry.senses, draft->senses, sizeof entry.senses);
      words[i] = (FrStr){ key, strlen (key) };
      values[i++] = l->entries->len;
      g_array_append_val (l->entries, entry);
    }
  l->trie = text_trie_new (words, values, n, error);
  return l->trie != NULL;
}

guint
lexicon_n_words (const Lexicon *l)
{
  return l->entries->len;
}

const Entry *
lexicon_at (const Lexicon *l, FrStr text, gsize at, const gsize *ends, guint n_ends, gsize *len)
{
  const char *p = text.data + at, *end = text.data + text.len;
  const Entry *found = NULL;
  guint32 node = 0;
  guint next = 0;

  while (p < end)
    {
      guint32 code = text_trie_code (l->trie, fold_char (text_next_char (&p)));
      gsize after = (gsize) (p - text.data);

      if (code == 0 || (node = text_trie_step (l->trie, node, code)) == 0)
        break;
      while (next < n_ends && ends[next] < after)
        next++;
      if (next == n_ends)
        break;
      if (ends[next] != after || l->trie->nodes[node].value.number == TEXT_TRIE_NONE)
        continue;
      found = &g_array_index (l->entries, Entry, l->trie->nodes[node].value.number);
      *len = after - at;
    }
  return found;
}
