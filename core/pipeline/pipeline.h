/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline.h: a pipeline file, read, checked and bound (internal).
 *
 * Reading never stops at the first problem: all of a file's problems are
 * collected, each with line, column and JSON Pointer.  `check` and `run` share
 * every line of this.
 */
#ifndef FLOWRUN_PIPELINE_H
#define FLOWRUN_PIPELINE_H

#include <flowrun/element.h>
#include <flowrun/json.h>

#include "plugin/registry.h"

G_BEGIN_DECLS

/* ---- problems ------------------------------------------------------------ */

typedef struct {
  gboolean warning;
  char *file;
  guint line, column; /* from 1; 0: not known */
  char *pointer;      /* JSON Pointer in the pipeline file */
  char *stage;        /* or NULL */
  char *message;
} FriProblem;

FrProblems *fri_problems_new (const char *file);
void fri_problems_free (FrProblems *problems);
guint fri_problems_n_errors (const FrProblems *problems);
/** fri_problems_list: FriProblem *, in order of line and column; owned. */
GPtrArray *fri_problems_list (FrProblems *problems);
/** fri_problems_text: as compilers print them, "file:line:column: error: message (/stages/x/with/y)". */
char *fri_problems_text (FrProblems *problems);
/** fri_problems_add_at: with a pointer into the file; positions are looked up in the tree the file was read into. */
void fri_problems_add_at (FrProblems *problems, gboolean warning, const char *stage,
                          const char *pointer, const char *format, ...) G_GNUC_PRINTF (5, 6);
/** fri_problems_set_scope: what fr_problems_add() pointers are relative to ("/stages/x/with") and whose they are; NULL to end. */
void fri_problems_set_scope (FrProblems *problems, const char *stage, const char *prefix);

/* ---- pipelines ----------------------------------------------------------- */

typedef struct _FriStage FriStage;

/* A connection: output @port of @from feeds input @to_port of the stage that lists it. */
typedef struct {
  FriStage *from;
  char *port;    /* output port of @from, "rejects" included */
  char *to_port; /* input port */
} FriLink;

typedef enum { FRI_KEEP_AUTO = 0, FRI_KEEP_YES, FRI_KEEP_NO } FriKeep;

struct _FriStage {
  char *id;
  guint32 source; /* FrRowId.source: 1 + the order in the file */
  const FrElement *element;
  const FrPlugin *plugin;
  const char *plugin_file;
  gpointer config;
  GPtrArray *inputs; /* FriLink *: in order of ports, then as listed */
  FriKeep keep;
  double max_rejects; /* < 0: none; < 1: share of rows; else count */
  GHashTable *in_schemas;  /* port → FrSchema *; missing: not connected */
  GHashTable *out_schemas; /* port → FrSchema *, "rejects" too; missing: not known before the run */
  gboolean bound;
};

typedef struct {
  char *path; /* absolute; NULL when read from memory */
  char *dir;
  char *name;
  char *description;
  guint64 seed;
  GPtrArray *stages; /* FriStage *, producers before consumers, ties in the order of the file */
  JsonNode *resolved; /* the file with variables filled and secrets still references */
} FriPipeline;

typedef struct {
  const char *const *vars;         /* "NAME=VALUE", or NULL */
  const char *const *sets;         /* "stage.key=value", or NULL */
  const char *const *plugin_paths; /* before all others, or NULL */
  const char *run_dir;             /* for ${run_dir}; NULL: the default for the pipeline's name */
  gboolean dry;                    /* check only: secrets are not read */
  gboolean deny_network;
} FriLoadOptions;

/**
 * fri_pipeline_load: reads, fills variables, finds elements, fills and
 * configures parameters, connects.  @registry_out (or NULL) gets the registry
 * used.  Returns NULL only when nothing could be made of the file; problems
 * say the rest.
 */
FriPipeline *fri_pipeline_load (const char *path, const FriLoadOptions *options,
                                FrProblems **problems);
FriPipeline *fri_pipeline_load_text (const char *text, gssize len, const char *dir,
                                     FriRegistry *registry, const FriLoadOptions *options,
                                     FrProblems **problems);

/** fri_pipeline_bind: settles the schemas of every port in order; FALSE when there are problems. */
gboolean fri_pipeline_bind (FriPipeline *pipeline, gboolean check, FrProblems *problems);

FriStage *fri_pipeline_stage (FriPipeline *pipeline, const char *id);
void fri_pipeline_free (FriPipeline *pipeline);

/** fri_pipeline_schema: the JSON Schema of the pipeline file, over the elements that @registry lists. */
JsonNode *fri_pipeline_schema (FriRegistry *registry, GError **error);

/** fri_pipeline_find: "name" → the installed pipeline file, path → itself; NULL with FR_ERROR_CONFIG. */
char *fri_pipeline_find (const char *name_or_path, GError **error);

/** fri_stage_port_schema: schema of the rejects port for a stage: see fr_host_reject(). */
FrSchema *fri_stage_rejects_schema (FriStage *stage);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FriPipeline, fri_pipeline_free)

G_END_DECLS

#endif
