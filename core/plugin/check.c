/* SPDX-License-Identifier: Apache-2.0 */
/* check.c: what a plugin's description must promise before any of its code runs.
 *
 * A mistake found here is the plugin author's, so the message speaks to them.
 * Parameter tables are checked in core/param.
 */
#include "config.h"

#include <string.h>

#include "param/param-private.h"
#include "plugin/plugin-private.h"

/* Bigger than any table of parameters needs. */
#define MAX_CONFIG (1024 * 1024)

static const char *const kinds[] = { NULL, "source", "transform", "trainer", "evaluator", "sink" };

const char *
fri_kind_name (FrKind kind)
{
  return (guint) kind < G_N_ELEMENTS (kinds) ? kinds[kind] : NULL;
}

/* The first word of a name decides who may call themselves what. */
static gboolean
is_word (const char *text)
{
  if (text == NULL || !g_ascii_islower (text[0]))
    return FALSE;
  for (; *text != '\0'; text++)
    if (!g_ascii_islower (*text) && !g_ascii_isdigit (*text) && *text != '_')
      return FALSE;
  return TRUE;
}

static gboolean
is_line (const char *text)
{
  return text != NULL && text[0] != '\0' && strchr (text, '\n') == NULL
         && g_utf8_validate (text, -1, NULL);
}

static char *
check_name (const FrElement *element)
{
  const char *kind = fri_kind_name (element->kind);
  gsize len;

  if (element->name == NULL)
    return g_strdup ("an element has no name");
  if (!g_utf8_validate (element->name, -1, NULL))
    return g_strdup ("an element's name is not UTF-8");
  if (kind == NULL)
    return g_strdup_printf ("element '%s' has no known kind (%d)", element->name,
                            (int) element->kind);
  len = strlen (kind);
  if (strncmp (element->name, kind, len) != 0 || element->name[len] != '.'
      || !is_word (element->name + len + 1))
    return g_strdup_printf ("element '%s' must be called '%s.' and a word of lower-case letters, "
                            "digits and '_', as its kind is %s",
                            element->name, kind, kind);
  return NULL;
}

/* What carries rows says so by its columns, everything else by its type. */
static char *
check_object (const FrPort *port, const char *side, gboolean output)
{
  const FrObjectType *type = port->object;

  if (port->kind == FR_PORT_RECORDS)
    return type != NULL ? g_strdup_printf ("%s '%s' carries records, so it has no object type",
                                           side, port->name)
                        : NULL;
  if (port->flags & (FR_PORT_MANY | FR_PORT_REWINDABLE))
    return g_strdup_printf ("%s '%s' is MANY or REWINDABLE, which only inputs of records may be",
                            side, port->name);
  if (type == NULL)
    return output
               ? g_strdup_printf ("%s '%s' does not say the type of its object", side, port->name)
               : NULL;
  if (type->size < G_STRUCT_OFFSET (FrObjectType, free) + sizeof type->free || !is_line (type->name)
      || type->free == NULL)
    return g_strdup_printf ("the object type of %s '%s' lacks its size, its name or free", side,
                            port->name);
  if (type->kind != (int) port->kind)
    return g_strdup_printf ("the object type '%s' of %s '%s' is of another kind than the port",
                            type->name, side, port->name);
  if ((type->save == NULL) != (type->load == NULL))
    return g_strdup_printf ("the object type '%s' of %s '%s' has only one of save and load",
                            type->name, side, port->name);
  return NULL;
}

static char *
check_port (const FrPort *port, const char *side, gboolean output)
{
  if (!is_word (port->name))
    return g_strdup_printf ("an %s has no name of lower-case letters, digits and '_'", side);
  if (output && strcmp (port->name, "rejects") == 0)
    return g_strdup ("no output may be called 'rejects', as every element has that one already");
  if (port->kind < FR_PORT_RECORDS || port->kind > FR_PORT_REPORT)
    return g_strdup_printf ("%s '%s' has no known kind", side, port->name);
  if (!is_line (port->help))
    return g_strdup_printf ("%s '%s' has no help line", side, port->name);
  if (port->needs != NULL && (output || port->kind != FR_PORT_RECORDS))
    return g_strdup_printf ("%s '%s' has needs, which only inputs of records may have", side,
                            port->name);
  for (guint i = 0; port->needs != NULL && port->needs[i] != NULL; i++)
    if (port->needs[i]->name == NULL || port->needs[i]->name[0] == '\0')
      return g_strdup_printf ("%s '%s' needs a column without a name", side, port->name);
  if ((port->flags & FR_PORT_FORECAST) && (!output || port->kind != FR_PORT_RECORDS))
    return g_strdup_printf ("%s '%s' is FORECAST, which only outputs of records may be", side,
                            port->name);
  if ((port->flags & FR_PORT_HELD_OUT) && (!output || port->kind != FR_PORT_RECORDS))
    return g_strdup_printf ("%s '%s' is HELD_OUT, which only outputs of records may be", side,
                            port->name);
  if ((port->flags & (FR_PORT_TRAINING | FR_PORT_LOOKS))
      && (output || port->kind != FR_PORT_RECORDS))
    return g_strdup_printf ("%s '%s' is TRAINING or LOOKS, which only inputs of records may be",
                            side, port->name);
  return check_object (port, side, output);
}

static char *
check_ports (const FrPort *const *ports, const char *side, gboolean output)
{
  for (guint i = 0; ports != NULL && ports[i] != NULL; i++)
    {
      char *fault = check_port (ports[i], side, output);

      if (fault != NULL)
        return fault;
      for (guint j = 0; j < i; j++)
        if (strcmp (ports[i]->name, ports[j]->name) == 0)
          return g_strdup_printf ("two %ss are called '%s'", side, ports[i]->name);
    }
  return NULL;
}

static gboolean
any (const FrPort *const *ports)
{
  return ports != NULL && ports[0] != NULL;
}

static char *
check_shape (const FrElement *element)
{
  gboolean in = any (element->inputs), out = any (element->outputs);

  if (element->kind == FR_KIND_SOURCE && (in || !out))
    return g_strdup ("a source has no inputs and at least one output");
  if (element->kind == FR_KIND_SINK && !in)
    return g_strdup ("a sink has at least one input");
  if (element->kind == FR_KIND_EVALUATOR && !in)
    return g_strdup ("an evaluator has at least one input");
  if ((element->kind == FR_KIND_TRANSFORM || element->kind == FR_KIND_TRAINER) && (!in || !out))
    return g_strdup ("a transform or trainer has at least one input and one output");
  return NULL;
}

static char *
check_callbacks (const FrElement *element)
{
  if (element->map == NULL && element->run == NULL)
    return g_strdup ("it has neither map nor run; it needs one of them");
  if (element->map != NULL && element->run != NULL)
    return g_strdup ("it has both map and run; it may have only one of them");
  if (element->map != NULL
      && (!any (element->inputs) || element->inputs[1] != NULL
          || strcmp (element->inputs[0]->name, "in") != 0
          || element->inputs[0]->kind != FR_PORT_RECORDS))
    return g_strdup ("it has map, so it must have exactly one input, of records, called 'in'");
  if (element->forecast != NULL && element->run == NULL)
    return g_strdup ("it has forecast, which only elements with run may have");
  for (guint i = 0; element->outputs != NULL && element->outputs[i] != NULL; i++)
    if ((element->outputs[i]->flags & FR_PORT_FORECAST) && element->forecast == NULL)
      return g_strdup_printf ("its output '%s' is FORECAST, but it has no forecast",
                              element->outputs[i]->name);
  if (element->open != NULL && element->close == NULL)
    return g_strdup ("it has open but no close");
  if (element->thread_begin != NULL && element->thread_end == NULL)
    return g_strdup ("it has thread_begin but no thread_end");
  if (element->thread_begin != NULL && element->map == NULL)
    return g_strdup ("it has thread_begin, which only elements with map may have");
  if ((element->flags & FR_ELEMENT_PARALLEL) && element->map == NULL)
    return g_strdup ("it has the flag PARALLEL, which only elements with map may have");
  return NULL;
}

/* The example is in the manual, so it has to be right. */
static char *
check_example (const FrElement *element)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (FrProblems) problems = NULL;
  gpointer config;

  if (element->example == NULL)
    return NULL;
  node = fr_json_parse (element->example, -1, 0, &error);
  if (node == NULL)
    return g_strdup_printf ("its example is not JSON: %s", error->message);
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return g_strdup ("its example is not a JSON object");
  problems = fri_problems_new ("example");
  config = fri_params_fill (element, node, "/", TRUE, problems);
  fri_params_free (element, config);
  if (fri_problems_n_errors (problems) > 0)
    {
      const FriProblem *problem = fri_problems_list (problems)->pdata[0];

      return g_strdup_printf ("its example is not right: %s", problem->message);
    }
  return NULL;
}

static char *
check_element (const FrElement *element)
{
  char *fault = NULL;

  if (!is_line (element->summary))
    return g_strdup ("it has no summary of one line");
  if (element->details != NULL && !g_utf8_validate (element->details, -1, NULL))
    return g_strdup ("its details are not UTF-8");
  if (element->config_size > MAX_CONFIG)
    return g_strdup_printf ("its config_size is %" G_GSIZE_FORMAT " bytes, more than 1 MiB",
                            element->config_size);
  if ((fault = check_ports (element->inputs, "input", FALSE)) == NULL
      && (fault = check_ports (element->outputs, "output", TRUE)) == NULL
      && (fault = check_shape (element)) == NULL && (fault = check_callbacks (element)) == NULL
      && (fault = fri_params_check (element)) == NULL)
    fault = check_example (element);
  return fault;
}

static char *
check_service (const FrPlugin *plugin, guint i)
{
  const FrService *service = plugin->services[i];

  if (!is_word (service->kind) || !is_word (service->name))
    return g_strdup ("it offers a service without a kind and a name of lower-case letters, digits "
                     "and '_'");
  if (!is_line (service->summary) || service->table == NULL)
    return g_strdup_printf ("its service '%s' of kind '%s' has no summary of one line, or no table",
                            service->name, service->kind);
  for (guint j = 0; j < i; j++)
    if (strcmp (plugin->services[j]->kind, service->kind) == 0
        && strcmp (plugin->services[j]->name, service->name) == 0)
      return g_strdup_printf ("it offers two services '%s' of kind '%s'", service->name,
                              service->kind);
  return NULL;
}

static gboolean
check_services (const FrPlugin *plugin, GError **error)
{
  for (guint i = 0; plugin->services[i] != NULL; i++)
    {
      g_autofree char *fault = check_service (plugin, i);

      if (fault != NULL)
        {
          g_set_error_literal (error, FR_ERROR, FR_ERROR_LOAD, fault);
          return FALSE;
        }
    }
  return TRUE;
}

gboolean
fri_plugin_check (const FrPlugin *plugin, GError **error)
{
  const char *const lines[] = { plugin->name, plugin->version, plugin->summary, plugin->licence };
  const char *const what[] = { "name", "version", "summary", "licence" };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    if (!is_line (lines[i]))
      {
        g_set_error (error, FR_ERROR, FR_ERROR_LOAD, "its description has no %s of one line",
                     what[i]);
        return FALSE;
      }
  if (plugin->elements[0] == NULL && plugin->services[0] == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_LOAD, "it offers no elements and no services");
      return FALSE;
    }
  for (guint i = 0; plugin->elements[i] != NULL; i++)
    {
      const FrElement *element = plugin->elements[i];
      g_autofree char *fault = check_name (element);

      for (guint j = 0; fault == NULL && j < i; j++)
        if (strcmp (plugin->elements[j]->name, element->name) == 0)
          fault = g_strdup_printf ("it offers two elements called '%s'", element->name);
      if (fault == NULL)
        {
          g_autofree char *inner = check_element (element);

          if (inner != NULL)
            fault = g_strdup_printf ("its element '%s' is not sound: %s", element->name, inner);
        }
      if (fault != NULL)
        {
          g_set_error_literal (error, FR_ERROR, FR_ERROR_LOAD, fault);
          return FALSE;
        }
    }
  return check_services (plugin, error);
}
