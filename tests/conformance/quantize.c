/* SPDX-License-Identifier: Apache-2.0 */
/* quantize.c: numbers in a type of GGUF, for another program to compare.
 *
 *   quantize TYPE FLOATS OUT    FLOATS: little-endian F32; TYPE as GGUF tools write it ("Q4_K")
 */
#include "config.h"

#include "lm/type.h"

int
main (int argc, char **argv)
{
  g_autofree char *text = NULL;
  g_autofree guint8 *out = NULL;
  g_autoptr (GError) error = NULL;
  gsize len, bytes;

  if (argc != 4 || !g_file_get_contents (argv[2], &text, &len, &error))
    {
      g_printerr ("%s\n", error != NULL ? error->message : "usage: quantize TYPE FLOATS OUT");
      return 2;
    }
  for (guint type = 0; type < LM_N_TYPES; type++)
    if (g_str_equal (lm_types[type].name, argv[1]) && lm_type_is_written (type))
      {
        bytes = lm_type_bytes (type, len / sizeof (float));
        out = g_malloc (bytes);
        lm_encode (type, (const float *) (gconstpointer) text, out, len / sizeof (float));
        return g_file_set_contents (argv[3], (const char *) out, (gssize) bytes, NULL) ? 0 : 1;
      }
  g_printerr ("no such type: %s\n", argv[1]);
  return 2;
}
