/* SPDX-License-Identifier: Apache-2.0 */
/* value.c: values as Python has them: memory, truth, equality, order, str(), repr(), json.dumps(). */
#include "config.h"

#include "jinja-private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (64 * 1024)

struct _JChunk
{
  JChunk *next;
  char *free;
  char data[];
};

/* ---- memory and failure -------------------------------------------------------------- */

gpointer
lm_jinja_alloc (Jinja *j, gsize bytes)
{
  gpointer p;

  if (bytes > LM_JINJA_MAX_MEMORY || j->used + bytes > LM_JINJA_MAX_MEMORY)
    lm_jinja_fail (j, "more than %" G_GSIZE_FORMAT " MiB of memory are needed",
                   LM_JINJA_MAX_MEMORY >> 20);
  bytes = (bytes + 15) & ~(gsize) 15;
  if (bytes > j->room)
    {
      gsize size = MAX (bytes, CHUNK);
      JChunk *chunk = g_malloc0 (sizeof (JChunk) + size + 16);

      chunk->next = j->chunks;
      chunk->free = chunk->data + (16 - (gsize) (guintptr) chunk->data % 16) % 16;
      j->chunks = chunk;
      j->room = size;
    }
  p = j->chunks->free;
  j->chunks->free += bytes;
  j->room -= bytes;
  j->used += bytes;
  return p;
}

void
lm_jinja_release (Jinja *j)
{
  while (j->chunks != NULL)
    {
      JChunk *next = j->chunks->next;

      g_free (j->chunks);
      j->chunks = next;
    }
  g_clear_pointer (&j->scratch, g_free);
  g_clear_pointer (&j->atoms, g_hash_table_unref);
}

void
lm_jinja_fail (Jinja *j, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_clear_error (&j->error);
  g_set_error (&j->error, FR_ERROR, FR_ERROR_DATA, "%s: line %u: %s", j->name, j->line, text);
  g_clear_pointer (&text, g_free);
  longjmp (j->failure, 1);
}

void
lm_jinja_fail_plain (Jinja *j, const char *text, gsize len)
{
  g_clear_error (&j->error);
  g_set_error (&j->error, FR_ERROR, FR_ERROR_DATA, "%.*s", (int) MIN (len, 65536), text);
  longjmp (j->failure, 1);
}

void
lm_jinja_step (Jinja *j, gsize n)
{
  j->steps += n;
  if (j->steps > LM_JINJA_MAX_STEPS)
    lm_jinja_fail (j, "the template takes more than %d steps", LM_JINJA_MAX_STEPS);
}

void
lm_jinja_enter (Jinja *j)
{
  if (++j->depth > LM_JINJA_MAX_DEPTH)
    lm_jinja_fail (j, "nested deeper than %d levels", LM_JINJA_MAX_DEPTH);
}

/* ---- making ---------------------------------------------------------------------------- */

static gsize
count_chars (const char *s, gsize len)
{
  gsize n = 0;

  for (gsize i = 0; i < len; i++)
    n += ((guchar) s[i] & 0xc0) != 0x80;
  return n;
}

JValue
lm_jinja_str_static (Jinja *j, const char *s, gsize len)
{
  JStr *str = lm_jinja_alloc (j, sizeof *str);

  *str = (JStr){ s, len, count_chars (s, len), FALSE };
  return (JValue){ .kind = J_STR, .str = str };
}

JValue
lm_jinja_str (Jinja *j, const char *s, gssize len)
{
  gsize n = len < 0 ? strlen (s) : (gsize) len;
  char *copy = lm_jinja_alloc (j, n + 1);

  memcpy (copy, s, n);
  return lm_jinja_str_static (j, copy, n);
}

JValue
lm_jinja_printf (Jinja *j, const char *format, ...)
{
  char text[512];
  va_list args;

  va_start (args, format);
  g_vsnprintf (text, sizeof text, format, args);
  va_end (args);
  return lm_jinja_str (j, text, -1);
}

JValue
lm_jinja_list (Jinja *j, JKind kind, gsize cap)
{
  JList *list = lm_jinja_alloc (j, sizeof *list);

  if (cap > LM_JINJA_MAX_MEMORY / sizeof (JValue))
    lm_jinja_fail (j, "a list of %" G_GSIZE_FORMAT " items is too long", cap);
  list->v = lm_jinja_alloc (j, cap * sizeof (JValue));
  list->cap = cap;
  return (JValue){ .kind = kind, .list = list };
}

void
lm_jinja_append (Jinja *j, JValue value, JValue item)
{
  JList *list = value.list;

  if (list->n == list->cap)
    {
      gsize cap = MAX (8, list->cap * 2);
      JValue *grown = lm_jinja_alloc (j, cap * sizeof (JValue));

      if (list->n > 0)
        memcpy (grown, list->v, list->n * sizeof (JValue));
      list->v = grown;
      list->cap = cap;
    }
  list->v[list->n++] = item;
}

JValue
lm_jinja_lazy (Jinja *j, JValue (*make) (Jinja *, JValue, JArgs *), JValue source,
               const JArgs *args)
{
  JValue out = lm_jinja_list (j, J_ITER, 0);

  out.list->lazy = lm_jinja_alloc (j, sizeof *out.list->lazy);
  out.list->lazy->make = make;
  out.list->lazy->source = source;
  out.list->lazy->args = *args;
  return out;
}

void
lm_jinja_force (Jinja *j, JList *iter)
{
  JLazy *lazy = iter->lazy;
  JValue made;

  if (lazy == NULL)
    return;
  iter->lazy = NULL;
  lm_jinja_enter (j);
  made = lazy->make (j, lazy->source, &lazy->args);
  lm_jinja_leave (j);
  iter->v = made.list->v;
  iter->n = made.list->n;
}

JValue
lm_jinja_pair (Jinja *j, JValue a, JValue b)
{
  JValue pair = lm_jinja_list (j, J_TUPLE, 2);

  lm_jinja_append (j, pair, a);
  lm_jinja_append (j, pair, b);
  return pair;
}

JValue
lm_jinja_dict (Jinja *j, JKind kind, gsize cap)
{
  JDict *dict = lm_jinja_alloc (j, sizeof *dict);

  dict->cap = cap;
  dict->keys = lm_jinja_alloc (j, cap * sizeof (JValue));
  dict->values = lm_jinja_alloc (j, cap * sizeof (JValue));
  return (JValue){ .kind = kind, .dict = dict };
}

const JValue *
lm_jinja_get_str (Jinja *j, const JDict *dict, const char *key, gsize len)
{
  lm_jinja_step (j, dict->n / 8);
  for (gsize i = 0; i < dict->n; i++)
    if (dict->keys[i].kind == J_STR && dict->keys[i].str->len == len
        && memcmp (dict->keys[i].str->s, key, len) == 0)
      return &dict->values[i];
  return NULL;
}

static gboolean
can_hash (JValue key)
{
  if (key.kind == J_TUPLE)
    {
      for (gsize i = 0; i < key.list->n; i++)
        if (!can_hash (key.list->v[i]))
          return FALSE;
      return TRUE;
    }
  return key.kind != J_LIST && key.kind != J_DICT && key.kind != J_VIEW;
}

const JValue *
lm_jinja_get (Jinja *j, const JDict *dict, JValue key)
{
  if (key.kind == J_STR)
    return lm_jinja_get_str (j, dict, key.str->s, key.str->len);
  lm_jinja_step (j, dict->n);
  for (gsize i = 0; i < dict->n; i++)
    if (lm_jinja_equal (j, dict->keys[i], key))
      return &dict->values[i];
  return NULL;
}

void
lm_jinja_put (Jinja *j, JDict *dict, JValue key, JValue value)
{
  JValue *slot;

  if (!can_hash (key))
    lm_jinja_fail (j, "unhashable type: '%s'", lm_jinja_type (key));
  slot = (JValue *) lm_jinja_get (j, dict, key);
  if (slot != NULL)
    {
      *slot = value;
      return;
    }
  if (dict->n == dict->cap)
    {
      gsize cap = MAX (8, dict->cap * 2);
      JValue *keys = lm_jinja_alloc (j, cap * sizeof (JValue));
      JValue *values = lm_jinja_alloc (j, cap * sizeof (JValue));

      if (dict->n > 0)
        {
          memcpy (keys, dict->keys, dict->n * sizeof (JValue));
          memcpy (values, dict->values, dict->n * sizeof (JValue));
        }
      dict->keys = keys;
      dict->values = values;
      dict->cap = cap;
    }
  dict->keys[dict->n] = key;
  dict->values[dict->n++] = value;
}

JValue
lm_jinja_undefined (Jinja *j, const char *name, JKind owner)
{
  JUndefined *u = lm_jinja_alloc (j, sizeof *u);

  u->name = name;
  u->owner = owner;
  return (JValue){ .kind = J_UNDEFINED, .undefined = u };
}

JValue
lm_jinja_undefined_hint (Jinja *j, const char *hint)
{
  JValue v = lm_jinja_undefined (j, NULL, J_MISSING);

  v.undefined->hint = hint;
  return v;
}

void
lm_jinja_fail_undefined (Jinja *j, JValue v)
{
  const JUndefined *u = v.undefined;
  JValue owner = { .kind = u->owner };

  if (u->hint != NULL)
    lm_jinja_fail (j, "%s", u->hint);
  if (u->owner == J_MISSING)
    lm_jinja_fail (j, "'%s' is undefined", u->name);
  if (u->name[0] == '\0' || g_ascii_isdigit (u->name[0]) || u->name[0] == '-')
    lm_jinja_fail (j, "'%s object' has no element %s", lm_jinja_type (owner), u->name);
  lm_jinja_fail (j, "'%s object' has no attribute '%s'", lm_jinja_type (owner), u->name);
}

typedef struct
{
  Jinja *j;
  JValue dict;
} FromJson;

static void
add_member (JsonObject *object, const char *name, JsonNode *node, gpointer user)
{
  FromJson *from = user;
  JDict *dict = from->dict.dict;

  /* Names of a JSON object differ from each other: no look-up. */
  (void) object;
  dict->keys[dict->n] = lm_jinja_str (from->j, name, -1);
  dict->values[dict->n++] = lm_jinja_from_json (from->j, node);
}

JValue
lm_jinja_from_json (Jinja *j, JsonNode *node)
{
  JValue out = j_none ();
  GType type;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return out;
  lm_jinja_enter (j);
  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      JsonObject *object = json_node_get_object (node);
      FromJson from = { j, lm_jinja_dict (j, J_DICT, json_object_get_size (object)) };

      json_object_foreach_member (object, add_member, &from);
      out = from.dict;
    }
  else if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);
      guint n = json_array_get_length (array);

      out = lm_jinja_list (j, J_LIST, n);
      for (guint i = 0; i < n; i++)
        lm_jinja_append (j, out, lm_jinja_from_json (j, json_array_get_element (array, i)));
    }
  else if ((type = json_node_get_value_type (node)) == G_TYPE_STRING)
    out = lm_jinja_str (j, json_node_get_string (node), -1);
  else if (type == G_TYPE_BOOLEAN)
    out = j_bool (json_node_get_boolean (node));
  else if (type == G_TYPE_INT64)
    out = j_int (json_node_get_int (node));
  else
    out = j_float (json_node_get_double (node));
  lm_jinja_leave (j);
  return out;
}

/* ---- asking ---------------------------------------------------------------------------- */

const char *
lm_jinja_type (JValue v)
{
  switch (v.kind)
    {
    case J_UNDEFINED:
      return "Undefined";
    case J_NONE:
      return "NoneType";
    case J_BOOL:
      return "bool";
    case J_INT:
      return "int";
    case J_FLOAT:
      return "float";
    case J_STR:
      return "str";
    case J_LIST:
      return "list";
    case J_TUPLE:
      return "tuple";
    case J_RANGE:
      return "range";
    case J_VIEW:
      return "dict view";
    case J_ITER:
      return "generator";
    case J_DICT:
      return "dict";
    case J_NAMESPACE:
      return "Namespace";
    case J_LOOP:
      return "LoopContext";
    case J_MACRO:
      return "Macro";
    case J_FUNC:
    case J_METHOD:
    case J_MISSING:
      return "function";
    }
  return "object";
}

gboolean
lm_jinja_truth (Jinja *j, JValue v)
{
  (void) j;
  switch (v.kind)
    {
    case J_UNDEFINED:
    case J_NONE:
      return FALSE;
    case J_BOOL:
    case J_INT:
      return v.i != 0;
    case J_FLOAT:
      return !(v.f == 0);
    case J_STR:
      return v.str->len > 0;
    case J_LIST:
    case J_TUPLE:
    case J_RANGE:
    case J_VIEW:
      return v.list->n > 0;
    case J_DICT:
      return v.dict->n > 0;
    default:
      return TRUE;
    }
}

static gboolean
equal_dicts (Jinja *j, const JDict *a, const JDict *b)
{
  if (a->n != b->n)
    return FALSE;
  for (gsize i = 0; i < a->n; i++)
    {
      const JValue *other = lm_jinja_get (j, b, a->keys[i]);

      if (other == NULL || !lm_jinja_equal (j, a->values[i], *other))
        return FALSE;
    }
  return TRUE;
}

static gboolean
equal_lists (Jinja *j, const JList *a, const JList *b)
{
  if (a->n != b->n)
    return FALSE;
  for (gsize i = 0; i < a->n; i++)
    if (!lm_jinja_equal (j, a->v[i], b->v[i]))
      return FALSE;
  return TRUE;
}

gboolean
lm_jinja_equal (Jinja *j, JValue a, JValue b)
{
  gboolean equal;

  if (j_is_int (a) && j_is_int (b))
    return a.i == b.i;
  if (j_is_number (a) && j_is_number (b))
    return j_number (a) == j_number (b);
  if (a.kind != b.kind)
    return FALSE;
  lm_jinja_enter (j);
  lm_jinja_step (j, 1);
  switch (a.kind)
    {
    case J_UNDEFINED:
    case J_NONE:
      equal = TRUE;
      break;
    case J_STR:
      equal = a.str->len == b.str->len && memcmp (a.str->s, b.str->s, a.str->len) == 0;
      break;
    case J_LIST:
    case J_TUPLE:
    case J_RANGE:
      equal = a.list == b.list || equal_lists (j, a.list, b.list);
      break;
    case J_DICT:
      equal = a.dict == b.dict || equal_dicts (j, a.dict, b.dict);
      break;
    case J_METHOD:
      equal = a.method->func == b.method->func && lm_jinja_equal (j, a.method->self, b.method->self);
      break;
    default:
      equal = a.list == b.list;
      break;
    }
  lm_jinja_leave (j);
  return equal;
}

gboolean
lm_jinja_less (Jinja *j, JValue a, JValue b, const char *op)
{
  gboolean less = FALSE;

  if (j_is_int (a) && j_is_int (b))
    return a.i < b.i;
  if (j_is_number (a) && j_is_number (b))
    return j_number (a) < j_number (b);
  if (a.kind == J_UNDEFINED || b.kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, a.kind == J_UNDEFINED ? a : b);
  if (a.kind == J_STR && b.kind == J_STR)
    {
      int c = memcmp (a.str->s, b.str->s, MIN (a.str->len, b.str->len));

      return c != 0 ? c < 0 : a.str->len < b.str->len;
    }
  if (a.kind != b.kind || (a.kind != J_LIST && a.kind != J_TUPLE))
    lm_jinja_fail (j, "'%s' not supported between instances of '%s' and '%s'", op,
                   lm_jinja_type (a), lm_jinja_type (b));
  lm_jinja_enter (j);
  lm_jinja_step (j, 1);
  for (gsize i = 0;; i++)
    {
      if (i == a.list->n || i == b.list->n)
        {
          less = a.list->n < b.list->n;
          break;
        }
      if (!lm_jinja_equal (j, a.list->v[i], b.list->v[i]))
        {
          less = lm_jinja_less (j, a.list->v[i], b.list->v[i], op);
          break;
        }
    }
  lm_jinja_leave (j);
  return less;
}

JList *
lm_jinja_items (Jinja *j, JValue v)
{
  JValue out;

  switch (v.kind)
    {
    case J_LIST:
    case J_TUPLE:
    case J_RANGE:
    case J_VIEW:
      return v.list;
    case J_UNDEFINED:
      return lm_jinja_list (j, J_LIST, 0).list;
    case J_ITER:
      lm_jinja_force (j, v.list);
      out = lm_jinja_list (j, J_LIST, v.list->n - v.list->pos);
      while (v.list->pos < v.list->n)
        lm_jinja_append (j, out, v.list->v[v.list->pos++]);
      return out.list;
    case J_DICT:
      out = lm_jinja_list (j, J_LIST, v.dict->n);
      for (gsize i = 0; i < v.dict->n; i++)
        lm_jinja_append (j, out, v.dict->keys[i]);
      return out.list;
    case J_STR:
      out = lm_jinja_list (j, J_LIST, v.str->chars);
      lm_jinja_step (j, v.str->chars);
      for (const char *p = v.str->s, *end = p + v.str->len; p < end;)
        {
          const char *next = g_utf8_next_char (p);

          lm_jinja_append (j, out, lm_jinja_str_static (j, p, (gsize) (next - p)));
          p = next;
        }
      return out.list;
    default:
      lm_jinja_fail (j, "'%s' object is not iterable", lm_jinja_type (v));
    }
}

gboolean
lm_jinja_contains (Jinja *j, JValue container, JValue item)
{
  const JList *list;

  if (container.kind == J_STR)
    {
      if (item.kind == J_UNDEFINED)
        lm_jinja_fail (j, "'in <string>' requires string as left operand, not Undefined");
      if (item.kind != J_STR)
        lm_jinja_fail (j, "'in <string>' requires string as left operand, not %s",
                       lm_jinja_type (item));
      lm_jinja_step (j, container.str->len / 16);
      return item.str->len == 0
             || memmem (container.str->s, container.str->len, item.str->s, item.str->len) != NULL;
    }
  if (container.kind == J_DICT)
    {
      if (!can_hash (item))
        lm_jinja_fail (j, "unhashable type: '%s'", lm_jinja_type (item));
      return lm_jinja_get (j, container.dict, item) != NULL;
    }
  if (container.kind == J_ITER)
    {
      JList *iter = container.list;

      lm_jinja_force (j, iter);
      while (iter->pos < iter->n)
        if (lm_jinja_equal (j, iter->v[iter->pos++], item))
          return TRUE;
      return FALSE;
    }
  list = lm_jinja_items (j, container);
  for (gsize i = 0; i < list->n; i++)
    if (lm_jinja_equal (j, list->v[i], item))
      return TRUE;
  return FALSE;
}

gsize
lm_jinja_length (Jinja *j, JValue v)
{
  switch (v.kind)
    {
    case J_UNDEFINED:
      return 0;
    case J_STR:
      return v.str->chars;
    case J_LIST:
    case J_TUPLE:
    case J_RANGE:
    case J_VIEW:
      return v.list->n;
    case J_DICT:
      return v.dict->n;
    case J_LOOP:
      return v.loop->items->n;
    default:
      lm_jinja_fail (j, "object of type '%s' has no len()", lm_jinja_type (v));
    }
}

JStr *
lm_jinja_to_str (Jinja *j, JValue v)
{
  JBuf buf = { 0 };

  if (v.kind == J_STR)
    return v.str;
  lm_jinja_buf_str (j, &buf, v);
  return lm_jinja_buf_done (j, &buf).str;
}

JStr *
lm_jinja_need_str (Jinja *j, JValue v, const char *what)
{
  if (v.kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, v);
  if (v.kind != J_STR)
    lm_jinja_fail (j, "%s must be text, not %s", what, lm_jinja_type (v));
  return v.str;
}

gint64
lm_jinja_need_int (Jinja *j, JValue v, const char *what)
{
  if (v.kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, v);
  if (!j_is_int (v))
    lm_jinja_fail (j, "%s must be an integer, not %s", what, lm_jinja_type (v));
  return v.i;
}

/* Merge sort: stable, and it asks only for less. */
static void
merge (Jinja *j, JValue *items, JValue *keys, JValue *spare, JValue *spare_keys, gsize n,
       gboolean reverse)
{
  gsize half = n / 2, a = 0, b = half, o = 0;

  if (n < 2)
    return;
  merge (j, items, keys, spare, spare_keys, half, reverse);
  merge (j, items + half, keys + half, spare, spare_keys, n - half, reverse);
  lm_jinja_step (j, n);
  while (a < half || b < n)
    {
      gboolean second = a == half
                        || (b < n
                            && (reverse ? lm_jinja_less (j, keys[a], keys[b], "<")
                                        : lm_jinja_less (j, keys[b], keys[a], "<")));
      gsize from = second ? b++ : a++;

      spare[o] = items[from];
      spare_keys[o++] = keys[from];
    }
  memcpy (items, spare, n * sizeof *items);
  memcpy (keys, spare_keys, n * sizeof *keys);
}

void
lm_jinja_sort (Jinja *j, JValue *items, JValue *keys, gsize n, gboolean reverse)
{
  JValue *spare = lm_jinja_alloc (j, n * sizeof *spare);
  JValue *spare_keys = lm_jinja_alloc (j, n * sizeof *spare_keys);

  merge (j, items, keys, spare, spare_keys, n, reverse);
}

gsize
lm_jinja_offset (const JStr *s, gsize chars)
{
  if (chars >= s->chars)
    return s->len;
  if (s->chars == s->len)
    return chars;
  return (gsize) (g_utf8_offset_to_pointer (s->s, (glong) chars) - s->s);
}

JValue
lm_jinja_substr (Jinja *j, const JStr *s, gsize from, gsize to)
{
  return lm_jinja_str_static (j, s->s + from, to > from ? to - from : 0);
}

/* str.isspace() of one character. */
gboolean
lm_jinja_is_space (gunichar c)
{
  return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680
         || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f
         || c == 0x3000;
}

/* ---- str, repr ---------------------------------------------------------------------------- */

void
lm_jinja_buf_add (Jinja *j, JBuf *buf, const char *s, gsize len)
{
  if (len > LM_JINJA_MAX_OUTPUT || buf->len + len > LM_JINJA_MAX_OUTPUT)
    lm_jinja_fail (j, "a text is longer than %" G_GSIZE_FORMAT " MiB", LM_JINJA_MAX_OUTPUT >> 20);
  if (buf->len + len + 1 > buf->cap)
    {
      gsize cap = MAX (MAX (64, buf->cap * 2), buf->len + len + 1);
      char *grown = lm_jinja_alloc (j, cap);

      if (buf->len > 0)
        memcpy (grown, buf->s, buf->len);
      buf->s = grown;
      buf->cap = cap;
    }
  if (len > 0)
    memcpy (buf->s + buf->len, s, len);
  buf->len += len;
  buf->s[buf->len] = '\0';
}

void
lm_jinja_buf_char (Jinja *j, JBuf *buf, gunichar c)
{
  char utf8[6];

  lm_jinja_buf_add (j, buf, utf8, (gsize) g_unichar_to_utf8 (c, utf8));
}

JValue
lm_jinja_buf_done (Jinja *j, JBuf *buf)
{
  return lm_jinja_str_static (j, buf->s != NULL ? buf->s : "", buf->len);
}

/* The shortest digits that read back equal, laid out as Python's repr() does. */
void
lm_jinja_float (Jinja *j, JBuf *buf, double f)
{
  char text[40], format[8], digits[24], out[400];
  int exponent, n, o = 0;

  if (!isfinite (f))
    {
      const char *word = isnan (f) ? "nan" : f > 0 ? "inf" : "-inf";

      lm_jinja_buf_add (j, buf, word, strlen (word));
      return;
    }
  for (int precision = 0; precision < 17; precision++)
    {
      g_snprintf (format, sizeof format, "%%.%de", precision);
      g_ascii_formatd (text, sizeof text, format, f);
      if (g_ascii_strtod (text, NULL) == f)
        break;
    }
  n = 0;
  for (const char *p = text; *p != 'e'; p++)
    if (g_ascii_isdigit (*p))
      digits[n++] = *p;
  exponent = atoi (strchr (text, 'e') + 1);
  while (n > 1 && digits[n - 1] == '0')
    n--;
  if (signbit (f))
    out[o++] = '-';
  if (exponent < -4 || exponent >= 16)
    {
      out[o++] = digits[0];
      if (n > 1)
        out[o++] = '.';
      for (int i = 1; i < n; i++)
        out[o++] = digits[i];
      o += g_snprintf (out + o, sizeof out - (gulong) o, "e%c%02d", exponent < 0 ? '-' : '+',
                     ABS (exponent));
    }
  else
    {
      if (exponent < 0)
        out[o++] = '0';
      for (int i = 0; i <= MAX (exponent, 0) && exponent >= 0; i++)
        out[o++] = i < n ? digits[i] : '0';
      out[o++] = '.';
      for (int i = -1; i > exponent; i--)
        out[o++] = '0';
      for (int i = MAX (exponent + 1, 0); i < n; i++)
        out[o++] = digits[i];
      if (out[o - 1] == '.')
        out[o++] = '0';
    }
  lm_jinja_buf_add (j, buf, out, (gsize) o);
}

static gboolean
is_printable (gunichar c)
{
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
      return FALSE;
    case G_UNICODE_SPACE_SEPARATOR:
      return c == ' ';
    default:
      return TRUE;
    }
}

static void
repr_str (Jinja *j, JBuf *buf, const JStr *s)
{
  char quote = memchr (s->s, '\'', s->len) != NULL && memchr (s->s, '"', s->len) == NULL ? '"' : '\'';
  char text[16];

  lm_jinja_buf_add (j, buf, &quote, 1);
  for (const char *p = s->s, *end = p + s->len; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (c == (gunichar) quote || c == '\\')
        g_snprintf (text, sizeof text, "\\%c", (char) c);
      else if (c == '\n' || c == '\r' || c == '\t')
        g_snprintf (text, sizeof text, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
      else if (!is_printable (c))
        g_snprintf (text, sizeof text, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x",
                    c);
      else
        {
          lm_jinja_buf_char (j, buf, c);
          continue;
        }
      lm_jinja_buf_add (j, buf, text, strlen (text));
    }
  lm_jinja_buf_add (j, buf, &quote, 1);
}

static void
repr_items (Jinja *j, JBuf *buf, const JList *list, const char *open, const char *close)
{
  lm_jinja_buf_add (j, buf, open, strlen (open));
  for (gsize i = 0; i < list->n; i++)
    {
      if (i > 0)
        lm_jinja_buf_add (j, buf, ", ", 2);
      lm_jinja_buf_repr (j, buf, list->v[i]);
    }
  lm_jinja_buf_add (j, buf, close, strlen (close));
}

static void
repr_dict (Jinja *j, JBuf *buf, const JDict *dict)
{
  lm_jinja_buf_add (j, buf, "{", 1);
  for (gsize i = 0; i < dict->n; i++)
    {
      if (i > 0)
        lm_jinja_buf_add (j, buf, ", ", 2);
      lm_jinja_buf_repr (j, buf, dict->keys[i]);
      lm_jinja_buf_add (j, buf, ": ", 2);
      lm_jinja_buf_repr (j, buf, dict->values[i]);
    }
  lm_jinja_buf_add (j, buf, "}", 1);
}

void
lm_jinja_buf_repr (Jinja *j, JBuf *buf, JValue v)
{
  char text[96];
  const gint64 *range;

  lm_jinja_enter (j);
  lm_jinja_step (j, 1);
  switch (v.kind)
    {
    case J_UNDEFINED:
      lm_jinja_buf_add (j, buf, "Undefined", 9);
      break;
    case J_NONE:
      lm_jinja_buf_add (j, buf, "None", 4);
      break;
    case J_BOOL:
      lm_jinja_buf_add (j, buf, v.i ? "True" : "False", v.i ? 4 : 5);
      break;
    case J_INT:
      g_snprintf (text, sizeof text, "%" G_GINT64_FORMAT, v.i);
      lm_jinja_buf_add (j, buf, text, strlen (text));
      break;
    case J_FLOAT:
      lm_jinja_float (j, buf, v.f);
      break;
    case J_STR:
      if (v.str->markup)
        lm_jinja_buf_add (j, buf, "Markup(", 7);
      repr_str (j, buf, v.str);
      if (v.str->markup)
        lm_jinja_buf_add (j, buf, ")", 1);
      break;
    case J_LIST:
      repr_items (j, buf, v.list, "[", "]");
      break;
    case J_TUPLE:
      repr_items (j, buf, v.list, "(", v.list->n == 1 ? ",)" : ")");
      break;
    case J_RANGE:
      range = v.list->range;
      g_snprintf (text, sizeof text, "range(%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT, range[0],
                  range[1]);
      lm_jinja_buf_add (j, buf, text, strlen (text));
      g_snprintf (text, sizeof text, range[2] == 1 ? ")" : ", %" G_GINT64_FORMAT ")", range[2]);
      lm_jinja_buf_add (j, buf, text, strlen (text));
      break;
    case J_VIEW:
      lm_jinja_buf_add (j, buf, v.list->label, strlen (v.list->label));
      repr_items (j, buf, v.list, "([", "])");
      break;
    case J_DICT:
      repr_dict (j, buf, v.dict);
      break;
    case J_NAMESPACE:
      lm_jinja_buf_add (j, buf, "<Namespace ", 11);
      repr_dict (j, buf, v.dict);
      lm_jinja_buf_add (j, buf, ">", 1);
      break;
    case J_LOOP:
      g_snprintf (text, sizeof text, "<LoopContext %" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT ">",
                  v.loop->index0 + 1, v.loop->items->n);
      lm_jinja_buf_add (j, buf, text, strlen (text));
      break;
    default:
      lm_jinja_fail (j, "a %s cannot be printed", lm_jinja_type (v));
    }
  lm_jinja_leave (j);
}

void
lm_jinja_buf_str (Jinja *j, JBuf *buf, JValue v)
{
  if (v.kind == J_STR)
    lm_jinja_buf_add (j, buf, v.str->s, v.str->len);
  else if (v.kind != J_UNDEFINED)
    lm_jinja_buf_repr (j, buf, v);
}

/* ---- json.dumps() --------------------------------------------------------------------------- */

static void
dump_str (Jinja *j, JBuf *buf, const JStr *s, gboolean ensure_ascii)
{
  char text[16];

  lm_jinja_buf_add (j, buf, "\"", 1);
  for (const char *p = s->s, *end = p + s->len; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      const char *word = c == '"'    ? "\\\""
                         : c == '\\' ? "\\\\"
                         : c == '\n' ? "\\n"
                         : c == '\r' ? "\\r"
                         : c == '\t' ? "\\t"
                         : c == '\f' ? "\\f"
                         : c == '\b' ? "\\b"
                                     : NULL;

      if (word == NULL && (c < 0x20 || (ensure_ascii && c > 0x7e)))
        {
          if (c < 0x10000)
            g_snprintf (text, sizeof text, "\\u%04x", c);
          else
            g_snprintf (text, sizeof text, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                        0xdc00 + ((c - 0x10000) & 0x3ff));
          word = text;
        }
      if (word != NULL)
        lm_jinja_buf_add (j, buf, word, strlen (word));
      else
        lm_jinja_buf_char (j, buf, c);
    }
  lm_jinja_buf_add (j, buf, "\"", 1);
}

static void
dump_break (Jinja *j, JBuf *buf, const JDump *how, guint level)
{
  if (how->indent == NULL)
    return;
  lm_jinja_buf_add (j, buf, "\n", 1);
  for (guint i = 0; i < level; i++)
    lm_jinja_buf_add (j, buf, how->indent->s, how->indent->len);
}

static void
dump_float (Jinja *j, JBuf *buf, double f)
{
  if (isfinite (f))
    lm_jinja_float (j, buf, f);
  else
    {
      const char *word = isnan (f) ? "NaN" : f > 0 ? "Infinity" : "-Infinity";

      lm_jinja_buf_add (j, buf, word, strlen (word));
    }
}

static void
dump_key (Jinja *j, JBuf *buf, JValue key, const JDump *how)
{
  JBuf text = { 0 };

  if (key.kind == J_NONE)
    lm_jinja_buf_add (j, &text, "null", 4);
  else if (key.kind == J_BOOL)
    lm_jinja_buf_add (j, &text, key.i ? "true" : "false", key.i ? 4 : 5);
  else if (key.kind == J_FLOAT)
    dump_float (j, &text, key.f);
  else if (key.kind == J_STR || key.kind == J_INT)
    lm_jinja_buf_str (j, &text, key);
  else
    lm_jinja_fail (j, "keys must be str, int, float, bool or None, not %s", lm_jinja_type (key));
  dump_str (j, buf, lm_jinja_buf_done (j, &text).str, how->ensure_ascii);
}

static void
dump_dict (Jinja *j, JBuf *buf, const JDict *dict, const JDump *how, guint level)
{
  JValue *keys = dict->keys, *values = dict->values;

  if (how->sort_keys)
    {
      JValue *order = lm_jinja_alloc (j, dict->n * sizeof *order);

      keys = lm_jinja_alloc (j, dict->n * sizeof *keys);
      memcpy (keys, dict->keys, dict->n * sizeof *keys);
      memcpy (order, dict->values, dict->n * sizeof *order);
      values = order;
      lm_jinja_sort (j, values, keys, dict->n, FALSE);
    }
  lm_jinja_buf_add (j, buf, "{", 1);
  for (gsize i = 0; i < dict->n; i++)
    {
      if (i > 0)
        lm_jinja_buf_add (j, buf, how->item_separator->s, how->item_separator->len);
      dump_break (j, buf, how, level + 1);
      dump_key (j, buf, keys[i], how);
      lm_jinja_buf_add (j, buf, how->key_separator->s, how->key_separator->len);
      lm_jinja_dump (j, buf, values[i], how, level + 1);
    }
  if (dict->n > 0)
    dump_break (j, buf, how, level);
  lm_jinja_buf_add (j, buf, "}", 1);
}

static void
dump_list (Jinja *j, JBuf *buf, const JList *list, const JDump *how, guint level)
{
  lm_jinja_buf_add (j, buf, "[", 1);
  for (gsize i = 0; i < list->n; i++)
    {
      if (i > 0)
        lm_jinja_buf_add (j, buf, how->item_separator->s, how->item_separator->len);
      dump_break (j, buf, how, level + 1);
      lm_jinja_dump (j, buf, list->v[i], how, level + 1);
    }
  if (list->n > 0)
    dump_break (j, buf, how, level);
  lm_jinja_buf_add (j, buf, "]", 1);
}

void
lm_jinja_dump (Jinja *j, JBuf *buf, JValue v, const JDump *how, guint level)
{
  lm_jinja_enter (j);
  lm_jinja_step (j, 1);
  switch (v.kind)
    {
    case J_NONE:
      lm_jinja_buf_add (j, buf, "null", 4);
      break;
    case J_BOOL:
      lm_jinja_buf_add (j, buf, v.i ? "true" : "false", v.i ? 4 : 5);
      break;
    case J_INT:
      lm_jinja_buf_str (j, buf, v);
      break;
    case J_FLOAT:
      dump_float (j, buf, v.f);
      break;
    case J_STR:
      dump_str (j, buf, v.str, how->ensure_ascii);
      break;
    case J_LIST:
    case J_TUPLE:
      dump_list (j, buf, v.list, how, level);
      break;
    case J_DICT:
      dump_dict (j, buf, v.dict, how, level);
      break;
    default:
      lm_jinja_fail (j, "Object of type %s is not JSON serializable", lm_jinja_type (v));
    }
  lm_jinja_leave (j);
}
