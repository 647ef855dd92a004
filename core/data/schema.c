/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c: types, fields, schemas, and their text form.
 *
 * The text form is "name: type, name: type" with "list<type>" and
 * "struct<name: type, ...>"; a name with anything but letters, digits and
 * '_-.' or non-ASCII characters in it is written as a JSON string.
 */
#include "config.h"

#include <flowrun/json.h>

#include "data/data-private.h"

#define MAX_NESTING 32 /* of types in text, far beyond any sane column */

struct _FrSchema
{
  gint ref;
  guint n;
  GHashTable *index; /* NULL while a linear search is quicker */
  FrField *fields[];
};

/* ---- types --------------------------------------------------------------- */

static const char *const type_names[] = { [FR_TYPE_BOOL] = "bool",
                                          [FR_TYPE_INT32] = "int32",
                                          [FR_TYPE_INT64] = "int64",
                                          [FR_TYPE_FLOAT32] = "float32",
                                          [FR_TYPE_FLOAT64] = "float64",
                                          [FR_TYPE_UTF8] = "utf8",
                                          [FR_TYPE_LARGE_UTF8] = "large_utf8",
                                          [FR_TYPE_BINARY] = "binary",
                                          [FR_TYPE_TIMESTAMP] = "timestamp",
                                          [FR_TYPE_LIST] = "list",
                                          [FR_TYPE_STRUCT] = "struct",
                                          [FR_TYPE_STRUCT + 1] = NULL }; /* for fr_suggest() */

const char *
fr_type_name (FrType type)
{
  return type >= FR_TYPE_BOOL && type <= FR_TYPE_STRUCT ? type_names[type] : "unknown";
}

FrType
fr_type_from_name (const char *name)
{
  for (guint t = FR_TYPE_BOOL; t <= FR_TYPE_STRUCT; t++)
    if (g_str_equal (type_names[t], name))
      return (FrType) t;
  return (FrType) 0;
}

char *
fr_types_describe (guint types)
{
  g_autoptr (GString) out = g_string_new (NULL);
  guint left = 0;

  if (types == FR_TYPES_ANY)
    return g_strdup ("any type");
  for (guint t = FR_TYPE_BOOL; t <= FR_TYPE_STRUCT; t++)
    left += (types & FR_TYPES (t)) != 0;
  for (guint t = FR_TYPE_BOOL; t <= FR_TYPE_STRUCT; t++)
    if (types & FR_TYPES (t))
      {
        if (out->len > 0)
          g_string_append (out, left == 1 ? " or " : ", ");
        g_string_append (out, type_names[t]);
        left--;
      }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

gsize
fri_type_width (FrType type)
{
  switch (type)
    {
    case FR_TYPE_INT32:
    case FR_TYPE_FLOAT32:
      return 4;
    case FR_TYPE_INT64:
    case FR_TYPE_FLOAT64:
    case FR_TYPE_TIMESTAMP:
      return 8;
    default:
      return 0;
    }
}

guint
fri_type_n_buffers (FrType type)
{
  if (type == FR_TYPE_STRUCT)
    return 1;
  return fri_type_is_text (type) ? 3 : 2;
}

/* ---- fields -------------------------------------------------------------- */

static FrField *
field_new (const char *name, FrType type, FrField *const *children, guint n)
{
  FrField *field = g_new0 (FrField, 1);
  GString *key = g_string_new (NULL);

  field->ref = 1;
  field->type = type;
  field->name = g_strdup (name);
  field->name_len = strlen (name);
  fr_json_append_string (key, name, field->name_len);
  g_string_append_c (key, ':');
  field->json_key_len = key->len;
  field->json_key = g_string_free (key, FALSE);
  field->n_children = n;
  if (n > 0)
    field->children = g_memdup2 (children, n * sizeof *children);
  return field;
}

FrField *
fr_field_new (const char *name, FrType type)
{
  g_return_val_if_fail (name != NULL && g_utf8_validate (name, -1, NULL), NULL);
  g_return_val_if_fail (type >= FR_TYPE_BOOL && type < FR_TYPE_LIST, NULL);
  return field_new (name, type, NULL, 0);
}

FrField *
fr_field_new_list (const char *name, FrField *item)
{
  g_return_val_if_fail (name != NULL && item != NULL, NULL);
  return field_new (name, FR_TYPE_LIST, &item, 1);
}

FrField *
fr_field_new_struct (const char *name, FrField *const *children, guint n)
{
  g_return_val_if_fail (name != NULL && (n == 0 || children != NULL), NULL);
  return field_new (name, FR_TYPE_STRUCT, children, n);
}

FrField *
fr_field_renamed (FrField *field, const char *name)
{
  if (g_str_equal (field->name, name))
    return fr_field_ref (field);
  for (guint i = 0; i < field->n_children; i++)
    fr_field_ref (field->children[i]);
  return field_new (name, field->type, field->children, field->n_children);
}

FrField *
fr_field_ref (FrField *field)
{
  g_atomic_int_inc (&field->ref);
  return field;
}

void
fr_field_unref (FrField *field)
{
  if (field == NULL || !g_atomic_int_dec_and_test (&field->ref))
    return;
  for (guint i = 0; i < field->n_children; i++)
    fr_field_unref (field->children[i]);
  g_free (field->children);
  g_free (field->name);
  g_free (field->json_key);
  g_free (field);
}

const char *
fr_field_name (const FrField *field)
{
  return field->name;
}

FrType
fr_field_type (const FrField *field)
{
  return field->type;
}

guint
fr_field_n_children (const FrField *field)
{
  return field->n_children;
}

FrField *
fr_field_child (const FrField *field, guint i)
{
  g_return_val_if_fail (i < field->n_children, NULL);
  return field->children[i];
}

gboolean
fr_field_equal (const FrField *a, const FrField *b)
{
  if (a == b)
    return TRUE;
  if (a->type != b->type || a->n_children != b->n_children || a->name_len != b->name_len
      || memcmp (a->name, b->name, a->name_len) != 0)
    return FALSE;
  for (guint i = 0; i < a->n_children; i++)
    if (!fr_field_equal (a->children[i], b->children[i]))
      return FALSE;
  return TRUE;
}

/* ---- text form, written -------------------------------------------------- */

static gboolean
plain_name_char (char c)
{
  return g_ascii_isalnum (c) || (guchar) c >= 0x80 || c == '_' || c == '-' || c == '.';
}

static void
append_name (GString *out, const FrField *field)
{
  for (const char *p = field->name; *p != '\0'; p++)
    if (!plain_name_char (*p))
      {
        fr_json_append_string (out, field->name, field->name_len);
        return;
      }
  if (field->name_len == 0)
    g_string_append (out, "\"\"");
  else
    g_string_append_len (out, field->name, (gssize) field->name_len);
}

static void
append_type (GString *out, const FrField *field)
{
  g_string_append (out, type_names[field->type]);
  if (field->type == FR_TYPE_LIST)
    {
      g_string_append_c (out, '<');
      append_type (out, field->children[0]);
      g_string_append_c (out, '>');
    }
  else if (field->type == FR_TYPE_STRUCT)
    {
      g_string_append_c (out, '<');
      for (guint i = 0; i < field->n_children; i++)
        {
          g_string_append (out, i > 0 ? ", " : "");
          append_name (out, field->children[i]);
          g_string_append (out, ": ");
          append_type (out, field->children[i]);
        }
      g_string_append_c (out, '>');
    }
}

char *
fr_field_describe (const FrField *field)
{
  GString *out = g_string_new (NULL);

  append_type (out, field);
  return g_string_free (out, FALSE);
}

char *
fr_schema_describe (const FrSchema *schema)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < schema->n; i++)
    {
      g_string_append (out, i > 0 ? ", " : "");
      append_name (out, schema->fields[i]);
      g_string_append (out, ": ");
      append_type (out, schema->fields[i]);
    }
  return g_string_free (out, FALSE);
}

/* ---- text form, read ----------------------------------------------------- */

typedef struct
{
  const char *text;
  const char *p;
} TypeText;

static void
skip_blanks (TypeText *t)
{
  while (g_ascii_isspace (*t->p))
    t->p++;
}

static gboolean
take_char (TypeText *t, char c)
{
  skip_blanks (t);
  if (*t->p != c)
    return FALSE;
  t->p++;
  return TRUE;
}

static gpointer
type_fault (TypeText *t, GError **error, const char *expected)
{
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "'%s', character %ld: expected %s", t->text,
               g_utf8_pointer_to_offset (t->text, t->p) + 1, expected);
  return NULL;
}

static char *
parse_name (TypeText *t, GError **error)
{
  const char *start;

  skip_blanks (t);
  start = t->p;
  if (*start == '"')
    {
      FrJsonReader r;
      FrJsonToken token;
      char *name = NULL;

      fr_json_reader_init (&r, start, strlen (start), FR_JSON_MANY);
      token = fr_json_reader_next (&r);
      t->p = r.pos;
      if (token == FR_JSON_STRING && memchr (r.str.data, '\0', r.str.len) == NULL)
        name = g_strndup (r.str.data, r.str.len);
      fr_json_reader_clear (&r);
      return name ? name : type_fault (t, error, "a name in quotes, written as in JSON");
    }
  while (plain_name_char (*t->p))
    t->p++;
  if (t->p == start)
    return type_fault (t, error, "a name");
  return g_strndup (start, (gsize) (t->p - start));
}

static FrField *parse_field (TypeText *t, const char *name, guint depth, GError **error);

static gboolean
parse_members (TypeText *t, GPtrArray *into, char close, guint depth, GError **error)
{
  skip_blanks (t);
  if (*t->p == close)
    return TRUE;
  do
    {
      g_autofree char *name = parse_name (t, error);
      FrField *field;

      if (name == NULL)
        return FALSE;
      if (!take_char (t, ':'))
        return type_fault (t, error, "':' and a type") != NULL;
      field = parse_field (t, name, depth, error);
      if (field == NULL)
        return FALSE;
      for (guint i = 0; i < into->len; i++)
        if (g_str_equal (((FrField *) into->pdata[i])->name, name))
          {
            g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "'%s': the name '%s' appears twice",
                         t->text, name);
            fr_field_unref (field);
            return FALSE;
          }
      g_ptr_array_add (into, field);
    }
  while (take_char (t, ','));
  return TRUE;
}

static FrField *
parse_nested (TypeText *t, const char *name, FrType type, guint depth, GError **error)
{
  if (!take_char (t, '<'))
    return type_fault (
        t, error, type == FR_TYPE_LIST ? "'<' and the type of the items" : "'<' and the members");
  if (type == FR_TYPE_LIST)
    {
      g_autoptr (FrField) item = parse_field (t, "item", depth + 1, error);

      if (item == NULL)
        return NULL;
      if (!take_char (t, '>'))
        return type_fault (t, error, "'>'");
      return fr_field_new_list (name, g_steal_pointer (&item));
    }
  else
    {
      g_autoptr (GPtrArray) members
          = g_ptr_array_new_with_free_func ((GDestroyNotify) fr_field_unref);
      FrField *field;

      if (!parse_members (t, members, '>', depth + 1, error))
        return NULL;
      if (!take_char (t, '>'))
        return type_fault (t, error, "',' or '>'");
      field = fr_field_new_struct (name, (FrField *const *) members->pdata, members->len);
      g_ptr_array_set_free_func (members, NULL);
      return field;
    }
}

static FrField *
parse_field (TypeText *t, const char *name, guint depth, GError **error)
{
  g_autofree char *word = NULL;
  const char *start;
  FrType type;

  if (depth > MAX_NESTING)
    return type_fault (t, error, "fewer types within types");
  skip_blanks (t);
  start = t->p;
  while (g_ascii_isalnum (*t->p) || *t->p == '_')
    t->p++;
  word = g_strndup (start, (gsize) (t->p - start));
  type = fr_type_from_name (word);
  if (type == 0)
    {
      const char *near = fr_suggest (word, type_names + FR_TYPE_BOOL);

      t->p = start;
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "'%s', character %ld: '%s' is no type; %s%s%sthe types are bool, int32, int64, "
                   "float32, float64, utf8, large_utf8, binary, timestamp, list<...> and "
                   "struct<...>",
                   t->text, g_utf8_pointer_to_offset (t->text, start) + 1, word,
                   near ? "did you mean '" : "", near ? near : "", near ? "'? " : "");
      return NULL;
    }
  if (type == FR_TYPE_LIST || type == FR_TYPE_STRUCT)
    return parse_nested (t, name, type, depth, error);
  return fr_field_new (name, type);
}

FrField *
fr_field_parse (const char *name, const char *type, GError **error)
{
  TypeText t = { type, type };
  g_autoptr (FrField) field = NULL;

  if (!g_utf8_validate (type, -1, NULL) || !g_utf8_validate (name, -1, NULL))
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG, "the type is not valid UTF-8");
      return NULL;
    }
  field = parse_field (&t, name, 0, error);
  if (field == NULL)
    return NULL;
  skip_blanks (&t);
  if (*t.p != '\0')
    return type_fault (&t, error, "nothing more");
  return g_steal_pointer (&field);
}

FrSchema *
fr_schema_parse (const char *text, GError **error)
{
  TypeText t = { text, text };
  g_autoptr (GPtrArray) fields = g_ptr_array_new_with_free_func ((GDestroyNotify) fr_field_unref);
  FrSchema *schema;

  if (!g_utf8_validate (text, -1, NULL))
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG, "the columns are not valid UTF-8");
      return NULL;
    }
  if (!parse_members (&t, fields, '\0', 0, error))
    return NULL;
  skip_blanks (&t);
  if (*t.p != '\0')
    return type_fault (&t, error, "',' or the end");
  schema = fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
  g_ptr_array_set_free_func (fields, NULL);
  return schema;
}

/* ---- schemas ------------------------------------------------------------- */

#define LINEAR_SEARCH 12

FrSchema *
fr_schema_new (FrField *const *fields, guint n, GError **error)
{
  FrSchema *schema = g_malloc0 (sizeof (FrSchema) + n * sizeof (FrField *));

  schema->ref = 1;
  schema->n = n;
  if (n > LINEAR_SEARCH)
    schema->index = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < n; i++)
    schema->fields[i] = fields[i];
  for (guint i = 0; i < n; i++)
    {
      int before = -1;

      if (schema->index == NULL)
        before = fr_schema_find (schema, fields[i]->name);
      else if (!g_hash_table_insert (schema->index, fields[i]->name, GUINT_TO_POINTER (i)))
        before = 0;
      if (before >= 0 && before != (int) i)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_TYPE,
                       "two columns are called '%s'; give one of them another name",
                       fields[i]->name);
          fr_schema_unref (schema);
          return NULL;
        }
    }
  return schema;
}

FrSchema *
fr_schema_new_simple (const char *first_name, ...)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  FrSchema *schema;
  va_list args;

  va_start (args, first_name);
  for (const char *name = first_name; name != NULL; name = va_arg (args, const char *))
    g_ptr_array_add (fields, fr_field_new (name, (FrType) va_arg (args, int)));
  va_end (args);
  schema = fr_schema_new ((FrField *const *) fields->pdata, fields->len, &error);
  if (schema == NULL)
    g_critical ("fr_schema_new_simple: %s", error->message);
  return schema;
}

FrSchema *
fr_schema_ref (FrSchema *schema)
{
  g_atomic_int_inc (&schema->ref);
  return schema;
}

void
fr_schema_unref (FrSchema *schema)
{
  if (schema == NULL || !g_atomic_int_dec_and_test (&schema->ref))
    return;
  g_clear_pointer (&schema->index, g_hash_table_unref);
  for (guint i = 0; i < schema->n; i++)
    fr_field_unref (schema->fields[i]);
  g_free (schema);
}

guint
fr_schema_n_fields (const FrSchema *schema)
{
  return schema->n;
}

FrField *
fr_schema_field (const FrSchema *schema, guint i)
{
  g_return_val_if_fail (i < schema->n, NULL);
  return schema->fields[i];
}

int
fr_schema_find (const FrSchema *schema, const char *name)
{
  gpointer i;

  if (schema->index != NULL)
    return g_hash_table_lookup_extended (schema->index, name, NULL, &i) ? GPOINTER_TO_INT (i) : -1;
  for (guint f = 0; f < schema->n; f++)
    if (g_str_equal (schema->fields[f]->name, name))
      return (int) f;
  return -1;
}

int
fr_schema_find_len (const FrSchema *schema, const char *name, gsize len, guint hint)
{
  char small[256];

  for (guint tries = 0; tries < 2 && schema->n > 0; tries++, hint++)
    {
      const FrField *field = schema->fields[hint % schema->n];

      if (field->name_len == len && memcmp (field->name, name, len) == 0)
        return (int) (hint % schema->n);
    }
  if (schema->index != NULL && len < sizeof small && memchr (name, '\0', len) == NULL)
    {
      memcpy (small, name, len);
      small[len] = '\0';
      return fr_schema_find (schema, small);
    }
  for (guint f = 0; f < schema->n; f++)
    if (schema->fields[f]->name_len == len && memcmp (schema->fields[f]->name, name, len) == 0)
      return (int) f;
  return -1;
}

char **
fr_schema_names (const FrSchema *schema)
{
  char **names = g_new0 (char *, schema->n + 1);

  for (guint i = 0; i < schema->n; i++)
    names[i] = g_strdup (schema->fields[i]->name);
  return names;
}

gboolean
fr_schema_equal (const FrSchema *a, const FrSchema *b)
{
  if (a == b)
    return TRUE;
  if (a->n != b->n)
    return FALSE;
  for (guint i = 0; i < a->n; i++)
    if (!fr_field_equal (a->fields[i], b->fields[i]))
      return FALSE;
  return TRUE;
}

FrSchema *
fr_schema_with (const FrSchema *schema, FrField *field)
{
  int at = fr_schema_find (schema, field->name);
  guint n = schema->n + (at < 0);
  g_autofree FrField **fields = g_new (FrField *, n);

  for (guint i = 0; i < schema->n; i++)
    fields[i] = (int) i == at ? field : fr_field_ref (schema->fields[i]);
  if (at < 0)
    fields[n - 1] = field;
  return fr_schema_new (fields, n, NULL);
}

FrSchema *
fr_schema_without (const FrSchema *schema, const char *name)
{
  int at = fr_schema_find (schema, name);
  g_autofree FrField **fields = g_new (FrField *, schema->n + 1);
  guint n = 0;

  for (guint i = 0; i < schema->n; i++)
    if ((int) i != at)
      fields[n++] = fr_field_ref (schema->fields[i]);
  return fr_schema_new (fields, n, NULL);
}
