/* SPDX-License-Identifier: Apache-2.0 */
/* choice.c: how likely each of a given set of answers is (LmChoices).
 *
 *   answers --tokens--> tree; prompt --cache--> one pass for each inner node, all prompts at once
 *
 * The tree is walked in depth-first order: a node's ancestors are the last tokens in the cache, so
 * that going on from it means cutting the cache to its depth and feeding one token.  Nothing is
 * sampled: at each node the logarithm of the whole vocabulary's softmax is taken, and an answer's
 * probability is the product along its path.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "lm/generate.h"

#define NONE G_MAXUINT

typedef struct
{
  gint32 token;
  guint parent, child, sibling; /* indices into nodes; NONE */
  guint depth;                  /* tokens from the prompt to here; the root's is 0 */
  guint answer;                 /* the answer that ends here; NONE */
  gboolean inner;               /* its logits are wanted */
} Node;

struct _LmChoices
{
  GArray *nodes; /* Node; the root first */
  GArray *order; /* guint: inner nodes, depth first */
  gsize n;
  guint depth;     /* tokens of the longest answer */
  gboolean closed; /* an end token is part of each answer */
  GArray *ends;    /* gint32 */
};

#define NODE(choices, i) (&g_array_index ((choices)->nodes, Node, (i)))

/* ---- the tree -------------------------------------------------------------------------------- */

static guint
add_node (LmChoices *c, guint parent, gint32 token)
{
  Node node = { .token = token, .parent = parent, .child = NONE, .sibling = NONE, .answer = NONE };
  guint at = c->nodes->len, *link;

  node.depth = parent == NONE ? 0 : NODE (c, parent)->depth + 1;
  g_array_append_val (c->nodes, node);
  if (parent == NONE)
    return at;
  NODE (c, parent)->inner = TRUE;
  for (link = &NODE (c, parent)->child; *link != NONE; link = &NODE (c, *link)->sibling)
    ;
  *link = at;
  return at;
}

static guint
find_child (const LmChoices *c, guint parent, gint32 token)
{
  guint at = NODE (c, parent)->child;

  while (at != NONE && NODE (c, at)->token != token)
    at = NODE (c, at)->sibling;
  return at;
}

static gboolean
add_answer (LmChoices *c, LmTokenizer *tokenizer, const char *text, guint answer, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  gsize replaced = 0;
  guint at = 0;

  if (!lm_tokenizer_encode (tokenizer, text, strlen (text), LM_ENCODE_PLAIN, ids, &replaced, error))
    return FALSE;
  if (ids->len == 0 || replaced > 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   *text == '\0' ? "answer %u is empty"
                                 : "answer %u, '%s', cannot be written in the model's tokens",
                   answer + 1, text);
      return FALSE;
    }
  for (guint i = 0; i < ids->len; i++)
    {
      gint32 token = g_array_index (ids, gint32, i);
      guint next = find_child (c, at, token);

      at = next != NONE ? next : add_node (c, at, token);
    }
  if (NODE (c, at)->answer != NONE)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "answers %u and %u, '%s', are the same to the model", NODE (c, at)->answer + 1,
                   answer + 1, text);
      return FALSE;
    }
  NODE (c, at)->answer = answer;
  c->depth = MAX (c->depth, ids->len);
  return TRUE;
}

/* Inner nodes from @at on, each before those below it. */
static void
add_order (LmChoices *c, guint at)
{
  if (!NODE (c, at)->inner)
    return;
  g_array_append_val (c->order, at);
  for (guint child = NODE (c, at)->child; child != NONE; child = NODE (c, child)->sibling)
    add_order (c, child);
}

LmChoices *
lm_choices_new (LmTokenizer *tokenizer, const char *const *texts, const GArray *ends,
                GError **error)
{
  g_autoptr (LmChoices) c = g_new0 (LmChoices, 1);

  c->nodes = g_array_new (FALSE, FALSE, sizeof (Node));
  c->order = g_array_new (FALSE, FALSE, sizeof (guint));
  c->ends = g_array_new (FALSE, FALSE, sizeof (gint32));
  if (ends != NULL)
    g_array_append_vals (c->ends, ends->data, ends->len);
  add_node (c, NONE, -1);
  for (; texts[c->n] != NULL; c->n++)
    if (!add_answer (c, tokenizer, texts[c->n], (guint) c->n, error))
      return NULL;
  if (c->n < 2)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "a choice needs two answers or more, and there is %" G_GSIZE_FORMAT, c->n);
      return NULL;
    }
  for (guint i = 0; i < c->nodes->len; i++)
    c->closed |= NODE (c, i)->answer != NONE && NODE (c, i)->child != NONE;
  if (c->closed && c->ends->len == 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "one answer is the beginning of another, and the model has no token that ends "
                   "an answer to tell them apart");
      return NULL;
    }
  for (guint i = 0; c->closed && i < c->nodes->len; i++)
    NODE (c, i)->inner |= NODE (c, i)->answer != NONE;
  add_order (c, 0);
  return g_steal_pointer (&c);
}

void
lm_choices_free (LmChoices *c)
{
  if (c == NULL)
    return;
  g_array_unref (c->nodes);
  g_array_unref (c->order);
  g_array_unref (c->ends);
  g_free (c);
}

gsize
lm_choices_n (const LmChoices *c)
{
  return c->n;
}

gsize
lm_choices_n_nodes (const LmChoices *c)
{
  return c->order->len;
}

gsize
lm_choices_depth (const LmChoices *c)
{
  return c->depth;
}

/* ---- weighing ---------------------------------------------------------------------------------
 */

typedef struct
{
  const LmChoices *choices;
  LmCache *cache;
  guint *regions; /* one for each job at work */
  LmFeed *feeds;
  LmChoiceJob *jobs; /* those at work */
  gsize n_jobs, n_vocab;
  float *logits; /* [n_jobs, n_vocab] */
  double *paths; /* [n_jobs, nodes]: log probability from the prompt to a node */
} Weigh;

/* log of the sum of exp over @logits. */
static double
log_total (const float *logits, gsize n)
{
  float most = logits[0];
  double sum = 0;

  for (gsize i = 1; i < n; i++)
    most = MAX (most, logits[i]);
  for (gsize i = 0; i < n; i++)
    sum += (double) expf (logits[i] - most);
  return (double) most + log (sum);
}

static double
log_end (const LmChoices *c, const float *logits, gsize n_vocab)
{
  double sum = 0;

  for (guint i = 0; i < c->ends->len; i++)
    {
      gint32 id = g_array_index (c->ends, gint32, i);
      gboolean twice = FALSE;

      for (guint k = 0; k < i; k++)
        twice |= g_array_index (c->ends, gint32, k) == id;
      if (id >= 0 && (gsize) id < n_vocab && !twice)
        sum += exp ((double) logits[id]);
    }
  return log (sum);
}

/* What the logits behind node @at say of its children, and of the answer that ends there. */
static gboolean
take_logits (Weigh *w, gsize job, guint at, GError **error)
{
  const LmChoices *c = w->choices;
  const float *logits = w->logits + job * w->n_vocab;
  double *paths = w->paths + job * c->nodes->len, total = log_total (logits, w->n_vocab);
  double *answers = w->jobs[job].probabilities;
  const Node *node = NODE (c, at);

  if (!isfinite (total))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_COMPUTE,
                   "the model's logits are not finite; its weights or the type of activations do "
                   "not do");
      return FALSE;
    }
  if (c->closed && node->answer != NONE)
    answers[node->answer] = paths[at] + log_end (c, logits, w->n_vocab) - total;
  for (guint child = node->child; child != NONE; child = NODE (c, child)->sibling)
    {
      paths[child] = paths[at] + (double) logits[NODE (c, child)->token] - total;
      if (!c->closed && NODE (c, child)->answer != NONE)
        answers[NODE (c, child)->answer] = paths[child];
    }
  return TRUE;
}

static gboolean
weigh_node (Weigh *w, guint at, GError **error)
{
  const Node *node = NODE (w->choices, at);

  for (gsize j = 0; j < w->n_jobs; j++)
    {
      const LmChoiceJob *job = &w->jobs[j];

      if (at == 0)
        w->paths[j * w->choices->nodes->len] = 0;
      lm_cache_cut (w->cache, w->regions[j], at == 0 ? 0 : job->n_prompt + node->depth - 1);
      w->feeds[j] = (LmFeed){ .region = w->regions[j], .want_logits = TRUE, .prompt = TRUE };
      w->feeds[j].tokens = at == 0 ? job->prompt : &node->token;
      w->feeds[j].n = at == 0 ? job->n_prompt : 1;
    }
  if (!lm_cache_feed (w->cache, w->feeds, w->n_jobs, w->logits, error))
    return FALSE;
  for (gsize j = 0; j < w->n_jobs; j++)
    if (!take_logits (w, j, at, error))
      return FALSE;
  return TRUE;
}

/* Logarithms to probabilities among the answers. */
static void
settle (LmChoiceJob *job, gsize n)
{
  double *p = job->probabilities, sum = 0;

  job->best = 0;
  for (gsize i = 1; i < n; i++)
    if (p[i] > p[job->best])
      job->best = i;
  job->mass = p[job->best];
  for (gsize i = 0; i < n; i++)
    sum += exp (p[i] - job->mass);
  for (gsize i = 0; i < n; i++)
    p[i] = exp (p[i] - job->mass) / sum;
  job->mass = exp (job->mass) * sum;
}

static gboolean
weigh_jobs (Weigh *w, GCancellable *cancellable, GError **error)
{
  const LmChoices *c = w->choices;

  for (guint i = 0; i < c->order->len; i++)
    {
      if (g_cancellable_is_cancelled (cancellable))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CANCELLED, "cancelled");
          return FALSE;
        }
      if (!weigh_node (w, g_array_index (c->order, guint, i), error))
        return FALSE;
    }
  for (gsize j = 0; j < w->n_jobs; j++)
    settle (&w->jobs[j], c->n);
  return TRUE;
}

static gboolean
check_jobs (const LmChoices *c, const LmChoiceJob *jobs, gsize n, gsize context, gsize n_vocab,
            GError **error)
{
  for (guint i = 1; i < c->nodes->len; i++)
    if (NODE (c, i)->token < 0 || (gsize) NODE (c, i)->token >= n_vocab)
      {
        g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                     "token %d of an answer is none of the model's %" G_GSIZE_FORMAT,
                     NODE (c, i)->token, n_vocab);
        return FALSE;
      }
  for (gsize i = 0; i < n; i++)
    if (jobs[i].n_prompt == 0 || jobs[i].n_prompt + c->depth > context)
      {
        g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                     "prompt %" G_GSIZE_FORMAT " has %" G_GSIZE_FORMAT
                     " tokens and an answer up to %u; the model takes from 1 to %" G_GSIZE_FORMAT
                     " of both",
                     i + 1, jobs[i].n_prompt, c->depth, context);
        return FALSE;
      }
  return TRUE;
}

gboolean
lm_generate_choice (LmDecoder *decoder, const LmChoices *choices, LmChoiceJob *jobs, gsize n_jobs,
                    guint batch, GCancellable *cancellable, GError **error)
{
  const LmConfig *config = lm_model_config (lm_decoder_model (decoder));
  Weigh w = { .choices = choices, .n_vocab = config->vocab_size };
  gsize most = MIN (MAX (batch, 1), n_jobs);
  gsize room = 0;
  gboolean ok = TRUE;

  if (n_jobs == 0)
    return TRUE;
  if (!check_jobs (choices, jobs, n_jobs, config->max_position, w.n_vocab, error))
    return FALSE;
  for (gsize i = 0; i < n_jobs; i++)
    room = MAX (room, jobs[i].n_prompt + choices->depth);
  w.cache = lm_cache_new (decoder, most * room, room, error);
  if (w.cache == NULL)
    return FALSE;
  w.regions = g_new (guint, most);
  for (gsize j = 0; j < most; j++)
    w.regions[j] = lm_cache_open (w.cache, room);
  w.feeds = g_new0 (LmFeed, most);
  w.logits = g_new (float, most *w.n_vocab);
  w.paths = g_new (double, most * choices->nodes->len);
  for (gsize first = 0; ok && first < n_jobs; first += most)
    {
      w.jobs = jobs + first;
      w.n_jobs = MIN (most, n_jobs - first);
      ok = weigh_jobs (&w, cancellable, error);
    }
  lm_cache_free (w.cache);
  g_free (w.regions);
  g_free (w.feeds);
  g_free (w.logits);
  g_free (w.paths);
  return ok;
}
