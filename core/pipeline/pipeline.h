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

#include "param/problems.h"
#include "plugin/registry.h"

G_BEGIN_DECLS

/* ---- pipelines ----------------------------------------------------------- */

typedef struct _FriStage FriStage;

/* A connection: output @port of @from feeds input @to_port of the stage that lists it. */
typedef struct
{
  FriStage *from;
  char *port;    /* output port of @from, "rejects" included */
  char *to_port; /* input port */
  char *pointer; /* where the file says so */
} FriLink;

typedef enum
{
  FRI_KEEP_AUTO = 0,
  FRI_KEEP_YES,
  FRI_KEEP_NO
} FriKeep;

struct _FriStage
{
  char *id;
  guint32 source; /* FrRowId.source: 1 + the order in the file */
  const FrElement *element;
  const FrPlugin *plugin;
  const char *plugin_file;
  gpointer config;   /* NULL when there is no element or "with" is no object */
  GPtrArray *inputs; /* FriLink *: in order of ports, then as listed */
  FriKeep keep;
  double max_rejects;     /* < 0: none; < 1: share of rows; else count */
  GHashTable *in_schemas; /* port → FrSchema *; missing: not connected */
  GHashTable *out_schemas; /* port → FrSchema *, "rejects" too; missing: not known before the run */
  GHashTable *in_objects, *out_objects; /* port → FrObject *: stand-ins known at bind */
  gboolean network_denied; /* by --deny network */
  gboolean bound;
  int bind_error; /* the FrError that its element's bind ended with; 0: none */
  gboolean sound; /* no problem in its own text, parameters and connections: fit to be bound */
  GHashTable *connected; /* set of output ports that lead anywhere */
  JsonNode *with;        /* parameters as in FriPipeline.resolved; NULL for none; owned by it */
};

typedef struct
{
  char *path; /* absolute; NULL when read from memory */
  char *dir;
  char *name;
  char *description;
  guint64 seed;
  GPtrArray *stages;  /* FriStage *, producers before consumers, ties in the order of the file */
  JsonNode *resolved; /* the file with variables filled and secrets still references */
  guint workers;      /* "run": used where the command line says nothing; 0: not said */
  guint64 memory;     /* the same */
  gboolean no_record; /* "run": nothing is left of it but what sinks write */
  guint samples;      /* "run": how many rows of each port report.html shows */
  char *language;     /* "run": of report.html, "en" or "zh"; NULL: that of the locale */
  FriRegistry *registry;
  GHashTable *places; /* private: JSON Pointer → FriJsonPlace * */
} FriPipeline;

typedef struct
{
  const char *const *vars;         /* "NAME=VALUE", or NULL */
  const char *const *sets;         /* "stage.key=value", or NULL */
  const char *const *plugin_paths; /* before all others, or NULL */
  const char *run_dir;             /* for ${run_dir}; NULL: the default for the pipeline's name */
  gboolean dry;                    /* check only: secrets are not read */
  gboolean deny_network;
} FriLoadOptions;

/**
 * fri_pipeline_load: reads, fills variables, finds elements, fills and
 * configures parameters, connects.  Returns NULL only when nothing could be
 * made of the file; @problems says the rest.  A stage whose element was not found has none (NULL)
 * and is not bound later.
 */
FriPipeline *fri_pipeline_load (const char *path, const FriLoadOptions *options,
                                FrProblems **problems);
FriPipeline *fri_pipeline_load_text (const char *text, gssize len, const char *dir,
                                     FriRegistry *registry, const FriLoadOptions *options,
                                     FrProblems **problems);

/** fri_pipeline_bind: settles the schemas of every port in order; FALSE when there are problems. */
gboolean fri_pipeline_bind (FriPipeline *pipeline, gboolean check, FrProblems *problems);

/** fri_stage_bind: settles the outputs of one stage whose in_schemas and connected are filled (the
 * test kit does so by hand). */
gboolean fri_stage_bind (FriStage *stage, gboolean check, FrProblems *problems);

/** fri_stage_new / fri_stage_free: a stage outside of any pipeline; @element's config is taken. */
FriStage *fri_stage_new (const char *id, const FrElement *element, gpointer config);
void fri_stage_free (FriStage *stage);

FriStage *fri_pipeline_stage (FriPipeline *pipeline, const char *id);
void fri_pipeline_free (FriPipeline *pipeline);

/** fri_pipeline_schema: the JSON Schema of the pipeline file, over the elements that @registry
 * lists. */
JsonNode *fri_pipeline_schema (FriRegistry *registry, GError **error);

/** fri_pipeline_find: "name" or "folder/name" → the installed pipeline file, path → itself; NULL
 * with FR_ERROR_CONFIG. A file that is there is a path whatever it is called. */
char *fri_pipeline_find (const char *name_or_path, GError **error);

/** fri_stage_port_schema: schema of the rejects port for a stage: see fr_host_reject(). */
FrSchema *fri_stage_rejects_schema (FriStage *stage);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FriPipeline, fri_pipeline_free)

G_END_DECLS

#endif
