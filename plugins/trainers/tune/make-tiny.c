/* SPDX-License-Identifier: Apache-2.0 */
/* make-tiny.c: writes the tiny model of the tests into a directory: make-tiny DIR SEED */
#include "config.h"

#include <stdio.h>

#include "tiny.h"

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (argc != 3 || !tiny_write (argv[1], g_ascii_strtoull (argv[2], NULL, 10), 0.3, &error))
    {
      fprintf (stderr, "make-tiny: %s\n", error != NULL ? error->message : "make-tiny DIR SEED");
      return 1;
    }
  return 0;
}
