/* SPDX-License-Identifier: Apache-2.0 */
/* rules.c: see rules.h; clean.md describes the files. */
#include "config.h"

#include "rules.h"

#include <flowrun/error.h>
#include <flowrun/json.h>
#include <string.h>

#ifdef HAVE_PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#endif

/* More than any real rule file, and little enough for the automaton's memory. */
#define MAX_PHRASE_BYTES (256 * 1024)
#define MAX_PATTERNS 4096

typedef struct
{
  char *name;
  gboolean needs; /* patterns only where a "needs" phrase stands */
} Rule;

typedef struct
{
  guint rule;
#ifdef HAVE_PCRE2
  pcre2_code *code;
#endif
} Pattern;

typedef struct
{
  char *text;
  guint rule;
  gsize len;
  gboolean need; /* a phrase that only calls for the rule's patterns */
  gint32 same;   /* index + 1 of another phrase with the same text, or 0 */
} Phrase;

struct _Rules
{
  GArray *rules;    /* Rule */
  GArray *phrases;  /* Phrase */
  GArray *patterns; /* Pattern, in order of rules */
  gsize phrase_bytes;
  gboolean always; /* a rule has patterns and needs no phrase */
  /* The automaton: next[state * n_classes + class_of[byte]]. */
  guint8 class_of[256];
  guint n_classes, n_states;
  gint32 *next;  /* while matching: state * n_classes, negative (~) where a phrase ends */
  gint32 *found; /* by state: index + 1 of the phrase that ends there, or 0 */
  gint32 *also;  /* by state: next shorter state that ends a phrase, or 0 */
};

struct _RulesScratch
{
  guint8 *called; /* by rule: a "needs" phrase was seen */
  guint64 limits;
#ifdef HAVE_PCRE2
  pcre2_match_data *data;
  pcre2_match_context *context;
#endif
};

/* ---- making ---------------------------------------------------------------- */

static void
clear_rule (gpointer data)
{
  g_free (((Rule *) data)->name);
}

static void
clear_phrase (gpointer data)
{
  g_free (((Phrase *) data)->text);
}

static void
clear_pattern (gpointer data)
{
#ifdef HAVE_PCRE2
  pcre2_code_free (((Pattern *) data)->code);
#else
  (void) data;
#endif
}

Rules *
rules_new (void)
{
  Rules *rules = g_new0 (Rules, 1);

  rules->rules = g_array_new (FALSE, TRUE, sizeof (Rule));
  g_array_set_clear_func (rules->rules, clear_rule);
  rules->phrases = g_array_new (FALSE, TRUE, sizeof (Phrase));
  g_array_set_clear_func (rules->phrases, clear_phrase);
  rules->patterns = g_array_new (FALSE, TRUE, sizeof (Pattern));
  g_array_set_clear_func (rules->patterns, clear_pattern);
  return rules;
}

void
rules_free (Rules *rules)
{
  if (rules == NULL)
    return;
  g_array_unref (rules->rules);
  g_array_unref (rules->phrases);
  g_array_unref (rules->patterns);
  g_free (rules->next);
  g_free (rules->found);
  g_free (rules->also);
  g_free (rules);
}

guint
rules_n (const Rules *rules)
{
  return rules->rules->len;
}

const char *
rules_name (const Rules *rules, guint i)
{
  return g_array_index (rules->rules, Rule, i).name;
}

/* Two files may add to one rule. */
static guint
rule_called (Rules *rules, const char *name)
{
  Rule rule = { .name = NULL };

  for (guint i = 0; i < rules->rules->len; i++)
    if (strcmp (rules_name (rules, i), name) == 0)
      return i;
  rule.name = g_strdup (name);
  g_array_append_val (rules->rules, rule);
  return rules->rules->len - 1;
}

static gboolean
add_phrase (Rules *rules, guint rule, const char *text, gboolean need, GError **error)
{
  Phrase phrase = { .rule = rule, .need = need };

  if (*text == 0 || strchr (text, '\n') != NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "rule '%s': a phrase is text on one line and not empty",
                   rules_name (rules, rule));
      return FALSE;
    }
  rules->phrase_bytes += strlen (text);
  if (rules->phrase_bytes > MAX_PHRASE_BYTES)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "rule '%s': the phrases of all rules take more than 256 KiB; split the stage",
                   rules_name (rules, rule));
      return FALSE;
    }
  phrase.text = g_ascii_strdown (text, -1);
  phrase.len = strlen (text);
  g_array_append_val (rules->phrases, phrase);
  if (need)
    g_array_index (rules->rules, Rule, rule).needs = TRUE;
  return TRUE;
}

#ifdef HAVE_PCRE2
static gboolean
add_pattern (Rules *rules, guint rule, const char *text, GError **error)
{
  Pattern pattern = { .rule = rule };
  int code;
  PCRE2_SIZE offset;
  PCRE2_UCHAR message[256];

  if (rules->patterns->len >= MAX_PATTERNS)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "more than %d patterns; use phrases",
                   MAX_PATTERNS);
      return FALSE;
    }
  pattern.code = pcre2_compile ((PCRE2_SPTR) text, PCRE2_ZERO_TERMINATED,
                                PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS | PCRE2_NEVER_BACKSLASH_C,
                                &code, &offset, NULL);
  if (pattern.code == NULL)
    {
      pcre2_get_error_message (code, message, sizeof message);
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "rule '%s': pattern '%s' is wrong at byte %" G_GSIZE_FORMAT ": %s",
                   rules_name (rules, rule), text, (gsize) offset, (const char *) message);
      return FALSE;
    }
  pcre2_jit_compile (pattern.code, PCRE2_JIT_COMPLETE);
  g_array_append_val (rules->patterns, pattern);
  return TRUE;
}
#else
static gboolean
add_pattern (Rules *rules, guint rule, const char *text, GError **error)
{
  (void) text;
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "rule '%s' has a pattern, but this flowrun was built without PCRE2; use phrases",
               rules_name (rules, rule));
  return FALSE;
}
#endif

/* ---- rule files: lines ----------------------------------------------------- */

/* "[name]" begins a rule, "#" a comment, "/.../" is a pattern, "?text" a
 * phrase that calls for the patterns, "\" in front takes a line literally. */
static gboolean
add_line (Rules *rules, int *rule, char *line, GError **error)
{
  gsize n;

  g_strstrip (line);
  n = strlen (line);
  if (n == 0 || line[0] == '#')
    return TRUE;
  if (line[0] == '[' && line[n - 1] == ']')
    {
      line[n - 1] = 0;
      *rule = (int) rule_called (rules, g_strstrip (line + 1));
      return TRUE;
    }
  if (*rule < 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "expected '[name]' before the first phrase");
      return FALSE;
    }
  if (n > 2 && line[0] == '/' && line[n - 1] == '/')
    {
      line[n - 1] = 0;
      return add_pattern (rules, (guint) *rule, line + 1, error);
    }
  if (line[0] == '?')
    return add_phrase (rules, (guint) *rule, g_strstrip (line + 1), TRUE, error);
  return add_phrase (rules, (guint) *rule, line + (line[0] == '\\'), FALSE, error);
}

static gboolean
add_lines (Rules *rules, const char *name, const char *text, gsize len, GError **error)
{
  g_autofree char *copy = g_strndup (text, len);
  g_auto (GStrv) lines = g_strsplit (copy, "\n", -1);
  int rule = -1;

  for (guint i = 0; lines[i] != NULL; i++)
    if (!add_line (rules, &rule, lines[i], error))
      {
        g_prefix_error (error, "rule file '%s', line %u: ", name, i + 1);
        return FALSE;
      }
  return TRUE;
}

/* ---- rule files: JSON ------------------------------------------------------ */

static gboolean
add_json_strings (Rules *rules, guint rule, const char *key, JsonNode *value, GError **error)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (value) ? json_node_get_array (value) : NULL;

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *item = json_array_get_element (array, i);
      const char *text
          = JSON_NODE_HOLDS_VALUE (item) && json_node_get_value_type (item) == G_TYPE_STRING
                ? json_node_get_string (item)
                : NULL;
      gboolean ok;

      if (text == NULL)
        {
          array = NULL;
          break;
        }
      ok = strcmp (key, "patterns") == 0
               ? add_pattern (rules, rule, text, error)
               : add_phrase (rules, rule, text, strcmp (key, "needs") == 0, error);
      if (!ok)
        return FALSE;
    }
  if (array == NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_DATA, "rule '%s': expected a list of strings under '%s'",
                 rules_name (rules, rule), key);
  return array != NULL;
}

static gboolean
add_json_rule (Rules *rules, const char *name, JsonNode *node, GError **error)
{
  static const char *const keys[] = { "needs", "phrases", "patterns", NULL };
  guint rule = rule_called (rules, name);
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "rule '%s': expected an object with 'phrases', 'patterns' and 'needs'", name);
      return FALSE;
    }
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &key, &value))
    {
      const char *near = fr_suggest (key, keys);

      if (strcmp (key, "comment") == 0)
        continue;
      if (!g_strv_contains (keys, key))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA, "rule '%s': '%s' is unknown; %s'%s'", name,
                       key, near ? "did you mean " : "expected ", near ? near : "phrases");
          return FALSE;
        }
      if (!add_json_strings (rules, rule, key, value, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
add_json (Rules *rules, const char *file, const char *text, gsize len, GError **error)
{
  g_autoptr (JsonNode) root = fr_json_parse (text, (gssize) len, FR_JSON_COMMENTS, error);
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  if (root != NULL && !JSON_NODE_HOLDS_OBJECT (root))
    g_set_error (error, FR_ERROR, FR_ERROR_DATA, "expected an object of rules by name");
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    {
      g_prefix_error (error, "rule file '%s': ", file);
      return FALSE;
    }
  json_object_iter_init_ordered (&iter, json_node_get_object (root));
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      if (name[0] == '$' || strcmp (name, "comment") == 0)
        continue;
      if (!add_json_rule (rules, name, value, error))
        {
          g_prefix_error (error, "rule file '%s': ", file);
          return FALSE;
        }
    }
  return TRUE;
}

gboolean
rules_add (Rules *rules, const char *name, const char *text, gsize len, GError **error)
{
  gsize skip = len >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  gsize i = skip;

  if (!g_utf8_validate (text, (gssize) len, NULL))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "rule file '%s' is not UTF-8", name);
      return FALSE;
    }
  while (i < len && g_ascii_isspace (text[i]))
    i++;
  if (i < len && text[i] == '{')
    return add_json (rules, name, text + skip, len - skip, error);
  return add_lines (rules, name, text + skip, len - skip, error);
}

/* ---- the automaton ---------------------------------------------------------- */

static void
make_classes (Rules *rules)
{
  rules->n_classes = 1;
  for (guint i = 0; i < rules->phrases->len; i++)
    for (const guchar *p = (const guchar *) g_array_index (rules->phrases, Phrase, i).text; *p; p++)
      if (rules->class_of[*p] == 0)
        rules->class_of[*p] = (guint8) rules->n_classes++;
  for (guint c = 'A'; c <= 'Z'; c++)
    rules->class_of[c] = rules->class_of[c + 32];
}

static void
make_trie (Rules *rules)
{
  rules->n_states = 1;
  for (guint i = 0; i < rules->phrases->len; i++)
    {
      Phrase *phrase = &g_array_index (rules->phrases, Phrase, i);
      guint state = 0;

      for (const guchar *p = (const guchar *) phrase->text; *p; p++)
        {
          gint32 *to = &rules->next[state * rules->n_classes + rules->class_of[*p]];

          if (*to == 0)
            *to = (gint32) rules->n_states++;
          state = (guint) *to;
        }
      phrase->same = rules->found[state];
      rules->found[state] = (gint32) i + 1;
    }
}

/* Breadth first: failure links become transitions. */
static void
make_links (Rules *rules)
{
  g_autofree gint32 *fail = g_new0 (gint32, rules->n_states);
  g_autofree guint *queue = g_new (guint, rules->n_states);
  guint head = 0, tail = 0;
  guint nc = rules->n_classes;

  for (guint c = 0; c < nc; c++)
    if (rules->next[c] != 0)
      queue[tail++] = (guint) rules->next[c];
  while (head < tail)
    {
      guint state = queue[head++], f = (guint) fail[state];

      rules->also[state] = rules->found[f] ? (gint32) f : rules->also[f];
      for (guint c = 0; c < nc; c++)
        {
          gint32 *to = &rules->next[state * nc + c];

          if (*to == 0)
            *to = rules->next[f * nc + c];
          else
            {
              fail[*to] = rules->next[f * nc + c];
              queue[tail++] = (guint) *to;
            }
        }
    }
}

/* From states to where their rows begin, so that a step is one addition; a
 * state in which a phrase ends is marked by its complement. */
static void
make_steps (Rules *rules)
{
  for (gsize i = 0; i < (gsize) rules->n_states * rules->n_classes; i++)
    {
      gint32 state = rules->next[i];
      gint32 row = state * (gint32) rules->n_classes;

      rules->next[i] = rules->found[state] | rules->also[state] ? ~row : row;
    }
}

void
rules_ready (Rules *rules)
{
  gsize most = rules->phrase_bytes + 1;

  make_classes (rules);
  rules->next = g_new0 (gint32, most * rules->n_classes);
  rules->found = g_new0 (gint32, most);
  rules->also = g_new0 (gint32, most);
  make_trie (rules);
  make_links (rules);
  make_steps (rules);
  for (guint i = 0; i < rules->patterns->len; i++)
    {
      guint rule = g_array_index (rules->patterns, Pattern, i).rule;

      rules->always |= !g_array_index (rules->rules, Rule, rule).needs;
    }
}

/* ---- matching --------------------------------------------------------------- */

RulesScratch *
rules_scratch_new (const Rules *rules)
{
  RulesScratch *scratch = g_new0 (RulesScratch, 1);

  scratch->called = g_new0 (guint8, rules->rules->len + 1);
#ifdef HAVE_PCRE2
  scratch->data = pcre2_match_data_create (1, NULL);
  scratch->context = pcre2_match_context_create (NULL);
  pcre2_set_match_limit (scratch->context, 100000);
  pcre2_set_depth_limit (scratch->context, 10000);
#endif
  return scratch;
}

void
rules_scratch_free (RulesScratch *scratch)
{
  if (scratch == NULL)
    return;
#ifdef HAVE_PCRE2
  pcre2_match_data_free (scratch->data);
  pcre2_match_context_free (scratch->context);
#endif
  g_free (scratch->called);
  g_free (scratch);
}

guint64
rules_scratch_limits (RulesScratch *scratch)
{
  guint64 n = scratch->limits;

  scratch->limits = 0;
  return n;
}

gboolean
rules_possible (const Rules *rules, FrStr text)
{
  const gint32 *next = rules->next;
  gint32 row = 0;

  if (rules->always)
    return TRUE;
  for (gsize i = 0; i < text.len; i++)
    {
      row = next[row + rules->class_of[(guchar) text.data[i]]];
      if (G_UNLIKELY (row < 0))
        return TRUE;
    }
  return FALSE;
}

/* "act now" is not in "fact nowadays". */
static gboolean
is_word (const Phrase *phrase, FrStr text, gsize end)
{
  gsize start = end - phrase->len;

  return !(start > 0 && g_ascii_isalnum (text.data[start])
           && g_ascii_isalnum (text.data[start - 1]))
         && !(end < text.len && g_ascii_isalnum (text.data[end - 1])
              && g_ascii_isalnum (text.data[end]));
}

static int
match_phrases (const Rules *rules, RulesScratch *scratch, FrStr text)
{
  gint32 row = 0;
  int first = -1;

  for (gsize i = 0; i < text.len; i++)
    {
      row = rules->next[row + rules->class_of[(guchar) text.data[i]]];
      if (G_LIKELY (row >= 0))
        continue;
      row = ~row;
      for (gint32 s = row / (gint32) rules->n_classes; s != 0; s = rules->also[s])
        for (gint32 f = rules->found[s]; f != 0;)
          {
            const Phrase *phrase = &g_array_index (rules->phrases, Phrase, f - 1);

            if (phrase->need)
              scratch->called[phrase->rule] = 1;
            else if ((first < 0 || (int) phrase->rule < first) && is_word (phrase, text, i + 1))
              first = (int) phrase->rule;
            f = phrase->same;
          }
    }
  return first;
}

static int
match_patterns (const Rules *rules, RulesScratch *scratch, FrStr text)
{
#ifdef HAVE_PCRE2
  for (guint i = 0; i < rules->patterns->len; i++)
    {
      const Pattern *pattern = &g_array_index (rules->patterns, Pattern, i);
      int rc;

      if (g_array_index (rules->rules, Rule, pattern->rule).needs
          && !scratch->called[pattern->rule])
        continue;
      rc = pcre2_match (pattern->code, (PCRE2_SPTR) text.data, text.len, 0, PCRE2_NO_UTF_CHECK,
                        scratch->data, scratch->context);
      if (rc >= 0)
        return (int) pattern->rule;
      if (rc != PCRE2_ERROR_NOMATCH)
        scratch->limits++;
    }
#else
  (void) rules;
  (void) scratch;
  (void) text;
#endif
  return -1;
}

int
rules_match (const Rules *rules, RulesScratch *scratch, FrStr text)
{
  int rule;

  memset (scratch->called, 0, rules->rules->len);
  rule = match_phrases (rules, scratch, text);
  return rule >= 0 ? rule : match_patterns (rules, scratch, text);
}
