/* SPDX-License-Identifier: Apache-2.0 */
/* scope.c: which names a scope hides from its first line on.
 *
 * Jinja decides when it compiles where a name lives.  A scope (the template, a
 * loop's body, a macro, …) that assigns a name outside of any {% if %} before
 * it speaks of it in any other way owns that name: scopes within it that are
 * run earlier see it as undefined, even where a variable of that name was
 * given.  Follows jinja2.idtracking.
 */
#include "config.h"

#include <string.h>

#include "jinja-private.h"

typedef struct _Frame Frame;
struct _Frame
{
  const Frame *parent;
  const char **atoms; /* names that have a place here */
  gsize n, cap;
  JNode *body; /* takes the hidden names */
};

typedef struct
{
  Jinja *j;
  const JSyntax *syntax;
} Tracker;

static void visit (Tracker *t, Frame *frame, const JNode *node, gboolean branch);
static void track_inner (Tracker *t, const Frame *frame, JNode *node);

/* ---- names -------------------------------------------------------------------------------- */

static gboolean
has_own (Tracker *t, const Frame *frame, const char *atom)
{
  lm_jinja_step (t->j, 1 + frame->n / 16);
  for (gsize i = 0; i < frame->n; i++)
    if (frame->atoms[i] == atom)
      return TRUE;
  return FALSE;
}

static gboolean
has (Tracker *t, const Frame *frame, const char *atom)
{
  for (; frame != NULL; frame = frame->parent)
    if (has_own (t, frame, atom))
      return TRUE;
  return FALSE;
}

static void
add_atom (Tracker *t, const char ***atoms, gsize *n, gsize *cap, const char *atom)
{
  if (*n == *cap)
    {
      gsize grown = MAX (8, *cap * 2);
      const char **more = lm_jinja_alloc (t->j, grown * sizeof *more);

      if (*n > 0)
        memcpy (more, *atoms, *n * sizeof *more);
      *atoms = more;
      *cap = grown;
    }
  (*atoms)[(*n)++] = atom;
}

static void
load (Tracker *t, Frame *frame, const char *atom)
{
  if (!has (t, frame, atom))
    add_atom (t, &frame->atoms, &frame->n, &frame->cap, atom);
}

static void
store (Tracker *t, Frame *frame, const char *atom, gboolean branch)
{
  JNode *body = frame->body;

  if (has_own (t, frame, atom))
    return;
  if (!branch && !has (t, frame->parent, atom))
    add_atom (t, &body->hidden, &body->n_hidden, &body->cap_hidden, atom);
  add_atom (t, &frame->atoms, &frame->n, &frame->cap, atom);
}

static void
store_target (Tracker *t, Frame *frame, const JNode *target, gboolean branch, gboolean parameter)
{
  if (target->type == N_NAME && parameter)
    {
      if (!has_own (t, frame, target->atom))
        add_atom (t, &frame->atoms, &frame->n, &frame->cap, target->atom);
    }
  else if (target->type == N_NAME)
    store (t, frame, target->atom, branch);
  else if (target->type == N_NSREF)
    load (t, frame, target->atom);
  else
    for (gsize i = 0; i < target->n_kids; i++)
      store_target (t, frame, target->kids[i], branch, parameter);
}

/* ---- one frame, in the order of the text ------------------------------------------------------- */

static void
visit_expression (Tracker *t, Frame *frame, const JNode *node)
{
  const JNode *parts[] = { node->a, node->b, node->c, node->d, node->e, node->args.star, node->args.star_star };

  lm_jinja_enter (t->j);
  if (node->type == N_NAME)
    load (t, frame, node->atom);
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i] != NULL)
      visit_expression (t, frame, parts[i]);
  for (gsize i = 0; i < node->n_kids; i++)
    visit_expression (t, frame, node->kids[i]);
  for (gsize i = 0; i < node->args.n; i++)
    visit_expression (t, frame, node->args.pos[i]);
  for (gsize i = 0; i < node->args.n_named; i++)
    visit_expression (t, frame, node->args.named[i]);
  lm_jinja_leave (t->j);
}

static void
visit_body (Tracker *t, Frame *frame, const JNode *body, gboolean branch)
{
  for (gsize i = 0; i < body->n_kids; i++)
    visit (t, frame, body->kids[i], branch);
}

/* What this frame itself does in @node; bodies with a scope of their own are not looked into. */
static void
visit (Tracker *t, Frame *frame, const JNode *node, gboolean branch)
{
  lm_jinja_enter (t->j);
  switch (node->type)
    {
    case N_OUTPUT:
      visit_expression (t, frame, node->a);
      break;
    case N_IF:
      for (gsize i = 0; i < node->n_kids; i += 2)
        {
          visit_expression (t, frame, node->kids[i]);
          visit_body (t, frame, node->kids[i + 1], TRUE);
        }
      if (node->b != NULL)
        visit_body (t, frame, node->b, TRUE);
      break;
    case N_FOR:
      visit_expression (t, frame, node->b);
      break;
    case N_SET:
      visit_expression (t, frame, node->b);
      store_target (t, frame, node->a, branch, FALSE);
      break;
    case N_SET_BLOCK:
      store_target (t, frame, node->a, branch, FALSE);
      break;
    case N_MACRO:
      store (t, frame, node->atom, branch);
      break;
    case N_CALL_BLOCK:
      if (node->a != NULL)
        visit_expression (t, frame, node->a);
      break;
    case N_FILTER_BLOCK:
      visit_expression (t, frame, node->b);
      break;
    case N_WITH:
      for (gsize i = 1; i < node->n_kids; i += 2)
        visit_expression (t, frame, node->kids[i]);
      break;
    default:
      break;
    }
  lm_jinja_leave (t->j);
}

/* ---- frames within ------------------------------------------------------------------------------- */

static void
track_body (Tracker *t, Frame *frame, JNode *body)
{
  frame->body = body;
  visit_body (t, frame, body, FALSE);
  for (gsize i = 0; i < body->n_kids; i++)
    track_inner (t, frame, body->kids[i]);
}

static void
add_parameter (Tracker *t, Frame *frame, const char *atom)
{
  add_atom (t, &frame->atoms, &frame->n, &frame->cap, atom);
}

static void
track_macro (Tracker *t, const Frame *frame, JNode *macro)
{
  Frame inner = { .parent = frame };

  inner.body = macro->a;
  for (gsize i = 0; i < macro->n_kids; i++)
    add_parameter (t, &inner, macro->kids[i]->atom);
  add_parameter (t, &inner, t->syntax->caller);
  add_parameter (t, &inner, t->syntax->varargs);
  add_parameter (t, &inner, t->syntax->kwargs);
  for (gsize i = 0; i < macro->args.n; i++)
    visit_expression (t, &inner, macro->args.pos[i]);
  track_body (t, &inner, macro->a);
}

static void
track_for (Tracker *t, const Frame *frame, JNode *node)
{
  Frame inner = { .parent = frame, .body = node->d }, otherwise = { .parent = frame };

  add_parameter (t, &inner, t->syntax->loop);
  store_target (t, &inner, node->a, FALSE, TRUE);
  track_body (t, &inner, node->d);
  if (node->e != NULL)
    track_body (t, &otherwise, node->e);
}

static void
track_inner (Tracker *t, const Frame *frame, JNode *node)
{
  Frame inner = { .parent = frame };

  lm_jinja_enter (t->j);
  switch (node->type)
    {
    case N_IF:
      for (gsize i = 1; i < node->n_kids; i += 2)
        for (gsize k = 0; k < node->kids[i]->n_kids; k++)
          track_inner (t, frame, node->kids[i]->kids[k]);
      for (gsize k = 0; node->b != NULL && k < node->b->n_kids; k++)
        track_inner (t, frame, node->b->kids[k]);
      break;
    case N_FOR:
      track_for (t, frame, node);
      break;
    case N_MACRO:
      track_macro (t, frame, node);
      break;
    case N_CALL_BLOCK:
      track_macro (t, frame, node->b);
      break;
    case N_SET_BLOCK:
    case N_FILTER_BLOCK:
      track_body (t, &inner, node->c);
      break;
    case N_WITH:
      for (gsize i = 0; i < node->n_kids; i += 2)
        store_target (t, &inner, node->kids[i], FALSE, TRUE);
      track_body (t, &inner, node->a);
      break;
    default:
      break;
    }
  lm_jinja_leave (t->j);
}

void
lm_jinja_track (Jinja *j, JSyntax *syntax)
{
  Tracker t = { j, syntax };
  Frame root = { 0 };

  track_body (&t, &root, syntax->body);
}
