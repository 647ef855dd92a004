/* SPDX-License-Identifier: Apache-2.0 */
/* bench-engine.c: what the engine itself costs, and what a second worker gains.
 *
 *   light   200 MB through five maps that pass everything on
 *   heavy   rows through two maps that compute, with one worker and with two
 *   sleepy  the same with maps that sleep: the scheduling alone
 *
 * Built by `make check`, run by hand: times are no tests.
 */
#include "config.h"

#include "engine/engine.h"
#include "engine/test-elements.h"
#include "run/rundir-private.h"

#include <string.h>

static double
run (const char *stages, guint workers)
{
  static const char *const nowhere[] = { NULL };
  g_autofree char *text = g_strdup_printf ("{'name': 'bench', 'stages': {%s}}", stages);
  g_autofree char *dir = g_dir_make_tmp ("flowrun-bench-XXXXXX", NULL);
  FriRunOptions options = { .workers = workers, .run_dir = dir };
  FriLoadOptions load = { 0 };
  FriRegistry *registry = fri_registry_new (nowhere);
  FrProblems *problems = NULL;
  FriPipeline *pipeline;
  GError *error = NULL;
  gint64 start;

  g_strdelimit (text, "'", '"');
  fri_registry_add (registry, flowrun_plugin (), NULL);
  pipeline = fri_pipeline_load_text (text, -1, dir, registry, &load, &problems);
  if (pipeline == NULL)
    return 0;
  start = g_get_monotonic_time ();
  if (fri_run (pipeline, &options, &error) != FRI_EXIT_OK)
    g_printerr ("%s\n", error->message);
  g_clear_error (&error);
  start = g_get_monotonic_time () - start;
  fri_pipeline_free (pipeline);
  fri_problems_free (problems);
  fri_registry_free (registry);
  fri_remove_tree (dir);
  return (double) start / G_USEC_PER_SEC;
}

#define SOURCE                                                                                     \
  "'a': {'use': 'source.count', 'with': {'rows': 200000, 'batch': 1000, 'width': 1000}},"
#define SHORT "'a': {'use': 'source.count', 'with': {'rows': 2000000, 'batch': 4096, 'width': 10}},"
#define FIVE                                                                                       \
  "'b': {'use': 'transform.same', 'from': 'a'}, 'c': {'use': 'transform.same', 'from': 'b'},"      \
  "'d': {'use': 'transform.same', 'from': 'c'}, 'e': {'use': 'transform.same', 'from': 'd'},"      \
  "'f': {'use': 'transform.same', 'from': 'e'}, 'out': {'use': 'sink.null', 'from': 'f'}"
#define HEAVY                                                                                      \
  "'a': {'use': 'source.count', 'with': {'rows': 200000, 'batch': 1000, 'width': 100}},"           \
  "'b': {'use': 'transform.shout', 'from': 'a', 'with': {'spin': 5000}},"                          \
  "'c': {'use': 'transform.shout', 'from': 'b', 'with': {'spin': 5000}},"                          \
  "'out': {'use': 'sink.null', 'from': 'c'}"

/* Maps that sleep: shows the scheduling alone, also on a busy machine. */
#define SLEEPY                                                                                     \
  "'a': {'use': 'source.count', 'with': {'rows': 400, 'batch': 1}},"                               \
  "'b': {'use': 'transform.shout', 'from': 'a', 'with': {'delay': 10000}},"                        \
  "'c': {'use': 'transform.shout', 'from': 'b', 'with': {'delay': 10000}},"                        \
  "'out': {'use': 'sink.null', 'from': 'c'}"

int
main (void)
{
  for (guint workers = 1; workers <= 2; workers++)
    {
      double source = run (SOURCE "'out': {'use': 'sink.null', 'from': 'a'}", workers);
      double five = run (SOURCE FIVE, workers);
      double source_short = run (SHORT "'out': {'use': 'sink.null', 'from': 'a'}", workers);
      double five_short = run (SHORT FIVE, workers);

      printf ("%u workers: 200 MB: source alone %.3f s, through five maps %.3f s (%.0f MB/s)\n",
              workers, source, five, 200 / five);
      printf ("%u workers: 2 M short rows: source alone %.3f s, through five maps %.3f s\n",
              workers, source_short, five_short);
    }
  double one = run (HEAVY, 1), two = run (HEAVY, 2);
  printf ("heavy: one worker %.3f s, two %.3f s: %.2f times\n", one, two, one / two);
  one = run (SLEEPY, 1);
  for (guint workers = 2; workers <= 8; workers *= 2)
    printf ("sleepy: %u workers %.2f times one\n", workers, one / run (SLEEPY, workers));
  return 0;
}
