/* SPDX-License-Identifier: Apache-2.0 */
/* object.c: models and reports on their way between stages (object.h).
 *
 * An object stays with the output port it was pushed to until the run is over,
 * and every consumer takes a reference there: nothing is queued, so an object
 * never makes its producer wait.  Waiting for one counts like waiting for
 * rows, so that edges which would lock up with it spool to disk (edge.c).
 *
 * Where the producer is not run because an earlier run kept its object, the
 * first consumer that asks loads it.
 */
#include "config.h"

#include "engine/engine-private.h"

#include <errno.h>
#include <string.h>

static const char *
kind_word (FrPortKind kind)
{
  return kind == FR_PORT_MODEL ? "model" : "report";
}

gboolean
fri_object_can_keep (const FriOut *out)
{
  return fri_out_is_object (out) && out->port->object->save != NULL;
}

/* ---- taking -------------------------------------------------------------------- */

/* Kept objects are loaded one at a time, and by one consumer alone. */
static gboolean
load_kept (FriEngine *e, FriEdge *edge, GError **error)
{
  FriOut *out = edge->source;
  const FrObjectType *type = out->port->object;
  GError *failure = NULL;
  FrObject *object;

  g_mutex_lock (&e->load_lock);
  object = out->object;
  if (object == NULL)
    {
      object = type->load (edge->tape_path, &failure);
      g_mutex_lock (&e->lock);
      out->object = object;
      e->moves++;
      g_mutex_unlock (&e->lock);
    }
  g_mutex_unlock (&e->load_lock);
  if (object != NULL)
    return TRUE;
  if (failure == NULL)
    g_set_error (&failure, FR_ERROR, FR_ERROR_INTERNAL, "load failed without saying why");
  g_propagate_prefixed_error (error, failure,
                              "the %s that stage '%s' left in '%s' cannot be used ('--fresh' makes "
                              "it again): ",
                              kind_word (out->port->kind), out->host->stage->id, edge->tape_path);
  return FALSE;
}

static FrFlow
take (FrHost *h, FriIn *in, FriEdge *edge, FrObject **object, GError **error)
{
  FriEngine *e = h->e;
  gboolean stopped;

  if (edge->from == NULL && !load_kept (e, edge, error))
    return FR_FLOW_ERROR;
  g_mutex_lock (&e->lock);
  h->reading = edge;
  if (edge->source->object == NULL && h->thread == g_thread_self ())
    fri_host_wait (h, edge);
  if (edge->source->object != NULL)
    {
      *object = fr_object_ref (edge->source->object);
      if (in->object == NULL)
        in->object = fr_object_ref (*object);
    }
  stopped = e->stop;
  g_mutex_unlock (&e->lock);
  if (*object != NULL)
    return FR_FLOW_OK;
  if (stopped)
    return FR_FLOW_CANCELLED;
  g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
               "the element asked outside of run for the object of its port '%s'", in->port->name);
  return FR_FLOW_ERROR;
}

FrFlow
fr_host_next_object (FrHost *h, const char *port, FrObject **object, GError **error)
{
  FriIn *in = fri_host_in (h, port);

  *object = NULL;
  if (in == NULL || in->port->kind == FR_PORT_RECORDS)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
                   "the element asked for the object of '%s', which is no input port of a model or "
                   "report of it",
                   port);
      return FR_FLOW_ERROR;
    }
  if (in->edges->len == 0)
    return FR_FLOW_DONE;
  return take (h, in, g_ptr_array_index (in->edges, 0), object, error);
}

/* ---- passing on ------------------------------------------------------------------ */

static gboolean
may_push (FrHost *h, FriOut *out, const char *port, const FrObject *object, GError **error)
{
  if (out == NULL || !fri_out_is_object (out))
    g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
                 "the element pushed an object to '%s', which is no output port of a model or "
                 "report of it",
                 port);
  else if (!fr_object_is (object, out->port->object->name))
    g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
                 "the element pushed an object of type '%s' to its port '%s', which carries '%s'",
                 object->type->name, port, out->port->object->name);
  else if (h->forecasting)
    g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
                 "the element pushed an object to its port '%s' in forecast", port);
  else if (h->thread != g_thread_self () && !h->finishing)
    g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
                 "the element pushed an object to '%s' outside of run and finish", port);
  else if (out->object != NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
                 "the element pushed a second object to its port '%s'", port);
  else
    return TRUE;
  return FALSE;
}

FrFlow
fr_host_push_object (FrHost *h, const char *port, FrObject *object, GError **error)
{
  FriEngine *e = h->e;
  FriOut *out = fri_host_out (h, port);
  gboolean stopped;

  if (!may_push (h, out, port, object, error))
    {
      fr_object_unref (object);
      return FR_FLOW_ERROR;
    }
  g_mutex_lock (&e->lock);
  out->object = object;
  e->moves++;
  for (guint i = 0; i < out->edges->len; i++)
    fri_pool_wake (e, ((FriEdge *) g_ptr_array_index (out->edges, i))->to);
  stopped = e->stop;
  g_mutex_unlock (&e->lock);
  return stopped ? FR_FLOW_CANCELLED : FR_FLOW_OK;
}

/* ---- the end of a stage ------------------------------------------------------------ */

static FriOut *
first_missing (FrHost *h)
{
  for (guint i = 0; i < h->outs->len; i++)
    {
      FriOut *out = g_ptr_array_index (h->outs, i);

      if (fri_out_is_object (out) && out->object == NULL)
        return out;
    }
  return NULL;
}

static gboolean
save (FriOut *out, GError **error)
{
  const FrObjectType *type = out->port->object;
  GError *failure = NULL;

  out->kept_path = g_strdup_printf ("%s/%s.object", out->host->dir, out->name);
  if (!fri_mkdir (out->kept_path, error))
    return FALSE;
  if (type->save (out->object, out->kept_path, &failure))
    return TRUE;
  if (failure == NULL)
    g_set_error (&failure, FR_ERROR, FR_ERROR_INTERNAL, "save failed without saying why");
  g_propagate_prefixed_error (error, failure, "the %s of its port '%s' cannot be kept: ",
                              kind_word (out->port->kind), out->name);
  return FALSE;
}

gboolean
fri_object_end (FrHost *h, GError **error)
{
  FriOut *missing = h->forecasting ? NULL : first_missing (h);

  /* Consumers wait for what finish will push, and all other stages' work for them. */
  if (missing != NULL && h->stage->element->finish != NULL)
    {
      if (!fri_stage_finish (h, error))
        return FALSE;
      missing = first_missing (h);
    }
  if (missing != NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL,
                   "the element ended without pushing the %s of its port '%s'",
                   kind_word (missing->port->kind), missing->name);
      return FALSE;
    }
  for (guint i = 0; i < h->outs->len; i++)
    {
      FriOut *out = g_ptr_array_index (h->outs, i);

      if (fri_out_is_object (out) && out->keep && !save (out, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- for the manifest --------------------------------------------------------------- */

static void
describe (JsonObject **all, const char *port, FrObject *object)
{
  JsonObject *one;
  JsonNode *node;

  if (object == NULL)
    return;
  one = json_object_new ();
  json_object_set_string_member (one, "type", object->type->name);
  node = object->type->describe != NULL ? object->type->describe (object) : NULL;
  if (node != NULL)
    json_object_set_member (one, "description", node);
  if (*all == NULL)
    *all = json_object_new ();
  json_object_set_object_member (*all, port, one);
}

void
fri_object_describe (FrHost *h, JsonObject *entry)
{
  JsonObject *in = NULL, *out = NULL;

  for (guint i = 0; i < h->ins->len; i++)
    {
      FriIn *p = g_ptr_array_index (h->ins, i);

      describe (&in, p->port->name, p->object);
    }
  for (guint i = 0; i < h->outs->len; i++)
    {
      FriOut *p = g_ptr_array_index (h->outs, i);

      describe (&out, p->name, p->object);
    }
  if (in != NULL)
    json_object_set_object_member (entry, "objects_in", in);
  if (out != NULL)
    json_object_set_object_member (entry, "objects_out", out);
}
