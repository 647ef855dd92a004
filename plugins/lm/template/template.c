/* SPDX-License-Identifier: Apache-2.0 */
/* template.c: chat templates from outside: compile once, render often. */
#include "config.h"

#include "lm/template.h"

#include <string.h>

#include "jinja-private.h"

struct _LmTemplate
{
  char *name;
  char *source;
  Jinja compiled; /* holds the tree's memory */
  JSyntax *syntax;
};

LmTemplate *
lm_template_new (const char *name, const char *source, gsize len, GError **error)
{
  LmTemplate *tmpl = g_new0 (LmTemplate, 1);
  Jinja *j = &tmpl->compiled;
  JToken *tokens;
  gsize n;

  tmpl->name = g_strdup (name);
  tmpl->source = g_strndup (source, len);
  j->name = tmpl->name;
  j->line = 1;
  if (setjmp (j->failure) == 0)
    {
      tokens = lm_jinja_lex (j, source, len, &n);
      tmpl->syntax = lm_jinja_parse (j, tokens, n);
      g_clear_pointer (&j->atoms, g_hash_table_unref);
      return tmpl;
    }
  g_propagate_error (error, j->error);
  lm_template_free (tmpl);
  return NULL;
}

void
lm_template_free (LmTemplate *tmpl)
{
  if (tmpl == NULL)
    return;
  lm_jinja_release (&tmpl->compiled);
  g_free (tmpl->name);
  g_free (tmpl->source);
  g_free (tmpl);
}

const char *
lm_template_source (const LmTemplate *tmpl)
{
  return tmpl->source;
}

char *
lm_template_render (const LmTemplate *tmpl, JsonObject *variables, gsize *len, GError **error)
{
  g_autofree Jinja *j = g_new0 (Jinja, 1);
  JBuf *out;
  char *text;

  j->name = tmpl->name;
  j->syntax = tmpl->syntax;
  j->variables = variables;
  if (setjmp (j->failure) != 0)
    {
      g_propagate_error (error, j->error);
      lm_jinja_release (j);
      return NULL;
    }
  out = lm_jinja_alloc (j, sizeof *out);
  j->out = out;
  lm_jinja_run (j, tmpl->syntax->body);
  out = j->out;
  text = g_malloc (out->len + 1);
  if (out->len > 0)
    memcpy (text, out->s, out->len);
  text[out->len] = '\0';
  if (len != NULL)
    *len = out->len;
  lm_jinja_release (j);
  return text;
}
