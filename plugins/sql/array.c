/* SPDX-License-Identifier: Apache-2.0 */
/* array.c: PostgreSQL's text form of arrays as lists (array.h). */
#include "config.h"

#include "sql/array.h"

#include <string.h>

#define MAX_DEPTH 16 /* PostgreSQL's own limit is 6 */

typedef struct
{
  const char *at, *end;
  SqlColumn item; /* what an item looks like to sql_append() */
  char delimiter;
  SqlRules *rules;
} Array;

static const char broken[] = "is not an array in PostgreSQL's form";

static const char *
fault (Array *a, const char *text)
{
  a->rules->rule = "type";
  return text;
}

/* "quoted \"text\"" into a->rules->item; behind the opening quote. */
static gboolean
read_quoted (Array *a)
{
  while (a->at < a->end && *a->at != '"')
    {
      if (*a->at == '\\' && ++a->at == a->end)
        return FALSE;
      g_string_append_c (a->rules->item, *a->at++);
    }
  return a->at < a->end && *a->at++ == '"';
}

static gboolean
read_plain (Array *a)
{
  while (a->at < a->end && *a->at != a->delimiter && *a->at != '}')
    {
      if (*a->at == '{' || *a->at == '"')
        return FALSE;
      if (*a->at == '\\' && ++a->at == a->end)
        return FALSE;
      g_string_append_c (a->rules->item, *a->at++);
    }
  return a->rules->item->len > 0;
}

static const char *
append_item (Array *a, FrCells *cells, const FrField *field)
{
  SqlCell cell = { .form = SQL_CELL_TEXT };
  gboolean quoted = *a->at == '"';

  if (fr_field_type (field) == FR_TYPE_LIST)
    return fault (a, "has fewer dimensions than its type");
  g_string_truncate (a->rules->item, 0);
  a->at += quoted;
  if (!(quoted ? read_quoted (a) : read_plain (a)))
    return fault (a, broken);
  cell.text = (FrStr){ a->rules->item->str, a->rules->item->len };
  if (!quoted && g_ascii_strcasecmp (cell.text.data, "NULL") == 0)
    cell.form = SQL_CELL_NULL;
  return sql_append (cells, field, &a->item, &cell, a->rules);
}

static const char *append_list (Array *a, FrCells *cells, const FrField *field, guint depth);

/* What stands between two delimiters. */
static const char *
append_any (Array *a, FrCells *cells, const FrField *field, guint depth)
{
  if (a->at == a->end)
    return fault (a, broken);
  if (*a->at != '{')
    return append_item (a, cells, field);
  if (fr_field_type (field) != FR_TYPE_LIST)
    return fault (a, "has more dimensions than its type; give the column the type list<list<...>> "
                     "in 'columns'");
  return append_list (a, cells, field, depth + 1);
}

/* At a '{'. */
static const char *
append_list (Array *a, FrCells *cells, const FrField *field, guint depth)
{
  FrCells *items = fr_cells_child (cells, 0);
  const FrField *item = fr_field_child (field, 0);
  const char *wrong = NULL;

  if (depth > MAX_DEPTH)
    return fault (a, "has too many dimensions");
  a->at++;
  if (a->at < a->end && *a->at == '}')
    {
      a->at++;
      fr_cells_end (cells);
      return NULL;
    }
  for (;;)
    {
      wrong = append_any (a, items, item, depth);
      if (wrong)
        return wrong;
      if (a->at < a->end && *a->at == a->delimiter)
        a->at++;
      else if (a->at < a->end && *a->at == '}')
        break;
      else
        return fault (a, broken);
    }
  a->at++;
  fr_cells_end (cells);
  return NULL;
}

const char *
sql_append_array (FrCells *cells, const FrField *field, const SqlColumn *column, FrStr text,
                  SqlRules *rules)
{
  Array a = { text.data,
              text.data + text.len,
              { NULL, column->type, column->item, 0, ',', 0 },
              column->delimiter,
              rules };
  const char *wrong;

  if (fr_field_type (field) != FR_TYPE_LIST)
    return fault (&a, "is an array, which no struct is");
  if (text.len > 0 && *a.at == '[')
    {
      a.at = memchr (a.at, '=', text.len);
      if (a.at == NULL)
        return fault (&a, broken);
      a.at++;
    }
  if (a.at == a.end || *a.at != '{')
    return fault (&a, broken);
  wrong = append_list (&a, cells, field, 1);
  return wrong ? wrong : a.at == a.end ? NULL : fault (&a, broken);
}
