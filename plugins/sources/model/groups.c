/* SPDX-License-Identifier: Apache-2.0 */
/* groups.c: many tensors as few lines: "model.layers.{0…29}.mlp.up_proj.weight". */
#include "config.h"

#include <string.h>

#include "groups.h"

#define MAX_NUMBERS 4 /* numbers of a name that are generalised: layer, expert */

typedef struct
{
  char *pattern; /* the name with "{}" for its numbers */
  LmType type;
  guint n_dims;
  gint64 dims[4];
  guint n_numbers;
  guint64 low[MAX_NUMBERS], high[MAX_NUMBERS];
  guint count;
  guint64 bytes;
} Group;

struct _Groups
{
  GPtrArray *list;
  GHashTable *by_key;
  guint64 bytes[LM_N_TYPES];
  guint64 numbers;
  guint cut;
  guint64 cut_bytes;
  char *first_cut;
};

static void
group_free (gpointer data)
{
  Group *group = data;

  g_free (group->pattern);
  g_free (group);
}

Groups *
groups_new (void)
{
  Groups *groups = g_new0 (Groups, 1);

  groups->list = g_ptr_array_new_with_free_func (group_free);
  groups->by_key = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return groups;
}

void
groups_free (Groups *groups)
{
  if (groups == NULL)
    return;
  g_ptr_array_unref (groups->list);
  g_hash_table_unref (groups->by_key);
  g_free (groups->first_cut);
  g_free (groups);
}

char *
size_text (guint64 bytes)
{
  static const char units[] = "KMGTP";
  double n = (double) bytes / 1024;
  guint unit = 0;

  if (bytes < 1024)
    return g_strdup_printf ("%u B", (guint) bytes);
  for (; n >= 1024 && unit + 1 < strlen (units); unit++)
    n /= 1024;
  return g_strdup_printf ("%.1f %ciB", n, units[unit]);
}

char *
count_text (guint64 n)
{
  g_autofree char *digits = g_strdup_printf ("%" G_GUINT64_FORMAT, n);
  GString *out = g_string_new (NULL);
  gsize len = strlen (digits);

  for (gsize i = 0; i < len; i++)
    {
      if (i > 0 && (len - i) % 3 == 0)
        g_string_append_c (out, ',');
      g_string_append_c (out, digits[i]);
    }
  return g_string_free (out, FALSE);
}

/* "a.12.b" is "a.{}.b" with the number 12. */
static char *
generalise (const char *name, guint64 *numbers, guint *n_numbers)
{
  g_auto (GStrv) parts = g_strsplit (name, ".", -1);

  *n_numbers = 0;
  for (char **p = parts; *p != NULL; p++)
    if (**p != '\0' && strlen (*p) < 10 && strspn (*p, "0123456789") == strlen (*p)
        && *n_numbers < MAX_NUMBERS)
      {
        numbers[(*n_numbers)++] = g_ascii_strtoull (*p, NULL, 10);
        g_free (*p);
        *p = g_strdup ("{}");
      }
  return g_strjoinv (".", parts);
}

static char *
shape_text (guint n_dims, const gint64 *dims)
{
  GString *out = g_string_new ("[");

  for (guint i = 0; i < n_dims; i++)
    g_string_append_printf (out, "%s%" G_GINT64_FORMAT, i > 0 ? ", " : "", dims[i]);
  g_string_append_c (out, ']');
  return g_string_free (out, FALSE);
}

static guint64
numbers_of (const LmTensor *t)
{
  guint64 n = 1;

  for (guint i = 0; i < t->n_dims; i++)
    n *= (guint64) t->dims[i]; /* checked when the file was read */
  return n;
}

static Group *
find_group (Groups *groups, const LmTensor *t, const guint64 *numbers, guint n_numbers,
            const char *pattern)
{
  g_autofree char *shape = shape_text (t->n_dims, t->dims);
  char *key = g_strdup_printf ("%s %s %d", pattern, shape, t->type);
  Group *group = g_hash_table_lookup (groups->by_key, key);

  if (group != NULL)
    {
      g_free (key);
      return group;
    }
  group = g_new0 (Group, 1);
  group->pattern = g_strdup (pattern);
  group->type = t->type;
  group->n_dims = t->n_dims;
  group->n_numbers = n_numbers;
  memcpy (group->dims, t->dims, sizeof group->dims);
  memcpy (group->low, numbers, n_numbers * sizeof *numbers);
  memcpy (group->high, numbers, n_numbers * sizeof *numbers);
  g_ptr_array_add (groups->list, group);
  g_hash_table_insert (groups->by_key, key, group);
  return group;
}

void
groups_add (Groups *groups, const LmWeightFile *file)
{
  for (gsize i = 0; i < lm_weight_file_n_tensors (file); i++)
    {
      const LmTensor *t = lm_weight_file_tensor (file, i);
      guint64 numbers[MAX_NUMBERS];
      guint n;
      g_autofree char *pattern = generalise (t->name, numbers, &n);
      Group *group = find_group (groups, t, numbers, n, pattern);

      for (guint k = 0; k < n; k++)
        {
          group->low[k] = MIN (group->low[k], numbers[k]);
          group->high[k] = MAX (group->high[k], numbers[k]);
        }
      group->count++;
      group->bytes += t->bytes;
      groups->bytes[t->type] += t->bytes;
      groups->numbers += numbers_of (t);
      if (t->data != NULL || t->bytes == 0)
        continue;
      groups->cut_bytes += t->bytes;
      if (groups->cut++ == 0)
        groups->first_cut = g_strdup (t->name);
    }
}

/* The pattern with its numbers: one as it is, several as {first…last}. */
static char *
group_name (const Group *group)
{
  GString *out = g_string_new (NULL);
  guint k = 0;

  for (const char *p = group->pattern; *p != '\0'; p++)
    {
      if (!g_str_has_prefix (p, "{}") || k >= group->n_numbers)
        {
          g_string_append_c (out, *p);
          continue;
        }
      if (group->low[k] == group->high[k])
        g_string_append_printf (out, "%" G_GUINT64_FORMAT, group->low[k]);
      else
        g_string_append_printf (out, "{%" G_GUINT64_FORMAT "…%" G_GUINT64_FORMAT "}", group->low[k],
                                group->high[k]);
      k++;
      p++;
    }
  return g_string_free (out, FALSE);
}

JsonObject *
groups_table (const Groups *groups)
{
  static const char *const columns[] = { "tensor", "shape", "type", "tensors", "size" };
  JsonObject *table = json_object_new ();
  JsonArray *head = json_array_new (), *rows = json_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    json_array_add_string_element (head, columns[i]);
  for (guint i = 0; i < groups->list->len; i++)
    {
      const Group *group = g_ptr_array_index (groups->list, i);
      g_autofree char *name = group_name (group), *bytes = size_text (group->bytes);
      g_autofree char *shape = shape_text (group->n_dims, group->dims);
      g_autofree char *count = count_text (group->count);
      JsonArray *row = json_array_new ();

      json_array_add_string_element (row, name);
      json_array_add_string_element (row, shape);
      json_array_add_string_element (row, lm_types[group->type].name);
      json_array_add_string_element (row, count);
      json_array_add_string_element (row, bytes);
      json_array_add_array_element (rows, row);
    }
  json_object_set_string_member (table, "title", "tensors");
  json_object_set_array_member (table, "columns", head);
  json_object_set_array_member (table, "rows", rows);
  return table;
}

char *
groups_types (const Groups *groups)
{
  GString *out = g_string_new (NULL);
  gboolean shown[LM_N_TYPES] = { FALSE };
  guint64 all = 0;

  for (guint t = 0; t < LM_N_TYPES; t++)
    all += groups->bytes[t];
  for (guint k = 0; k < LM_N_TYPES; k++)
    {
      guint largest = LM_N_TYPES;

      for (guint t = 0; t < LM_N_TYPES; t++)
        if (!shown[t] && groups->bytes[t] > 0
            && (largest == LM_N_TYPES || groups->bytes[t] > groups->bytes[largest]))
          largest = t;
      if (largest == LM_N_TYPES)
        break;
      shown[largest] = TRUE;
      g_string_append_printf (out, "%s%s %.1f %%", out->len > 0 ? ", " : "", lm_types[largest].name,
                              100.0 * (double) groups->bytes[largest] / (double) all);
    }
  return g_string_free (out, FALSE);
}

guint64
groups_numbers (const Groups *groups)
{
  return groups->numbers;
}

guint
groups_cut (const Groups *groups, const char **first, guint64 *bytes)
{
  if (first != NULL)
    *first = groups->first_cut;
  if (bytes != NULL)
    *bytes = groups->cut_bytes;
  return groups->cut;
}
