/* SPDX-License-Identifier: Apache-2.0 */
/* augment-keep.c: what an augmenter leaves alone, found and compared; see augment.h.
 *
 * One walk over the text; at each place the first of these that fits is taken, and the walk goes on
 * behind it: placeholder, address, term, number, negation.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "text/augment-private.h"
#include "text/chars.h"
#include "text/trie.h"

#define MAX_PLACEHOLDER 80 /* bytes */
#define MAX_SEARCHES 200   /* different names with digits in one text */

struct _TextKeeper
{
  TextTrie *terms;     /* folded */
  TextTrie *negations; /* words that negate: 1; words that only look so: 0 */
  TextTrie *english;   /* numbers as English words */
};

static const char *const kind_names[TEXT_KEEP_N]
    = { "placeholder", "url", "term", "date", "price", "number", "negation" };

const char *
text_keep_name (TextKeepKind kind)
{
  return kind < TEXT_KEEP_N ? kind_names[kind] : "none";
}

/* ---- word lists ---------------------------------------------------------------------------------
 */

static const char *const negating[]
    = { "不",      "没",      "没有",   "无",      "無",       "勿",       "未",        "别",
        "非",      "毋",      "莫",     "休",      "沒",       "并非",     "並非",      "绝非",
        "not",     "no",      "never",  "none",    "nothing",  "neither",  "nor",       "without",
        "cannot",  "can't",   "don't",  "doesn't", "didn't",   "won't",    "isn't",     "aren't",
        "wasn't",  "weren't", "hasn't", "haven't", "hadn't",   "wouldn't", "couldn't",  "shouldn't",
        "mustn't", "can’t",   "don’t",  "doesn’t", "didn’t",   "won’t",    "isn’t",     "aren’t",
        "wasn’t",  "weren’t", "hasn’t", "haven’t", "wouldn’t", "couldn’t", "shouldn’t", NULL };
static const char *const not_negating[] = {
  "不错",     "不仅",        "不但",   "不过",     "不管",   "不论",   "不断",     "不同",
  "不禁",     "不久",        "不得了", "差不多",   "对不起", "不妨",   "不愧",     "不止",
  "不只",     "不由得",      "不光",   "不单",     "不时",   "不已",   "不锈钢",   "不料",
  "不然",     "不约而同",    "说不定", "了不起",   "恨不得", "巴不得", "数不胜数", "不胜",
  "无论",     "无数",        "无比",   "无疑",     "无限",   "无线",   "无非",     "无意",
  "无花果",   "没收",        "沉没",   "淹没",     "出没",   "埋没",   "没准",     "非常",
  "非洲",     "除非",        "是非",   "非凡",     "绯闻",   "未来",   "未必",     "未婚",
  "别人",     "别的",        "特别",   "分别",     "区别",   "级别",   "类别",     "性别",
  "差别",     "个别",        "告别",   "别墅",     "别致",   "识别",   "辨别",     "别名",
  "别样",     "鉴别",        "别具",   "别出心裁", "送别",   "离别",   "久别",     "别处",
  "别说",     "派别",        "国别",   "莫名",     "莫非",   "莫大",   "休息",     "休闲",
  "退休",     "休假",        "莫过于", "尼莫",     "玄奘",   "约莫",   "not only", "no matter",
  "no doubt", "nothing but", NULL
};
static const char *const english_numbers[]
    = { "zero",    "one",       "two",      "three",    "four",   "five",     "six",      "seven",
        "eight",   "nine",      "ten",      "eleven",   "twelve", "thirteen", "fourteen", "fifteen",
        "sixteen", "seventeen", "eighteen", "nineteen", "twenty", NULL };
static const struct
{
  const char *word;
  guint value;
} english_more[]
    = { { "thirty", 30 },     { "forty", 40 },        { "fifty", 50 },  { "sixty", 60 },
        { "seventy", 70 },    { "eighty", 80 },       { "ninety", 90 }, { "hundred", 100 },
        { "thousand", 1000 }, { "million", 1000000 }, { "half", 2 },    { "dozen", 12 },
        { "first", 1 },       { "second", 2 },        { "third", 3 } };

static char *
fold (FrStr text)
{
  GString *out = g_string_sized_new (text.len + 1);

  for (const char *p = text.data, *end = p + text.len; p < end;)
    g_string_append_unichar (out, text_fold_char (text_next_char (&p)));
  return g_string_free (out, FALSE);
}

static void
add_word (GArray *words, GArray *values, GPtrArray *keep, FrStr word, guint64 value)
{
  FrStr folded;

  g_ptr_array_add (keep, fold (word));
  folded.data = keep->pdata[keep->len - 1];
  folded.len = strlen (folded.data);
  g_array_append_val (words, folded);
  g_array_append_val (values, value);
}

static TextTrie *
make_trie (GArray *words, GArray *values, GError **error)
{
  TextTrie *trie = text_trie_new ((const FrStr *) (gpointer) words->data,
                                  (const guint64 *) (gpointer) values->data, words->len, error);

  g_array_set_size (words, 0);
  g_array_set_size (values, 0);
  return trie;
}

static gboolean
read_terms (const char *path, GArray *words, GArray *values, GPtrArray *keep, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autofree char *data = NULL;
  gsize len;
  guint64 line = 1;

  if (!g_file_get_contents (path, &data, &len, &failed))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot read the list of terms: %s",
                   failed->message);
      return FALSE;
    }
  if (len >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0)
    memset (data, ' ', 3);
  for (const char *p = data, *end = data + len; p < end; line++)
    {
      const char *eol = memchr (p, '\n', (gsize) (end - p));
      FrStr word;

      if (eol == NULL)
        eol = end;
      word = text_strip ((FrStr){ p, (gsize) (eol - p) });
      p = eol + 1;
      if (word.len == 0 || word.data[0] == '#')
        continue;
      if (!g_utf8_validate (word.data, (gssize) word.len, NULL) || word.len > 1024)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "%s:%" G_GUINT64_FORMAT
                       ": a term must be UTF-8 and at most 1024 bytes long; "
                       "give one term a line",
                       path, line);
          return FALSE;
        }
      add_word (words, values, keep, word, 1);
    }
  return TRUE;
}

TextKeeper *
text_keeper_new (const char *const *terms, const char *path, GError **error)
{
  g_autoptr (TextKeeper) keeper = g_new0 (TextKeeper, 1);
  g_autoptr (GArray) words = g_array_new (FALSE, FALSE, sizeof (FrStr));
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (GPtrArray) keep = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; negating[i] != NULL; i++)
    add_word (words, values, keep, (FrStr){ negating[i], strlen (negating[i]) }, 1);
  for (guint i = 0; not_negating[i] != NULL; i++)
    add_word (words, values, keep, (FrStr){ not_negating[i], strlen (not_negating[i]) }, 0);
  if ((keeper->negations = make_trie (words, values, error)) == NULL)
    return NULL;
  for (guint i = 0; english_numbers[i] != NULL; i++)
    add_word (words, values, keep, (FrStr){ english_numbers[i], strlen (english_numbers[i]) }, i);
  for (guint i = 0; i < G_N_ELEMENTS (english_more); i++)
    add_word (words, values, keep, (FrStr){ english_more[i].word, strlen (english_more[i].word) },
              english_more[i].value);
  if ((keeper->english = make_trie (words, values, error)) == NULL)
    return NULL;
  for (guint i = 0; terms != NULL && terms[i] != NULL; i++)
    {
      FrStr term = text_strip ((FrStr){ terms[i], strlen (terms[i]) });

      if (term.len > 0)
        add_word (words, values, keep, term, 1);
    }
  if (path != NULL && !read_terms (path, words, values, keep, error))
    return NULL;
  if ((keeper->terms = make_trie (words, values, error)) == NULL)
    return NULL;
  return g_steal_pointer (&keeper);
}

void
text_keeper_free (TextKeeper *keeper)
{
  if (keeper == NULL)
    return;
  text_trie_free (keeper->terms);
  text_trie_free (keeper->negations);
  text_trie_free (keeper->english);
  g_free (keeper);
}

/* ---- single finds
 * --------------------------------------------------------------------------------- */

static gboolean
is_word_char (gunichar c)
{
  return c < 0x2e80 && (text_char_flags (c) & TEXT_CH_ALNUM) != 0;
}

/* Whether a word of letters goes on across byte @at. */
static gboolean
inside_word (FrStr text, gsize at)
{
  const char *before, *here;

  if (at == 0 || at >= text.len)
    return FALSE;
  before = text_prev_char (text.data + at);
  here = text.data + at;
  return is_word_char (text_fold_char (text_next_char (&before)))
         && is_word_char (text_fold_char (text_next_char (&here)));
}

/* The longest word of @trie at @at, in any case and width; a word of letters ends where it ends. */
static gsize
find_word (const TextTrie *trie, FrStr text, gsize at, guint64 *value)
{
  const char *p = text.data + at, *end = text.data + text.len;
  guint32 node = 0;
  gsize found = 0;

  while (p < end)
    {
      guint32 code = text_trie_code (trie, text_fold_char (text_next_char (&p)));
      gsize after = (gsize) (p - text.data);

      if (code == 0 || (node = text_trie_step (trie, node, code)) == 0)
        break;
      if (trie->nodes[node].value.number == TEXT_TRIE_NONE || inside_word (text, after))
        continue;
      found = after - at;
      *value = trie->nodes[node].value.number;
    }
  return found;
}

/* The same for one word that is not in a trie; @word need not be folded. */
static gsize
find_one (FrStr word, FrStr text, gsize at)
{
  const char *p = text.data + at, *end = text.data + text.len;
  const char *w = word.data, *w_end = w + word.len;

  while (w < w_end)
    if (p >= end || text_fold_char (text_next_char (&w)) != text_fold_char (text_next_char (&p)))
      return 0;
  return inside_word (text, (gsize) (p - text.data)) ? 0 : (gsize) (p - text.data) - at;
}

static gboolean
is_name (FrStr s)
{
  if (s.len == 0 || s.len > MAX_PLACEHOLDER)
    return FALSE;
  for (const char *p = s.data, *end = p + s.len; p < end;)
    {
      gunichar c = text_next_char (&p);

      if (!(text_char_flags (c) & TEXT_CH_ALNUM)
          && (c >= 0x80 || strchr ("_.:-$# ", (int) c) == NULL))
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_tag_name (FrStr s)
{
  gunichar first;
  const char *p = s.data;

  if (s.len > 0 && s.data[0] == '/')
    s = (FrStr){ s.data + 1, s.len - 1 };
  p = s.data;
  if (s.len == 0)
    return FALSE;
  first = text_next_char (&p);
  return (text_char_flags (first) & TEXT_CH_ALNUM) != 0 && !g_unichar_isdigit (first);
}

/* Capitals, digits and '_', or a few Chinese characters. */
static gboolean
is_label (FrStr s)
{
  gsize capitals = 0, han = 0;

  for (const char *p = s.data, *end = p + s.len; p < end;)
    {
      gunichar c = text_next_char (&p);

      if (c >= 'A' && c <= 'Z')
        capitals++;
      else if (text_char_flags (c) & TEXT_CH_HAN)
        han++;
      else if (c != '_' && !(c >= '0' && c <= '9'))
        return FALSE;
    }
  return (capitals >= 2 && han == 0) || (han >= 2 && han <= 8 && capitals == 0);
}

/* What stands between @open and @close at @at; data NULL: nothing like it.  @len: of it all. */
static FrStr
between (FrStr text, gsize at, const char *open, const char *close, gsize *len)
{
  gsize n_open = strlen (open), n_close = strlen (close), limit;
  FrStr inner = { NULL, 0 };

  if (text.len - at < n_open || memcmp (text.data + at, open, n_open) != 0)
    return inner;
  limit = MIN (text.len - n_close, at + n_open + MAX_PLACEHOLDER);
  if (text.len < n_close)
    return inner;
  for (gsize i = at + n_open; i <= limit && i + n_close <= text.len && text.data[i] != '\n'; i++)
    if (memcmp (text.data + i, close, n_close) == 0)
      {
        *len = i + n_close - at;
        return (FrStr){ text.data + at + n_open, i - at - n_open };
      }
  return inner;
}

static gsize
placeholder_at (FrStr text, gsize at)
{
  FrStr inner;
  gsize len = 0;

  switch (text.data[at])
    {
    case '{':
      inner = between (text, at, "{{", "}}", &len);
      if (inner.data != NULL && is_name (inner))
        return len;
      inner = between (text, at, "{", "}", &len);
      return inner.data != NULL && is_name (inner) ? len : 0;
    case '$':
      inner = between (text, at, "${", "}", &len);
      return inner.data != NULL && is_name (inner) ? len : 0;
    case '%':
      inner = between (text, at, "%(", ")", &len);
      if (inner.data != NULL && is_name (inner))
        return at + len < text.len && g_ascii_isalpha (text.data[at + len]) ? len + 1 : len;
      if (at + 1 < text.len && strchr ("sdifg@", text.data[at + 1]) != NULL
          && text.data[at + 1] != '\0' && (at == 0 || !g_ascii_isdigit (text.data[at - 1]))
          && !(at + 2 < text.len && g_ascii_isalnum (text.data[at + 2])))
        return 2;
      return 0;
    case '<':
      inner = between (text, at, "<", ">", &len);
      return inner.data != NULL && is_tag_name (inner)
                     && memchr (inner.data, '<', inner.len) == NULL
                 ? len
                 : 0;
    case '[':
      inner = between (text, at, "[", "]", &len);
      return inner.data != NULL && is_label (inner) ? len : 0;
    case '_':
      inner = between (text, at, "__", "__", &len);
      return inner.data != NULL && is_name (inner) && inner.data[0] != '_' ? len : 0;
    default:
      return 0;
    }
}

static gboolean
starts (FrStr text, gsize at, const char *word)
{
  gsize n = strlen (word);

  return text.len - at >= n && g_ascii_strncasecmp (text.data + at, word, n) == 0;
}

static gsize
url_at (FrStr text, gsize at)
{
  gsize end = at, local = at;
  gboolean mail = FALSE;

  if (!g_ascii_isalnum (text.data[at]))
    return 0;
  if (starts (text, at, "http://") || starts (text, at, "https://") || starts (text, at, "ftp://")
      || starts (text, at, "www."))
    {
      while (end < text.len && (guchar) text.data[end] > ' ' && (guchar) text.data[end] < 0x7f
             && strchr ("<>\"'`|\\^", text.data[end]) == NULL)
        end++;
      while (end > at && strchr (".,;:!?)]}", text.data[end - 1]) != NULL)
        end--;
      return end - at > 8 ? end - at : 0;
    }
  while (local < text.len && local - at < 65
         && (g_ascii_isalnum (text.data[local])
             || (text.data[local] != '\0' && strchr ("._%+-", text.data[local]) != NULL)))
    local++;
  if (local >= text.len || text.data[local] != '@')
    return 0;
  for (end = local + 1; end < text.len
                        && (g_ascii_isalnum (text.data[end]) || text.data[end] == '-'
                            || (text.data[end] == '.' && end + 1 < text.len
                                && g_ascii_isalnum (text.data[end + 1])));
       end++)
    mail |= text.data[end] == '.';
  return mail ? end - at : 0;
}

static gsize
term_at (const TextKeeper *keeper, FrStr text, gsize at, const FrStr *more, guint n_more)
{
  guint64 value;
  gsize longest = find_word (keeper->terms, text, at, &value);

  for (guint i = 0; i < n_more; i++)
    if (more[i].len > 0)
      longest = MAX (longest, find_one (more[i], text, at));
  return longest;
}

/* ---- the walk
 * -------------------------------------------------------------------------------------- */

/* @keeps, @numbers: NULL: not wanted. */
static void
walk (const TextKeeper *keeper, FrStr text, const FrStr *more, guint n_more, GArray *keeps,
      GArray *numbers)
{
  gboolean in_word = FALSE; /* of letters and digits */

  for (gsize at = 0; at < text.len;)
    {
      const char *p = text.data + at;
      gunichar c = text_next_char (&p);
      TextKeep keep = { at, 0, TEXT_KEEP_PLACEHOLDER };
      guint64 value = 1;

      if ((keep.len = placeholder_at (text, at)) > 0)
        ;
      else if (!in_word && (keep.len = url_at (text, at)) > 0)
        keep.kind = TEXT_KEEP_URL;
      else if (!in_word && (keep.len = term_at (keeper, text, at, more, n_more)) > 0)
        keep.kind = TEXT_KEEP_TERM;
      else if (!in_word && (keep.len = text_number_at (text, at, &keep.kind, numbers)) > 0)
        ;
      else if (!in_word && (keep.len = find_word (keeper->negations, text, at, &value)) > 0)
        keep.kind = TEXT_KEEP_NEGATION;
      else if (!in_word && numbers != NULL && c < 0x80
               && (keep.len = find_word (keeper->english, text, at, &value)) > 0)
        {
          TextNumber number = { (double) value, at, keep.len, FALSE, FALSE };

          g_array_append_val (numbers, number);
          value = 0;
        }
      if (keep.len == 0)
        {
          in_word = is_word_char (text_fold_char (c));
          at = (gsize) (p - text.data);
          continue;
        }
      if (value != 0 && keeps != NULL)
        g_array_append_val (keeps, keep);
      at += keep.len;
      p = text.data + at;
      p = text_prev_char (p);
      in_word = is_word_char (text_fold_char (text_next_char (&p)));
    }
}

void
text_keeper_find (const TextKeeper *keeper, FrStr text, const FrStr *more, guint n_more,
                  GArray *keeps)
{
  walk (keeper, text, more, n_more, keeps, NULL);
}

/* ---- judging
 * ----------------------------------------------------------------------------------------- */

typedef struct
{
  FrStr text;
  GArray *keeps, *numbers;
} Side;

static FrStr
piece (const Side *side, const TextKeep *keep)
{
  return (FrStr){ side->text.data + keep->offset, keep->len };
}

/* How often each piece of @kind is there: text to number; terms in any case and width. */
static GHashTable *
count_pieces (const Side *side, TextKeepKind kind)
{
  GHashTable *counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < side->keeps->len; i++)
    {
      const TextKeep *keep = &g_array_index (side->keeps, TextKeep, i);
      FrStr text = piece (side, keep);
      char *key;

      if (keep->kind != kind)
        continue;
      key = kind == TEXT_KEEP_TERM ? fold (text) : g_strndup (text.data, text.len);
      g_hash_table_insert (
          counts, key, GUINT_TO_POINTER (GPOINTER_TO_UINT (g_hash_table_lookup (counts, key)) + 1));
    }
  return counts;
}

/* Whether everything of @kind in @a is in @b as often; data NULL: it is. */
static FrStr
missing (const Side *a, const Side *b, TextKeepKind kind)
{
  g_autoptr (GHashTable) left = NULL;

  for (guint i = 0; i < a->keeps->len; i++)
    {
      const TextKeep *keep = &g_array_index (a->keeps, TextKeep, i);
      FrStr text = piece (a, keep);
      g_autofree char *key = NULL;
      guint n;

      if (keep->kind != kind)
        continue;
      if (left == NULL)
        left = count_pieces (b, kind);
      key = kind == TEXT_KEEP_TERM ? fold (text) : g_strndup (text.data, text.len);
      n = GPOINTER_TO_UINT (g_hash_table_lookup (left, key));
      if (n == 0)
        return text;
      g_hash_table_insert (left, g_steal_pointer (&key), GUINT_TO_POINTER (n - 1));
    }
  return (FrStr){ NULL, 0 };
}

static gboolean
equal (double a, double b)
{
  return fabs (a - b) <= 1e-9 * MAX (fabs (a), fabs (b));
}

/* The text without what separates letters and digits: "iPhone 15" is "iPhone15". */
static char *
squash (FrStr text)
{
  GString *out = g_string_sized_new (text.len + 1);

  for (const char *p = text.data, *end = p + text.len; p < end;)
    {
      gunichar c = text_fold_char (text_next_char (&p));

      if (text_char_flags (c) & (TEXT_CH_ALNUM) || c == '*')
        g_string_append_unichar (out, c);
    }
  return g_string_free (out, FALSE);
}

static gboolean
has_letter (FrStr text)
{
  for (gsize i = 0; i < text.len; i++)
    if (g_ascii_isalpha (text.data[i]) || text.data[i] == '*')
      return TRUE;
  return FALSE;
}

/* A word of letters and digits, as A4: its numbers are weak.  @next: the number to look at, moved
 * on. */
static gboolean
is_named (const Side *a, const TextKeep *keep, guint *next)
{
  gboolean strong = FALSE;

  for (; *next < a->numbers->len; ++*next)
    {
      const TextNumber *n = &g_array_index (a->numbers, TextNumber, *next);

      if (n->offset >= keep->offset + keep->len)
        break;
      strong |= n->strong && n->offset >= keep->offset;
    }
  return keep->kind == TEXT_KEEP_NUMBER && !strong && has_letter (piece (a, keep));
}

/* Names with digits must be found again, however they are spaced. */
static FrStr
missing_name (const Side *a, const Side *b)
{
  g_autoptr (GHashTable) known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *all = NULL;
  guint next = 0, searches = 0;

  for (guint i = 0; i < a->keeps->len; i++)
    {
      const TextKeep *keep = &g_array_index (a->keeps, TextKeep, i);
      g_autofree char *name = NULL;

      if (!is_named (a, keep, &next))
        continue;
      if (all == NULL)
        all = squash (b->text);
      name = squash (piece (a, keep));
      if (g_hash_table_contains (known, name))
        continue;
      if (searches++ >= MAX_SEARCHES || strstr (all, name) == NULL)
        return piece (a, keep);
      g_hash_table_add (known, g_steal_pointer (&name));
    }
  return (FrStr){ NULL, 0 };
}

static int
by_value (gconstpointer x, gconstpointer y)
{
  const TextNumber *a = x, *b = y;

  if (a->value != b->value)
    return a->value < b->value ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Of the numbers of @a, sorted, those that are strong must be in @b, sorted, each one its own; with
 * @new_ones, those that are strong and Arabic must be in @b at all. */
static FrStr
missing_number (const Side *a, const Side *b, gboolean new_ones)
{
  guint k = 0;

  for (guint i = 0; i < a->numbers->len; i++)
    {
      const TextNumber *n = &g_array_index (a->numbers, TextNumber, i);

      if (!n->strong || (new_ones && !n->arabic))
        continue;
      while (k < b->numbers->len && g_array_index (b->numbers, TextNumber, k).value < n->value
             && !equal (g_array_index (b->numbers, TextNumber, k).value, n->value))
        k++;
      if (k == b->numbers->len
          || !equal (g_array_index (b->numbers, TextNumber, k).value, n->value))
        return (FrStr){ a->text.data + n->offset, n->len };
      k += !new_ones;
    }
  return (FrStr){ NULL, 0 };
}

static gboolean
has (const Side *side, TextKeepKind kind, FrStr *where)
{
  for (guint i = 0; i < side->keeps->len; i++)
    if (g_array_index (side->keeps, TextKeep, i).kind == kind)
      {
        *where = piece (side, &g_array_index (side->keeps, TextKeep, i));
        return TRUE;
      }
  return FALSE;
}

static TextKeepKind
compare (const Side *a, const Side *b, FrStr *lost)
{
  static const TextKeepKind exact[] = { TEXT_KEEP_PLACEHOLDER, TEXT_KEEP_URL };
  FrStr where_a, where_b;
  gboolean in_a, in_b;

  for (guint i = 0; i < G_N_ELEMENTS (exact); i++)
    {
      *lost = missing (a, b, exact[i]);
      if (lost->data == NULL)
        *lost = missing (b, a, exact[i]);
      if (lost->data != NULL)
        return exact[i];
    }
  *lost = missing (a, b, TEXT_KEEP_TERM);
  if (lost->data != NULL)
    return TEXT_KEEP_TERM;
  *lost = missing_name (a, b);
  g_array_sort (a->numbers, by_value);
  g_array_sort (b->numbers, by_value);
  if (lost->data == NULL)
    *lost = missing_number (a, b, FALSE);
  if (lost->data == NULL)
    *lost = missing_number (b, a, TRUE);
  if (lost->data != NULL)
    return TEXT_KEEP_NUMBER;
  in_a = has (a, TEXT_KEEP_NEGATION, &where_a);
  in_b = has (b, TEXT_KEEP_NEGATION, &where_b);
  if (in_a != in_b)
    {
      *lost = in_a ? where_a : where_b;
      return TEXT_KEEP_NEGATION;
    }
  return TEXT_KEEP_N;
}

TextKeepKind
text_keeper_judge (const TextKeeper *keeper, FrStr parent, FrStr child, const FrStr *more,
                   guint n_more, FrStr *lost)
{
  g_autoptr (GArray) keeps_a = g_array_new (FALSE, FALSE, sizeof (TextKeep));
  g_autoptr (GArray) keeps_b = g_array_new (FALSE, FALSE, sizeof (TextKeep));
  g_autoptr (GArray) numbers_a = g_array_new (FALSE, FALSE, sizeof (TextNumber));
  g_autoptr (GArray) numbers_b = g_array_new (FALSE, FALSE, sizeof (TextNumber));
  Side a = { parent, keeps_a, numbers_a }, b = { child, keeps_b, numbers_b };
  FrStr where;

  walk (keeper, parent, more, n_more, keeps_a, numbers_a);
  walk (keeper, child, more, n_more, keeps_b, numbers_b);
  return compare (&a, &b, lost != NULL ? lost : &where);
}
