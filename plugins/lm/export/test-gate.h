/* SPDX-License-Identifier: Apache-2.0 */
/* test-gate.h: reports for the port "gate" of sinks of models, for their tests. */
#ifndef FLOWRUN_LM_EXPORT_TEST_GATE_H
#define FLOWRUN_LM_EXPORT_TEST_GATE_H

#include <flowrun/flowrun.h>

#define TEST_LIMIT(passed)                                                                         \
  "{'name': 'gain.chrf', 'limit_is': 'lowest', 'limit': 0.1, 'value': -1.25, 'passed': " passed "}"

/* @limits: a JSON array, with ' for ". */
static FrObject *
test_report (const char *limits)
{
  g_autofree char *text = g_strdup_printf ("{'limits': %s}", limits);
  g_autoptr (GError) error = NULL;
  JsonNode *root = fr_json_parse (g_strdelimit (text, "'", '"'), -1, 0, &error);

  g_assert_no_error (error);
  return fr_report_new (root);
}

#endif
