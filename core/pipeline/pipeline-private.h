/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline-private.h: what the parts of the pipeline reader share (internal).
 *
 *   load.c     the file as a whole, its top-level keys, the stages
 *   vars.c     variables: declared, given, replaced
 *   sets.c     --set
 *   connect.c  links between ports, order, circles
 *   heldout.c  rows held out keep away from what learns
 *   bind.c     schemas and columns
 *   schema.c   the JSON Schema of all this
 */
#ifndef FLOWRUN_PIPELINE_PRIVATE_H
#define FLOWRUN_PIPELINE_PRIVATE_H

#include "param/param-private.h"
#include "pipeline/pipeline.h"

G_BEGIN_DECLS

/* What is known while a file is being read. */
typedef struct
{
  FriPipeline *pipeline;
  const FriLoadOptions *options;
  FrProblems *problems;
  GHashTable *vars; /* name → FriVar * */
  GPtrArray *sets;  /* FriSet * */
  GPtrArray *order; /* FriStage * as in the file; owned by pipeline->stages later */
  FriKeep keep;     /* of "run" */
  double max_rejects;
} FriLoad;

/* ---- words shared by the readers ------------------------------------------ */

/** fri_check_keys: complains of every key of @object that is not among @keys. */
void fri_check_keys (FriLoad *load, const char *stage, const char *pointer, JsonObject *object,
                     const char *const *keys, const char *what);
gboolean fri_is_text (JsonNode *node);
/** fri_expect: "KEY is a number; it must be EXPECTED", at @pointer; FALSE. */
gboolean fri_expect (FriLoad *load, const char *stage, const char *pointer, const char *key,
                     JsonNode *node, const char *expected);
/** fri_did_you_mean: "; did you mean 'x'?" or ""; g_free(). */
char *fri_did_you_mean (const char *word, const char *const *candidates);

/* ---- variables -------------------------------------------------------------- */

void fri_vars_read (FriLoad *load, JsonNode *vars);
/** fri_vars_builtin: a variable that flowrun itself declares. */
void fri_vars_builtin (FriLoad *load, const char *name, const char *value);
/** fri_vars_expand: replaces variables in all strings of @node; returns the node to use instead
 * (taken and given). */
JsonNode *fri_vars_expand (FriLoad *load, const char *stage, const char *pointer, JsonNode *node);
/** fri_vars_warn_unused: warns of declared variables that nothing uses. */
void fri_vars_warn_unused (FriLoad *load);

/* ---- --set -------------------------------------------------------------------- */

void fri_sets_read (FriLoad *load);
/** fri_sets_apply: puts what was set for stage @id into its object. */
void fri_sets_apply (FriLoad *load, const char *id, JsonObject *stage, const FrElement *element);
/** fri_sets_check: complains of stages that do not exist. */
void fri_sets_check (FriLoad *load);

/* ---- stages --------------------------------------------------------------------- */

/** fri_stage_ids: ids of all stages, for did-you-mean; free the array only. */
GPtrArray *fri_stage_ids (FriLoad *load);
FriStage *fri_load_stage (FriLoad *load, const char *id);
/** fri_connect: reads "from" of every stage into links. */
void fri_connect (FriLoad *load, JsonObject *stages);
/** fri_order: fills pipeline->stages; complains of circles. */
void fri_order (FriLoad *load);
/** fri_held_out: complains of held-out rows that reach inputs for training; after fri_order(). */
void fri_held_out (FriLoad *load);
/** fri_find_port: the port called @name; NULL when there is none. */
const FrPort *fri_find_port (const FrPort *const *ports, const char *name);

/** fri_places_locate: an FriLocate over a table of FriJsonPlace. */
gboolean fri_places_locate (gpointer places, const char *pointer, gboolean key, guint *line,
                            guint *column);

G_END_DECLS

#endif
