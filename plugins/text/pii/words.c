/* SPDX-License-Identifier: Apache-2.0 */
/* words.c: context words and the caller's word lists, found in one pass.
 *
 * An automaton over folded characters in lower case (A. V. Aho and M. J.
 * Corasick, "Efficient string matching", CACM 18(6), 1975), so that a million
 * words cost the text no more than ten do.  The root's transitions are a table
 * by character, which is where the automaton is nearly always; the others are
 * in one hash table of (state, character).
 */
#include "config.h"

#include <flowrun/error.h>
#include <string.h>

#include "text/chars.h"
#include "text/pii/pii-private.h"

#define MAX_WORD 64                  /* characters */
#define MAX_STATES (8 * 1024 * 1024) /* half a gigabyte of tables */

typedef struct
{
  guint32 fail;
  gint32 word;  /* that ends here, or -1 */
  guint32 out;  /* next shorter state at which a word ends, or 0 */
  guint32 last; /* character that leads here */
  guint32 parent;
} State;

typedef struct
{
  guint64 key; /* state << 21 | character; 0: empty, for no transition has state 0 here */
  guint32 to;
} Slot;

struct _Words
{
  GArray *words;  /* Word */
  GArray *states; /* State */
  guint32 *root;  /* by character below 0x10000 */
  GHashTable *root_more;
  Slot *slots;
  gsize n_slots, used;
  GStringChunk *strings;
};

Words *
pii_words_new (void)
{
  Words *words = g_new0 (Words, 1);
  State root = { .word = -1 };

  words->words = g_array_new (FALSE, TRUE, sizeof (Word));
  words->states = g_array_new (FALSE, TRUE, sizeof (State));
  g_array_append_val (words->states, root);
  words->root = g_new0 (guint32, 0x10000);
  words->root_more = g_hash_table_new (NULL, NULL);
  words->n_slots = 1024;
  words->slots = g_new0 (Slot, words->n_slots);
  words->strings = g_string_chunk_new (4096);
  return words;
}

void
pii_words_free (Words *words)
{
  if (words == NULL)
    return;
  g_array_unref (words->words);
  g_array_unref (words->states);
  g_free (words->root);
  g_hash_table_unref (words->root_more);
  g_free (words->slots);
  g_string_chunk_free (words->strings);
  g_free (words);
}

const Word *
pii_words_get (const Words *words, guint32 word)
{
  return &g_array_index (words->words, Word, word);
}

/* ---- transitions ------------------------------------------------------------- */

static inline gsize
slot_of (const Words *words, guint64 key)
{
  gsize at = (gsize) (key * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) >> 32) & (words->n_slots - 1);

  while (words->slots[at].key != 0 && words->slots[at].key != key)
    at = (at + 1) & (words->n_slots - 1);
  return at;
}

/* 0: none, which is the root too. */
static inline guint32
step (const Words *words, guint32 state, guint32 c)
{
  if (state == 0)
    return G_LIKELY (c < 0x10000)
               ? words->root[c]
               : GPOINTER_TO_UINT (g_hash_table_lookup (words->root_more, GUINT_TO_POINTER (c)));
  return words->slots[slot_of (words, (guint64) state << 21 | c)].to;
}

static void
grow (Words *words)
{
  Slot *old = words->slots;
  gsize n = words->n_slots;

  words->n_slots *= 2;
  words->slots = g_new0 (Slot, words->n_slots);
  for (gsize i = 0; i < n; i++)
    if (old[i].key != 0)
      words->slots[slot_of (words, old[i].key)] = old[i];
  g_free (old);
}

static guint32
step_or_make (Words *words, guint32 state, guint32 c)
{
  guint32 to = step (words, state, c);
  State fresh = { .word = -1, .last = c, .parent = state };

  if (to != 0)
    return to;
  to = words->states->len;
  g_array_append_val (words->states, fresh);
  if (state == 0 && c < 0x10000)
    words->root[c] = to;
  else if (state == 0)
    g_hash_table_insert (words->root_more, GUINT_TO_POINTER (c), GUINT_TO_POINTER (to));
  else
    {
      guint64 key = (guint64) state << 21 | c;

      if (2 * ++words->used > words->n_slots)
        grow (words);
      words->slots[slot_of (words, key)] = (Slot){ key, to };
    }
  return to;
}

static inline guint32
lower (guint32 c)
{
  return c >= 'A' && c <= 'Z' ? c | 32 : c;
}

gboolean
pii_words_add (Words *words, const char *text, guint32 kinds, guint type, GError **error)
{
  const char *p = text;
  guint32 state = 0;
  Word word = { .text = g_string_chunk_insert_const (words->strings, text),
                .kinds = kinds,
                .type = (guint8) type };

  while (*p != '\0')
    {
      guint32 c = pii_fold_char (text_next_char (&p));

      if (c == 0)
        continue;
      if (++word.n > MAX_WORD || words->states->len >= MAX_STATES)
        {
          g_set_error (
              error, FR_ERROR, FR_ERROR_CONFIG,
              word.n > MAX_WORD
                  ? "the word that begins with '%.24s' is longer than 64 characters"
                  : "at '%.24s' the word lists are larger than memory allows; split the stage",
              text);
          return FALSE;
        }
      state = step_or_make (words, state, lower (c));
    }
  if (word.n == 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "a word is empty");
      return FALSE;
    }
  if (g_array_index (words->states, State, state).word >= 0)
    {
      Word *same = &g_array_index (words->words, Word,
                                   (guint) g_array_index (words->states, State, state).word);

      /* A word of the caller's stays so, and what it is a context word for too. */
      if (kinds & K_CUSTOM && !(same->kinds & K_CUSTOM))
        same->type = word.type;
      same->kinds |= kinds;
      return TRUE;
    }
  g_array_index (words->states, State, state).word = (gint32) words->words->len;
  g_array_append_val (words->words, word);
  return TRUE;
}

/* Failure links, in the order of depth. */
void
pii_words_ready (Words *words)
{
  State *states = (State *) (void *) words->states->data;
  guint n = words->states->len;
  g_autofree guint32 *queue = g_new (guint32, n), *depth = g_new0 (guint32, n), *count = NULL;
  guint deepest = 0;

  /* A state is made after its parent, so that one pass gives the depths. */
  for (guint i = 1; i < n; i++)
    {
      depth[i] = depth[states[i].parent] + 1;
      deepest = MAX (deepest, depth[i]);
    }
  count = g_new0 (guint32, deepest + 2);
  for (guint i = 0; i < n; i++)
    count[depth[i] + 1]++;
  for (guint i = 1; i <= deepest + 1; i++)
    count[i] += count[i - 1];
  for (guint i = 0; i < n; i++)
    queue[count[depth[i]]++] = i;
  for (guint i = 1; i < n; i++)
    {
      guint32 state = queue[i];
      guint32 fail = states[state].parent;

      if (fail != 0)
        {
          guint32 to;

          do
            {
              fail = states[fail].fail;
              to = step (words, fail, states[state].last);
            }
          while (to == 0 && fail != 0);
          fail = to;
        }
      states[state].fail = fail;
      states[state].out = states[fail].word >= 0 ? fail : states[fail].out;
    }
}

/* An ASCII word is none inside another ("tel" in "hotel"). */
static gboolean
at_borders (const Scan *scan, gsize s, gsize e)
{
  return !(scan->cls[s] & C_ALPHA && pii_cls (scan, (gssize) s - 1) & C_ALPHA)
         && !(scan->cls[e - 1] & C_ALPHA && pii_cls (scan, (gssize) e) & C_ALPHA);
}

static void
note (Scan *scan, const Words *words, guint32 state, gsize end)
{
  const State *states = (const State *) (const void *) words->states->data;

  for (; state != 0; state = states[state].out)
    if (states[state].word >= 0)
      {
        Event event = { .end = (guint32) end, .word = (guint32) states[state].word };

        event.start = event.end - pii_words_get (words, event.word)->n;
        if (at_borders (scan, event.start, event.end))
          g_array_append_val (scan->events, event);
      }
}

void
pii_words_find (Scan *scan)
{
  const Words *words = scan->pii->words;
  const State *states = (const State *) (const void *) words->states->data;
  guint32 state = 0;

  for (gsize i = 0; i < scan->n; i++)
    {
      guint32 c = lower (scan->ch[i]), to;

      while ((to = step (words, state, c)) == 0 && state != 0)
        state = states[state].fail;
      state = to;
      if (state != 0 && (states[state].word >= 0 || states[state].out != 0))
        note (scan, words, state, i + 1);
    }
}
