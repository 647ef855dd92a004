/* SPDX-License-Identifier: Apache-2.0 */
/* stand-in.c: see stand-in.h. */
#include "config.h"

#include "stand-in.h"

#include <stdlib.h>
#include <string.h>

void
stand_in_init (StandIn *s, const char *key)
{
  memset (s, 0, sizeof *s);
  s->key = key;
  g_mutex_init (&s->lock);
  g_mutex_init (&s->alone);
  s->seeds = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

void
stand_in_clear (StandIn *s)
{
  g_free (s->last);
  g_free (s->authorization);
  g_free (s->path);
  g_hash_table_unref (s->seeds);
  g_mutex_clear (&s->lock);
  g_mutex_clear (&s->alone);
}

/* The number behind "NAME=" in @body, or @other. */
static guint
number (const char *body, const char *name, guint other)
{
  const char *at = strstr (body, name);

  return at != NULL ? (guint) strtoul (at + strlen (name), NULL, 10) : other;
}

/* The text that tells it how to behave: behind the last of the keys that may hold one. */
static const char *
told (const char *body)
{
  const char *at = strstr (body, "\"content\":");
  const char *next;

  if (at == NULL)
    at = strstr (body, "\"prompt\":");
  if (at == NULL)
    return body;
  while ((next = strstr (at + 1, "\"content\":")) != NULL)
    at = next;
  return at;
}

static void
note (StandIn *s, const TestAsk *ask)
{
  const char *seed = strstr (ask->body, "\"seed\":");

  g_mutex_lock (&s->lock);
  g_free (s->last);
  g_free (s->authorization);
  g_free (s->path);
  s->last = g_strndup (ask->body, ask->body_len);
  s->authorization = test_server_header (ask, "Authorization");
  s->path = g_strdup (ask->path);
  if (seed != NULL)
    g_hash_table_add (s->seeds, g_strndup (seed, strcspn (seed, ",}")));
  g_mutex_unlock (&s->lock);
}

static gboolean
pause_for (TestAnswer *out, gint64 ms)
{
  gint64 until = g_get_monotonic_time () + ms * 1000;

  (void) out;
  /* test_answer_wait() ends when the next request of a connection is there: not before its time. */
  while (g_get_monotonic_time () < until)
    g_usleep ((gulong) MIN (until - g_get_monotonic_time (), 20000));
  return TRUE;
}

/* Request number N stops the whole server for a while. */
static void
stall (StandIn *s, TestAnswer *out, const char *how)
{
  const char *at = strstr (how, "stall=");
  gint64 until;

  if (at == NULL)
    return;
  g_mutex_lock (&s->lock);
  if (++s->n == (guint) strtoul (at + 6, NULL, 10))
    s->stalled = g_get_monotonic_time () + strtol (strchr (at, ',') + 1, NULL, 10) * 1000;
  until = s->stalled;
  g_mutex_unlock (&s->lock);
  if (until > g_get_monotonic_time ())
    pause_for (out, (until - g_get_monotonic_time ()) / 1000);
}

static void
stream (const char *how, TestAnswer *out)
{
  guint n = number (how, "pieces=", 3), gap = number (how, "gap=", 0);

  test_answer_raw (out, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n", -1);
  if (strstr (how, "hit") != NULL)
    test_answer_raw (out, "X-Flowrun-Cache: hit\r\n", -1);
  test_answer_raw (out, "Connection: close\r\n\r\n", -1);
  test_answer_raw (
      out, "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n", -1);
  for (guint i = 0; i < n; i++)
    {
      if (i > 0)
        pause_for (out, gap);
      test_answer_raw (
          out, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"词 \"}}]}\n\n", -1);
      if (strstr (how, "cut") != NULL)
        return;
      if (strstr (how, "error") != NULL)
        {
          test_answer_raw (out, "data: {\"error\":{\"message\":\"it broke\"}}\n\ndata: [DONE]\n\n",
                           -1);
          return;
        }
    }
  if (strstr (how, "incomplete") != NULL)
    return;
  test_answer_raw (
      out, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n", -1);
  if (strstr (how, "uncounted") == NULL)
    {
      g_autofree char *usage = g_strdup_printf (
          "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":%u}}\n\n",
          n + 1);

      test_answer_raw (out, usage, -1);
    }
  test_answer_raw (out, "data: [DONE]\n\n", -1);
}

static void
whole (const char *how, TestAnswer *out)
{
  g_autofree char *text = g_strdup_printf (
      "{\"choices\":[{\"message\":{\"content\":\"词 词\"},\"finish_reason\":\"stop\"}],"
      "\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":%u}}",
      number (how, "pieces=", 3) + 1);

  test_answer (out, 200, "Content-Type: application/json\r\n",
               strstr (how, "nonsense") != NULL ? "<html>" : text, -1);
}

static void
behave (StandIn *s, const TestAsk *ask, TestAnswer *out)
{
  const char *how = told (ask->body);
  guint status = number (how, "status=", 0), alone = number (how, "alone=", 0);

  stall (s, out, how);
  if (alone > 0)
    {
      g_mutex_lock (&s->alone);
      pause_for (out, alone);
      g_mutex_unlock (&s->alone);
    }
  pause_for (out, number (how, "wait=", 0));
  if (status > 0)
    test_answer (out, status, "Content-Type: application/json\r\n",
                 "{\"error\":{\"message\":\"not now\",\"type\":\"overloaded\"}}", -1);
  else if (strstr (how, "cut") != NULL && strstr (how, "pieces") == NULL)
    test_answer_raw (out, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", -1);
  else if (strstr (ask->body, "\"stream\":true") != NULL && strstr (how, "whole") == NULL
           && strstr (how, "nonsense") == NULL)
    stream (how, out);
  else
    whole (how, out);
}

gboolean
stand_in_answer (const TestAsk *ask, TestAnswer *out, gpointer data)
{
  StandIn *s = data;
  g_autofree char *authorization = test_server_header (ask, "Authorization"),
                  *wanted = g_strconcat ("Bearer ", s->key, NULL);

  if (s->key != NULL && g_strcmp0 (authorization, wanted) != 0)
    test_answer (out, 401, "Content-Type: application/json\r\n",
                 "{\"error\":{\"message\":\"no key\"}}", -1);
  else if (g_str_equal (ask->path, "/v1/models"))
    test_answer (out, 200, "Content-Type: application/json\r\n",
                 "{\"object\":\"list\",\"data\":[{\"id\":\"stand-in\"},{\"id\":\"other\"}]}", -1);
  else if (g_str_equal (ask->path, "/v1/chat/completions")
           || g_str_equal (ask->path, "/v1/completions") || g_str_equal (ask->path, "/generate"))
    {
      note (s, ask);
      behave (s, ask, out);
    }
  else
    return FALSE;
  return TRUE;
}
