/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-cleanrules.c: reads a rule file and, when it is one, looks for it in itself. */
#include "config.h"

#include <stdint.h>

#include "transforms/clean/rules.h"
#include "transforms/clean/tidy.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (Rules) rules = rules_new ();
  const char *text = (const char *) data, *end = text + size;
  RulesScratch *scratch;

  /* The automaton's memory grows with the file; small ones find as much. */
  if (size > 4096 || !rules_add (rules, "fuzz", text, size, NULL))
    return 0;
  rules_ready (rules);
  scratch = rules_scratch_new (rules);
  for (const char *p = text; p < end;)
    {
      const char *after = tidy_unit_end (p, end, FALSE);
      FrStr unit = { p, (gsize) (after - p) };
      int rule = rules_match (rules, scratch, unit);

      g_assert_cmpint (rule, <, (int) rules_n (rules));
      g_assert_true (rule < 0 || rules_possible (rules, unit));
      g_assert_true (after > p);
      p = after;
    }
  rules_scratch_free (scratch);
  return 0;
}
