/* SPDX-License-Identifier: Apache-2.0 */
/* infer.c: a schema that fits the records of a sample (infer.h). */
#include "infer.h"

#include <string.h>

#define MAX_MEMBERS 4096 /* of one object, over the whole sample */

enum
{
  SEEN_BOOL = 1 << 0,
  SEEN_INT = 1 << 1,
  SEEN_FLOAT = 1 << 2,
  SEEN_TEXT = 1 << 3,
  SEEN_BIG = 1 << 4, /* an integer beyond 64 bits */
  SEEN_OBJECT = 1 << 5,
  SEEN_LIST = 1 << 6
};

/* What was seen at one place of the records. */
typedef struct _Node Node;
struct _Node
{
  char *name;
  guint seen, first;
  GPtrArray *members; /* Node *, in order of appearance; or NULL */
  GHashTable *by_name;
  Node *item;
};

struct _Infer
{
  Node *root;
  gboolean nested_text, first_only;
  FrJsonReader reader;
};

static Node *
node_new (const char *name, gsize len)
{
  Node *node = g_new0 (Node, 1);

  node->name = g_strndup (name, len);
  return node;
}

static void
node_free (gpointer data)
{
  Node *node = data;

  g_clear_pointer (&node->by_name, g_hash_table_unref);
  g_clear_pointer (&node->members, g_ptr_array_unref);
  g_clear_pointer (&node->item, node_free);
  g_free (node->name);
  g_free (node);
}

Infer *
infer_new (gboolean nested_text)
{
  Infer *infer = g_new0 (Infer, 1);

  infer->root = node_new ("", 0);
  infer->nested_text = nested_text;
  fr_json_reader_init (&infer->reader, "", 0, 0);
  return infer;
}

void
infer_free (Infer *infer)
{
  fr_json_reader_clear (&infer->reader);
  node_free (infer->root);
  g_free (infer);
}

void
infer_first_only (Infer *infer)
{
  infer->first_only = TRUE;
}

static Node *
member (Node *node, FrStr key)
{
  g_autofree char *name = g_strndup (key.data, key.len);
  Node *child;

  if (node->members == NULL)
    {
      node->members = g_ptr_array_new_with_free_func (node_free);
      node->by_name = g_hash_table_new (g_str_hash, g_str_equal);
    }
  child = g_hash_table_lookup (node->by_name, name);
  if (child == NULL && node->members->len < MAX_MEMBERS)
    {
      child = node_new (key.data, key.len);
      g_ptr_array_add (node->members, child);
      g_hash_table_insert (node->by_name, child->name, child);
    }
  return child;
}

static void
mark (Node *node, guint kind)
{
  node->seen |= kind;
  if (node->first == 0)
    node->first = kind;
}

static gboolean see (Infer *infer, Node *node, FrJsonToken token);

static gboolean
see_object (Infer *infer, Node *node)
{
  FrJsonReader *r = &infer->reader;
  FrJsonToken token;

  mark (node, SEEN_OBJECT);
  while ((token = fr_json_reader_next (r)) == FR_JSON_KEY)
    {
      Node *child = member (node, r->str);

      if (!(child ? see (infer, child, fr_json_reader_next (r)) : fr_json_reader_skip (r)))
        return FALSE;
    }
  return token == FR_JSON_OBJECT_END;
}

static gboolean
see_list (Infer *infer, Node *node)
{
  FrJsonReader *r = &infer->reader;
  FrJsonToken token;

  mark (node, SEEN_LIST);
  if (node->item == NULL)
    node->item = node_new ("item", 4);
  while ((token = fr_json_reader_next (r)) != FR_JSON_ARRAY_END)
    if (token == FR_JSON_ERROR || !see (infer, node->item, token))
      return FALSE;
  return TRUE;
}

static gboolean
see (Infer *infer, Node *node, FrJsonToken token)
{
  const FrJsonReader *r = &infer->reader;

  switch (token)
    {
    case FR_JSON_OBJECT:
      return see_object (infer, node);
    case FR_JSON_ARRAY:
      return see_list (infer, node);
    case FR_JSON_STRING:
      mark (node, SEEN_TEXT);
      return TRUE;
    case FR_JSON_INT:
      mark (node, SEEN_INT);
      return TRUE;
    case FR_JSON_FLOAT:
      {
        gboolean fraction = FALSE;

        for (const char *c = r->start; c < r->pos; c++)
          fraction |= *c == '.' || *c == 'e' || *c == 'E';
        mark (node, fraction ? SEEN_FLOAT : SEEN_BIG);
        return TRUE;
      }
    case FR_JSON_TRUE:
    case FR_JSON_FALSE:
      mark (node, SEEN_BOOL);
      return TRUE;
    default:
      return token == FR_JSON_NULL;
    }
}

void
infer_record (Infer *infer, FrStr record)
{
  FrJsonReader *r = &infer->reader;

  /* Twice: a record that turns out broken must leave no trace. */
  fr_json_reader_reset (r, record.data, record.len);
  if (fr_json_reader_next (r) != FR_JSON_OBJECT || !fr_json_reader_skip (r)
      || fr_json_reader_next (r) != FR_JSON_END)
    return;
  fr_json_reader_reset (r, record.data, record.len);
  see (infer, infer->root, fr_json_reader_next (r));
}

/* The field for a node; NULL when only JSON text will do. */
static FrField *
field_of (const Infer *infer, const Node *node)
{
  guint seen = infer->first_only && node->first ? node->first : node->seen;
  g_autoptr (GPtrArray) children = NULL;
  FrField *item;

  if (infer->first_only && (node->seen & ~(guint) (SEEN_INT | SEEN_FLOAT)) == 0)
    seen = node->seen;
  switch (seen)
    {
    case 0:
    case SEEN_TEXT:
      return fr_field_new (node->name, FR_TYPE_UTF8);
    case SEEN_BOOL:
      return fr_field_new (node->name, FR_TYPE_BOOL);
    case SEEN_INT:
      return fr_field_new (node->name, FR_TYPE_INT64);
    case SEEN_FLOAT:
    case SEEN_INT | SEEN_FLOAT:
      return fr_field_new (node->name, FR_TYPE_FLOAT64);
    case SEEN_LIST:
      item = infer->nested_text ? NULL : field_of (infer, node->item);
      return item ? fr_field_new_list (node->name, item) : NULL;
    case SEEN_OBJECT:
      break;
    default:
      return NULL;
    }
  if (infer->nested_text || node->members == NULL || node->members->len >= MAX_MEMBERS)
    return NULL;
  children = g_ptr_array_new_with_free_func ((GDestroyNotify) fr_field_unref);
  for (guint i = 0; i < node->members->len; i++)
    {
      FrField *child = field_of (infer, node->members->pdata[i]);

      if (child == NULL)
        return NULL;
      g_ptr_array_add (children, child);
    }
  g_ptr_array_set_free_func (children, NULL);
  return fr_field_new_struct (node->name, (FrField *const *) children->pdata, children->len);
}

GPtrArray *
infer_fields (Infer *infer)
{
  GPtrArray *fields = g_ptr_array_new ();
  GPtrArray *members = infer->root->members;

  for (guint i = 0; members && i < members->len; i++)
    {
      const Node *node = members->pdata[i];
      FrField *field = field_of (infer, node);

      g_ptr_array_add (fields, field ? field : fr_field_new (node->name, FR_TYPE_UTF8));
    }
  return fields;
}
