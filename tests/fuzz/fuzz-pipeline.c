/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-pipeline.c: any bytes as a pipeline file, read, checked and bound.
 *
 * What follows a NUL byte is what the command line says: "vNAME=VALUE" is
 * --var, anything else --set.  The elements are those of core/pipeline/fake.h;
 * secrets are not read.
 */
#include <stdint.h>

#include "param/param-private.h"
#include "pipeline/fake.h"
#include "pipeline/pipeline.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MAX_OPTIONS 16

static FriRegistry *
fakes (void)
{
  static FriRegistry *registry;
  static const char *const none[] = { NULL };

  if (registry == NULL)
    {
      registry = fri_registry_new (none);
      if (!fri_registry_add (registry, &fake_plugin, NULL))
        g_error ("the fakes are not sound");
    }
  return registry;
}

static void
walk (FriPipeline *pipeline)
{
  g_autofree char *text = fr_json_to_string (pipeline->resolved, 2);

  for (guint i = 0; i < pipeline->stages->len; i++)
    {
      FriStage *stage = pipeline->stages->pdata[i];
      g_autoptr (JsonNode) effective = NULL;
      g_autoptr (JsonNode) fingerprint = NULL;

      if (stage->config == NULL)
        continue;
      effective = fri_params_effective (stage->element, stage->config);
      fingerprint = fri_params_fingerprint (stage->element, stage->config);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  gsize len = strlen (text);
  const char *vars[MAX_OPTIONS + 1] = { NULL }, *sets[MAX_OPTIONS + 1] = { NULL };
  g_auto (GStrv) given = NULL;
  guint n_vars = 0, n_sets = 0;
  FriLoadOptions options = { .vars = vars, .sets = sets, .run_dir = "/run", .dry = TRUE };
  FrProblems *problems = NULL;
  FriPipeline *pipeline;
  g_autofree char *report = NULL;

  if (len < size)
    {
      g_autofree char *rest = g_strndup ((const char *) data + len + 1, size - len - 1);

      given = g_strsplit (rest, "\n", MAX_OPTIONS);
      for (char **one = given; *one != NULL; one++)
        {
          /* What the command line holds is UTF-8: the command has seen to that. */
          if (!g_utf8_validate (*one, -1, NULL))
            continue;
          if (**one == 'v')
            vars[n_vars++] = *one + 1;
          else
            sets[n_sets++] = *one;
        }
    }
  pipeline = fri_pipeline_load_text (text, (gssize) len, "/base", fakes (), &options, &problems);
  if (pipeline != NULL)
    {
      gboolean ok = fri_pipeline_bind (pipeline, TRUE, problems);

      g_assert (ok == (fri_problems_n_errors (problems) == 0));
      walk (pipeline);
    }
  else
    g_assert (fri_problems_n_errors (problems) > 0);
  report = fri_problems_text (problems);
  g_assert (g_utf8_validate (report, -1, NULL));
  fri_pipeline_free (pipeline);
  fri_problems_free (problems);
  return 0;
}
