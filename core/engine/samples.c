/* SPDX-License-Identifier: Apache-2.0 */
/* samples.c: what a person is shown of the rows of a port.
 *
 *   rows     the first few, cells as text, long ones cut
 *   changes  of a map stage: the first few rows of which it changed a text, before and after
 *   rejects  of the port "rejects": the first few of each rule
 *   lengths  of the text columns among the first LENGTH_ROWS rows, in characters
 *
 * Rows pass here in their order, one thread at a time, so what is taken does
 * not depend on workers.  Memory is bounded: some kilobytes a column, and
 * samples times CELL_CHARS characters a cell.
 *
 * Lengths are counted in bins that are exact below 64 and then 32 to each
 * doubling, given by their lower ends; bins of any power of two that is at
 * least as wide hold whole ones.
 */
#include "config.h"

#include "engine/engine-private.h"

#include <flowrun/json.h>
#include <string.h>

#define LENGTH_ROWS 20000
#define LENGTH_COLUMNS 32
#define ROW_COLUMNS 64
#define CELL_CHARS 4000
#define RULES 32
#define RULE_ROWS 3

#define EXACT 64
#define N_BINS (EXACT + 32 * 27)

typedef struct
{
  guint column;
  guint32 bins[N_BINS];
  guint32 nulls, min, max;
  guint64 sum;
} Lengths;

typedef struct
{
  char *name;
  JsonArray *rows;
} Rule;

struct _FriSamples
{
  FriOut *out;
  guint n_rows; /* to take */
  guint64 seen; /* rows whose lengths were counted */
  JsonArray *rows;
  JsonArray *changes;
  FrSchema *before; /* of the rows that changed; NULL: none did */
  guint64 compared; /* rows */
  gint enough;      /* atomic: no more rows need be compared */
  GArray *lengths;  /* Lengths * */
  GArray *rules;    /* Rule */
  guint left_out;   /* text columns beyond LENGTH_COLUMNS */
};

FriSamples *
fri_samples_new (FriOut *out, guint n_rows)
{
  FriSamples *s = g_new0 (FriSamples, 1);

  s->out = out;
  s->n_rows = n_rows;
  s->rows = json_array_new ();
  s->changes = json_array_new ();
  s->lengths = g_array_new (FALSE, TRUE, sizeof (Lengths *));
  s->rules = g_array_new (FALSE, TRUE, sizeof (Rule));
  return s;
}

void
fri_samples_free (FriSamples *s)
{
  if (s == NULL)
    return;
  for (guint i = 0; i < s->lengths->len; i++)
    g_free (g_array_index (s->lengths, Lengths *, i));
  for (guint i = 0; i < s->rules->len; i++)
    {
      g_free (g_array_index (s->rules, Rule, i).name);
      json_array_unref (g_array_index (s->rules, Rule, i).rows);
    }
  g_array_unref (s->lengths);
  g_array_unref (s->rules);
  json_array_unref (s->rows);
  json_array_unref (s->changes);
  g_clear_pointer (&s->before, fr_schema_unref);
  g_free (s);
}

/* ---- lengths ------------------------------------------------------------------- */

static guint
bin_of (guint32 length)
{
  guint octave;

  if (length < EXACT)
    return length;
  octave = g_bit_storage (length) - 1; /* 6 or more */
  return EXACT + (octave - 6) * 32 + ((length >> (octave - 5)) & 31);
}

static guint64
bin_begin (guint bin)
{
  if (bin < EXACT)
    return bin;
  bin -= EXACT;
  return (guint64) (32 + bin % 32) << (bin / 32 + 1);
}

/* Valid UTF-8: every byte but the continuing ones begins a character. */
static guint32
count_chars (FrStr text)
{
  gsize n = 0;

  for (gsize i = 0; i < text.len; i++)
    n += ((gint8) text.data[i]) >= -64;
  return (guint32) MIN (n, G_MAXINT32);
}

static void
begin_lengths (FriSamples *s, FrSchema *schema)
{
  for (guint c = 0; c < fr_schema_n_fields (schema); c++)
    {
      FrType type = fr_field_type (fr_schema_field (schema, c));
      Lengths *l;

      if (type != FR_TYPE_UTF8 && type != FR_TYPE_LARGE_UTF8)
        continue;
      if (s->lengths->len == LENGTH_COLUMNS)
        {
          s->left_out++;
          continue;
        }
      l = g_new0 (Lengths, 1);
      l->column = c;
      l->min = G_MAXUINT32;
      g_array_append_val (s->lengths, l);
    }
}

static void
count_lengths (Lengths *l, const FrBatch *batch, gsize n)
{
  FrView view = fr_view (batch, l->column);

  for (gsize r = 0; r < n; r++)
    {
      FrStr text = fr_view_str (&view, r);
      guint32 length;

      if (text.data == NULL)
        {
          l->nulls++;
          continue;
        }
      length = count_chars (text);
      l->bins[bin_of (length)]++;
      l->sum += length;
      l->min = MIN (l->min, length);
      l->max = MAX (l->max, length);
    }
}

static void
add_lengths (FriSamples *s, const FrBatch *batch)
{
  gsize n = MIN (fr_batch_n_rows (batch), LENGTH_ROWS - s->seen);

  if (s->seen == 0)
    begin_lengths (s, fr_batch_schema (batch));
  for (guint i = 0; i < s->lengths->len; i++)
    count_lengths (g_array_index (s->lengths, Lengths *, i), batch, n);
  s->seen += n;
}

static JsonObject *
lengths_json (const FriSamples *s, const Lengths *l)
{
  JsonObject *o = json_object_new ();
  JsonArray *bins = json_array_new ();

  json_object_set_int_member (o, "rows", (gint64) s->seen);
  json_object_set_int_member (o, "nulls", l->nulls);
  json_object_set_int_member (o, "min", l->min == G_MAXUINT32 ? 0 : l->min);
  json_object_set_int_member (o, "max", l->max);
  json_object_set_int_member (o, "sum", (gint64) l->sum);
  for (guint i = 0; i < N_BINS; i++)
    if (l->bins[i] > 0)
      {
        JsonArray *bin = json_array_new ();

        json_array_add_int_element (bin, (gint64) bin_begin (i));
        json_array_add_int_element (bin, l->bins[i]);
        json_array_add_array_element (bins, bin);
      }
  json_object_set_array_member (o, "bins", bins);
  return o;
}

/* ---- rows ----------------------------------------------------------------------- */

/* The end of the first CELL_CHARS characters of @text. */
static gsize
cut_at (const char *text, gsize len)
{
  gsize n = 0, i;

  for (i = 0; i < len; i++)
    if (((gint8) text[i]) >= -64 && n++ == CELL_CHARS)
      break;
  return i;
}

/* A text, or {"cut": its beginning, "of": characters of the whole}. */
static void
add_text (JsonArray *cells, const char *text, gsize len)
{
  gsize end = cut_at (text, len);
  g_autoptr (GString) shown = g_string_sized_new (end);
  JsonObject *cut;

  /* A string of json-glib ends at a NUL, which text may hold. */
  for (gsize i = 0; i < end; i++)
    if (text[i] == '\0')
      g_string_append (shown, "\342\220\200"); /* U+2400, its symbol */
    else
      g_string_append_c (shown, text[i]);
  if (end == len)
    {
      json_array_add_string_element (cells, shown->str);
      return;
    }
  cut = json_object_new ();
  json_object_set_string_member (cut, "cut", shown->str);
  json_object_set_int_member (cut, "of", count_chars ((FrStr){ text, len }));
  json_array_add_object_element (cells, cut);
}

static void
add_cell (JsonArray *cells, const FrBatch *batch, guint c, gsize row)
{
  FrView view = fr_view (batch, c);
  g_autoptr (GString) json = NULL;

  if (fr_view_is_null (&view, row))
    {
      json_array_add_null_element (cells);
      return;
    }
  if (view.type == FR_TYPE_UTF8 || view.type == FR_TYPE_LARGE_UTF8)
    {
      FrStr text = fr_view_str (&view, row);

      add_text (cells, text.data, text.len);
      return;
    }
  json = g_string_new (NULL);
  fr_batch_append_json_cell (batch, c, row, json);
  if (view.type == FR_TYPE_TIMESTAMP) /* quoted in JSON, and nothing in it is escaped */
    add_text (cells, json->str + 1, json->len - 2);
  else
    add_text (cells, json->str, json->len);
}

static JsonArray *
cells_json (const FrBatch *batch, gsize row)
{
  JsonArray *cells = json_array_new ();

  for (guint c = 0; c < MIN (fr_batch_n_columns (batch), ROW_COLUMNS); c++)
    add_cell (cells, batch, c, row);
  return cells;
}

static JsonObject *
row_json (FriSamples *s, const FrBatch *batch, gsize row)
{
  JsonObject *o = json_object_new ();
  g_autoptr (GString) id = g_string_new (NULL);

  fr_host_append_row_id (s->out->host, fr_batch_ids (batch)[row], id);
  json_object_set_string_member (o, "id", id->str);
  json_object_set_array_member (o, "cells", cells_json (batch, row));
  return o;
}

static void
add_rows (FriSamples *s, const FrBatch *batch)
{
  for (gsize r = 0; r < fr_batch_n_rows (batch) && json_array_get_length (s->rows) < s->n_rows; r++)
    json_array_add_object_element (s->rows, row_json (s, batch, r));
}

/* The rows of a rule; NULL when there is no room for another rule. */
static JsonArray *
rule_rows (FriSamples *s, FrStr name)
{
  Rule rule;

  for (guint i = 0; i < s->rules->len; i++)
    {
      const char *known = g_array_index (s->rules, Rule, i).name;

      if (strlen (known) == name.len && memcmp (known, name.data, name.len) == 0)
        return g_array_index (s->rules, Rule, i).rows;
    }
  if (s->rules->len == RULES)
    return NULL;
  rule = (Rule){ g_strndup (name.data, name.len), json_array_new () };
  g_array_append_val (s->rules, rule);
  return rule.rows;
}

static void
add_rejects (FriSamples *s, const FrBatch *batch)
{
  int rule = fr_schema_find (fr_batch_schema (batch), "reject_rule");
  FrView view;

  if (rule < 0)
    return;
  view = fr_view (batch, (guint) rule);
  for (gsize r = 0; r < fr_batch_n_rows (batch); r++)
    {
      FrStr name = fr_view_str (&view, r);
      JsonArray *rows = name.data != NULL ? rule_rows (s, name) : NULL;

      if (rows != NULL && json_array_get_length (rows) < MIN (s->n_rows, RULE_ROWS))
        json_array_add_object_element (rows, row_json (s, batch, r));
    }
}

void
fri_samples_add (FriSamples *s, const FrBatch *batch)
{
  if (s->out == s->out->host->rejects)
    {
      if (s->n_rows > 0)
        add_rejects (s, batch);
      return;
    }
  if (s->seen < LENGTH_ROWS)
    add_lengths (s, batch);
  if (json_array_get_length (s->rows) < s->n_rows)
    add_rows (s, batch);
}

/* ---- rows that were changed ------------------------------------------------------- */

/* A text column that may have changed: one of the same name and type whose
 * cells are not the very same memory. */
typedef struct
{
  FrView before, after;
} Pair;

static GArray *
pair_columns (const FrBatch *before, const FrBatch *after)
{
  GArray *pairs = g_array_new (FALSE, FALSE, sizeof (Pair));
  FrSchema *schema = fr_batch_schema (after);

  for (guint c = 0; c < fr_schema_n_fields (schema); c++)
    {
      FrField *field = fr_schema_field (schema, c);
      int b = fr_schema_find (fr_batch_schema (before), fr_field_name (field));
      Pair pair;

      if (b < 0 || !(FR_TYPES (fr_field_type (field)) & FR_TYPES_TEXT)
          || !fr_field_equal (field, fr_schema_field (fr_batch_schema (before), (guint) b))
          || fr_batch_column (before, (guint) b) == fr_batch_column (after, c))
        continue;
      pair = (Pair){ fr_view (before, (guint) b), fr_view (after, c) };
      g_array_append_val (pairs, pair);
    }
  return pairs;
}

static gboolean
differs (const GArray *pairs, gsize b, gsize a)
{
  for (guint i = 0; i < pairs->len; i++)
    {
      const Pair *pair = &g_array_index (pairs, Pair, i);

      if (!fr_str_equal (fr_view_str (&pair->before, b), fr_view_str (&pair->after, a)))
        return TRUE;
    }
  return FALSE;
}

static void
add_change (FriSamples *s, const FrBatch *before, gsize b, const FrBatch *after, gsize a)
{
  JsonObject *o = row_json (s, after, a);

  if (s->before == NULL)
    s->before = fr_schema_ref (fr_batch_schema (before));
  json_object_set_array_member (o, "before", cells_json (before, b));
  json_array_add_object_element (s->changes, o);
}

gboolean
fri_samples_compares (FrHost *h)
{
  for (guint i = 0; i < h->outs->len; i++)
    {
      FriSamples *s = ((FriOut *) g_ptr_array_index (h->outs, i))->samples;

      if (s != NULL && s->out != h->rejects && s->n_rows > 0 && !g_atomic_int_get (&s->enough))
        return TRUE;
    }
  return FALSE;
}

/* Rows keep their order, so each is looked for after the one before it. */
void
fri_samples_compare (FriSamples *s, const FrBatch *before, const FrBatch *after)
{
  g_autoptr (GArray) pairs = pair_columns (before, after);
  const FrRowId *b_ids = fr_batch_ids (before), *a_ids = fr_batch_ids (after);
  gsize n_before = fr_batch_n_rows (before), n_after = fr_batch_n_rows (after), b = 0;

  s->compared += n_before;
  for (gsize a = 0; pairs->len > 0 && a < n_after; a++)
    {
      gsize at = b;

      while (at < n_before && !fr_row_id_equal (b_ids[at], a_ids[a]))
        at++;
      if (at == n_before)
        break;
      b = at + 1;
      if (!differs (pairs, at, a))
        continue;
      if (json_array_get_length (s->changes) == s->n_rows)
        break;
      add_change (s, before, at, after, a);
    }
  if (s->compared >= LENGTH_ROWS || json_array_get_length (s->changes) == s->n_rows)
    g_atomic_int_set (&s->enough, TRUE);
}

/* ---- as JSON ---------------------------------------------------------------------- */

static JsonArray *
columns_json (FrSchema *schema)
{
  JsonArray *columns = json_array_new ();

  for (guint c = 0; schema != NULL && c < MIN (fr_schema_n_fields (schema), ROW_COLUMNS); c++)
    json_array_add_string_element (columns, fr_field_name (fr_schema_field (schema, c)));
  return columns;
}

static void
fill_rejects (const FriSamples *s, JsonObject *o)
{
  JsonObject *rules = json_object_new ();

  for (guint i = 0; i < s->rules->len; i++)
    {
      const Rule *rule = &g_array_index (s->rules, Rule, i);

      json_object_set_array_member (rules, rule->name, json_array_ref (rule->rows));
    }
  json_object_set_object_member (o, "rules", rules);
}

static void
fill_lengths (const FriSamples *s, JsonObject *o)
{
  JsonObject *lengths = json_object_new ();

  for (guint i = 0; i < s->lengths->len; i++)
    {
      const Lengths *l = g_array_index (s->lengths, Lengths *, i);

      json_object_set_object_member (lengths,
                                     fr_field_name (fr_schema_field (s->out->schema, l->column)),
                                     lengths_json (s, l));
    }
  json_object_set_object_member (o, "lengths", lengths);
  if (s->left_out > 0)
    json_object_set_int_member (o, "lengths_left_out", s->left_out);
}

static JsonObject *
port_json (const FriSamples *s)
{
  JsonObject *o = json_object_new ();
  guint n = s->out->schema != NULL ? fr_schema_n_fields (s->out->schema) : 0;

  json_object_set_array_member (o, "columns", columns_json (s->out->schema));
  if (n > ROW_COLUMNS)
    json_object_set_int_member (o, "columns_left_out", n - ROW_COLUMNS);
  if (s->out == s->out->host->rejects)
    {
      fill_rejects (s, o);
      return o;
    }
  json_object_set_array_member (o, "rows", json_array_ref (s->rows));
  if (s->before != NULL)
    {
      json_object_set_array_member (o, "before_columns", columns_json (s->before));
      json_object_set_array_member (o, "changes", json_array_ref (s->changes));
    }
  fill_lengths (s, o);
  return o;
}

static gint
text_order (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Sorted: threads that warn do so in no order. */
static JsonArray *
warnings_json (FrHost *h)
{
  JsonArray *array = json_array_new ();

  g_mutex_lock (&h->notes_lock);
  g_ptr_array_sort (h->warning_texts, text_order);
  for (guint i = 0; i < h->warning_texts->len; i++)
    json_array_add_string_element (array, g_ptr_array_index (h->warning_texts, i));
  g_mutex_unlock (&h->notes_lock);
  return array;
}

JsonObject *
fri_samples_stage (FrHost *h)
{
  JsonObject *ports = json_object_new (), *stage = json_object_new ();

  for (guint i = 0; i < h->outs->len; i++)
    {
      FriOut *out = g_ptr_array_index (h->outs, i);

      if (out->samples != NULL && out->rows > 0)
        json_object_set_object_member (ports, out->name, port_json (out->samples));
    }
  json_object_set_object_member (stage, "ports", ports);
  json_object_set_array_member (stage, "warnings", warnings_json (h));
  return stage;
}

/* Rows that an earlier run took are not shown by one that must not. */
void
fri_samples_strip (JsonObject *stage)
{
  JsonObject *ports = fri_json_member (stage, "ports");
  g_autoptr (GList) names = ports != NULL ? json_object_get_members (ports) : NULL;

  for (GList *n = names; n != NULL; n = n->next)
    {
      JsonObject *port = fri_json_member (ports, n->data);

      if (port == NULL)
        continue;
      if (json_object_has_member (port, "rows"))
        json_object_set_array_member (port, "rows", json_array_new ());
      json_object_remove_member (port, "changes");
      if (json_object_has_member (port, "rules"))
        json_object_set_object_member (port, "rules", json_object_new ());
    }
}
