/* SPDX-License-Identifier: Apache-2.0 */
/* review.c: see review.h. */
#include "config.h"

#include "review.h"

#include <flowrun/error.h>
#include <flowrun/json.h>
#include <string.h>

/* ---- out ----------------------------------------------------------------------------------------
 */

typedef struct
{
  char *label, *evidence, *row, *text;
  double confidence;
  guint64 at;
} Row;

/* The rows of one task and label. */
typedef struct
{
  char *task;
  GArray *rows; /* Row */
} Group;

struct _Review
{
  guint n;
  guint64 at;
  GPtrArray *order;   /* Group, as they came */
  GHashTable *groups; /* "task\x1fgroup" to Group */
};

static void
row_clear (gpointer data)
{
  Row *row = data;

  g_free (row->label);
  g_free (row->evidence);
  g_free (row->row);
  g_free (row->text);
}

static void
group_free (gpointer data)
{
  Group *group = data;

  g_free (group->task);
  g_array_unref (group->rows);
  g_free (group);
}

Review *
review_new (guint n)
{
  Review *review = g_new0 (Review, 1);

  review->n = n;
  review->order = g_ptr_array_new_with_free_func (group_free);
  review->groups = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return review;
}

void
review_free (Review *review)
{
  if (review == NULL)
    return;
  g_hash_table_unref (review->groups);
  g_ptr_array_unref (review->order);
  g_free (review);
}

static Group *
find_group (Review *review, const char *task, const char *name)
{
  g_autofree char *key = g_strconcat (task, "\x1f", name, NULL);
  Group *group = g_hash_table_lookup (review->groups, key);

  if (group != NULL)
    return group;
  group = g_new0 (Group, 1);
  group->task = g_strdup (task);
  group->rows = g_array_new (FALSE, FALSE, sizeof (Row));
  g_array_set_clear_func (group->rows, row_clear);
  g_ptr_array_add (review->order, group);
  g_hash_table_insert (review->groups, g_steal_pointer (&key), group);
  return group;
}

/* The surest row, the last of them where several are. */
static guint
surest (const Group *group)
{
  guint best = 0;

  for (guint i = 1; i < group->rows->len; i++)
    if (g_array_index (group->rows, Row, i).confidence
        >= g_array_index (group->rows, Row, best).confidence)
      best = i;
  return best;
}

gboolean
review_wants (Review *review, const char *task, const char *name, double confidence)
{
  const Group *group = find_group (review, task, name);

  return group->rows->len < review->n
         || confidence < g_array_index (group->rows, Row, surest (group)).confidence;
}

void
review_add (Review *review, const char *task, const char *name, const char *label,
            double confidence, const char *evidence, const char *row, FrStr text)
{
  Group *group = find_group (review, task, name);
  Row one
      = { g_strdup (label), g_strdup (evidence), g_strdup (row), g_strndup (text.data, text.len),
          confidence,       review->at++ };

  if (group->rows->len >= review->n)
    g_array_remove_index (group->rows, surest (group));
  g_array_append_val (group->rows, one);
}

static int
by_confidence (gconstpointer a, gconstpointer b)
{
  const Row *x = a, *y = b;

  if (x->confidence != y->confidence)
    return x->confidence < y->confidence ? -1 : 1;
  return x->at < y->at ? -1 : 1;
}

static void
append_csv (GString *out, const char *text, gboolean last)
{
  gboolean quote = strpbrk (text, ",\"\r\n") != NULL;

  if (quote)
    g_string_append_c (out, '"');
  for (; *text != '\0'; text++)
    {
      if (*text == '"')
        g_string_append_c (out, '"');
      g_string_append_c (out, *text);
    }
  if (quote)
    g_string_append_c (out, '"');
  g_string_append (out, last ? "\r\n" : ",");
}

static void
append_row (const char *task, const Row *row, gboolean csv, GString *out)
{
  const char *const keys[]
      = { "task", "label", "confidence", "evidence", "corrected", "row", "text" };
  g_autofree char *confidence = g_strdup_printf ("%.3f", row->confidence);
  const char *values[G_N_ELEMENTS (keys)]
      = { task, row->label, confidence, row->evidence, "", row->row, row->text };

  if (csv)
    {
      for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
        append_csv (out, values[i], i + 1 == G_N_ELEMENTS (keys));
      return;
    }
  {
    g_autoptr (JsonNode) node = json_node_alloc ();
    JsonObject *object = json_object_new ();
    g_autofree char *text = NULL;

    for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
      json_object_set_string_member (object, keys[i], values[i]);
    json_node_init_object (node, object);
    json_object_unref (object);
    text = fr_json_to_string (node, 0);
    g_string_append (out, text);
    g_string_append_c (out, '\n');
  }
}

guint
review_append (Review *review, gboolean csv, GString *out)
{
  guint n = 0;

  if (csv)
    g_string_append (out, "\xef\xbb\xbftask,label,confidence,evidence,corrected,row,text\r\n");
  for (guint i = 0; i < review->order->len; i++)
    {
      Group *group = review->order->pdata[i];

      g_array_sort (group->rows, by_confidence);
      for (guint k = 0; k < group->rows->len; k++, n++)
        append_row (group->task, &g_array_index (group->rows, Row, k), csv, out);
    }
  return n;
}

/* ---- back
 * ----------------------------------------------------------------------------------------- */

typedef struct
{
  char *label;
  gboolean used;
} Correction;

struct _Corrections
{
  GHashTable *by_text; /* "task\x1ftext" to Correction */
};

static void
correction_free (gpointer data)
{
  Correction *correction = data;

  g_free (correction->label);
  g_free (correction);
}

Corrections *
corrections_new (void)
{
  Corrections *c = g_new0 (Corrections, 1);

  c->by_text = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, correction_free);
  return c;
}

void
corrections_free (Corrections *c)
{
  if (c == NULL)
    return;
  g_hash_table_unref (c->by_text);
  g_free (c);
}

static void
take (Corrections *c, const char *task, const char *text, const char *corrected)
{
  g_autofree char *label = g_strstrip (g_strdup (corrected));
  Correction *one;

  if (*label == '\0')
    return;
  one = g_new0 (Correction, 1);
  one->label = g_steal_pointer (&label);
  g_hash_table_replace (c->by_text, g_strconcat (task, "\x1f", text, NULL), one);
}

static gboolean
wrong (const char *name, guint64 line, const char *what, GError **error)
{
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s:%" G_GUINT64_FORMAT ": %s", name, line, what);
  return FALSE;
}

static const char *
member (JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member (object, key);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static gboolean
read_jsonl (Corrections *c, const char *name, const char *text, gsize len, GError **error)
{
  const char *p = text, *end = text + len;

  for (guint64 line = 1; p < end; line++)
    {
      const char *eol = memchr (p, '\n', (gsize) (end - p));
      g_autoptr (JsonNode) node = NULL;
      JsonObject *object;

      if (eol == NULL)
        eol = end;
      if (eol == p || (eol == p + 1 && *p == '\r'))
        {
          p = eol + 1;
          continue;
        }
      node = fr_json_parse (p, eol - p, 0, NULL);
      p = eol + 1;
      if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
        return wrong (name, line, "this is no JSON object; the file is one object a line", error);
      object = json_node_get_object (node);
      if (member (object, "task") == NULL || member (object, "text") == NULL)
        return wrong (name, line,
                      "an object of a review file has 'task', 'text' and 'corrected', all text",
                      error);
      if (member (object, "corrected") != NULL)
        take (c, member (object, "task"), member (object, "text"), member (object, "corrected"));
    }
  return TRUE;
}

/* One record of RFC 4180; FALSE: a quote is not closed. */
static gboolean
read_record (const char **p, const char *end, guint64 *line, GPtrArray *cells)
{
  GString *cell = g_string_new (NULL);
  gboolean quoted = FALSE, ok = TRUE;

  g_ptr_array_set_size (cells, 0);
  for (;; ++*p)
    {
      char ch = *p < end ? **p : '\n';

      if (*p >= end && quoted)
        {
          ok = FALSE;
          break;
        }
      if (quoted && ch == '"')
        {
          if (*p + 1 < end && (*p)[1] == '"')
            {
              g_string_append_c (cell, '"');
              ++*p;
            }
          else
            quoted = FALSE;
        }
      else if (quoted)
        {
          *line += ch == '\n';
          g_string_append_c (cell, ch);
        }
      else if (ch == '"' && cell->len == 0)
        quoted = TRUE;
      else if (ch == ',' || ch == '\n')
        {
          if (ch == '\n' && cell->len > 0 && cell->str[cell->len - 1] == '\r')
            g_string_truncate (cell, cell->len - 1);
          g_ptr_array_add (cells, g_strdup (cell->str));
          g_string_truncate (cell, 0);
          if (ch == '\n')
            break;
        }
      else
        g_string_append_c (cell, ch);
    }
  if (*p < end)
    ++*p;
  g_string_free (cell, TRUE);
  return ok;
}

static gboolean
read_csv (Corrections *c, const char *name, const char *text, gsize len, GError **error)
{
  static const char *const keys[] = { "task", "text", "corrected" };
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  const char *p = text, *end = text + len;
  guint columns[G_N_ELEMENTS (keys)];
  guint64 line = 1;

  for (gboolean header = TRUE; p < end; header = FALSE)
    {
      guint64 first = line;

      if (!read_record (&p, end, &line, cells))
        return wrong (name, first, "a quoted cell begins here and does not end", error);
      line++;
      if (cells->len == 1 && *(char *) cells->pdata[0] == '\0')
        continue;
      for (guint i = 0; header && i < G_N_ELEMENTS (keys); i++)
        {
          for (columns[i] = 0;
               columns[i] < cells->len && strcmp (cells->pdata[columns[i]], keys[i]) != 0;)
            columns[i]++;
          if (columns[i] == cells->len)
            return wrong (
                name, first,
                "a review file has the columns 'task', 'text' and 'corrected'; one of them "
                "is missing",
                error);
        }
      if (header)
        continue;
      if (cells->len <= MAX (MAX (columns[0], columns[1]), columns[2]))
        return wrong (name, first, "a row has fewer cells than the first line has names", error);
      take (c, cells->pdata[columns[0]], cells->pdata[columns[1]], cells->pdata[columns[2]]);
    }
  return TRUE;
}

gboolean
corrections_read (Corrections *c, const char *name, const char *text, gsize len, GError **error)
{
  const char *bad;

  if (len >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0)
    {
      text += 3;
      len -= 3;
    }
  if (!g_utf8_validate (text, (gssize) len, &bad))
    {
      guint64 line = 1;

      for (const char *p = text; p < bad; p++)
        line += *p == '\n';
      return wrong (name, line, "this is not UTF-8; save the file as UTF-8", error);
    }
  while (len > 0 && g_ascii_isspace (*text))
    {
      text++;
      len--;
    }
  return len > 0 && *text == '{' ? read_jsonl (c, name, text, len, error)
                                 : read_csv (c, name, text, len, error);
}

const char *
corrections_find (Corrections *c, const char *task, FrStr text)
{
  g_autofree char *plain = NULL, *key = NULL;
  Correction *found;

  if (g_hash_table_size (c->by_text) == 0)
    return NULL;
  plain = g_strndup (text.data, text.len);
  key = g_strconcat (task, "\x1f", plain, NULL);
  found = g_hash_table_lookup (c->by_text, key);
  if (found == NULL)
    return NULL;
  found->used = TRUE;
  return found->label;
}

guint
corrections_n (const Corrections *c)
{
  return g_hash_table_size (c->by_text);
}

guint
corrections_n_unused (const Corrections *c)
{
  GHashTableIter iter;
  gpointer value;
  guint n = 0;

  g_hash_table_iter_init (&iter, c->by_text);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    n += !((Correction *) value)->used;
  return n;
}
