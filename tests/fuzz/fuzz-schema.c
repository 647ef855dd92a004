/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-schema.c: the text form of columns: what is accepted, described and
 * read again is the same schema.
 */
#include "config.h"

#include <flowrun/error.h>
#include <flowrun/schema.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size), *described = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (FrSchema) schema = fr_schema_parse (text, &error), again = NULL;

  if (schema == NULL)
    {
      if (error == NULL || !g_utf8_validate (error->message, -1, NULL))
        abort ();
      return 0;
    }
  described = fr_schema_describe (schema);
  again = fr_schema_parse (described, &error);
  if (again == NULL || !fr_schema_equal (schema, again))
    {
      g_printerr ("'%s' was not read back: %s\n", described, error ? error->message : "unequal");
      abort ();
    }
  return 0;
}
