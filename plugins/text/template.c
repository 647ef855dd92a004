/* SPDX-License-Identifier: Apache-2.0 */
/* template.c: see template.h and template.md.
 *
 * A template is compiled into a flat list of nodes; a section is a pair of
 * nodes around its content that knows where it ends and which cells decide
 * about it, so that rendering is one pass without recursion.
 */
#include "config.h"

#include "text/cell.h"
#include "text/normal.h"
#include "text/template.h"

typedef enum
{
  NODE_TEXT,
  NODE_CELL,
  NODE_OPEN,
  NODE_CLOSE
} NodeKind;

typedef struct
{
  NodeKind kind;
  char *text; /* TEXT: the text; CELL: what stands for an empty cell, or NULL */
  gsize len;
  guint column; /* CELL: index in columns */
  guint parent; /* CELL, OPEN: the section around it: index of its OPEN plus 1, or 0 */
  guint end;    /* OPEN: index of its CLOSE */
} Node;

typedef struct
{
  FrField *field;  /* of the cell itself, owned by the schema */
  guint top;       /* column of the batch */
  GArray *members; /* guint: members to go down from there */
} Place;

struct _TextTemplate
{
  GArray *nodes;
  GPtrArray *names; /* NULL-terminated at the end of compiling */
  GArray *places;   /* after bind: one a name */
  FrSchema *schema;
};

/* ---- compiling ------------------------------------------------------------ */

typedef struct
{
  TextTemplate *tmpl;
  const char *source, *p;
  GString *text; /* literal text not yet a node */
  guint section; /* index of the innermost open OPEN plus 1 */
  GError **error;
} Compiler;

static gboolean fault (Compiler *c, const char *at, const char *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
fault (Compiler *c, const char *at, const char *format, ...)
{
  g_autofree char *message = NULL;
  gsize where = text_n_chars ((FrStr){ c->source, (gsize) (at - c->source) }) + 1;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (c->error, FR_ERROR, FR_ERROR_CONFIG, "template, character %" G_GSIZE_FORMAT ": %s",
               where, message);
  return FALSE;
}

static Node *
add_node (Compiler *c, NodeKind kind)
{
  Node node = { .kind = kind, .parent = c->section };

  g_array_append_val (c->tmpl->nodes, node);
  return &g_array_index (c->tmpl->nodes, Node, c->tmpl->nodes->len - 1);
}

static void
flush_text (Compiler *c)
{
  Node *node;

  if (c->text->len == 0)
    return;
  node = add_node (c, NODE_TEXT);
  node->len = c->text->len;
  node->text = g_strndup (c->text->str, c->text->len);
  g_string_truncate (c->text, 0);
}

static guint
name_index (TextTemplate *tmpl, const char *name)
{
  for (guint i = 0; i < tmpl->names->len; i++)
    if (strcmp (tmpl->names->pdata[i], name) == 0)
      return i;
  g_ptr_array_add (tmpl->names, g_strdup (name));
  return tmpl->names->len - 1;
}

/* 'name' with '' for a quote, up to the closing quote. */
static gboolean
quoted_name (Compiler *c, const char *open, GString *name)
{
  for (c->p++;; c->p++)
    {
      if (*c->p == 0)
        return fault (c, open, "the quoted column name does not end; expected '");
      if (*c->p == '\'' && *++c->p != '\'')
        break;
      g_string_append_c (name, *c->p);
    }
  while (*c->p == ' ')
    c->p++;
  return TRUE;
}

static gboolean
cell_name (Compiler *c, const char *open, GString *name)
{
  while (*c->p == ' ')
    c->p++;
  if (*c->p == '\'')
    {
      if (!quoted_name (c, open, name))
        return FALSE;
    }
  else
    {
      gsize n = strcspn (c->p, "{}|\n");

      g_string_append_len (name, c->p, (gssize) n);
      c->p += n;
      while (name->len > 0 && name->str[name->len - 1] == ' ')
        g_string_truncate (name, name->len - 1);
    }
  if (*c->p != '}' && *c->p != '|')
    return fault (
        c, *c->p ? c->p : open,
        "expected '}' after a column's name; a brace that is text is written '{{' or '}}'");
  if (name->len == 0)
    return fault (c, open,
                  "expected a column's name; a brace that is text is written '{{' or '}}'");
  return TRUE;
}

/* After '|': text up to the brace that closes, with doubled braces for braces. */
static gboolean
cell_default (Compiler *c, const char *open, GString *text)
{
  for (c->p++; *c->p; c->p++)
    {
      if (c->p[0] == '}' && c->p[1] != '}')
        return TRUE;
      if (c->p[0] == '{' && c->p[1] != '{')
        return fault (c, c->p, "a default is plain text; a brace in it is written '{{' or '}}'");
      if (c->p[0] == '}' || c->p[0] == '{')
        c->p++;
      g_string_append_c (text, *c->p);
    }
  return fault (c, open, "'{' is not closed; expected '}'");
}

static gboolean
compile_cell (Compiler *c)
{
  const char *open = c->p++;
  g_autoptr (GString) name = g_string_new (NULL);
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean has_default;
  Node *node;

  if (!cell_name (c, open, name))
    return FALSE;
  has_default = *c->p == '|';
  if (has_default && !cell_default (c, open, text))
    return FALSE;
  c->p++;
  flush_text (c);
  node = add_node (c, NODE_CELL);
  node->column = name_index (c->tmpl, name->str);
  if (has_default)
    {
      node->len = text->len;
      node->text = g_strndup (text->str, text->len);
    }
  return TRUE;
}

static gboolean
compile_close (Compiler *c)
{
  guint open = c->section - 1;
  gboolean decided = FALSE;
  GArray *nodes = c->tmpl->nodes;

  if (c->section == 0)
    return fault (c, c->p, "']]' closes no section; brackets that are text are written '\\]]'");
  flush_text (c);
  for (guint i = open + 1; i < nodes->len; i++)
    {
      Node *node = &g_array_index (nodes, Node, i);

      decided |= node->kind == NODE_CELL && node->parent == c->section && node->text == NULL;
    }
  if (!decided)
    return fault (c, c->p,
                  "this section has no column of its own without a default, so nothing can make it "
                  "vanish; brackets that are text are written '\\[[' and '\\]]'");
  add_node (c, NODE_CLOSE);
  g_array_index (nodes, Node, open).end = nodes->len - 1;
  c->section = g_array_index (nodes, Node, open).parent;
  c->p += 2;
  return TRUE;
}

static gboolean
compile_next (Compiler *c)
{
  const char *p = c->p;

  if (p[0] == '\\' && ((p[1] == '[' && p[2] == '[') || (p[1] == ']' && p[2] == ']')))
    {
      g_string_append_len (c->text, p + 1, 2);
      c->p += 3;
    }
  else if ((p[0] == '{' || p[0] == '}') && p[1] == p[0])
    {
      g_string_append_c (c->text, p[0]);
      c->p += 2;
    }
  else if (p[0] == '{')
    return compile_cell (c);
  else if (p[0] == '}')
    return fault (c, p, "'}' closes nothing; a brace that is text is written '}}'");
  else if (p[0] == '[' && p[1] == '[')
    {
      flush_text (c);
      add_node (c, NODE_OPEN);
      c->section = c->tmpl->nodes->len;
      c->p += 2;
    }
  else if (p[0] == ']' && p[1] == ']')
    return compile_close (c);
  else
    {
      g_string_append_c (c->text, p[0]);
      c->p++;
    }
  return TRUE;
}

static void
clear_node (gpointer node)
{
  g_free (((Node *) node)->text);
}

static void
clear_place (gpointer place)
{
  g_array_unref (((Place *) place)->members);
}

TextTemplate *
text_template_new (const char *source, GError **error)
{
  g_autoptr (TextTemplate) tmpl = g_new0 (TextTemplate, 1);
  g_autoptr (GString) text = g_string_new (NULL);
  Compiler c = { .tmpl = tmpl, .source = source, .p = source, .text = text, .error = error };

  tmpl->nodes = g_array_new (FALSE, TRUE, sizeof (Node));
  g_array_set_clear_func (tmpl->nodes, clear_node);
  tmpl->names = g_ptr_array_new_with_free_func (g_free);
  tmpl->places = g_array_new (FALSE, TRUE, sizeof (Place));
  g_array_set_clear_func (tmpl->places, clear_place);
  if (!g_utf8_validate (source, -1, &c.p))
    {
      fault (&c, c.p, "this is not UTF-8");
      return NULL;
    }
  for (c.p = source; *c.p;)
    if (!compile_next (&c))
      return NULL;
  flush_text (&c);
  if (c.section != 0)
    {
      fault (&c, c.p, "a section is not closed; expected ']]'");
      return NULL;
    }
  g_ptr_array_add (tmpl->names, NULL);
  return g_steal_pointer (&tmpl);
}

void
text_template_free (TextTemplate *tmpl)
{
  if (tmpl == NULL)
    return;
  g_array_unref (tmpl->nodes);
  g_ptr_array_unref (tmpl->names);
  g_array_unref (tmpl->places);
  g_clear_pointer (&tmpl->schema, fr_schema_unref);
  g_free (tmpl);
}

const char *const *
text_template_columns (TextTemplate *tmpl)
{
  return (const char *const *) tmpl->names->pdata;
}

/* ---- binding -------------------------------------------------------------- */

static int
member_index (const FrField *field, const char *name, gsize len)
{
  if (fr_field_type (field) != FR_TYPE_STRUCT)
    return -1;
  for (guint i = 0; i < fr_field_n_children (field); i++)
    {
      const char *have = fr_field_name (fr_field_child (field, i));

      if (strlen (have) == len && memcmp (have, name, len) == 0)
        return (int) i;
    }
  return -1;
}

/* "address.city": a column of that very name, or else a member of a struct. */
static gboolean
find_place (const FrSchema *schema, const char *name, Place *place)
{
  int i = fr_schema_find (schema, name);

  for (const char *dot = name; i < 0 && (dot = strchr (dot, '.')) != NULL; dot++)
    {
      g_autofree char *head = g_strndup (name, (gsize) (dot - name));
      const char *rest = dot + 1;
      int top = fr_schema_find (schema, head);
      FrField *field = top < 0 ? NULL : fr_schema_field (schema, (guint) top);

      while (field != NULL)
        {
          gsize n = strcspn (rest, ".");
          int m = member_index (field, rest, n);
          guint member = (guint) m;

          if (m < 0)
            break;
          g_array_append_val (place->members, member);
          field = fr_field_child (field, member);
          rest += n;
          if (*rest == 0)
            {
              place->top = (guint) top;
              place->field = field;
              return TRUE;
            }
          rest++;
        }
      g_array_set_size (place->members, 0);
    }
  if (i < 0)
    return FALSE;
  place->top = (guint) i;
  place->field = fr_schema_field (schema, (guint) i);
  return TRUE;
}

static gboolean
no_such_column (const FrSchema *schema, const char *name, GError **error)
{
  g_auto (GStrv) names = fr_schema_names (schema);
  const char *near = fr_suggest (name, (const char *const *) names);
  g_autofree char *all = g_strjoinv (", ", names);

  if (near != NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_TYPE,
                 "there is no column '%s' for the template; did you mean '%s'?", name, near);
  else
    g_set_error (error, FR_ERROR, FR_ERROR_TYPE,
                 "there is no column '%s' for the template; the columns are: %s%s", name, all,
                 strpbrk (name, "\":,") ? "; a brace that is text is written '{{' or '}}'" : "");
  return FALSE;
}

gboolean
text_template_bind (TextTemplate *tmpl, const FrSchema *schema, GError **error)
{
  g_array_set_size (tmpl->places, 0);
  g_clear_pointer (&tmpl->schema, fr_schema_unref);
  for (guint i = 0; i + 1 < tmpl->names->len; i++)
    {
      Place place = { .members = g_array_new (FALSE, FALSE, sizeof (guint)) };
      gboolean found = find_place (schema, tmpl->names->pdata[i], &place);

      g_array_append_val (tmpl->places, place);
      if (!found)
        return no_such_column (schema, tmpl->names->pdata[i], error);
    }
  tmpl->schema = fr_schema_ref ((FrSchema *) schema);
  return TRUE;
}

/* ---- rendering ------------------------------------------------------------ */

/* The view that holds the cell of @place; FALSE when a struct on the way is null. */
static gboolean
open_place (const Place *place, const FrView *views, gsize row, FrView *view)
{
  *view = views[place->top];
  for (guint i = 0; i < place->members->len; i++)
    {
      if (fr_view_is_null (view, row))
        return FALSE;
      *view = fr_view_child (view, g_array_index (place->members, guint, i));
    }
  return TRUE;
}

gboolean
text_template_needs (const TextTemplate *tmpl, guint i, const char **fallback)
{
  gboolean needed = FALSE;

  if (fallback != NULL)
    *fallback = NULL;
  for (guint k = 0; k < tmpl->nodes->len; k++)
    {
      const Node *node = &g_array_index (tmpl->nodes, Node, k);

      if (node->kind != NODE_CELL || node->column != i)
        continue;
      needed |= node->text == NULL && node->parent == 0;
      if (node->text != NULL && fallback != NULL)
        *fallback = node->text;
    }
  return needed;
}

static gboolean
column_is_empty (const TextTemplate *tmpl, guint column, const FrView *views, gsize row)
{
  FrView view;

  return !open_place (&g_array_index (tmpl->places, Place, column), views, row, &view)
         || text_cell_is_empty (&view, row);
}

static gboolean
section_vanishes (const TextTemplate *tmpl, guint open, const FrView *views, gsize row)
{
  guint end = g_array_index (tmpl->nodes, Node, open).end;

  for (guint i = open + 1; i < end; i++)
    {
      const Node *node = &g_array_index (tmpl->nodes, Node, i);

      if (node->kind == NODE_CELL && node->parent == open + 1 && node->text == NULL
          && column_is_empty (tmpl, node->column, views, row))
        return TRUE;
    }
  return FALSE;
}

gboolean
text_template_render (const TextTemplate *tmpl, const FrView *views, gsize row, GString *out,
                      const char **missing)
{
  gsize before = out->len;

  for (guint i = 0; i < tmpl->nodes->len; i++)
    {
      const Node *node = &g_array_index (tmpl->nodes, Node, i);

      if (node->kind == NODE_TEXT)
        g_string_append_len (out, node->text, (gssize) node->len);
      else if (node->kind == NODE_OPEN && section_vanishes (tmpl, i, views, row))
        i = node->end;
      else if (node->kind == NODE_CELL)
        {
          const Place *place = &g_array_index (tmpl->places, Place, node->column);
          FrView view;

          if (open_place (place, views, row, &view) && !text_cell_is_empty (&view, row))
            text_cell_append (place->field, &view, row, out);
          else if (node->text != NULL)
            g_string_append_len (out, node->text, (gssize) node->len);
          else
            {
              g_string_truncate (out, before);
              if (missing != NULL)
                *missing = tmpl->names->pdata[node->column];
              return FALSE;
            }
        }
    }
  return TRUE;
}
