/* SPDX-License-Identifier: Apache-2.0 */
/* values.c: from a config structure back to JSON: what is in force, what the
 * fingerprint sees, which files are read. */
#include "config.h"

#include <glob.h>
#include <string.h>

#include "param/param-private.h"

static JsonNode *
string_node (const char *text)
{
  return text ? json_node_init_string (json_node_alloc (), text)
              : json_node_init_null (json_node_alloc ());
}

static JsonNode *
strings_node (char *const *texts)
{
  JsonArray *array;

  if (texts == NULL)
    return json_node_init_null (json_node_alloc ());
  array = json_array_new ();
  for (; *texts != NULL; texts++)
    json_array_add_string_element (array, *texts);
  return fri_node_array (array);
}

static JsonNode *
map_node (const FrPair *pair)
{
  JsonObject *object;

  if (pair == NULL)
    return json_node_init_null (json_node_alloc ());
  object = json_object_new ();
  for (; pair->key != NULL; pair++)
    json_object_set_string_member (object, pair->key, pair->value);
  return fri_node_object (object);
}

static JsonNode *
enum_node (const FrParam *row, int value)
{
  for (guint i = 0; row->values[i] != NULL; i++)
    if (row->values[i]->value == value)
      return string_node (row->values[i]->word);
  return json_node_init_null (json_node_alloc ());
}

static JsonNode *
duration_node (gint64 us)
{
  if (us % 1000000 == 0)
    return json_node_init_int (json_node_alloc (), us / 1000000);
  return json_node_init_double (json_node_alloc (), (double) us / 1e6);
}

static JsonNode *
secret_node (void)
{
  JsonObject *object = json_object_new ();

  json_object_set_boolean_member (object, "secret", TRUE);
  return fri_node_object (object);
}

static JsonNode *
value_node (const FrParam *row, gconstpointer config)
{
  const void *field = (const char *) config + row->offset;

  switch (row->type)
    {
    case FR_PARAM_TYPE_BOOL:
      return json_node_init_boolean (json_node_alloc (), *(const gboolean *) field);
    case FR_PARAM_TYPE_INT:
      return json_node_init_int (json_node_alloc (), *(const gint64 *) field);
    case FR_PARAM_TYPE_FLOAT:
      return json_node_init_double (json_node_alloc (), *(const double *) field);
    case FR_PARAM_TYPE_SIZE:
      return json_node_init_int (json_node_alloc (),
                                 (gint64) MIN (*(const guint64 *) field, G_MAXINT64));
    case FR_PARAM_TYPE_DURATION:
      return duration_node (*(const gint64 *) field);
    case FR_PARAM_TYPE_ENUM:
      return enum_node (row, *(const int *) field);
    case FR_PARAM_TYPE_STRING:
      if ((row->flags & FR_PARAM_SECRET) && *(char *const *) field != NULL)
        return secret_node ();
      G_GNUC_FALLTHROUGH;
    case FR_PARAM_TYPE_PATH:
    case FR_PARAM_TYPE_COLUMN:
      return string_node (*(char *const *) field);
    case FR_PARAM_TYPE_PATHS:
    case FR_PARAM_TYPE_COLUMNS:
    case FR_PARAM_TYPE_STRINGS:
      return strings_node (*(char **const *) field);
    case FR_PARAM_TYPE_MAP:
      return map_node (*(FrPair *const *) field);
    case FR_PARAM_TYPE_JSON:
      if (*(JsonNode *const *) field != NULL)
        return json_node_copy (*(JsonNode *const *) field);
      break;
    }
  return json_node_init_null (json_node_alloc ());
}

static JsonNode *
values (const FrElement *element, gconstpointer config, guint but)
{
  JsonObject *object = json_object_new ();

  for (guint i = 0; element->params != NULL && element->params[i] != NULL; i++)
    if (!(element->params[i]->flags & but))
      json_object_set_member (object, element->params[i]->key,
                              value_node (element->params[i], config));
  return fri_node_object (object);
}

JsonNode *
fri_params_effective (const FrElement *element, gconstpointer config)
{
  return values (element, config, 0);
}

JsonNode *
fri_params_fingerprint (const FrElement *element, gconstpointer config)
{
  return values (element, config, FR_PARAM_NO_RESULT);
}

/* ---- files ----------------------------------------------------------------------- */

static gboolean
expand (const char *pattern, GPtrArray *out)
{
  glob_t found = { 0 };
  gboolean any = FALSE;

  if (strpbrk (pattern, "*?[") != NULL && glob (pattern, GLOB_NOSORT, NULL, &found) == 0)
    for (gsize i = 0; i < found.gl_pathc; i++, any = TRUE)
      g_ptr_array_add (out, g_strdup (found.gl_pathv[i]));
  globfree (&found);
  return any;
}

/* A path may be a file, a glob, or "archive:member", where the archive is what
 * is read.  One that is nothing of these stays as it is: whoever opens it says
 * so better than a fingerprint could. */
static void
add_files (const char *path, GPtrArray *out)
{
  if (strcmp (path, "-") == 0)
    return;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      if (expand (path, out))
        return;
      for (const char *colon = strchr (path, ':'); colon; colon = strchr (colon + 1, ':'))
        {
          g_autofree char *archive = g_strndup (path, (gsize) (colon - path));

          if (g_file_test (archive, G_FILE_TEST_IS_REGULAR))
            {
              g_ptr_array_add (out, g_steal_pointer (&archive));
              return;
            }
          if (expand (archive, out))
            return;
        }
    }
  g_ptr_array_add (out, g_strdup (path));
}

static int
by_bytes (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

GPtrArray *
fri_params_reads (const FrElement *element, gconstpointer config)
{
  GPtrArray *out = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; element->params != NULL && element->params[i] != NULL; i++)
    {
      const FrParam *row = element->params[i];
      const void *field = (const char *) config + row->offset;

      if (!(row->flags & FR_PARAM_READS))
        continue;
      if (row->type == FR_PARAM_TYPE_PATH && *(char *const *) field != NULL)
        add_files (*(char *const *) field, out);
      else if (row->type == FR_PARAM_TYPE_PATHS && *(char **const *) field != NULL)
        for (char *const *path = *(char **const *) field; *path != NULL; path++)
          add_files (*path, out);
    }
  g_ptr_array_sort (out, by_bytes);
  for (guint i = 1; i < out->len;)
    if (strcmp (out->pdata[i], out->pdata[i - 1]) == 0)
      g_ptr_array_remove_index (out, i);
    else
      i++;
  return out;
}
