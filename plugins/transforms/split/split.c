/* SPDX-License-Identifier: Apache-2.0 */
/* split.c: transform.split, rows for training, validation and test.
 *
 * The input is read several times: once to hash every row's group and count,
 * then, when groups are chosen, to give each row its side, to look for leaks
 * (leak.h), and to send the rows on in their order.
 *
 * Groups are taken in the order of a seeded hash of their key, a group as a
 * whole or not at all, until a side has what was asked for.  So the choice
 * depends on seed and keys alone, and a side is exact whenever the sizes of
 * the groups allow it.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <math.h>
#include <xxhash.h>

#include "text/leak.h"
#include "text/rowkey.h"
#include "text/team.h"

enum
{
  SIDE_TRAIN,
  SIDE_VALIDATION,
  SIDE_TEST,
  SIDE_DROPPED,
  N_SIDES
};
enum
{
  LEAK_REPORT,
  LEAK_MOVE,
  LEAK_DROP
};
enum
{
  BY_ROW,
  BY_COLUMN,
  BY_CLUSTER
};

#define MAX_STRATA 10000
#define MAX_ROUNDS 10
#define N_EXAMPLES 10

static const char *const side_names[] = { "train", "validation", "test" };

typedef struct
{
  double validation;
  double test;
  char *by;
  char *stratify;
  gint64 seed;
  char **columns;
  char **normalize;
  gboolean leak_check;
  double leak_share;
  double leak_limit;
  int on_leak;
} Config;

static const FrEnumValue *const on_leaks[]
    = { FR_ENUM ("report", LEAK_REPORT, "leaking rows stay where they are and are counted"),
        FR_ENUM ("move", LEAK_MOVE, "they go to train, each with its group, until none leaks"),
        FR_ENUM ("drop", LEAK_DROP, "they go nowhere; counted as leak_dropped"), NULL };

static const FrParam *const params[] = {
  FR_PARAM_FLOAT ("validation", Config, validation, 0, 1e15,
                  "rows for validation: a share below 1, or a count", .def = "0.1"),
  FR_PARAM_FLOAT ("test", Config, test, 0, 1e15, "rows for test: a share below 1, or a count",
                  .def = "0"),
  FR_PARAM_STRING ("by", Config, by,
                   "what stays together: 'row' (nothing), a column (rows with the same value), or "
                   "'cluster' (rows with the same text)",
                   .def = "row", .example = "\"product_id\""),
  FR_PARAM_COLUMN (
      "stratify", Config, stratify, FR_TYPES_ANY,
      "column whose values every side gets in the same proportion; at most 10000 values"),
  FR_PARAM_INT ("seed", Config, seed, 0, G_MAXINT32,
                "another choice for each; 0: from the pipeline's seed and the stage's id",
                .def = "0"),
  FR_PARAM_COLUMNS ("columns", Config, columns, FR_TYPES_TEXT,
                    "text that is compared for clusters and leaks; none given: every text column"),
  FR_PARAM_STRINGS ("normalize", Config, normalize,
                    "what is levelled out before text is compared, as in transform.dedup",
                    .def = "[\"unicode\", \"width\", \"case\", \"space\"]",
                    .pattern = "none|unicode|width|case|control|space|all_space|punctuation"),
  FR_PARAM_BOOL ("leak_check", Config, leak_check, "look for training text in validation and test",
                 .def = "true"),
  FR_PARAM_FLOAT (
      "leak_share", Config, leak_share, 0, 1,
      "a row leaks when more than this share of its 13-grams is in train; 0: one is enough",
      .def = "0"),
  FR_PARAM_FLOAT ("leak_limit", Config, leak_limit, -1, 1e15,
                  "leaking rows allowed, as a share of the held-out rows below 1 or a count; more "
                  "end the run with status 3; -1: no limit",
                  .def = "-1"),
  FR_PARAM_ENUM ("on_leak", Config, on_leak, on_leaks, "what to do with leaking rows",
                 .def = "report"),
  NULL
};

static const FrPort *const inputs[] = {
  FR_PORT ("in", FR_PORT_RECORDS, "rows to split", .flags = FR_PORT_MANY | FR_PORT_REWINDABLE), NULL
};

static const FrPort *const outputs[]
    = { FR_PORT ("train", FR_PORT_RECORDS, "rows to learn from"),
        FR_PORT ("validation", FR_PORT_RECORDS, "rows to choose by",
                 .flags = FR_PORT_OPTIONAL | FR_PORT_HELD_OUT),
        FR_PORT ("test", FR_PORT_RECORDS, "rows to measure with",
                 .flags = FR_PORT_OPTIONAL | FR_PORT_HELD_OUT),
        NULL };

/* ---- configure and bind -------------------------------------------------------- */

static gboolean
check_size (double value, const char *pointer, FrProblems *problems)
{
  if (value < 1 || value == floor (value))
    return TRUE;
  fr_problems_add (problems, pointer, "a share is below 1 and a count is whole; %g is neither",
                   value);
  return FALSE;
}

static gboolean
split_configure (gpointer data, FrProblems *problems)
{
  const Config *config = data;
  const char *wrong;
  gboolean ok = check_size (config->validation, "/validation", problems);

  ok = check_size (config->test, "/test", problems) && ok;
  if (config->validation < 1 && config->test < 1 && config->validation + config->test >= 1)
    {
      fr_problems_add (
          problems, "/test",
          "validation and test together take %g of all rows; nothing is left for train",
          config->validation + config->test);
      ok = FALSE;
    }
  text_normal_words ((const char *const *) config->normalize, &wrong);
  if (wrong != NULL)
    {
      fr_problems_add (problems, "/normalize",
                       "'%s' is no normalisation, or is 'none' beside others", wrong);
      ok = FALSE;
    }
  if (!config->leak_check && (config->leak_limit >= 0 || config->on_leak != LEAK_REPORT))
    {
      fr_problems_add (problems, "/leak_check",
                       "without it, leak_limit and on_leak have no effect");
      ok = FALSE;
    }
  return ok;
}

static int
by_of (const Config *config, const FrSchema *schema)
{
  if (strcmp (config->by, "row") == 0)
    return BY_ROW;
  if (fr_schema_find (schema, config->by) >= 0)
    return BY_COLUMN;
  return BY_CLUSTER;
}

static gboolean
split_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *config = data;
  FrSchema *schema = fr_bind_input (bind, "in");
  gboolean any_text = FALSE;

  (void) error;
  if (schema == NULL)
    return TRUE;
  for (guint i = 0; i < fr_schema_n_fields (schema); i++)
    any_text |= (FR_TYPES (fr_field_type (fr_schema_field (schema, i))) & FR_TYPES_TEXT) != 0;
  if (by_of (config, schema) == BY_CLUSTER && strcmp (config->by, "cluster") != 0)
    {
      g_auto (GStrv) names = fr_schema_names (schema);
      const char *near = fr_suggest (config->by, (const char *const *) names);

      fr_bind_problem (
          bind, "/by", "there is no column '%s'%s%s%s; 'by' is 'row', 'cluster' or a column",
          config->by, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
      return FALSE;
    }
  if (by_of (config, schema) == BY_CLUSTER && !any_text)
    {
      fr_bind_problem (bind, "/by", "there is no text column whose text could make clusters");
      return FALSE;
    }
  if (config->leak_check && !any_text)
    fr_bind_warn (bind, "/leak_check", "there is no text column, so there is no check for leaks");
  if (config->test > 0 && !fr_bind_is_connected (bind, "test"))
    fr_bind_warn (bind, "/test",
                  "the rows set aside for test go nowhere: nothing is connected to 'test'");
  if (config->validation > 0 && !fr_bind_is_connected (bind, "validation"))
    fr_bind_warn (
        bind, "/validation",
        "the rows set aside for validation go nowhere: nothing is connected to 'validation'");
  return TRUE;
}

/* ---- state ---------------------------------------------------------------------- */

/* What is sorted: a row's group and the stratum the row would put it in. */
typedef struct
{
  TextKey key;
  guint64 stratum;
} Member;

typedef struct
{
  guint64 rows;
  guint64 want[N_SIDES], left[N_SIDES];
} Stratum;

typedef struct
{
  const Config *config;
  FrHost *host;
  int by;
  guint64 seed;
  TextRowKey *group;     /* column or cluster; NULL for rows */
  TextRowKey *text;      /* what leaks; NULL: no check */
  TextRowKey *stratum;   /* or NULL */
  FrView group_view;     /* by column: to see nulls */
  GHashTable *strata_of; /* TextKey * to index + 1 */
  GArray *strata;        /* Stratum */
  TextSorter *sorter;
  TextKeyMap *chosen; /* group to side, for groups that are not train */
  GByteArray *sides;
  guint64 n_rows, n_groups, counts[N_SIDES];
  guint64 wanted[N_SIDES];
  TextLeak *leak;
  /* the pass under way */
  guint64 at;
  guint32 held_out;
  guint64 n_same, n_shared, n_leaking, n_moved, n_dropped;
  GHashTable *moving; /* TextKey * of groups */
  GPtrArray *examples;
  guint rounds;
} State;

static guint
key_hash (gconstpointer key)
{
  return (guint) ((const TextKey *) key)->lo;
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  return text_key_order (*(const TextKey *) a, *(const TextKey *) b) == 0;
}

static void
split_close (gpointer data)
{
  State *s = data;

  text_row_key_free (s->group);
  text_row_key_free (s->text);
  text_row_key_free (s->stratum);
  g_hash_table_unref (s->strata_of);
  g_array_unref (s->strata);
  text_sorter_free (s->sorter);
  text_key_map_free (s->chosen);
  g_byte_array_unref (s->sides);
  text_leak_free (s->leak);
  g_hash_table_unref (s->moving);
  g_ptr_array_unref (s->examples);
  g_free (s);
}

static gboolean
split_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  const Config *config = data;
  FrSchema *schema = fr_host_input (host, "in");
  const char *dir = fr_host_spill_dir (host, error), *wrong;
  const char *by[] = { config->by, NULL }, *stratify[] = { config->stratify, NULL };
  guint how = text_normal_words ((const char *const *) config->normalize, &wrong);
  State *s;

  if (dir == NULL)
    return FALSE;
  s = g_new0 (State, 1);
  s->config = config;
  s->by = by_of (config, schema);
  s->seed = config->seed != 0 ? (guint64) config->seed : fr_host_seed (host);
  s->text = text_row_key_new (schema, (const char *const *) config->columns, how);
  if (s->by == BY_COLUMN)
    s->group = text_row_key_new (schema, by, 0);
  else if (s->by == BY_CLUSTER)
    s->group = text_row_key_new (schema, (const char *const *) config->columns, how);
  if (config->stratify != NULL)
    s->stratum = text_row_key_new (schema, stratify, 0);
  s->strata_of = g_hash_table_new_full (key_hash, key_equal, g_free, NULL);
  s->strata = g_array_new (FALSE, TRUE, sizeof (Stratum));
  s->sorter = text_sorter_new (sizeof (Member), fr_host_memory (host) / 2, dir);
  s->chosen = text_key_map_new (sizeof (guint64), fr_host_memory (host) / 4, dir);
  s->sides = g_byte_array_new ();
  s->leak = text_leak_new (fr_host_memory (host) / 2);
  s->moving = g_hash_table_new_full (key_hash, key_equal, g_free, NULL);
  s->examples = g_ptr_array_new_with_free_func (g_free);
  *state = s;
  return TRUE;
}

/* ---- passes over the input -------------------------------------------------------- */

typedef gboolean (*RowFunc) (State *s, const FrBatch *batch, gsize row, GError **error);

static void
open_batch (State *s, const FrBatch *batch)
{
  if (s->group != NULL)
    text_row_key_open (s->group, batch);
  if (s->by == BY_COLUMN)
    s->group_view = fr_view (batch, text_row_key_column (s->group, 0));
  if (s->stratum != NULL)
    text_row_key_open (s->stratum, batch);
  text_row_key_open (s->text, batch);
}

/* Calls @func for every row from the first; FR_FLOW_DONE when all is well. */
static FrFlow
walk (State *s, gboolean again, RowFunc func, GError **error)
{
  if (again && !fr_host_rewind (s->host, "in", error))
    return FR_FLOW_ERROR;
  s->at = 0;
  s->held_out = 0;
  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;
      FrFlow flow = fr_host_next (s->host, "in", &batch, error);

      if (flow != FR_FLOW_OK)
        return flow;
      open_batch (s, batch);
      for (gsize row = 0; row < fr_batch_n_rows (batch); row++, s->at++)
        if (!func (s, batch, row, error))
          return FR_FLOW_ERROR;
    }
}

static TextKey
group_of (State *s, const FrBatch *batch, gsize row)
{
  FrRowId id;
  guint64 words[2];
  XXH128_hash_t hash;

  /* A row without a value belongs to nobody. */
  if (s->by == BY_CLUSTER || (s->by == BY_COLUMN && !fr_view_is_null (&s->group_view, row)))
    return text_row_key_hash (s->group, row, s->seed);
  id = fr_batch_ids (batch)[row];
  words[0] = GUINT64_TO_LE (id.position);
  words[1] = GUINT64_TO_LE ((guint64) id.source << 32 | id.child);
  hash = XXH3_128bits_withSeed (words, sizeof words, s->seed);
  return (TextKey){ hash.high64, hash.low64 };
}

static gboolean
stratum_of (State *s, gsize row, guint64 *index, GError **error)
{
  TextKey key;
  gpointer known;

  *index = 0;
  if (s->stratum == NULL)
    {
      if (s->strata->len == 0)
        g_array_set_size (s->strata, 1);
      return TRUE;
    }
  key = text_row_key_hash (s->stratum, row, 0);
  known = g_hash_table_lookup (s->strata_of, &key);
  if (known == NULL)
    {
      if (s->strata->len >= MAX_STRATA)
        {
          g_set_error (
              error, FR_ERROR, FR_ERROR_CONFIG,
              "column '%s' has more than %d different values; stratify by a column with few",
              s->config->stratify, MAX_STRATA);
          return FALSE;
        }
      g_array_set_size (s->strata, s->strata->len + 1);
      known = GUINT_TO_POINTER (s->strata->len);
      g_hash_table_insert (s->strata_of, g_memdup2 (&key, sizeof key), known);
    }
  *index = GPOINTER_TO_UINT (known) - 1;
  return TRUE;
}

static gboolean
note_row (State *s, const FrBatch *batch, gsize row, GError **error)
{
  Member member = { .key = group_of (s, batch, row) };

  s->n_rows++;
  return stratum_of (s, row, &member.stratum, error) && text_sorter_add (s->sorter, &member, error);
}

/* ---- choosing groups ---------------------------------------------------------------- */

typedef gboolean (*GroupFunc) (State *s, TextKey key, guint64 size, guint64 stratum,
                               GError **error);

/* Every group once, in the order of its hash; its stratum is the least of its rows'. */
static gboolean
each_group (State *s, GroupFunc func, GError **error)
{
  GError *failed = NULL;
  const Member *next;
  Member group = { .stratum = 0 };
  guint64 size = 0;

  if (!text_sorter_rewind (s->sorter, error))
    return FALSE;
  while ((next = text_sorter_next (s->sorter, &failed)) != NULL)
    {
      if (size > 0 && text_key_order (group.key, next->key) == 0)
        {
          group.stratum = MIN (group.stratum, next->stratum);
          size++;
          continue;
        }
      if (size > 0 && !func (s, group.key, size, group.stratum, error))
        return FALSE;
      group = *next;
      size = 1;
    }
  if (failed != NULL)
    {
      g_propagate_error (error, failed);
      return FALSE;
    }
  return size == 0 || func (s, group.key, size, group.stratum, error);
}

static gboolean
count_group (State *s, TextKey key, guint64 size, guint64 stratum, GError **error)
{
  (void) key;
  (void) error;
  s->n_groups++;
  g_array_index (s->strata, Stratum, stratum).rows += size;
  return TRUE;
}

/* Test first, then validation; a group that no longer fits is offered to the
 * next side, so that small groups can fill the rest exactly. */
static gboolean
choose_group (State *s, TextKey key, guint64 size, guint64 stratum, GError **error)
{
  Stratum *in = &g_array_index (s->strata, Stratum, stratum);

  for (guint64 side = SIDE_TEST; side >= SIDE_VALIDATION; side--)
    {
      guint64 known;
      gboolean found;

      if (in->left[side] < size)
        continue;
      in->left[side] -= size;
      return text_key_map_find (s->chosen, key, &known, &found, error)
             && text_key_map_store (s->chosen, key, &side, error);
    }
  return TRUE;
}

static guint64
wanted_rows (double size, guint64 n)
{
  return size < 1 ? (guint64) floor (size * (double) n + 0.5) : (guint64) size;
}

typedef struct
{
  guint64 rest;
  guint index;
} Remainder;

static int
remainder_order (const void *a, const void *b)
{
  const Remainder *x = a, *y = b;

  if (x->rest != y->rest)
    return x->rest > y->rest ? -1 : 1;
  return (x->index > y->index) - (x->index < y->index);
}

/* Each stratum its part of what a side wants, by largest remainders. */
static void
share_out (State *s, int side)
{
  guint n = s->strata->len;
  g_autofree Remainder *rest = g_new0 (Remainder, n + 1);
  guint64 given = 0;

  for (guint i = 0; i < n; i++)
    {
      Stratum *stratum = &g_array_index (s->strata, Stratum, i);
      unsigned __int128 product = (unsigned __int128) s->wanted[side] * stratum->rows;

      stratum->want[side] = (guint64) (product / s->n_rows);
      rest[i] = (Remainder){ (guint64) (product % s->n_rows), i };
      given += stratum->want[side];
    }
  qsort (rest, n, sizeof *rest, remainder_order);
  for (guint i = 0; i < n && given < s->wanted[side]; i++, given++)
    g_array_index (s->strata, Stratum, rest[i].index).want[side]++;
  for (guint i = 0; i < n; i++)
    {
      Stratum *stratum = &g_array_index (s->strata, Stratum, i);

      stratum->left[side] = stratum->want[side];
    }
}

static gboolean
choose (State *s, GError **error)
{
  s->wanted[SIDE_VALIDATION] = wanted_rows (s->config->validation, s->n_rows);
  s->wanted[SIDE_TEST] = wanted_rows (s->config->test, s->n_rows);
  if (s->n_rows > 0 && s->wanted[SIDE_VALIDATION] + s->wanted[SIDE_TEST] > s->n_rows)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "there are %" G_GUINT64_FORMAT
                   " rows, but validation and test ask for %" G_GUINT64_FORMAT
                   "; ask for fewer or for shares",
                   s->n_rows, s->wanted[SIDE_VALIDATION] + s->wanted[SIDE_TEST]);
      return FALSE;
    }
  s->wanted[SIDE_TRAIN] = s->n_rows - s->wanted[SIDE_VALIDATION] - s->wanted[SIDE_TEST];
  if (s->n_rows == 0)
    return TRUE;
  if (!each_group (s, count_group, error))
    return FALSE;
  share_out (s, SIDE_VALIDATION);
  share_out (s, SIDE_TEST);
  return each_group (s, choose_group, error);
}

static gboolean
assign_row (State *s, const FrBatch *batch, gsize row, GError **error)
{
  guint64 side = SIDE_TRAIN;
  gboolean found;
  guint8 byte;

  if (!text_key_map_find (s->chosen, group_of (s, batch, row), &side, &found, error))
    return FALSE;
  byte = found ? (guint8) side : SIDE_TRAIN;
  g_byte_array_append (s->sides, &byte, 1);
  return TRUE;
}

/* ---- leaks ---------------------------------------------------------------------------- */

static gboolean
is_held_out (State *s)
{
  return s->sides->data[s->at] == SIDE_VALIDATION || s->sides->data[s->at] == SIDE_TEST;
}

static gboolean
learn_held_out (State *s, const FrBatch *batch, gsize row, GError **error)
{
  (void) batch;
  (void) error;
  if (is_held_out (s))
    text_leak_held_out (s->leak, s->held_out++, text_row_key_text (s->text, row));
  return TRUE;
}

/* ---- leaks: training rows, on as many threads as the core has to spare -------------- */

/* Parts that a batch is cut into, so that no thread waits long for another. */
#define PARTS 16

typedef struct
{
  State *s;
  const FrBatch *batch;
  TextRowKey *keys[TEXT_TEAM_MOST]; /* of each thread */
} Looking;

static void
look_at_part (guint part, guint n_parts, guint thread, gpointer data)
{
  Looking *l = data;
  State *s = l->s;
  gsize n = fr_batch_n_rows (l->batch);

  if (l->keys[thread] == NULL)
    l->keys[thread] = text_row_key_copy (s->text);
  text_row_key_open (l->keys[thread], l->batch);
  for (gsize row = n * part / n_parts; row < n * (part + 1) / n_parts; row++)
    if (s->sides->data[s->at + row] == SIDE_TRAIN)
      text_leak_training (s->leak, text_row_key_text (l->keys[thread], row));
}

/* Marks what training rows hold; which thread marks it is all the same. */
static FrFlow
look_at_training (State *s, GError **error)
{
  Looking l = { .s = s };
  TextTeam *team;
  FrFlow flow = FR_FLOW_OK;

  text_leak_seal (s->leak);
  if (!fr_host_rewind (s->host, "in", error))
    return FR_FLOW_ERROR;
  team = text_team_new ();
  s->at = 0;
  while (flow == FR_FLOW_OK)
    {
      g_autoptr (FrBatch) batch = NULL;

      flow = fr_host_next (s->host, "in", &batch, error);
      if (flow != FR_FLOW_OK)
        break;
      l.batch = batch;
      text_team_run (team, fr_host_threads (s->host), PARTS, look_at_part, &l);
      s->at += fr_batch_n_rows (batch);
    }
  text_team_free (team);
  for (guint i = 0; i < TEXT_TEAM_MOST; i++)
    text_row_key_free (l.keys[i]);
  return flow;
}

/* ---- leaks: the verdict --------------------------------------------------------------- */

static gboolean
judge_row (State *s, const FrBatch *batch, gsize row, GError **error)
{
  const TextLeakRow *found;
  gboolean shares;

  (void) error;
  if (!is_held_out (s))
    return TRUE;
  found = text_leak_row (s->leak, s->held_out++);
  shares
      = found->shared > 0 && (double) found->shared > s->config->leak_share * (double) found->grams;
  /* A share of 1 asks for all of them. */
  shares = shares || (found->shared > 0 && found->shared == found->grams);
  if (!found->same && !shares)
    return TRUE;
  s->n_same += found->same;
  s->n_shared += shares;
  s->n_leaking++;
  if (s->examples->len < N_EXAMPLES)
    {
      GString *id = g_string_new (NULL);

      fr_host_append_row_id (s->host, fr_batch_ids (batch)[row], id);
      g_ptr_array_add (s->examples, g_string_free (id, FALSE));
    }
  if (s->config->on_leak == LEAK_DROP)
    {
      s->sides->data[s->at] = SIDE_DROPPED;
      s->n_dropped++;
    }
  else if (s->config->on_leak == LEAK_MOVE)
    {
      TextKey key = group_of (s, batch, row);

      g_hash_table_add (s->moving, g_memdup2 (&key, sizeof key));
    }
  return TRUE;
}

static gboolean
move_row (State *s, const FrBatch *batch, gsize row, GError **error)
{
  TextKey key;

  (void) error;
  if (!is_held_out (s))
    return TRUE;
  key = group_of (s, batch, row);
  if (g_hash_table_contains (s->moving, &key))
    {
      s->sides->data[s->at] = SIDE_TRAIN;
      s->n_moved++;
    }
  return TRUE;
}

/* Compares the sides as they are; FR_FLOW_DONE when all is well. */
static FrFlow
compare_sides (State *s, GError **error)
{
  FrFlow flow = FR_FLOW_DONE;

  text_leak_forget (s->leak);
  s->rounds++;
  for (guint part = 0; part < text_leak_n_parts (s->leak); part++)
    {
      text_leak_begin (s->leak, part);
      flow = walk (s, TRUE, learn_held_out, error);
      if (flow == FR_FLOW_DONE)
        flow = look_at_training (s, error);
      if (flow != FR_FLOW_DONE)
        return flow;
      text_leak_end (s->leak);
    }
  return walk (s, TRUE, judge_row, error);
}

/* Rows that move may give away rows that stay, so it is looked again until
 * nothing moves. */
static FrFlow
check_leaks (State *s, GError **error)
{
  FrFlow flow;
  guint64 before;

  do
    {
      before = s->n_leaking;
      flow = compare_sides (s, error);
      if (flow != FR_FLOW_DONE || s->n_leaking == before || s->config->on_leak != LEAK_MOVE)
        return flow;
      flow = walk (s, TRUE, move_row, error);
      g_hash_table_remove_all (s->moving);
    }
  while (flow == FR_FLOW_DONE && s->rounds < MAX_ROUNDS);
  return flow;
}

/* ---- sending and telling ----------------------------------------------------------------- */

static FrFlow
send_rows (State *s, GError **error)
{
  FrFlow flow;

  if (!fr_host_rewind (s->host, "in", error))
    return FR_FLOW_ERROR;
  s->at = 0;
  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;
      g_autofree guint8 *keep = NULL;
      gsize n;

      flow = fr_host_next (s->host, "in", &batch, error);
      if (flow != FR_FLOW_OK)
        return flow;
      n = fr_batch_n_rows (batch);
      keep = g_malloc (n);
      for (guint side = SIDE_TRAIN; side <= SIDE_TEST; side++)
        {
          gsize any = 0;

          for (gsize i = 0; i < n; i++)
            any += keep[i] = s->sides->data[s->at + i] == side;
          s->counts[side] += any;
          if (any == 0)
            continue;
          flow = fr_host_push (s->host, side_names[side], fr_batch_filter (batch, keep), error);
          if (flow == FR_FLOW_CANCELLED || flow == FR_FLOW_ERROR)
            return flow;
        }
      s->at += n;
    }
}

static JsonNode *
report_leaks (State *s, guint64 held_out)
{
  static const char *const words[] = { "report", "move", "drop" };
  JsonObject *leak = json_object_new ();
  JsonArray *examples = json_array_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_object_set_int_member (leak, "held_out", (gint64) held_out);
  json_object_set_int_member (leak, "rows", (gint64) s->n_leaking);
  json_object_set_double_member (leak, "share",
                                 held_out > 0 ? (double) s->n_leaking / (double) held_out : 0);
  json_object_set_int_member (leak, "same_text", (gint64) s->n_same);
  json_object_set_int_member (leak, "shared_13_grams", (gint64) s->n_shared);
  json_object_set_string_member (leak, "on_leak", words[s->config->on_leak]);
  json_object_set_int_member (leak, "moved", (gint64) s->n_moved);
  json_object_set_int_member (leak, "dropped", (gint64) s->n_dropped);
  json_object_set_int_member (leak, "rounds", s->rounds);
  for (guint i = 0; i < s->examples->len; i++)
    json_array_add_string_element (examples, s->examples->pdata[i]);
  json_object_set_array_member (leak, "examples", examples);
  json_node_take_object (node, leak);
  return node;
}

static void
report_sides (State *s)
{
  JsonObject *object = json_object_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  for (guint side = SIDE_TRAIN; side <= SIDE_TEST; side++)
    {
      JsonObject *one = json_object_new ();

      json_object_set_int_member (one, "wanted", (gint64) s->wanted[side]);
      json_object_set_int_member (one, "rows", (gint64) s->counts[side]);
      json_object_set_object_member (object, side_names[side], one);
    }
  json_object_set_int_member (object, "groups", (gint64) s->n_groups);
  json_object_set_int_member (object, "strata",
                              s->config->stratify != NULL ? (gint64) s->strata->len : 0);
  json_node_take_object (node, object);
  fr_host_report (s->host, "split", node);
}

static const FrViewWord chinese[] = {
  { "Sides", "划分" },
  { "side", "部分" },
  { "rows", "行数" },
  { "wanted", "期望行数" },
  { "share", "占比" },
  { "train", "训练（train）" },
  { "validation", "验证（validation）" },
  { "test", "测试（test）" },
  { "Leak", "泄漏" },
  { "held-out rows that share text with train", "与训练部分有相同文本的留出行" },
  { "of %" G_GUINT64_FORMAT, "共 %" G_GUINT64_FORMAT " 行" },
  { "of them the same text", "其中文本完全相同" },
  { "of them 13 words in a row", "其中连续 13 个词相同" },
  { "moved to train", "移入训练部分" },
  { "dropped", "已丢弃" },
  { NULL, NULL },
};

/* The sides, and what leaked, for report.html. */
static void
show_split (State *s, guint64 held_out, gboolean checked)
{
  g_autoptr (FrViews) v = fr_views_new ();
  guint64 n = s->counts[SIDE_TRAIN] + s->counts[SIDE_VALIDATION] + s->counts[SIDE_TEST];

  fr_views_translate (v, "zh", chinese);
  fr_views_begin (v, FR_VIEW_TABLE, "Sides");
  fr_views_add_column (v, "side", FR_VIEW_TEXT);
  fr_views_add_column (v, "rows", FR_VIEW_BAR);
  fr_views_add_column (v, "wanted", FR_VIEW_NUMBER);
  fr_views_add_column (v, "share", FR_VIEW_TEXT);
  for (guint side = SIDE_TRAIN; side <= SIDE_TEST; side++)
    {
      g_autofree char *share
          = g_strdup_printf ("%.1f %%", 100. * (double) s->counts[side] / (double) MAX (n, 1));

      if (s->counts[side] == 0 && s->wanted[side] == 0)
        continue;
      fr_views_begin_row (v, NULL, NULL);
      fr_views_add_word (v, side_names[side]);
      fr_views_add_number (v, (double) s->counts[side]);
      fr_views_add_number (v, (double) s->wanted[side]);
      fr_views_add_cell (v, share);
    }
  if (checked)
    {
      fr_views_begin (v, FR_VIEW_FIGURES, "Leak");
      fr_views_add_figure (v, "held-out rows that share text with train", (double) s->n_leaking,
                           fr_views_printf (v, "of %" G_GUINT64_FORMAT, held_out));
      fr_views_add_figure (v, "of them the same text", (double) s->n_same, NULL);
      fr_views_add_figure (v, "of them 13 words in a row", (double) s->n_shared, NULL);
      if (s->n_moved > 0)
        fr_views_add_figure (v, "moved to train", (double) s->n_moved, NULL);
      if (s->n_dropped > 0)
        fr_views_add_figure (v, "dropped", (double) s->n_dropped, NULL);
    }
  fr_host_report (s->host, "views", fr_views_to_json (v));
}

static void
tell (State *s, guint64 held_out, gboolean checked)
{
  report_sides (s);
  show_split (s, held_out, checked);
  if (!checked)
    return;
  fr_host_report (s->host, "leak", report_leaks (s, held_out));
  fr_host_count (s->host, "leaking", (gint64) s->n_leaking);
  if (s->n_dropped > 0)
    fr_host_count (s->host, "leak_dropped", (gint64) s->n_dropped);
  if (s->n_moved > 0)
    fr_host_count (s->host, "leak_moved", (gint64) s->n_moved);
  if (s->config->on_leak == LEAK_REPORT && s->n_leaking > 0)
    fr_host_warn (s->host,
                  "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                  " held-out rows share text with train; see 'leak' in report.json, or set on_leak",
                  s->n_leaking, held_out);
  if (s->config->leak_limit >= 0 && held_out > 0)
    {
      double limit = s->config->leak_limit < 1 ? s->config->leak_limit * (double) held_out
                                               : s->config->leak_limit;

      if ((double) s->n_leaking > limit)
        fr_host_limit_passed (s->host,
                              "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                              " held-out rows share text with train; leak_limit allows %g",
                              s->n_leaking, held_out, s->config->leak_limit);
    }
}

static FrFlow
split_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  guint64 held_out = 0;
  gboolean check;
  FrFlow flow;

  s->host = host;
  flow = walk (s, FALSE, note_row, error);
  if (flow != FR_FLOW_DONE)
    return flow;
  if (!choose (s, error))
    return FR_FLOW_ERROR;
  flow = walk (s, TRUE, assign_row, error);
  if (flow != FR_FLOW_DONE)
    return flow;
  g_clear_pointer (&s->sorter, text_sorter_free);
  for (guint i = 0; i < s->sides->len; i++)
    held_out += s->sides->data[i] != SIDE_TRAIN;
  check = s->config->leak_check && text_row_key_n_columns (s->text) > 0 && held_out > 0;
  if (check && (flow = check_leaks (s, error)) != FR_FLOW_DONE)
    return flow;
  flow = send_rows (s, error);
  if (flow != FR_FLOW_DONE)
    return flow;
  tell (s, held_out, check);
  return FR_FLOW_OK;
}

static const char details[]
    = "Sends every row to one of `train`, `validation` and `test`, in the order of the input. "
      "`validation` and\n"
      "`test` are shares (below 1) or counts of rows. The choice depends on the seed and on what "
      "rows are called\n"
      "alone: the same input gives the same split on any machine.\n"
      "\n"
      "`by` says what must not be torn apart:\n"
      "\n"
      "* `row`: nothing; the sizes are exact.\n"
      "* a column: rows with the same value are on one side; a row with null is alone. Use the "
      "column that\n"
      "  `transform.dedup` adds with its `cluster`, or the product, the customer, the document. A "
      "column always\n"
      "  wins over the word `cluster`.\n"
      "* `cluster`: rows whose `columns` are the same text after `normalize` are on one side.\n"
      "\n"
      "Whole groups are taken in a random order as long as they fit, so a side has what was asked "
      "for or a little\n"
      "less when only large groups were left; the report says both. With `stratify`, each value of "
      "the column gets\n"
      "its proportion of each side; a group with several values counts to the one that came first "
      "in the input.\n"
      "\n"
      "### Held out\n"
      "\n"
      "The rows of `validation` and `test`, and whatever later stages make of them, are refused by "
      "stages that\n"
      "make new rows to learn from (transform.synonyms, transform.backtranslate): `flowrun check` "
      "names both\n"
      "ends of such a connection. To augment first and split afterwards, say `\"by\": "
      "\"cluster\"`: augmenters\n"
      "give every row the column `cluster`, which a variant shares with its parent.\n"
      "\n"
      "### Leaks\n"
      "\n"
      "A held-out row (validation or test) leaks when a training row has the same text after "
      "`normalize`, or when\n"
      "more than `leak_share` of its 13-grams occur in training rows. A 13-gram is thirteen units "
      "in a row: a\n"
      "character of Han, kana, Thai, Lao, Khmer or Burmese is a unit, and so is a word of any "
      "other script.\n"
      "Shorter texts can only leak as a whole. The report has the rows, their share and ten "
      "examples by id;\n"
      "`leak_limit` turns too many into exit status 3. `on_leak` moves leaking rows to train, with "
      "their groups,\n"
      "and looks again until none is left (ten times at most), or drops them.\n"
      "\n"
      "### Memory\n"
      "\n"
      "The input is kept on disk and read four to seven times. In memory are one byte a row, and "
      "for the check 16\n"
      "bytes for each 13-gram of the held-out rows; keys of groups go to disk when the stage's "
      "share of memory is\n"
      "used up, and grams that do not fit are compared in several readings.\n";

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.split",
  .revision = 1,
  .summary = "split rows for training, validation and test, and check for leaks",
  .details = details,
  .example = "{\"validation\": 0.1, \"test\": 0.1, \"by\": \"row\", \"on_leak\": \"move\"}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .outputs = outputs,
  .configure = split_configure,
  .bind = split_bind,
  .open = split_open,
  .run = split_run,
  .close = split_close,
};

FR_PLUGIN ("split", PACKAGE_VERSION, "training, validation and test rows", "Apache-2.0", "flowrun",
           &element)
