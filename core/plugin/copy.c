/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c: from the structures of a plugin, built with headers of some minor
 * version, to those of this flowrun.
 *
 * Every structure begins with its size and grows only at the end, so the
 * common part is copied over zeroes.  Lists are arrays of pointers, so that
 * the size of an item does not move its neighbours.
 */
#include "config.h"

#include <string.h>

#include "plugin/plugin-private.h"

/* A structure must reach at least to here to be one at all: what stood in
 * version 0.1 and may not be missing. */
#define REACHES(Type, field) (G_STRUCT_OFFSET (Type, field) + sizeof (((Type *) NULL)->field))

/* Lists come from a stranger; one without its NULL should not be read for ever. */
#define MAX_LIST 1024

static gpointer
copy_sized (gconstpointer raw, gsize want, gsize least, const char *what, GError **error)
{
  gsize size = *(const gsize *) raw;
  char *copy;

  if (size < least)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_LOAD,
                   "%s says its size is %" G_GSIZE_FORMAT " bytes, less than the %" G_GSIZE_FORMAT
                   " that it must have: set its 'size' member to sizeof",
                   what, size, least);
      return NULL;
    }
  copy = g_malloc0 (want);
  memcpy (copy, raw, MIN (size, want));
  *(gsize *) copy = want;
  return copy;
}

typedef gpointer (*CopyFunc) (gconstpointer raw, GError **error);

/* A NULL list stays NULL. */
static gboolean
copy_list (gconstpointer const *raw, CopyFunc copy, GDestroyNotify free_item, gpointer **out,
           const char *what, GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func (free_item);

  *out = NULL;
  if (raw == NULL)
    return TRUE;
  for (; *raw != NULL; raw++)
    {
      gpointer item = items->len < MAX_LIST ? copy (*raw, error) : NULL;

      if (item == NULL)
        {
          if (items->len >= MAX_LIST)
            g_set_error (error, FR_ERROR, FR_ERROR_LOAD,
                         "its list of %s has more than %d items; does it lack the NULL at its end?",
                         what, MAX_LIST);
          return FALSE;
        }
      g_ptr_array_add (items, item);
    }
  g_ptr_array_set_free_func (items, NULL);
  g_ptr_array_add (items, NULL);
  *out = g_ptr_array_free (g_steal_pointer (&items), FALSE);
  return TRUE;
}

static void
free_list (gconstpointer const *list, GDestroyNotify free_item)
{
  for (guint i = 0; list != NULL && list[i] != NULL; i++)
    free_item ((gpointer) list[i]);
  g_free ((gpointer) list);
}

/* ---- parameters ---------------------------------------------------------------- */

static gpointer
copy_enum (gconstpointer raw, GError **error)
{
  return copy_sized (raw, sizeof (FrEnumValue), REACHES (FrEnumValue, value), "an FrEnumValue",
                     error);
}

static void
free_param (gpointer data)
{
  FrParam *param = data;

  free_list ((gconstpointer const *) param->values, g_free);
  g_free (param);
}

static gpointer
copy_param (gconstpointer raw, GError **error)
{
  FrParam *param = copy_sized (raw, sizeof (FrParam), REACHES (FrParam, def), "an FrParam", error);
  gconstpointer const *values;

  if (param == NULL)
    return NULL;
  values = (gconstpointer const *) param->values;
  param->values = NULL;
  if (!copy_list (values, copy_enum, g_free, (gpointer **) &param->values, "enum values", error))
    {
      g_free (param);
      return NULL;
    }
  return param;
}

/* ---- ports ----------------------------------------------------------------------- */

static gpointer
copy_need (gconstpointer raw, GError **error)
{
  return copy_sized (raw, sizeof (FrNeed), REACHES (FrNeed, types), "an FrNeed", error);
}

static void
free_port (gpointer data)
{
  FrPort *port = data;

  free_list ((gconstpointer const *) port->needs, g_free);
  g_free (port);
}

static gpointer
copy_port (gconstpointer raw, GError **error)
{
  FrPort *port = copy_sized (raw, sizeof (FrPort), REACHES (FrPort, kind), "an FrPort", error);
  gconstpointer const *needs;

  if (port == NULL)
    return NULL;
  needs = (gconstpointer const *) port->needs;
  port->needs = NULL;
  if (!copy_list (needs, copy_need, g_free, (gpointer **) &port->needs, "needs", error))
    {
      g_free (port);
      return NULL;
    }
  return port;
}

/* ---- elements, plugins ------------------------------------------------------------- */

static void
free_element (gpointer data)
{
  FrElement *element = data;

  free_list ((gconstpointer const *) element->params, free_param);
  free_list ((gconstpointer const *) element->inputs, free_port);
  free_list ((gconstpointer const *) element->outputs, free_port);
  g_free (element);
}

static gpointer
copy_element (gconstpointer raw, GError **error)
{
  const FrElement *from = raw;
  FrElement *element
      = copy_sized (raw, sizeof (FrElement), REACHES (FrElement, run), "an FrElement", error);

  if (element == NULL)
    return NULL;
  element->params = NULL;
  element->inputs = NULL;
  element->outputs = NULL;
  if (copy_list ((gconstpointer const *) from->params, copy_param, free_param,
                 (gpointer **) &element->params, "parameters", error)
      && copy_list ((gconstpointer const *) from->inputs, copy_port, free_port,
                    (gpointer **) &element->inputs, "inputs", error)
      && copy_list ((gconstpointer const *) from->outputs, copy_port, free_port,
                    (gpointer **) &element->outputs, "outputs", error))
    return element;
  if (from->name != NULL)
    g_prefix_error (error, "in its element '%s', ", from->name);
  free_element (element);
  return NULL;
}

static gpointer
copy_service (gconstpointer raw, GError **error)
{
  return copy_sized (raw, sizeof (FrService), REACHES (FrService, table), "an FrService", error);
}

void
fri_plugin_free (FrPlugin *plugin)
{
  if (plugin == NULL)
    return;
  free_list ((gconstpointer const *) plugin->elements, free_element);
  free_list ((gconstpointer const *) plugin->services, g_free);
  g_free (plugin);
}

static gboolean
check_abi (const FrPlugin *raw, GError **error)
{
  if (raw->size < REACHES (FrPlugin, abi_minor))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_LOAD,
                   "its FrPlugin says its size is %" G_GSIZE_FORMAT
                   " bytes, too few to hold a version: set its 'size' member to sizeof (FrPlugin)",
                   raw->size);
      return FALSE;
    }
  if (raw->abi_major != FR_ABI_MAJOR)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_LOAD,
                   "it was built for version %u.%u of flowrun's plugin interface and this flowrun "
                   "has %d.%d: build it again with this flowrun's headers",
                   raw->abi_major, raw->abi_minor, FR_ABI_MAJOR, FR_ABI_MINOR);
      return FALSE;
    }
  if (raw->abi_minor > FR_ABI_MINOR)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_LOAD,
                   "it was built for the newer version %u.%u of flowrun's plugin interface and "
                   "this flowrun has %d.%d: install a newer flowrun, or build it again",
                   raw->abi_major, raw->abi_minor, FR_ABI_MAJOR, FR_ABI_MINOR);
      return FALSE;
    }
  return TRUE;
}

FrPlugin *
fri_plugin_copy (const FrPlugin *raw, GError **error)
{
  static gconstpointer const none[] = { NULL };
  gconstpointer const *services;
  FrPlugin *plugin;

  if (!check_abi (raw, error))
    return NULL;
  plugin = copy_sized (raw, sizeof (FrPlugin), REACHES (FrPlugin, elements), "its FrPlugin", error);
  if (plugin == NULL)
    return NULL;
  services = (gconstpointer const *) plugin->services; /* NULL where the plugin's ends before it */
  plugin->services = NULL;
  plugin->elements = NULL;
  if (copy_list (raw->elements != NULL ? (gconstpointer const *) raw->elements : none, copy_element,
                 free_element, (gpointer **) &plugin->elements, "elements", error)
      && copy_list (services != NULL ? services : none, copy_service, g_free,
                    (gpointer **) &plugin->services, "services", error))
    return plugin;
  fri_plugin_free (plugin);
  return NULL;
}
