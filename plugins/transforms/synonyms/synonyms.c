/* SPDX-License-Identifier: Apache-2.0 */
/* synonyms.c: transform.synonyms, variants of rows with words replaced.
 *
 *   row -> what must stay (augment.h) -> words (segment.h) -> sites: words with their synonyms
 *       -> for each variant: sites and synonyms drawn -> texts -> survived? new? -> row
 *
 * The simple scheme is Wei and Zou's "easy data augmentation" (2019, synonym replacement), with
 * guards in the place of chance: what is drawn depends on the row's id, the seed and the number of
 * the variant alone.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <math.h>
#include <string.h>

#include "details.h"
#include "lexicon.h"
#include "text/augment.h"
#include "text/segment.h"

#define MAX_ATTEMPTS 8 /* for one variant */

enum
{
  DOMAIN_NONE,
  DOMAIN_SHOP
};

typedef struct
{
  char **columns;
  gint64 variants;
  double rate;
  JsonNode *table;
  int domain;
  char **synonyms;
  char *dictionary;
  char *user_dictionary;
  char **terms;
  char *terms_file;
  char **term_columns;
  gint64 min_chars;
  gint64 max_senses;
  gint64 min_frequency;
  double rarity;
  gboolean originals;
} Config;

static const FrEnumValue *const domains[]
    = { FR_ENUM ("shop", DOMAIN_SHOP, "flowrun's own list for product texts, notices and service"),
        FR_ENUM ("none", DOMAIN_NONE, "no list but what the pipeline gives"), NULL };

static const FrParam *const params[] = {
  FR_PARAM_COLUMNS ("columns", Config, columns, FR_TYPES_TEXT, "text in which words are replaced",
                    .def = "input"),
  FR_PARAM_INT ("variants", Config, variants, 1, 50, "how many variants a row gets, at most",
                .def = "2"),
  FR_PARAM_FLOAT ("rate", Config, rate, 0.01, 1,
                  "share of a row's words that a variant has replaced; always one at least",
                  .def = "0.2"),
  FR_PARAM_JSON ("table", Config, table, "words and what may stand for them",
                 .schema = "{\"type\": \"object\", \"additionalProperties\": {\"type\": \"array\", "
                           "\"items\": {\"type\": \"string\", \"minLength\": 1}, \"minItems\": 1}}",
                 .example = "{\"优惠\": [\"折扣\", \"特价\"]}"),
  FR_PARAM_ENUM ("domain", Config, domain, domains, "which list of flowrun's own is used",
                 .def = "shop"),
  FR_PARAM_PATHS ("synonyms", Config, synonyms,
                  "files of synonyms: lines of words, or a wordnet in tab form",
                  .flags = FR_PARAM_READS, .example = "\"wn-data-cmn.tab\""),
  FR_PARAM_PATH ("dictionary", Config, dictionary,
                 "word list with frequencies and parts of speech, as jieba's",
                 .flags = FR_PARAM_READS, .example = "\"dict.txt\""),
  FR_PARAM_PATH ("user_dictionary", Config, user_dictionary,
                 "words of your own, which win over the dictionary's", .flags = FR_PARAM_READS),
  FR_PARAM_STRINGS ("terms", Config, terms, "brands and other words that stay",
                    .example = "[\"小米\", \"Dyson\"]"),
  FR_PARAM_PATH ("terms_file", Config, terms_file, "a file of more such words, one a line",
                 .flags = FR_PARAM_READS),
  FR_PARAM_COLUMNS ("term_columns", Config, term_columns, FR_TYPES_TEXT,
                    "columns whose value stays wherever it stands in the row's text",
                    .example = "\"brand\""),
  FR_PARAM_INT ("min_chars", Config, min_chars, 1, 10,
                "a wordnet's words that are shorter neither go nor come", .def = "2",
                .unit = "characters"),
  FR_PARAM_INT ("max_senses", Config, max_senses, 1, 255,
                "a wordnet's words with more senses neither go nor come", .def = "1"),
  FR_PARAM_INT ("min_frequency", Config, min_frequency, 0, 1e9,
                "a wordnet's synonym must have this frequency in the dictionary", .def = "20"),
  FR_PARAM_FLOAT ("rarity", Config, rarity, 0, 1,
                  "a wordnet's synonym must have this share of the word's own frequency",
                  .def = "0.05"),
  FR_PARAM_BOOL ("originals", Config, originals, "pass the rows themselves on as well",
                 .def = "true"),
  NULL
};

static const FrPort *const inputs[] = { FR_PORT ("in", FR_PORT_RECORDS, "rows to learn from",
                                                 .flags = FR_PORT_MANY | FR_PORT_TRAINING),
                                        NULL };
static const FrPort *const outputs[]
    = { FR_PORT ("out", FR_PORT_RECORDS, "each row, and after it its variants"), NULL };

#define CHANGES "changes"

/* ---- configure and bind
 * --------------------------------------------------------------------------- */

static gboolean
synonyms_configure (gpointer data, FrProblems *problems)
{
  const Config *c = data;
  gboolean ok = TRUE;

  if (c->user_dictionary != NULL && c->dictionary == NULL)
    {
      fr_problems_add (problems, "/user_dictionary",
                       "words of your own go beside a dictionary; give 'dictionary' too");
      ok = FALSE;
    }
  if (c->table == NULL && c->domain == DOMAIN_NONE && (c->synonyms == NULL || !*c->synonyms))
    {
      fr_problems_add (problems, "/domain",
                       "no word has a synonym: give 'table' or 'synonyms', or the domain 'shop'");
      ok = FALSE;
    }
  return ok;
}

static gboolean
synonyms_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *c = data;
  FrSchema *input = fr_bind_input (bind, "in"), *schema;
  int changes;

  if (input == NULL)
    return TRUE;
  schema = text_family_schema (input, error);
  if (schema == NULL)
    return FALSE;
  changes = fr_schema_find (schema, CHANGES);
  if (changes >= 0
      && !(FR_TYPES (fr_field_type (fr_schema_field (schema, (guint) changes))) & FR_TYPES_TEXT))
    {
      fr_schema_unref (schema);
      fr_bind_problem (bind, "/columns",
                       "the input has a column '" CHANGES "' that is not text, and this element "
                       "writes one; give yours another name with transform.select");
      return FALSE;
    }
  if (changes < 0)
    {
      FrSchema *wider = fr_schema_with (schema, fr_field_new (CHANGES, FR_TYPE_UTF8));

      fr_schema_unref (schema);
      schema = wider;
    }
  fr_bind_output (bind, "out", schema);
  if (c->dictionary == NULL && c->synonyms != NULL && *c->synonyms)
    fr_bind_warn (bind, "/synonyms",
                  "without a dictionary, synonyms are not guarded by part of speech and frequency; "
                  "give 'dictionary'");
  return TRUE;
}

/* ---- state
 * --------------------------------------------------------------------------------------------- */

typedef struct
{
  const Config *config;
  Lexicon *lexicon;
  TextDictionary *dictionary; /* or NULL */
  TextKeeper *keeper;
  TextFamily *family;
  guint *columns, n_columns;
  guint *term_columns, n_term_columns;
  int changes; /* column of the input; -1: added */
  guint n_input;
} State;

/* A place in a row's text where a word may be replaced. */
typedef struct
{
  guint column; /* among the chosen ones */
  gsize offset, len;
  guint first, n; /* of its synonyms, in Local.choices */
} Site;

typedef enum
{
  PASSED_SHORT,
  PASSED_SENSES,
  PASSED_POS,
  PASSED_RARE,
  PASSED_UNKNOWN,
  DROPPED_SAME,
  DROPPED_BESIDE,
  DROPPED_KEEP,
  ROWS_WITHOUT = DROPPED_KEEP + TEXT_KEEP_N,
  VARIANTS,
  VARIANTS_MISSING,
  N_COUNTS
} CountId;

static const char *const count_names[]
    = { "passed_short",    "passed_senses",    "passed_part_of_speech", "passed_rare",
        "passed_unknown",  "dropped_same",     "dropped_beside",        "dropped_placeholder",
        "dropped_url",     "dropped_term",     "dropped_date",          "dropped_price",
        "dropped_number",  "dropped_negation", "rows_without",          "variants",
        "variants_missing" };
G_STATIC_ASSERT (G_N_ELEMENTS (count_names) == N_COUNTS);

typedef struct
{
  TextSegmenter *segmenter;
  GArray *segments, *keeps, *ends; /* TextSegment, TextKeep, gsize */
  GArray *sites;                   /* Site */
  GArray *choices;                 /* FrStr */
  GArray *order;                   /* guint: sites, shuffled */
  GString **texts;                 /* one for each chosen column */
  GString *joined, *changes;
  FrStr *cells; /* one for each column of the input */
  FrStr *terms;
  TextSeen *seen;
  FrBuilder *builder;
  gint64 counts[N_COUNTS];
} Local;

static void
synonyms_close (gpointer data)
{
  State *s = data;

  lexicon_free (s->lexicon);
  text_dictionary_unref (s->dictionary);
  text_keeper_free (s->keeper);
  text_family_free (s->family);
  g_free (s->columns);
  g_free (s->term_columns);
  g_free (s);
}

static gboolean
read_file (Lexicon *lexicon, const char *path, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, &failed);

  if (file == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot read the synonyms: %s", failed->message);
      return FALSE;
    }
  return lexicon_read (lexicon, path, g_mapped_file_get_contents (file),
                       g_mapped_file_get_length (file), error);
}

static gboolean
fill_lexicon (State *s, GError **error)
{
  const Config *c = s->config;
  JsonObjectIter iter;
  const char *word;
  JsonNode *list;

  if (c->table != NULL)
    {
      json_object_iter_init_ordered (&iter, json_node_get_object (c->table));
      while (json_object_iter_next_ordered (&iter, &word, &list))
        for (guint i = 0; i < json_array_get_length (json_node_get_array (list)); i++)
          {
            const char *synonym = json_array_get_string_element (json_node_get_array (list), i);

            lexicon_add (s->lexicon, FROM_TABLE, (FrStr){ word, strlen (word) },
                         (FrStr){ synonym, strlen (synonym) });
          }
    }
  if (c->domain == DOMAIN_SHOP)
    lexicon_add_domain (s->lexicon);
  for (guint i = 0; c->synonyms != NULL && c->synonyms[i] != NULL; i++)
    if (!read_file (s->lexicon, c->synonyms[i], error))
      return FALSE;
  return lexicon_ready (s->lexicon, error);
}

static guint *
find_columns (const FrSchema *schema, char **names, guint *n)
{
  guint *found;

  for (*n = 0; names != NULL && names[*n] != NULL;)
    ++*n;
  found = g_new (guint, *n + 1);
  for (guint i = 0; i < *n; i++)
    found[i] = (guint) fr_schema_find (schema, names[i]);
  return found;
}

static gboolean
synonyms_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  const Config *c = data;
  FrSchema *input = fr_host_input (host, "in");
  State *s = g_new0 (State, 1);
  g_autoptr (TextSegmenter) probe = NULL;

  s->config = c;
  s->n_input = fr_schema_n_fields (input);
  s->changes = fr_schema_find (input, CHANGES);
  s->columns = find_columns (input, c->columns, &s->n_columns);
  s->term_columns = find_columns (input, c->term_columns, &s->n_term_columns);
  s->lexicon = lexicon_new ();
  s->family = text_family_new (host, input);
  if (!fill_lexicon (s, error)
      || (c->dictionary != NULL
          && (s->dictionary = text_dictionary_new (c->dictionary, c->user_dictionary, error))
                 == NULL)
      || (s->keeper = text_keeper_new ((const char *const *) c->terms, c->terms_file, error))
             == NULL
      || (probe = text_segmenter_new_with (s->dictionary, error)) == NULL)
    {
      synonyms_close (s);
      return FALSE;
    }
  fr_host_report (host, "segmenter",
                  json_node_init_string (json_node_alloc (), text_segmenter_version (probe)));
  fr_host_info (host, "%u words have synonyms; words are cut by %s", lexicon_n_words (s->lexicon),
                text_segmenter_version (probe));
  *state = s;
  return TRUE;
}

static gboolean
synonyms_thread_begin (FrHost *host, gpointer data, gpointer *local, GError **error)
{
  State *s = data;
  TextSegmenter *segmenter = text_segmenter_new_with (s->dictionary, error);
  Local *l;

  if (segmenter == NULL)
    return FALSE;
  l = g_new0 (Local, 1);
  l->segmenter = segmenter;
  l->segments = g_array_new (FALSE, FALSE, sizeof (TextSegment));
  l->keeps = g_array_new (FALSE, FALSE, sizeof (TextKeep));
  l->ends = g_array_new (FALSE, FALSE, sizeof (gsize));
  l->sites = g_array_new (FALSE, FALSE, sizeof (Site));
  l->choices = g_array_new (FALSE, FALSE, sizeof (FrStr));
  l->order = g_array_new (FALSE, FALSE, sizeof (guint));
  l->texts = g_new0 (GString *, s->n_columns + 1);
  for (guint i = 0; i < s->n_columns; i++)
    l->texts[i] = g_string_new (NULL);
  l->joined = g_string_new (NULL);
  l->changes = g_string_new (NULL);
  l->cells = g_new0 (FrStr, s->n_input + 1);
  l->terms = g_new0 (FrStr, s->n_term_columns + 1);
  l->seen = text_seen_new ();
  l->builder = fr_builder_new (fr_host_output (host, "out"));
  *local = l;
  return TRUE;
}

static void
synonyms_thread_end (G_GNUC_UNUSED gpointer data, gpointer local)
{
  Local *l = local;

  text_segmenter_free (l->segmenter);
  g_array_unref (l->segments);
  g_array_unref (l->keeps);
  g_array_unref (l->ends);
  g_array_unref (l->sites);
  g_array_unref (l->choices);
  g_array_unref (l->order);
  for (guint i = 0; l->texts[i] != NULL; i++)
    g_string_free (l->texts[i], TRUE);
  g_free (l->texts);
  g_string_free (l->joined, TRUE);
  g_string_free (l->changes, TRUE);
  g_free (l->cells);
  g_free (l->terms);
  text_seen_free (l->seen);
  fr_builder_free (l->builder);
  g_free (l);
}

/* ---- sites
 * -----------------------------------------------------------------------------------------------
 */

/* jieba's tags begin with the letter that a wordnet gives, but for adverbs and verbal nouns. */
static gboolean
pos_fits (const char *tag, char pos)
{
  return pos == 0 || *tag == pos;
}

/* Whether @synonym may stand for a wordnet's word. */
static gboolean
guard (const State *s, Local *l, const Entry *entry, const Synonym *synonym, const TextWord *known)
{
  static const char letters[] = "nvad";
  const char *which = synonym->pos != 0 ? strchr (letters, synonym->pos) : NULL;
  TextWord other;

  if (g_utf8_strlen (synonym->word.data, (gssize) synonym->word.len) < s->config->min_chars)
    {
      l->counts[PASSED_SHORT]++;
      return FALSE;
    }
  if (which != NULL
      && MAX (entry->senses[which - letters], synonym->senses) > s->config->max_senses)
    {
      l->counts[PASSED_SENSES]++;
      return FALSE;
    }
  if (s->dictionary == NULL)
    return TRUE;
  if (!text_dictionary_find (s->dictionary, synonym->word, &other))
    {
      l->counts[PASSED_UNKNOWN]++;
      return FALSE;
    }
  if (!pos_fits (known->pos, synonym->pos) || !pos_fits (other.pos, synonym->pos))
    {
      l->counts[PASSED_POS]++;
      return FALSE;
    }
  if (other.frequency < (guint64) s->config->min_frequency
      || (double) other.frequency < s->config->rarity * (double) known->frequency)
    {
      l->counts[PASSED_RARE]++;
      return FALSE;
    }
  return TRUE;
}

static void
add_site (const State *s, Local *l, guint column, FrStr text, gsize at, gsize len,
          const Entry *entry)
{
  Site site = { column, at, len, l->choices->len, 0 };
  FrStr word = { text.data + at, len };
  TextWord known = { 0, "" };

  if (entry->origin == FROM_WORDNET)
    {
      if (g_utf8_strlen (word.data, (gssize) word.len) < s->config->min_chars)
        {
          l->counts[PASSED_SHORT]++;
          return;
        }
      if (s->dictionary != NULL)
        text_dictionary_find (s->dictionary, word, &known);
    }
  for (guint i = 0; i < entry->n; i++)
    if (entry->origin != FROM_WORDNET || guard (s, l, entry, &entry->synonyms[i], &known))
      g_array_append_val (l->choices, entry->synonyms[i].word);
  site.n = l->choices->len - site.first;
  if (site.n > 0)
    g_array_append_val (l->sites, site);
}

/* The places in @text; returns how many words it has. */
static guint
find_sites (const State *s, Local *l, guint column, FrStr text)
{
  guint keep = 0, words = 0;
  gsize done = 0;

  g_array_set_size (l->segments, 0);
  g_array_set_size (l->keeps, 0);
  g_array_set_size (l->ends, 0);
  text_keeper_find (s->keeper, text, l->terms, s->n_term_columns, l->keeps);
  text_segment_words (l->segmenter, text, l->segments);
  for (guint i = 0; i < l->segments->len; i++)
    {
      const TextSegment *segment = &g_array_index (l->segments, TextSegment, i);
      gsize end = segment->offset + segment->len;

      g_array_append_val (l->ends, end);
    }
  for (guint i = 0; i < l->segments->len; i++)
    {
      const TextSegment *segment = &g_array_index (l->segments, TextSegment, i);
      const Entry *entry;
      guint k = keep;
      gsize limit = text.len, len;

      words += segment->is_word != 0;
      while (keep < l->keeps->len
             && g_array_index (l->keeps, TextKeep, keep).offset
                        + g_array_index (l->keeps, TextKeep, keep).len
                    <= segment->offset)
        k = ++keep;
      if (k < l->keeps->len)
        limit = g_array_index (l->keeps, TextKeep, k).offset;
      if (!segment->is_word || segment->offset < done || segment->offset >= limit)
        continue;
      entry = lexicon_at (s->lexicon, (FrStr){ text.data, limit }, segment->offset,
                          &g_array_index (l->ends, gsize, i), l->ends->len - i, &len);
      if (entry == NULL)
        continue;
      add_site (s, l, column, text, segment->offset, len, entry);
      done = segment->offset + len;
    }
  return words;
}

/* ---- variants
 * --------------------------------------------------------------------------------------------- */

/* Vigna's splitmix64. */
static guint64
draw (guint64 *state)
{
  guint64 z = *state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  z = (z ^ z >> 30) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ z >> 31;
}

static int
by_number (gconstpointer a, gconstpointer b)
{
  guint x = *(const guint *) a, y = *(const guint *) b;

  return x < y ? -1 : x > y;
}

/* The first @n of l->order become @n different sites, in the order of the text. */
static void
choose_sites (Local *l, guint n, guint64 *random)
{
  g_array_set_size (l->order, l->sites->len);
  for (guint i = 0; i < l->sites->len; i++)
    g_array_index (l->order, guint, i) = i;
  for (guint i = 0; i < n; i++)
    {
      guint k = i + (guint) (draw (random) % (l->sites->len - i));
      guint other = g_array_index (l->order, guint, k);

      g_array_index (l->order, guint, k) = g_array_index (l->order, guint, i);
      g_array_index (l->order, guint, i) = other;
    }
  g_array_set_size (l->order, n);
  g_array_sort (l->order, by_number);
}

/* Whether the text beside a site says the word already: 特价 beside 特价. */
static gboolean
stands_beside (FrStr text, const Site *site, FrStr word)
{
  gsize after = site->offset + site->len;

  return (site->offset >= word.len
          && memcmp (text.data + site->offset - word.len, word.data, word.len) == 0)
         || (text.len - after >= word.len && memcmp (text.data + after, word.data, word.len) == 0);
}

static void
append_range (GString *out, FrStr text, gsize from, gsize to)
{
  g_string_append_len (out, text.data + from, (gssize) (to - from));
}

/* Writes the texts and changes of one attempt. FALSE: the word stands there already. */
static gboolean
write_attempt (const State *s, Local *l, const FrStr *texts, guint64 *random)
{
  g_autofree gsize *done = g_new0 (gsize, s->n_columns + 1);

  g_string_truncate (l->changes, 0);
  for (guint i = 0; i < s->n_columns; i++)
    g_string_truncate (l->texts[i], 0);
  for (guint i = 0; i < l->order->len; i++)
    {
      const Site *site = &g_array_index (l->sites, Site, g_array_index (l->order, guint, i));
      FrStr word
          = g_array_index (l->choices, FrStr, site->first + (guint) (draw (random) % site->n));
      FrStr text = texts[site->column];

      if (stands_beside (text, site, word))
        return FALSE;
      append_range (l->texts[site->column], text, done[site->column], site->offset);
      g_string_append_len (l->texts[site->column], word.data, (gssize) word.len);
      done[site->column] = site->offset + site->len;
      if (l->changes->len > 0)
        g_string_append (l->changes, "；");
      if (s->n_columns > 1)
        g_string_append_printf (l->changes, "%s: ", s->config->columns[site->column]);
      append_range (l->changes, text, site->offset, site->offset + site->len);
      g_string_append (l->changes, "→");
      g_string_append_len (l->changes, word.data, (gssize) word.len);
    }
  for (guint i = 0; i < s->n_columns; i++)
    append_range (l->texts[i], texts[i], done[i], texts[i].len);
  return TRUE;
}

static FrStr
joined (const State *s, Local *l, const FrStr *texts)
{
  g_string_truncate (l->joined, 0);
  for (guint i = 0; i < s->n_columns; i++)
    {
      g_string_append_len (l->joined, texts[i].data, (gssize) texts[i].len);
      g_string_append_c (l->joined, '\x1f');
    }
  return (FrStr){ l->joined->str, l->joined->len };
}

/* Whether what was written may be a variant; counts why not. */
static gboolean
is_good (const State *s, Local *l, const FrStr *texts)
{
  g_autofree FrStr *now = g_new (FrStr, s->n_columns + 1);

  for (guint i = 0; i < s->n_columns; i++)
    {
      TextKeepKind kind;

      now[i] = (FrStr){ l->texts[i]->str, l->texts[i]->len };
      if (fr_str_equal (now[i], texts[i]) || texts[i].data == NULL)
        continue;
      kind = text_keeper_judge (s->keeper, texts[i], now[i], l->terms, s->n_term_columns, NULL);
      if (kind != TEXT_KEEP_N)
        {
          l->counts[DROPPED_KEEP + kind]++;
          return FALSE;
        }
    }
  if (!text_seen_add (l->seen, joined (s, l, now)))
    {
      l->counts[DROPPED_SAME]++;
      return FALSE;
    }
  return TRUE;
}

/* Where the input brings the column, text_family_append() has filled it. */
static void
write_changes (const State *s, Local *l, gboolean variant)
{
  if (s->changes >= 0)
    return;
  if (variant)
    fr_cells_append_str (fr_builder_cells (l->builder, text_family_n_columns (s->family)),
                         l->changes->str, l->changes->len);
  else
    fr_cells_append_null (fr_builder_cells (l->builder, text_family_n_columns (s->family)));
}

static FrFlow
end_row (FrHost *host, Local *l, FrRowId id, GError **error)
{
  FrBatch *batch;

  fr_builder_end_row (l->builder, id);
  if (!fr_builder_full (l->builder))
    return FR_FLOW_OK;
  batch = fr_builder_finish (l->builder, error);
  return batch != NULL ? fr_host_push (host, "out", batch, error) : FR_FLOW_ERROR;
}

static FrFlow
write_variant (const State *s, Local *l, FrHost *host, const FrBatch *batch, gsize row,
               const FrStr *texts, guint variant, GError **error)
{
  FrRowId id;

  memset (l->cells, 0, sizeof *l->cells * s->n_input);
  for (guint i = 0; i < s->n_columns; i++)
    if (texts[i].data != NULL)
      l->cells[s->columns[i]] = (FrStr){ l->texts[i]->str, l->texts[i]->len };
  if (s->changes >= 0)
    l->cells[s->changes] = (FrStr){ l->changes->str, l->changes->len };
  id = text_family_append (s->family, l->builder, batch, row, variant, l->cells);
  write_changes (s, l, TRUE);
  l->counts[VARIANTS]++;
  return end_row (host, l, id, error);
}

static FrFlow
vary (const State *s, Local *l, FrHost *host, const FrBatch *batch, gsize row, const FrStr *texts,
      guint words, GError **error)
{
  FrRowId id = fr_batch_ids (batch)[row];
  guint n = (guint) lround (s->config->rate * words), made = 0;
  gint64 tries = s->config->variants * MAX_ATTEMPTS;

  n = CLAMP (n, 1, l->sites->len);
  text_seen_clear (l->seen);
  text_seen_add (l->seen, joined (s, l, texts));
  for (gint64 i = 0; i < tries && made < s->config->variants; i++)
    {
      guint64 random = fr_host_random (host, id, (guint64) i);
      FrFlow flow;

      choose_sites (l, n, &random);
      if (!write_attempt (s, l, texts, &random))
        {
          l->counts[DROPPED_BESIDE]++;
          continue;
        }
      if (!is_good (s, l, texts))
        continue;
      flow = write_variant (s, l, host, batch, row, texts, ++made, error);
      if (flow != FR_FLOW_OK)
        return flow;
    }
  if (made < s->config->variants)
    l->counts[VARIANTS_MISSING] += s->config->variants - made;
  return FR_FLOW_OK;
}

static FrFlow
do_row (const State *s, Local *l, FrHost *host, const FrBatch *batch, const FrView *views,
        gsize row, GError **error)
{
  g_autofree FrStr *texts = g_new0 (FrStr, s->n_columns + 1);
  guint words = 0;

  if (s->config->originals)
    {
      FrRowId id = text_family_append (s->family, l->builder, batch, row, 0, NULL);
      FrFlow flow;

      write_changes (s, l, FALSE);
      flow = end_row (host, l, id, error);
      if (flow != FR_FLOW_OK)
        return flow;
    }
  for (guint i = 0; i < s->n_term_columns; i++)
    l->terms[i] = fr_view_str (&views[s->term_columns[i]], row);
  g_array_set_size (l->sites, 0);
  g_array_set_size (l->choices, 0);
  for (guint i = 0; i < s->n_columns; i++)
    {
      texts[i] = fr_view_str (&views[s->columns[i]], row);
      if (texts[i].len > 0)
        words += find_sites (s, l, i, texts[i]);
    }
  if (l->sites->len > 0)
    return vary (s, l, host, batch, row, texts, words, error);
  l->counts[ROWS_WITHOUT]++;
  return FR_FLOW_OK;
}

static FrFlow
synonyms_map (FrHost *host, gpointer state, gpointer local, FrBatch *taken, GError **error)
{
  const State *s = state;
  Local *l = local;
  g_autoptr (FrBatch) batch = taken;
  g_autofree FrView *views = g_new (FrView, s->n_input + 1);
  FrFlow flow = FR_FLOW_OK;

  for (guint i = 0; i < s->n_input; i++)
    views[i] = fr_view (batch, i);
  for (gsize row = 0; flow == FR_FLOW_OK && row < fr_batch_n_rows (batch); row++)
    flow = do_row (s, l, host, batch, views, row, error);
  if (flow == FR_FLOW_OK && fr_builder_n_rows (l->builder) > 0)
    {
      FrBatch *out = fr_builder_finish (l->builder, error);

      flow = out != NULL ? fr_host_push (host, "out", out, error) : FR_FLOW_ERROR;
    }
  for (guint i = 0; i < N_COUNTS; i++)
    if (l->counts[i] != 0)
      fr_host_count (host, count_names[i], l->counts[i]);
  memset (l->counts, 0, sizeof l->counts);
  return flow;
}

static const FrElement synonyms
    = { .size = sizeof (FrElement),
        .kind = FR_KIND_TRANSFORM,
        .name = "transform.synonyms",
        .revision = 1,
        .flags = FR_ELEMENT_PARALLEL,
        .summary = "variants of rows with words replaced by synonyms",
        .details = details,
        .example = "{\"columns\": \"input\", \"variants\": 2, \"table\": {\"优惠\": [\"折扣\", "
                   "\"特价\"]}}",
        .config_size = sizeof (Config),
        .params = params,
        .inputs = inputs,
        .outputs = outputs,
        .configure = synonyms_configure,
        .bind = synonyms_bind,
        .open = synonyms_open,
        .thread_begin = synonyms_thread_begin,
        .map = synonyms_map,
        .thread_end = synonyms_thread_end,
        .close = synonyms_close };

FR_PLUGIN ("synonyms", PACKAGE_VERSION, "variants by synonyms", "Apache-2.0", "flowrun", &synonyms)
