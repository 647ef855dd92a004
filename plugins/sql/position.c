/* SPDX-License-Identifier: Apache-2.0 */
/* position.c: how far an incremental source has come (position.h). */
#include "config.h"

#include "sql/position.h"

#include <string.h>
#include <xxhash.h>

#define FORMAT 1

typedef struct
{
  guint64 high, low;
} Hash;

struct _SqlPosition
{
  const SqlConfig *config;
  char *place;
  char *shape; /* hash of the columns: rows of another shape cannot be compared */
  guint n_columns, index;
  SqlKind kind;

  char *from;       /* the value of the last run, or NULL */
  gboolean above;   /* begin above @from */
  GHashTable *seen; /* Hash → how many are still to pass over */
  guint64 rows;

  GString *last; /* the value of the last row; empty: none yet */
  GArray *ties;  /* Hash: the rows that have it */
  gboolean too_many;
  GString *scratch;
  XXH3_state_t *hash;
};

static guint
hash_hash (gconstpointer key)
{
  return (guint) ((const Hash *) key)->low;
}

static gboolean
hash_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (Hash)) == 0;
}

/* ---- what may be followed --------------------------------------------------- */

static gboolean
kind_grows (SqlKind kind)
{
  return kind == SQL_KIND_INT || kind == SQL_KIND_DECIMAL || kind == SQL_KIND_DATE
         || kind == SQL_KIND_TIME || kind == SQL_KIND_UUID;
}

gboolean
sql_position_check (const SqlConfig *config, GPtrArray *columns, guint *index, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *near;

  for (guint i = 0; i < columns->len; i++)
    {
      SqlColumn *column = columns->pdata[i];

      g_ptr_array_add (names, column->name);
      if (strcmp (column->name, config->incremental) != 0)
        continue;
      *index = i;
      if (kind_grows (column->kind))
        return TRUE;
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "'incremental' names '%s', which is %s; whole and decimal numbers, dates, times "
                   "and uuids can be followed, for their order is the same everywhere",
                   column->name, column->type);
      return FALSE;
    }
  g_ptr_array_add (names, NULL);
  near = fr_suggest (config->incremental, (const char *const *) names->pdata);
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "'incremental' names '%s', which is no column of the result%s%s%s",
               config->incremental, near ? "; did you mean '" : "", near ? near : "",
               near ? "'?" : "");
  return FALSE;
}

/* ---- what the last run left -------------------------------------------------- */

static const char *
member (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

/* What is read, as far as a change of it makes the position worthless. */
static const char *
subject (const SqlConfig *config)
{
  return config->table ? config->table : "a query";
}

static gboolean
belongs (const SqlPosition *p, JsonObject *left, GError **error)
{
  const struct
  {
    const char *what, *name, *now;
  } marks[] = { { "server", "server", p->place },
                { "table", "of", subject (p->config) },
                { "column", "column", p->config->incremental } };

  for (guint i = 0; i < G_N_ELEMENTS (marks); i++)
    {
      const char *before = member (left, marks[i].name);

      if (g_strcmp0 (before, marks[i].now) == 0)
        continue;
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "the last run read on from another %s (%s, and now %s), so where it stopped "
                   "says nothing here; --fresh begins anew, at 'since' if that is given",
                   marks[i].what, before ? before : "unknown", marks[i].now);
      return FALSE;
    }
  return TRUE;
}

static gboolean
broken (GError **error)
{
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "what the last run kept of its position cannot be read; --fresh begins anew, at "
               "'since' if that is given");
  return FALSE;
}

static gboolean
take_ties (SqlPosition *p, JsonNode *node, GError **error)
{
  JsonArray *ties;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    {
      p->above = TRUE;
      return TRUE;
    }
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return broken (error);
  ties = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (ties); i++)
    {
      JsonNode *item = json_array_get_element (ties, i);
      const char *text = JSON_NODE_HOLDS_VALUE (item) ? json_node_get_string (item) : NULL;
      char *end;
      g_autofree char *high = text ? g_strndup (text, 16) : NULL;
      Hash *hash;

      if (text == NULL || strlen (text) != 32 || strspn (text, "0123456789abcdef") != 32)
        return broken (error);
      hash = g_new (Hash, 1);
      hash->high = g_ascii_strtoull (high, &end, 16);
      hash->low = g_ascii_strtoull (text + 16, &end, 16);
      g_hash_table_insert (
          p->seen, hash,
          GUINT_TO_POINTER (GPOINTER_TO_UINT (g_hash_table_lookup (p->seen, hash)) + 1));
    }
  return TRUE;
}

static gboolean
take_left (SqlPosition *p, JsonNode *node, GError **error)
{
  JsonObject *left = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonNode *rows = left ? json_object_get_member (left, "rows") : NULL;

  if (left == NULL || json_object_get_int_member_with_default (left, "format", 0) != FORMAT
      || rows == NULL || json_node_get_value_type (rows) != G_TYPE_INT64
      || json_node_get_int (rows) < 0)
    return broken (error);
  if (!belongs (p, left, error))
    return FALSE;
  p->rows = (guint64) json_node_get_int (rows);
  p->from = g_strdup (member (left, "value"));
  if (p->from == NULL)
    return TRUE; /* nothing was there yet */
  /* With other columns the rows hash otherwise: those at the last value come again. */
  if (g_strcmp0 (member (left, "shape"), p->shape) != 0)
    return TRUE;
  return take_ties (p, json_object_get_member (left, "ties"), error);
}

/* ---- making ------------------------------------------------------------------- */

static char *
shape_of (GPtrArray *columns)
{
  g_autoptr (GString) text = g_string_new (NULL);
  XXH128_hash_t hash;

  for (guint i = 0; i < columns->len; i++)
    {
      SqlColumn *column = columns->pdata[i];

      g_string_append_printf (text, "%s\n%s\n", column->name, column->type);
    }
  hash = XXH3_128bits (text->str, text->len);
  return g_strdup_printf ("%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
                          (guint64) hash.high64, (guint64) hash.low64);
}

SqlPosition *
sql_position_new (const SqlConfig *config, const char *place, GPtrArray *columns, JsonNode *left,
                  GError **error)
{
  g_autoptr (SqlPosition) p = g_new0 (SqlPosition, 1);

  p->config = config;
  p->place = g_strdup (place);
  p->shape = shape_of (columns);
  p->n_columns = columns->len;
  p->seen = g_hash_table_new_full (hash_hash, hash_equal, g_free, NULL);
  p->last = g_string_new (NULL);
  p->scratch = g_string_new (NULL);
  p->ties = g_array_new (FALSE, FALSE, sizeof (Hash));
  p->hash = XXH3_createState ();
  if (!sql_position_check (config, columns, &p->index, error))
    return NULL;
  p->kind = ((SqlColumn *) columns->pdata[p->index])->kind;
  if (left && !take_left (p, left, error))
    return NULL;
  if (p->from == NULL)
    p->from = g_strdup (config->since);
  if (p->from && p->kind == SQL_KIND_INT
      && !sql_parse_int ((FrStr){ p->from, strlen (p->from) }, &(gint64){ 0 }))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "'since' is '%s', but the column '%s' holds whole numbers", p->from,
                   config->incremental);
      return NULL;
    }
  return g_steal_pointer (&p);
}

void
sql_position_free (SqlPosition *p)
{
  g_free (p->place);
  g_free (p->shape);
  g_free (p->from);
  g_hash_table_unref (p->seen);
  g_string_free (p->last, TRUE);
  g_string_free (p->scratch, TRUE);
  g_array_unref (p->ties);
  XXH3_freeState (p->hash);
  g_free (p);
}

JsonNode *
sql_position_value (const SqlPosition *p)
{
  gint64 value;

  if (p->from == NULL)
    return NULL;
  /* As a number, so that servers compare numbers and not texts. */
  if (p->kind == SQL_KIND_INT && sql_parse_int ((FrStr){ p->from, strlen (p->from) }, &value))
    return json_node_init_int (json_node_alloc (), value);
  return json_node_init_string (json_node_alloc (), p->from);
}

const char *
sql_position_operator (const SqlPosition *p)
{
  return p->above ? ">" : ">=";
}

guint64
sql_position_rows (const SqlPosition *p)
{
  return p->rows;
}

const char *
sql_position_last (const SqlPosition *p)
{
  return p->last->len ? p->last->str : p->from;
}

/* ---- rows --------------------------------------------------------------------- */

static Hash
hash_row (SqlPosition *p, const SqlCell *cells)
{
  XXH128_hash_t hash;

  XXH3_128bits_reset (p->hash);
  for (guint i = 0; i < p->n_columns; i++)
    {
      const SqlCell *cell = &cells[i];
      guint8 form = (guint8) cell->form;
      guint64 len = cell->text.len;

      XXH3_128bits_update (p->hash, &form, 1);
      switch (cell->form)
        {
        case SQL_CELL_NULL:
          break;
        case SQL_CELL_INT:
        case SQL_CELL_TIME:
          XXH3_128bits_update (p->hash, &cell->integer, sizeof cell->integer);
          break;
        case SQL_CELL_FLOAT:
          XXH3_128bits_update (p->hash, &cell->number, sizeof cell->number);
          break;
        default:
          XXH3_128bits_update (p->hash, &len, sizeof len);
          XXH3_128bits_update (p->hash, cell->text.data, cell->text.len);
        }
    }
  hash = XXH3_128bits_digest (p->hash);
  return (Hash){ hash.high64, hash.low64 };
}

/* As it can be bound again: servers read a blank for the T, and no Z. */
static void
write_value (GString *out, const SqlCell *cell)
{
  g_string_truncate (out, 0);
  switch (cell->form)
    {
    case SQL_CELL_TEXT:
      g_string_append_len (out, cell->text.data, (gssize) cell->text.len);
      break;
    case SQL_CELL_INT:
      g_string_append_printf (out, "%" G_GINT64_FORMAT, cell->integer);
      break;
    case SQL_CELL_TIME:
      fr_timestamp_append (out, cell->integer);
      if (out->len > 10 && out->str[10] == 'T')
        out->str[10] = ' ';
      if (g_str_has_suffix (out->str, "Z"))
        g_string_truncate (out, out->len - 1);
      break;
    default:
      break;
    }
}

/* "infinity", "-infinity", "NaN": nothing is above the first and the last, so
 * following them would end all reading. */
static gboolean
is_word (const char *text)
{
  return g_ascii_isalpha (text[*text == '-']);
}

SqlPositionStep
sql_position_step (SqlPosition *p, const SqlCell *cells)
{
  Hash hash;
  guint left;

  write_value (p->scratch, &cells[p->index]);
  if (p->scratch->len == 0 || (p->kind != SQL_KIND_UUID && is_word (p->scratch->str)))
    return SQL_POSITION_NULL;
  if (!g_string_equal (p->scratch, p->last))
    {
      GString *swap = p->last;

      p->last = p->scratch;
      p->scratch = swap;
      g_array_set_size (p->ties, 0);
      p->too_many = FALSE;
    }
  hash = hash_row (p, cells);
  if (p->ties->len < SQL_MAX_TIES)
    g_array_append_val (p->ties, hash);
  else
    p->too_many = TRUE;
  if (g_hash_table_size (p->seen) == 0 || g_strcmp0 (p->last->str, p->from) != 0)
    return SQL_POSITION_NEW;
  left = GPOINTER_TO_UINT (g_hash_table_lookup (p->seen, &hash));
  if (left == 0)
    return SQL_POSITION_NEW;
  if (left == 1)
    g_hash_table_remove (p->seen, &hash);
  else
    g_hash_table_insert (p->seen, g_memdup2 (&hash, sizeof hash), GUINT_TO_POINTER (left - 1));
  return SQL_POSITION_SEEN;
}

/* ---- for the next run ----------------------------------------------------------- */

static JsonNode *
ties_json (SqlPosition *p)
{
  JsonArray *array = json_array_new ();
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);
  char text[33];

  for (guint i = 0; i < p->ties->len; i++)
    {
      Hash *hash = &g_array_index (p->ties, Hash, i);

      g_snprintf (text, sizeof text, "%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
                  hash->high, hash->low);
      json_array_add_string_element (array, text);
    }
  json_node_take_array (node, array);
  return node;
}

JsonNode *
sql_position_state (SqlPosition *p, guint64 rows, gboolean *forgotten)
{
  JsonObject *state = json_object_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  const char *last = sql_position_last (p);

  *forgotten = p->too_many;
  json_object_set_int_member (state, "format", FORMAT);
  json_object_set_string_member (state, "server", p->place);
  json_object_set_string_member (state, "of", subject (p->config));
  json_object_set_string_member (state, "column", p->config->incremental);
  json_object_set_string_member (state, "shape", p->shape);
  if (last)
    json_object_set_string_member (state, "value", last);
  json_object_set_int_member (state, "rows", (gint64) rows);
  if (p->too_many || (p->above && p->last->len == 0))
    json_object_set_null_member (state, "ties");
  else
    json_object_set_member (state, "ties", ties_json (p));
  json_node_take_object (node, state);
  return node;
}
