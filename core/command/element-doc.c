/* SPDX-License-Identifier: Apache-2.0 */
/* element-doc.c: an element's constant description as a page: for a terminal,
 * and as the NAME.md that lies beside its source (tests/test-docs.sh compares
 * the two). */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "param/param-private.h"

/* ---- what both pages say -------------------------------------------------------- */

static char *
needs_text (const FrPort *port)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; port->needs != NULL && port->needs[i] != NULL; i++)
    {
      g_autofree char *types = port->needs[i]->types ? fr_types_describe (port->needs[i]->types)
                                                     : g_strdup ("any type");

      g_string_append_printf (out, "%s%s (%s)", i ? ", " : "", port->needs[i]->name, types);
    }
  return g_string_free (out, FALSE);
}

static const char *
kind_text (FrPortKind kind)
{
  return kind == FR_PORT_MODEL ? "a model" : kind == FR_PORT_REPORT ? "a report" : "records";
}

/* "records; several connections; optional; needs text (utf8)" */
static char *
port_text (const FrPort *port)
{
  g_autofree char *needs = needs_text (port);
  GString *out = g_string_new (kind_text (port->kind));

  if (port->object != NULL)
    g_string_append_printf (out, " (%s)", port->object->name);
  if (port->flags & FR_PORT_OPTIONAL)
    g_string_append (out, ", optional");
  if (port->flags & FR_PORT_MANY)
    g_string_append (out, ", one or several connections");
  if (port->flags & FR_PORT_REWINDABLE)
    g_string_append (out, ", kept on disk to be read again");
  if (port->flags & FR_PORT_FORECAST)
    g_string_append (out, ", for `flowrun head` alone");
  if (port->flags & FR_PORT_HELD_OUT)
    g_string_append (out, ", held out from training");
  if (port->flags & FR_PORT_TRAINING)
    g_string_append (out, ", takes no rows that are held out");
  if (port->flags & FR_PORT_LOOKS)
    g_string_append (out, ", compared with and let go");
  if (needs[0] != '\0')
    g_string_append_printf (out, ", needs %s", needs);
  return g_string_free (out, FALSE);
}

static const char *
rejects_text (const FrElement *element)
{
  if (element->kind == FR_KIND_SOURCE)
    return "what could not be read: where, raw, reject_rule, reject_reason";
  return "rows it could not take: their columns, reject_rule, reject_reason";
}

/* What the flags promise or warn of, one sentence each; NULL-terminated. */
static GPtrArray *
guarantees (const FrElement *e)
{
  GPtrArray *list = g_ptr_array_new ();

  if (e->flags & FR_ELEMENT_VOLATILE)
    g_ptr_array_add (list,
                     "May give other output for the same input, so its results are never reused.");
  else
    g_ptr_array_add (
        list,
        "The same input, parameters and seed give the same bytes, whatever the number of workers.");
  if (e->flags & FR_ELEMENT_PARALLEL)
    g_ptr_array_add (list, "Works on several batches at once; rows keep their order.");
  if (e->flags & FR_ELEMENT_PROCESS_SERIAL)
    g_ptr_array_add (list, "Only one of its kind works at a time.");
  if (e->flags & FR_ELEMENT_NETWORK)
    g_ptr_array_add (list, "Touches the network; refused under --deny network.");
  if (e->flags & FR_ELEMENT_UNTRUSTED)
    g_ptr_array_add (
        list, "Reads input from outside; broken input is an error or a reject, never a crash.");
  if (e->flags & FR_ELEMENT_RUNS_PROGRAMS)
    g_ptr_array_add (list, "Starts other programs.");
  if (e->flags & FR_ELEMENT_SERVES)
    g_ptr_array_add (list, "Lasts until it is told to stop (Ctrl-C, SIGTERM), which ends the run well; "
                           "a second time ends it at once.");
  g_ptr_array_add (list, NULL);
  return list;
}

/* The example as a stage of a pipeline file. */
static char *
example_stage (const FrElement *element)
{
  JsonObject *file = json_object_new (), *stage = json_object_new ();
  JsonNode *root = json_node_new (JSON_NODE_OBJECT);
  JsonNode *with = element->example ? fr_json_parse (element->example, -1, 0, NULL) : NULL;
  const FrPort *const *in = element->inputs;
  char *text;

  json_object_set_string_member (stage, "use", element->name);
  if (in != NULL && in[0] != NULL && (in[1] == NULL || (in[1]->flags & FR_PORT_OPTIONAL)))
    json_object_set_string_member (stage, "from", "rows");
  else if (in != NULL && in[0] != NULL)
    {
      JsonObject *from = json_object_new ();

      for (guint i = 0; in[i] != NULL; i++)
        if (!(in[i]->flags & FR_PORT_OPTIONAL))
          json_object_set_string_member (from, in[i]->name, in[i]->name);
      json_object_set_object_member (stage, "from", from);
    }
  if (with != NULL)
    json_object_set_member (stage, "with", with);
  json_object_set_object_member (file, strchr (element->name, '.') + 1, stage);
  json_node_take_object (root, file);
  text = fr_json_to_string (root, 2);
  json_node_unref (root);
  return text;
}

/* ---- NAME.md ---------------------------------------------------------------------- */

static void
markdown_ports (const FrElement *e, GString *out)
{
  g_string_append (out, "## Ports\n\n| port | | holds | |\n| --- | --- | --- | --- |\n");
  for (guint i = 0; e->inputs != NULL && e->inputs[i] != NULL; i++)
    {
      g_autofree char *text = port_text (e->inputs[i]);

      g_string_append_printf (out, "| `%s` | input | %s | %s |\n", e->inputs[i]->name, text,
                              e->inputs[i]->help);
    }
  for (guint i = 0; e->outputs != NULL && e->outputs[i] != NULL; i++)
    {
      g_autofree char *text = port_text (e->outputs[i]);

      g_string_append_printf (out, "| `%s` | output | %s | %s |\n", e->outputs[i]->name, text,
                              e->outputs[i]->help);
    }
  g_string_append_printf (out, "| `rejects` | output | records | %s |\n", rejects_text (e));
}

static void
append_section (GString *out, const char *text)
{
  gsize len = strlen (text);

  while (len > 0 && text[len - 1] == '\n')
    len--;
  g_string_append_c (out, '\n');
  g_string_append_len (out, text, (gssize) len);
  g_string_append_c (out, '\n');
}

char *
cmd_element_markdown (const FrElement *e)
{
  GString *out = g_string_new (NULL);
  g_autofree char *params = fri_params_markdown (e), *example = example_stage (e);
  g_autoptr (GPtrArray) promises = guarantees (e);

  g_string_append_printf (
      out, "<!-- Made by `flowrun help %s --markdown` from the source beside it. -->\n", e->name);
  g_string_append_printf (out, "# %s\n\n*%s*\n", e->name, e->summary);
  if (e->details != NULL)
    append_section (out, e->details);
  g_string_append_c (out, '\n');
  markdown_ports (e, out);
  append_section (out, params);
  g_string_append (out, "\n## Example\n\n```json\n");
  g_string_append (out, example);
  g_string_append (out, g_str_has_suffix (example, "\n") ? "```\n" : "\n```\n");
  g_string_append (out, "\n## Guarantees\n\n");
  for (guint i = 0; promises->pdata[i] != NULL; i++)
    g_string_append_printf (out, "- %s\n", (const char *) promises->pdata[i]);
  return g_string_free (out, FALSE);
}

/* ---- for a terminal ---------------------------------------------------------------- */

typedef struct
{
  FILE *out;
  guint width;
  gboolean colour;
} Page;

static void
heading (const Page *page, const char *text)
{
  fprintf (page->out, "\n%s%s%s\n", term_style (STYLE_BOLD, page->colour), text,
           term_plain (page->colour));
}

/* One paragraph, broken between words (Chinese has no spaces, so there between
 * any two characters); lines after the first are set in by @hang more. */
static void
wrap_hanging (const Page *page, const char *text, guint indent, guint hang)
{
  const char *p = text, *end = text + strlen (text);

  while (p < end)
    {
      const char *stop = p, *q = p;
      guint room = page->width > indent + 20 ? page->width - indent : 20, at = 0;

      while (q < end)
        {
          const char *next = g_utf8_next_char (q);
          guint w = term_columns (q, next - q);

          if (at + w > room)
            break;
          at += w;
          if (*q == ' ')
            stop = q;
          else if (w == 2)
            stop = next;
          q = next;
        }
      if (q == end || *q == ' ')
        stop = q;
      else if (stop == p) /* one word that is too long */
        stop = q;
      fprintf (page->out, "%*s%.*s\n", (int) indent, "", (int) (stop - p), p);
      if (p == text)
        indent += hang;
      p = stop;
      while (*p == ' ')
        p++;
    }
}

static void
wrap (const Page *page, const char *text, guint indent)
{
  wrap_hanging (page, text, indent, 0);
}

typedef enum
{
  LINE_TEXT,
  LINE_BLANK,
  LINE_ITEM,
  LINE_MORE,
  LINE_TABLE,
  LINE_TITLE,
  LINE_CODE,
  LINE_FENCE
} LineKind;

static LineKind
kind_of (const char *line, gboolean in_code, gboolean in_paragraph)
{
  const char *p = line + strspn (line, " ");

  if (g_str_has_prefix (line, "```"))
    return LINE_FENCE;
  if (in_code)
    return LINE_CODE;
  if (*p == '\0')
    return LINE_BLANK;
  if (g_str_has_prefix (p, "- ") || g_str_has_prefix (p, "* "))
    return LINE_ITEM;
  if (p > line && in_paragraph)
    return LINE_MORE;
  if (p - line >= 4)
    return LINE_CODE;
  if (*p == '|')
    return LINE_TABLE;
  return *p == '#' ? LINE_TITLE : LINE_TEXT;
}

static void
end_paragraph (const Page *page, GString *paragraph, gboolean *item)
{
  if (paragraph->len > 0)
    wrap_hanging (page, paragraph->str, 2, *item ? 2 : 0);
  g_string_truncate (paragraph, 0);
  *item = FALSE;
}

static void
print_line (const Page *page, LineKind kind, const char *line)
{
  if (kind == LINE_TITLE)
    fprintf (page->out, "  %s%s%s\n", term_style (STYLE_BOLD, page->colour),
             line + strspn (line, "# "), term_plain (page->colour));
  else if (kind == LINE_TABLE && strncmp (line, "| ---", 5) != 0)
    wrap_hanging (page, line, 2, 4);
  else if (kind == LINE_CODE)
    fprintf (page->out, "  %s\n", line);
  else if (kind == LINE_BLANK)
    fputc ('\n', page->out);
}

/* Markdown, nearly as it is: paragraphs and list items are broken to fit,
 * code stays. */
static void
print_details (const Page *page, const char *details)
{
  g_auto (GStrv) lines = g_strsplit (details, "\n", -1);
  g_autoptr (GString) paragraph = g_string_new (NULL);
  gboolean code = FALSE, item = FALSE;
  guint n = g_strv_length (lines);

  while (n > 0 && lines[n - 1][0] == '\0')
    n--;
  for (guint i = 0; i < n; i++)
    {
      LineKind kind = kind_of (lines[i], code, paragraph->len > 0);
      const char *text = lines[i] + strspn (lines[i], " ");

      if (kind == LINE_FENCE)
        code = !code;
      if (kind == LINE_TEXT || kind == LINE_MORE)
        {
          g_string_append_printf (paragraph, "%s%s", paragraph->len ? " " : "", text);
          continue;
        }
      end_paragraph (page, paragraph, &item);
      if (kind == LINE_ITEM)
        {
          item = TRUE;
          g_string_append (paragraph, text);
        }
      else
        print_line (page, kind, lines[i]);
    }
  end_paragraph (page, paragraph, &item);
}

static void
print_ports (const Page *page, const FrElement *e)
{
  g_autoptr (Table) table = table_new ();

  table_column (table, "", TABLE_KEEP);
  table_column (table, "", TABLE_KEEP);
  table_column (table, "", 0);
  table_column (table, "", 0);
  for (guint d = 0; d < 2; d++)
    {
      const FrPort *const *ports = d ? e->outputs : e->inputs;

      for (guint i = 0; ports != NULL && ports[i] != NULL; i++)
        {
          g_autofree char *text = port_text (ports[i]);

          table_cellf (table, STYLE_NONE, "  %s", ports[i]->name);
          table_cell (table, STYLE_DIM, d ? "output" : "input");
          table_cell (table, STYLE_NONE, ports[i]->help ? ports[i]->help : "");
          table_cell (table, STYLE_DIM, text);
        }
    }
  table_cell (table, STYLE_NONE, "  rejects");
  table_cell (table, STYLE_DIM, "output");
  table_cell (table, STYLE_NONE, rejects_text (e));
  table_cell (table, STYLE_DIM, "records");
  table_print (table, page->out, term_is (fileno (page->out)) ? page->width : 0, page->colour);
}

static const char *
type_text (const FrParam *p)
{
  switch (p->type)
    {
    case FR_PARAM_TYPE_BOOL:
      return "true or false";
    case FR_PARAM_TYPE_INT:
      return "whole number";
    case FR_PARAM_TYPE_FLOAT:
      return "number";
    case FR_PARAM_TYPE_STRING:
      return p->flags & FR_PARAM_SECRET ? "secret, as {\"env\": NAME} or {\"file\": PATH}" : "text";
    case FR_PARAM_TYPE_ENUM:
      return "a word";
    case FR_PARAM_TYPE_SIZE:
      return "size, as \"64MiB\"";
    case FR_PARAM_TYPE_DURATION:
      return "duration, as \"30s\"";
    case FR_PARAM_TYPE_PATH:
      return "path";
    case FR_PARAM_TYPE_PATHS:
      return "paths or globs";
    case FR_PARAM_TYPE_COLUMN:
      return "column";
    case FR_PARAM_TYPE_COLUMNS:
      return "columns";
    case FR_PARAM_TYPE_STRINGS:
      return "one text or several";
    case FR_PARAM_TYPE_MAP:
      return "object of texts";
    case FR_PARAM_TYPE_JSON:
    default:
      return "JSON";
    }
}

/* "number, from 0 to 1, default 0.1, rows" */
static void
print_facts (const Page *page, const FrParam *p)
{
  g_autoptr (GString) facts = g_string_new (type_text (p));
  char low[G_ASCII_DTOSTR_BUF_SIZE], high[G_ASCII_DTOSTR_BUF_SIZE];

  if (p->types != FR_TYPES_ANY)
    {
      g_autofree char *types = fr_types_describe (p->types);

      g_string_append_printf (facts, " of %s", types);
    }
  if (p->min < p->max && p->max < 1e9)
    g_string_append_printf (facts, ", from %s to %s", g_ascii_dtostr (low, sizeof low, p->min),
                            g_ascii_dtostr (high, sizeof high, p->max));
  else if (p->min < p->max)
    g_string_append_printf (facts, ", at least %s", g_ascii_dtostr (low, sizeof low, p->min));
  if (p->unit != NULL)
    g_string_append_printf (facts, ", in %s", p->unit);
  if (p->pattern != NULL)
    g_string_append_printf (facts, ", like %s", p->pattern);
  if (p->flags & FR_PARAM_REQUIRED)
    g_string_append (facts, ", required");
  else if (p->def != NULL)
    g_string_append_printf (facts, ", default %s", p->def);
  if (p->deprecated != NULL)
    g_string_append_printf (facts, ", deprecated: %s", p->deprecated);
  fputs (term_style (STYLE_DIM, page->colour), page->out);
  wrap (page, facts->str, 6);
  fputs (term_plain (page->colour), page->out);
}

static void
print_params (const Page *page, const FrElement *e)
{
  for (guint i = 0; e->params != NULL && e->params[i] != NULL; i++)
    {
      const FrParam *p = e->params[i];

      fprintf (page->out, "  %s%s%s\n", term_style (STYLE_CYAN, page->colour), p->key,
               term_plain (page->colour));
      wrap (page, p->help ? p->help : "", 6);
      print_facts (page, p);
      for (guint v = 0; p->values != NULL && p->values[v] != NULL; v++)
        {
          g_autofree char *text
              = g_strdup_printf ("%s: %s", p->values[v]->word, p->values[v]->help);

          wrap (page, text, 8);
        }
      if (p->example != NULL)
        fprintf (page->out, "      %se.g. %s%s\n", term_style (STYLE_DIM, page->colour), p->example,
                 term_plain (page->colour));
    }
}

static void
print_example (const Page *page, const FrElement *e)
{
  g_autofree char *example = example_stage (e);
  g_auto (GStrv) lines = g_strsplit (example, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    if (lines[i][0] != '\0')
      fprintf (page->out, "  %s\n", lines[i]);
}

void
cmd_element_help (const FrElement *e, const char *file, FILE *out)
{
  int fd = fileno (out);
  Page page = { out, MIN (term_is (fd) ? term_width (fd) : 80, 100), term_colour (fd) };
  g_autoptr (GPtrArray) promises = guarantees (e);

  fprintf (out, "%s%s%s: %s\n", term_style (STYLE_BOLD, page.colour), e->name,
           term_plain (page.colour), e->summary);
  if (file != NULL)
    fprintf (out, "%s%s%s\n", term_style (STYLE_DIM, page.colour), file, term_plain (page.colour));
  heading (&page, "ports");
  print_ports (&page, e);
  if (e->params != NULL && e->params[0] != NULL)
    {
      heading (&page, "parameters");
      print_params (&page, e);
    }
  if (e->details != NULL)
    {
      heading (&page, "manual");
      print_details (&page, e->details);
    }
  heading (&page, "example");
  print_example (&page, e);
  heading (&page, "guarantees");
  for (guint i = 0; promises->pdata[i] != NULL; i++)
    wrap (&page, promises->pdata[i], 2);
}
