/* SPDX-License-Identifier: Apache-2.0 */
/* clean.c: transform.clean, text made fit to learn from.
 *
 * Each cell goes through the rules in one fixed order, again and again until a
 * round changes nothing, so that cleaning clean text changes nothing either: a
 * rule may bring to light what an earlier one takes away (a full-width tag, an
 * escaped zero-width space).  A quick look says which rules can apply, and a
 * cell that needs none is not copied.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <string.h>

#include "rules.h"
#include "text/chars.h"
#include "text/html.h"
#include "text/normal.h"
#include "tidy.h"

/* No text that people wrote needs more than three rounds. */
#define MAX_ROUNDS 8

enum
{
  HTML_OFF = 0,
  HTML_AUTO,
  HTML_ON
};
enum
{
  LONG_REJECT = 0,
  LONG_CUT
};

typedef struct
{
  char **columns;
  int html;
  gboolean control;
  int unicode; /* 0, TEXT_NFC, TEXT_NFKC */
  gboolean width;
  gboolean spaces;
  int links;
  int emails;
  int emoji;
  gboolean punctuation;
  gint64 max_repeat;
  gboolean default_rules;
  char **rules;
  int drop; /* TRUE: lines */
  char *length_of;
  gint64 min_chars;
  gint64 max_chars;
  int over_long;
  JsonNode *language;
  int keep_empty;
} Config;

/* The rules by number, in the order in which they run. */
typedef enum
{
  RULE_HTML,
  RULE_CONTROL,
  RULE_WIDTH,
  RULE_UNICODE,
  RULE_LINKS,
  RULE_EMAILS,
  RULE_EMOJI,
  RULE_PUNCTUATION,
  RULE_REPEATS,
  RULE_ADS, /* the rule files; each rule has its own counter too */
  RULE_SPACES,
  RULE_CUT,
  N_RULES
} RuleId;

static const char *const rule_names[N_RULES]
    = { "html",  "control",     "width",   "unicode", "links",  "emails",
        "emoji", "punctuation", "repeats", "ads",     "spaces", "cut" };

typedef struct
{
  guint32 scripts; /* TEXT_CH_* */
  double share;
  const char *name;
} Language;

typedef struct
{
  const Config *config;
  Rules *rules;
  guint normal; /* TEXT_* bits in use, hints too */
  guint *columns;
  guint n_columns;
  guint *measured; /* columns that length, language and emptiness look at */
  guint n_measured;
  Language languages[8];
  guint n_languages;
} State;

typedef struct
{
  gint64 rows, cells, chars;
} Count;

/* What a worker keeps between cells. */
typedef struct
{
  GString *a, *b;
  RulesScratch *scratch;
  Count counts[N_RULES];
  Count *ads;      /* by rule of the rule files: rows, sentences, characters */
  guint8 *ad_rows; /* of the current row */
  TextHtmlCounts html;
  gint64 deep; /* cells that MAX_ROUNDS did not settle */
  /* of the current cell */
  guint32 changed;        /* bit by RuleId */
  gsize removed[N_RULES]; /* characters */
  const char *emptied;    /* name of the rule that left nothing */
  const char *last_ad;
} Local;

/* ---- one cell -------------------------------------------------------------- */

static guint32
wanted_rules (const State *state, FrStr text)
{
  const Config *c = state->config;
  guint need = text_normal_needed (text, state->normal);
  guint32 want = 0;

  if (c->html == HTML_ON || (c->html == HTML_AUTO && text_html_possible (text)))
    want |= 1u << RULE_HTML;
  if (need & TEXT_CONTROL)
    want |= 1u << RULE_CONTROL;
  if (need & TEXT_WIDTH)
    want |= 1u << RULE_WIDTH;
  if (need & (TEXT_NFC | TEXT_NFKC))
    want |= 1u << RULE_UNICODE;
  /* "www" is a repeat too. */
  if (c->links != TIDY_KEEP && need & (TEXT_HINT_LINK | TEXT_HINT_REPEATS) && tidy_has_link (text))
    want |= 1u << RULE_LINKS;
  if (c->emails != TIDY_KEEP && tidy_has_email (text))
    want |= 1u << RULE_EMAILS;
  if (need & TEXT_HINT_EMOJI)
    want |= 1u << RULE_EMOJI;
  if (c->punctuation && need & TEXT_HINT_MARKS)
    want |= 1u << RULE_PUNCTUATION;
  if (c->max_repeat > 0 && (need & TEXT_HINT_REPEATS || c->max_repeat < 3))
    want |= 1u << RULE_REPEATS;
  if (state->rules != NULL && rules_possible (state->rules, text))
    want |= 1u << RULE_ADS;
  if (need & TEXT_SPACE)
    want |= 1u << RULE_SPACES;
  if (c->over_long == LONG_CUT && c->max_chars > 0 && text.len > (gsize) c->max_chars)
    want |= 1u << RULE_CUT;
  return want;
}

static void
drop_ads (const State *state, Local *local, FrStr text, GString *out)
{
  const char *p = text.data, *end = p + text.len;

  while (p < end)
    {
      const char *after = tidy_unit_end (p, end, state->config->drop);
      FrStr unit = { p, (gsize) (after - p) };
      int rule = rules_match (state->rules, local->scratch, unit);

      if (rule < 0)
        g_string_append_len (out, unit.data, (gssize) unit.len);
      else
        {
          local->ads[rule].cells++;
          local->ads[rule].chars += (gint64) text_n_chars (unit);
          local->ad_rows[rule] = 1;
          local->last_ad = rules_name (state->rules, (guint) rule);
          /* The line that it ended still ends. */
          if (after[-1] == '\n')
            g_string_append_c (out, '\n');
        }
      p = after;
    }
}

static void
apply (const State *state, Local *local, RuleId rule, FrStr in, GString *out)
{
  const Config *c = state->config;
  FrStr cut;

  switch (rule)
    {
    case RULE_HTML:
      text_html_to_text (in, c->html == HTML_AUTO ? TEXT_HTML_LEFTOVERS : 0, out, &local->html);
      break;
    case RULE_CONTROL:
      text_normalise (in, TEXT_CONTROL, out);
      break;
    case RULE_WIDTH:
      text_normalise (in, TEXT_WIDTH, out);
      break;
    case RULE_UNICODE:
      text_normalise (in, (guint) c->unicode, out);
      break;
    case RULE_LINKS:
      tidy_links (in, (TidyAction) c->links, out);
      break;
    case RULE_EMAILS:
      tidy_emails (in, (TidyAction) c->emails, out);
      break;
    case RULE_EMOJI:
      tidy_emoji (in, out);
      break;
    case RULE_PUNCTUATION:
      tidy_punctuation (in, out);
      break;
    case RULE_REPEATS:
      tidy_repeats (in, (guint) c->max_repeat, out);
      break;
    case RULE_ADS:
      drop_ads (state, local, in, out);
      break;
    case RULE_SPACES:
      text_normalise (in, TEXT_SPACE, out);
      break;
    default:
      cut = tidy_cut (in, (gsize) c->max_chars);
      g_string_append_len (out, cut.data, (gssize) cut.len);
    }
}

/* Later rules that have work now because @rule changed the text.  What this
 * leaves out, the next round finds; it only saves rounds. */
static guint32
brought_by (const State *state, RuleId rule, FrStr text)
{
  if (rule == RULE_HTML || (rule == RULE_UNICODE && state->config->unicode == TEXT_NFKC))
    return wanted_rules (state, text) & ~((2u << rule) - 1);
  return rule < RULE_SPACES && state->config->spaces ? 1u << RULE_SPACES : 0;
}

static gboolean
is_blank (FrStr text)
{
  const char *p = text.data, *end = p + text.len;

  while (p < end)
    if (!(text_char_flags (text_next_char (&p)) & (TEXT_CH_BLANK | TEXT_CH_NEWLINE)))
      return FALSE;
  return TRUE;
}

/* All wanted rules once.  Returns the text, in @in or one of the buffers. */
static FrStr
one_round (const State *state, Local *local, guint32 want, FrStr text)
{
  for (guint rule = 0; rule < N_RULES; rule++)
    {
      GString *to = text.data == local->a->str ? local->b : local->a;
      gsize before, after;

      if (!(want & 1u << rule))
        continue;
      g_string_truncate (to, 0);
      apply (state, local, rule, text, to);
      if (to->len == text.len && memcmp (to->str, text.data, text.len) == 0)
        continue;
      before = text_n_chars (text);
      text = (FrStr){ to->str, to->len };
      after = text_n_chars (text);
      local->changed |= 1u << rule;
      local->removed[rule] += before > after ? before - after : 0;
      if (local->emptied == NULL && is_blank (text))
        local->emptied = rule == RULE_ADS ? local->last_ad : rule_names[rule];
      want |= brought_by (state, rule, text);
    }
  return text;
}

static FrStr
clean_cell (const State *state, Local *local, FrStr text)
{
  guint32 want = wanted_rules (state, text);

  local->changed = 0;
  local->emptied = NULL;
  memset (local->removed, 0, sizeof local->removed);
  for (guint round = 0; want != 0; round++)
    {
      guint32 before = local->changed;
      gboolean settled;

      if (round == MAX_ROUNDS)
        {
          local->deep++;
          break;
        }
      local->changed = 0;
      text = one_round (state, local, want, text);
      settled = local->changed == 0;
      local->changed |= before;
      if (settled)
        break;
      /* What is called "on" is HTML once; its text is no HTML any more. */
      want = wanted_rules (state, text) & ~(state->config->html == HTML_ON ? 1u << RULE_HTML : 0);
    }
  return text;
}

/* ---- a batch ---------------------------------------------------------------- */

/* One column, cleaned; NULL when nothing in it changed. */
static FrBatch *
rewrite (const FrBatch *batch, guint column, FrStr *texts, GError **error)
{
  FrField *field = fr_schema_field (fr_batch_schema (batch), column);
  g_autoptr (FrSchema) schema = fr_schema_new (&(FrField *){ fr_field_ref (field) }, 1, error);
  g_autoptr (FrBuilder) builder = schema ? fr_builder_new (schema) : NULL;
  const FrRowId *ids = fr_batch_ids (batch);
  FrCells *cells;

  if (builder == NULL)
    return NULL;
  cells = fr_builder_cells (builder, 0);
  for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
    {
      fr_cells_append_str (cells, texts[row].data, texts[row].len);
      fr_builder_end_row (builder, ids[row]);
    }
  return fr_builder_finish (builder, error);
}

static void
count_cell (Local *local)
{
  for (guint rule = 0; rule < N_RULES; rule++)
    if (local->changed & 1u << rule)
      {
        local->counts[rule].cells++;
        local->counts[rule].chars += (gint64) local->removed[rule];
      }
}

/* What is known of a row before it is judged. */
typedef struct
{
  guint32 changed;
  const char *emptied;
} Row;

/* Cleans column @index of the batch.  Returns the batch with the new column. */
static FrBatch *
clean_column (const State *state, Local *local, FrBatch *batch, guint index, Row *rows,
              guint8 *ad_rows, GError **error)
{
  FrView view = fr_view (batch, index);
  gsize n = fr_batch_n_rows (batch);
  guint n_ads = state->rules ? rules_n (state->rules) : 0;
  g_autofree FrStr *texts = g_new (FrStr, n);
  g_autoptr (GStringChunk) chunk = NULL;
  g_autoptr (FrBatch) one = NULL;

  for (gsize row = 0; row < n; row++)
    {
      FrStr text = fr_view_str (&view, row);

      texts[row] = text;
      if (text.data == NULL || text.len == 0)
        continue;
      local->ad_rows = ad_rows + row * n_ads;
      text = clean_cell (state, local, text);
      if (local->changed == 0)
        continue;
      if (chunk == NULL)
        chunk = g_string_chunk_new (64 * 1024);
      texts[row]
          = (FrStr){ g_string_chunk_insert_len (chunk, text.data, (gssize) text.len), text.len };
      count_cell (local);
      rows[row].changed |= local->changed;
      if (text.len == 0)
        rows[row].emptied = local->emptied;
    }
  if (chunk == NULL)
    return fr_batch_ref (batch);
  one = rewrite (batch, index, texts, error);
  if (one == NULL)
    return NULL;
  return fr_batch_with_column (batch, fr_schema_field (fr_batch_schema (batch), index),
                               fr_column_ref (fr_batch_column (one, 0)), error);
}

static gboolean
has_language (const State *state, const FrView *views, gsize row)
{
  for (guint i = 0; i < state->n_languages; i++)
    for (guint j = 0; j < state->n_measured; j++)
      {
        FrStr text = fr_view_str (&views[j], row);

        if (text.len > 0
            && text_script_share (text, state->languages[i].scripts) >= state->languages[i].share)
          return TRUE;
      }
  return state->n_languages == 0;
}

/* FALSE: the row was rejected, by which rule @host knows. */
static gboolean
judge (const State *state, FrHost *host, const FrBatch *input, const FrView *views, gsize row,
       const Row *about)
{
  const Config *c = state->config;
  gint64 chars = 0;

  for (guint i = 0; i < state->n_measured; i++)
    chars += (gint64) text_n_chars (fr_view_str (&views[i], row));
  if (chars == 0 && !c->keep_empty)
    {
      const char *rule = about->emptied ? about->emptied : "empty";

      fr_host_reject (host, input, row, rule,
                      about->emptied ? "rule '%s' left no text" : "the text is %s", rule);
      return FALSE;
    }
  if (chars < c->min_chars)
    {
      fr_host_reject (host, input, row, "min_chars",
                      "%" G_GINT64_FORMAT " characters are left; min_chars is %" G_GINT64_FORMAT,
                      chars, c->min_chars);
      return FALSE;
    }
  if (c->max_chars > 0 && c->over_long == LONG_REJECT && chars > c->max_chars)
    {
      fr_host_reject (host, input, row, "max_chars",
                      "%" G_GINT64_FORMAT " characters; max_chars is %" G_GINT64_FORMAT, chars,
                      c->max_chars);
      return FALSE;
    }
  if (chars > 0 && !has_language (state, views, row))
    {
      fr_host_reject (host, input, row, "language",
                      "no language reaches its share of the letters; see 'language'");
      return FALSE;
    }
  return TRUE;
}

static void
tell_count (FrHost *host, const char *rule, const char *what, gint64 n)
{
  g_autofree char *name = NULL;

  if (n == 0)
    return;
  name = g_strconcat (rule, ".", what, NULL);
  fr_host_count (host, name, n);
}

static void
tell (const State *state, FrHost *host, Local *local)
{
  for (guint i = 0; i < N_RULES; i++)
    {
      tell_count (host, rule_names[i], "rows", local->counts[i].rows);
      tell_count (host, rule_names[i], "cells", local->counts[i].cells);
      tell_count (host, rule_names[i], "chars", local->counts[i].chars);
    }
  tell_count (host, "html", "tags", (gint64) local->html.tags);
  tell_count (host, "html", "references", (gint64) local->html.references);
  for (guint i = 0; state->rules != NULL && i < rules_n (state->rules); i++)
    {
      g_autofree char *name = g_strconcat ("ads.", rules_name (state->rules, i), NULL);

      tell_count (host, name, "rows", local->ads[i].rows);
      tell_count (host, name, state->config->drop ? "lines" : "sentences", local->ads[i].cells);
      tell_count (host, name, "chars", local->ads[i].chars);
      local->ads[i] = (Count){ 0 };
    }
  if (local->scratch != NULL)
    tell_count (host, "ads", "match_limit", (gint64) rules_scratch_limits (local->scratch));
  tell_count (host, "unsettled", "cells", local->deep);
  local->deep = 0;
  local->html = (TextHtmlCounts){ 0 };
  memset (local->counts, 0, sizeof local->counts);
}

static void
count_rows (const State *state, Local *local, const Row *rows, const guint8 *ad_rows, gsize n)
{
  guint n_ads = state->rules ? rules_n (state->rules) : 0;

  for (gsize row = 0; row < n; row++)
    {
      for (guint rule = 0; rows[row].changed >> rule != 0; rule++)
        local->counts[rule].rows += rows[row].changed >> rule & 1;
      for (guint i = 0; i < n_ads; i++)
        local->ads[i].rows += ad_rows[row * n_ads + i];
    }
}

static FrFlow
clean_map (FrHost *host, gpointer data, gpointer thread, FrBatch *taken, GError **error)
{
  const State *state = data;
  Local *local = thread;
  g_autoptr (FrBatch) input = taken;
  g_autoptr (FrBatch) batch = fr_batch_ref (input);
  gsize n = fr_batch_n_rows (input);
  guint n_ads = state->rules ? rules_n (state->rules) : 0;
  g_autofree Row *rows = g_new0 (Row, n);
  g_autofree guint8 *ad_rows = g_malloc0 (n * n_ads + 1);
  g_autofree guint8 *keep = g_malloc (n);
  g_autofree FrView *views = g_new (FrView, state->n_measured + 1);

  for (guint i = 0; i < state->n_columns; i++)
    {
      FrBatch *next = clean_column (state, local, batch, state->columns[i], rows, ad_rows, error);

      if (next == NULL)
        return FR_FLOW_ERROR;
      fr_batch_unref (batch);
      batch = next;
    }
  for (guint i = 0; i < state->n_measured; i++)
    views[i] = fr_view (batch, state->measured[i]);
  for (gsize row = 0; row < n; row++)
    keep[row] = judge (state, host, input, views, row, &rows[row]);
  count_rows (state, local, rows, ad_rows, n);
  tell (state, host, local);
  return fr_host_push (host, "out", fr_batch_filter (batch, keep), error);
}

/* ---- its life ---------------------------------------------------------------- */

static const struct
{
  const char *word;
  guint32 scripts;
} languages[] = {
  { "zh", TEXT_CH_HAN },      { "en", TEXT_CH_LATIN },
  { "latin", TEXT_CH_LATIN }, { "ja", TEXT_CH_KANA | TEXT_CH_HAN },
  { "ko", TEXT_CH_HANGUL },   { "ru", TEXT_CH_CYRILLIC },
  { "ar", TEXT_CH_ARABIC },
};

static void
read_languages (State *state, JsonNode *node)
{
  JsonObject *object = node ? json_node_get_object (node) : NULL;

  for (guint i = 0; object != NULL && i < G_N_ELEMENTS (languages); i++)
    if (json_object_has_member (object, languages[i].word))
      state->languages[state->n_languages++] = (Language){
        .scripts = languages[i].scripts,
        .share = json_object_get_double_member (object, languages[i].word),
        .name = languages[i].word,
      };
}

static gboolean
add_rule_file (Rules *rules, const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize len;
  GError *cause = NULL;

  if (!g_file_get_contents (path, &text, &len, &cause))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot read the rule file: %s", cause->message);
      g_error_free (cause);
      return FALSE;
    }
  return rules_add (rules, path, text, len, error);
}

static Rules *
load_rules (const Config *c, GError **error)
{
  g_autoptr (Rules) rules = rules_new ();
  const char *own = rules_default ();

  if (c->default_rules && !rules_add (rules, "(default)", own, strlen (own), error))
    return NULL;
  for (guint i = 0; c->rules != NULL && c->rules[i] != NULL; i++)
    if (!add_rule_file (rules, c->rules[i], error))
      return NULL;
  rules_ready (rules);
  return g_steal_pointer (&rules);
}

static gboolean
clean_configure (gpointer data, FrProblems *problems)
{
  Config *c = data;

  if (c->max_chars > 0 && c->min_chars > c->max_chars)
    fr_problems_add (problems, "/max_chars",
                     "max_chars is %" G_GINT64_FORMAT ", less than min_chars %" G_GINT64_FORMAT
                     "; no row could pass",
                     c->max_chars, c->min_chars);
  if (c->over_long == LONG_CUT && c->max_chars == 0)
    fr_problems_add (problems, "/over_long", "there is no 'max_chars' to cut at; set it");
  return TRUE;
}

static gboolean
is_text (const FrField *field)
{
  return fr_field_type (field) == FR_TYPE_UTF8 || fr_field_type (field) == FR_TYPE_LARGE_UTF8;
}

/* Indices of the columns to clean; empty when there is none. */
static guint *
find_columns (const Config *c, const FrSchema *schema, guint *n)
{
  guint *found = g_new0 (guint, fr_schema_n_fields (schema) + 1
                                    + (c->columns ? g_strv_length (c->columns) : 0));

  *n = 0;
  for (guint i = 0; c->columns != NULL && c->columns[i] != NULL; i++)
    {
      int at = fr_schema_find (schema, c->columns[i]);

      if (at >= 0)
        found[(*n)++] = (guint) at;
    }
  for (guint i = 0; c->columns == NULL && i < fr_schema_n_fields (schema); i++)
    if (is_text (fr_schema_field (schema, i)))
      found[(*n)++] = i;
  return found;
}

static gboolean
clean_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *c = data;
  FrSchema *schema = fr_bind_input (bind, "in");
  guint n;
  g_autofree guint *columns = find_columns (c, schema, &n);
  g_autoptr (Rules) rules = NULL;

  if (n == 0)
    {
      g_autofree char *all = fr_schema_describe (schema);

      fr_bind_problem (bind, "/columns", "there is no text column to clean; the columns are: %s",
                       all);
      return FALSE;
    }
  if (c->over_long == LONG_CUT && n > 1 && c->length_of == NULL)
    {
      fr_bind_problem (bind, "/over_long",
                       "'cut' needs to know which of the %u columns is too long; set 'length_of' "
                       "or clean one column",
                       n);
      return FALSE;
    }
  rules = load_rules (c, error);
  return rules != NULL;
}

static gboolean
clean_open (gconstpointer data, FrHost *host, gpointer *out, GError **error)
{
  const Config *c = data;
  FrSchema *schema = fr_host_input (host, "in");
  State *state = g_new0 (State, 1);

  *out = state;
  state->config = c;
  state->columns = find_columns (c, schema, &state->n_columns);
  state->measured = g_memdup2 (state->columns, sizeof (guint) * MAX (state->n_columns, 1));
  state->n_measured = state->n_columns;
  if (c->length_of != NULL)
    {
      state->measured[0] = (guint) fr_schema_find (schema, c->length_of);
      state->n_measured = 1;
    }
  read_languages (state, c->language);
  state->normal = (guint) c->unicode | (c->control ? TEXT_CONTROL : 0) | (c->width ? TEXT_WIDTH : 0)
                  | (c->spaces ? TEXT_SPACE : 0) | (c->emoji == TIDY_REMOVE ? TEXT_HINT_EMOJI : 0)
                  | TEXT_HINT_REPEATS | TEXT_HINT_MARKS | TEXT_HINT_LINK;
  state->rules = load_rules (c, error);
  if (state->rules != NULL && rules_n (state->rules) == 0)
    g_clear_pointer (&state->rules, rules_free);
  else if (state->rules == NULL)
    {
      g_free (state->columns);
      g_free (state->measured);
      g_clear_pointer (out, g_free);
      return FALSE;
    }
  return TRUE;
}

static void
clean_close (gpointer data)
{
  State *state = data;

  rules_free (state->rules);
  g_free (state->columns);
  g_free (state->measured);
  g_free (state);
}

static gboolean
clean_thread_begin (FrHost *host, gpointer data, gpointer *thread, GError **error)
{
  const State *state = data;
  Local *local = g_new0 (Local, 1);

  (void) host;
  (void) error;
  local->a = g_string_sized_new (4096);
  local->b = g_string_sized_new (4096);
  if (state->rules != NULL)
    {
      local->scratch = rules_scratch_new (state->rules);
      local->ads = g_new0 (Count, rules_n (state->rules));
    }
  *thread = local;
  return TRUE;
}

static void
clean_thread_end (gpointer data, gpointer thread)
{
  Local *local = thread;

  (void) data;
  g_string_free (local->a, TRUE);
  g_string_free (local->b, TRUE);
  rules_scratch_free (local->scratch);
  g_free (local->ads);
  g_free (local);
}

/* ---- parameters ---------------------------------------------------------------- */

static const FrEnumValue *const html_words[]
    = { FR_ENUM ("auto", HTML_AUTO,
                 "names of HTML elements are tags, escaped ones too; other angle brackets stay"),
        FR_ENUM ("on", HTML_ON, "the text is HTML: every tag goes, and escapes are read once"),
        FR_ENUM ("off", HTML_OFF, "nothing is done"), NULL };
static const FrEnumValue *const unicode_words[] = {
  FR_ENUM ("none", 0, "nothing is done"),
  FR_ENUM ("nfc", TEXT_NFC, "composed form: the same text, in one spelling"),
  FR_ENUM (
      "nfkc", TEXT_NFKC,
      "compatible form: also ligatures, circled numbers, full-width commas; loses distinctions"),
  NULL
};
static const FrEnumValue *const link_words[]
    = { FR_ENUM ("keep", TIDY_KEEP, "they stay"), FR_ENUM ("remove", TIDY_REMOVE, "they go"),
        FR_ENUM ("tag", TIDY_TAG, "[URL] or [EMAIL] stands in their place"), NULL };
static const FrEnumValue *const emoji_words[]
    = { FR_ENUM ("keep", TIDY_KEEP, "they stay"),
        FR_ENUM ("remove", TIDY_REMOVE, "they go, whole sequences at once"), NULL };
static const FrEnumValue *const drop_words[]
    = { FR_ENUM ("sentence", FALSE, "the sentence that a rule matches goes"),
        FR_ENUM ("line", TRUE, "the whole line goes"), NULL };
static const FrEnumValue *const long_words[]
    = { FR_ENUM ("reject", LONG_REJECT, "the row goes to the rejects port"),
        FR_ENUM ("cut", LONG_CUT, "the text ends there; counted as cut"), NULL };
static const FrEnumValue *const empty_words[]
    = { FR_ENUM ("reject", FALSE, "the row goes to the rejects port, by the rule that emptied it"),
        FR_ENUM ("keep", TRUE, "the row stays"), NULL };

static const FrParam *const params[] = {
  FR_PARAM_COLUMNS ("columns", Config, columns, FR_TYPES_TEXT,
                    "columns to clean; absent: every text column",
                    .example = "[\"title\", \"body\"]"),
  FR_PARAM_ENUM ("html", Config, html, html_words, "tags and character references", .def = "auto"),
  FR_PARAM_BOOL ("control", Config, control,
                 "drop control, zero-width, direction and other invisible characters",
                 .def = "true"),
  FR_PARAM_BOOL (
      "width", Config, width,
      "full-width ASCII to half-width, half-width kana to full-width; Chinese punctuation stays",
      .def = "true"),
  FR_PARAM_ENUM ("unicode", Config, unicode, unicode_words, "Unicode normalisation", .def = "nfc"),
  FR_PARAM_ENUM ("links", Config, links, link_words, "links (http, https, ftp, www.)",
                 .def = "remove"),
  FR_PARAM_ENUM ("emails", Config, emails, link_words, "e-mail addresses", .def = "remove"),
  FR_PARAM_ENUM ("emoji", Config, emoji, emoji_words, "emoji", .def = "keep"),
  FR_PARAM_BOOL ("punctuation", Config, punctuation, "shorten repeated punctuation", .def = "true"),
  FR_PARAM_INT ("max_repeat", Config, max_repeat, 0, 1000,
                "a letter or emoji stands at most this often in a row; 0: any number", .def = "4",
                .unit = "characters"),
  FR_PARAM_BOOL ("default_rules", Config, default_rules,
                 "drop advertising by flowrun's own rules for Chinese and English", .def = "true"),
  FR_PARAM_PATHS ("rules", Config, rules, "rule files with more to drop", .flags = FR_PARAM_READS,
                  .example = "[\"rules/shop.rules\"]"),
  FR_PARAM_ENUM ("drop", Config, drop, drop_words, "how much goes when a rule matches",
                 .def = "sentence"),
  FR_PARAM_BOOL ("spaces", Config, spaces,
                 "one blank between words, at most one empty line, none at the ends",
                 .def = "true"),
  FR_PARAM_COLUMN ("length_of", Config, length_of, FR_TYPES_TEXT,
                   "the column whose length, language and emptiness count; absent: all cleaned "
                   "columns together"),
  FR_PARAM_INT ("min_chars", Config, min_chars, 0, G_MAXINT32, "shorter rows are rejected",
                .def = "0", .unit = "characters"),
  FR_PARAM_INT ("max_chars", Config, max_chars, 0, G_MAXINT32,
                "longer rows see over_long; 0: any length", .def = "0", .unit = "characters"),
  FR_PARAM_ENUM ("over_long", Config, over_long, long_words, "what becomes of longer rows",
                 .def = "reject"),
  FR_PARAM_JSON (
      "language", Config, language,
      "least share of a script among the letters and digits; a row needs one of those listed",
      .schema
      = "{\"type\":\"object\",\"minProperties\":1,\"additionalProperties\":false,\"properties\":{"
        "\"zh\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1},"
        "\"en\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1},"
        "\"latin\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1},"
        "\"ja\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1},"
        "\"ko\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1},"
        "\"ru\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1},"
        "\"ar\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1}}}",
      .example = "{\"zh\": 0.3}"),
  FR_PARAM_ENUM ("on_empty", Config, keep_empty, empty_words, "what becomes of rows without text",
                 .def = "reject"),
  NULL
};

#include "details.h"

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.clean",
  .revision = 1,
  .flags = FR_ELEMENT_PARALLEL | FR_ELEMENT_UNTRUSTED,
  .summary = "take markup, noise and advertising out of text",
  .details = details,
  .example = "{\"min_chars\": 2, \"links\": \"tag\"}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = fr_ports_in,
  .outputs = fr_ports_out,
  .configure = clean_configure,
  .bind = clean_bind,
  .open = clean_open,
  .thread_begin = clean_thread_begin,
  .map = clean_map,
  .thread_end = clean_thread_end,
  .close = clean_close,
};

FR_PLUGIN ("clean", PACKAGE_VERSION, "text made fit to learn from", "Apache-2.0", "flowrun",
           &element)
