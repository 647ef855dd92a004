/* SPDX-License-Identifier: Apache-2.0 */
/* test-abi.c: sizes and offsets of every public structure, compared with the
 * checked-in table sizes.tsv.
 *
 * A difference is a broken ABI unless a member was appended and its structure
 * begins with its size.  `test-abi --print` writes the table anew.  Only
 * x86_64 is checked in; elsewhere the test is skipped.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define S(type)                                                                                    \
  {                                                                                                \
#type, "", sizeof(type)                                                                        \
  }
#define M(type, member)                                                                            \
  {                                                                                                \
#type, #member, offsetof(type, member)                                                         \
  }

typedef struct ArrowSchema ArrowSchema;
typedef struct ArrowArray ArrowArray;

static const struct
{
  const char *type, *member; /* "": the structure's size */
  gsize value;
} rows[] = {
  S (ArrowSchema),
  M (ArrowSchema, format),
  M (ArrowSchema, name),
  M (ArrowSchema, metadata),
  M (ArrowSchema, flags),
  M (ArrowSchema, n_children),
  M (ArrowSchema, children),
  M (ArrowSchema, dictionary),
  M (ArrowSchema, release),
  M (ArrowSchema, private_data),
  S (ArrowArray),
  M (ArrowArray, length),
  M (ArrowArray, null_count),
  M (ArrowArray, offset),
  M (ArrowArray, n_buffers),
  M (ArrowArray, n_children),
  M (ArrowArray, buffers),
  M (ArrowArray, children),
  M (ArrowArray, dictionary),
  M (ArrowArray, release),
  M (ArrowArray, private_data),
  S (FrRowId),
  M (FrRowId, position),
  M (FrRowId, source),
  M (FrRowId, child),
  S (FrStr),
  M (FrStr, data),
  M (FrStr, len),
  S (FrView),
  M (FrView, type),
  M (FrView, length),
  M (FrView, validity),
  M (FrView, offsets),
  M (FrView, data),
  M (FrView, column),
  S (FrElement),
  M (FrElement, size),
  M (FrElement, kind),
  M (FrElement, name),
  M (FrElement, revision),
  M (FrElement, flags),
  M (FrElement, summary),
  M (FrElement, details),
  M (FrElement, example),
  M (FrElement, config_size),
  M (FrElement, params),
  M (FrElement, inputs),
  M (FrElement, outputs),
  M (FrElement, configure),
  M (FrElement, bind),
  M (FrElement, open),
  M (FrElement, thread_begin),
  M (FrElement, map),
  M (FrElement, run),
  M (FrElement, thread_end),
  M (FrElement, finish),
  M (FrElement, close),
  M (FrElement, fingerprint),
  M (FrElement, forecast),
  S (FrPlugin),
  M (FrPlugin, size),
  M (FrPlugin, abi_major),
  M (FrPlugin, abi_minor),
  M (FrPlugin, name),
  M (FrPlugin, version),
  M (FrPlugin, summary),
  M (FrPlugin, licence),
  M (FrPlugin, origin),
  M (FrPlugin, elements),
  M (FrPlugin, services),
  S (FrJsonReader),
  M (FrJsonReader, str),
  M (FrJsonReader, integer),
  M (FrJsonReader, number),
  M (FrJsonReader, start),
  M (FrJsonReader, pos),
  M (FrJsonReader, text),
  M (FrJsonReader, end),
  M (FrJsonReader, flags),
  M (FrJsonReader, depth),
  M (FrJsonReader, state),
  M (FrJsonReader, nesting),
  M (FrJsonReader, scratch),
  M (FrJsonReader, fault),
  M (FrJsonReader, reserved),
  S (FrPair),
  M (FrPair, key),
  M (FrPair, value),
  S (FrEnumValue),
  M (FrEnumValue, size),
  M (FrEnumValue, word),
  M (FrEnumValue, value),
  M (FrEnumValue, help),
  S (FrParam),
  M (FrParam, size),
  M (FrParam, key),
  M (FrParam, type),
  M (FrParam, flags),
  M (FrParam, help),
  M (FrParam, offset),
  M (FrParam, width),
  M (FrParam, def),
  M (FrParam, min),
  M (FrParam, max),
  M (FrParam, values),
  M (FrParam, types),
  M (FrParam, unit),
  M (FrParam, pattern),
  M (FrParam, schema),
  M (FrParam, details),
  M (FrParam, example),
  M (FrParam, deprecated),
  S (FrNeed),
  M (FrNeed, size),
  M (FrNeed, name),
  M (FrNeed, types),
  S (FrPort),
  M (FrPort, size),
  M (FrPort, name),
  M (FrPort, kind),
  M (FrPort, flags),
  M (FrPort, needs),
  M (FrPort, help),
  M (FrPort, object),
  S (FrObjectType),
  M (FrObjectType, size),
  M (FrObjectType, name),
  M (FrObjectType, kind),
  M (FrObjectType, save),
  M (FrObjectType, load),
  M (FrObjectType, describe),
  M (FrObjectType, free),
  S (FrService),
  M (FrService, size),
  M (FrService, kind),
  M (FrService, name),
  M (FrService, version),
  M (FrService, summary),
  M (FrService, score),
  M (FrService, table),
  S (FrInspect),
  M (FrInspect, knows),
  M (FrInspect, inspect),
  S (FrObject),
  M (FrObject, type),
  M (FrObject, refs),
  S (FrViewWord),
  M (FrViewWord, english),
  M (FrViewWord, other),
};

static char *
table (void)
{
  GString *out = g_string_new ("# structure\tmember (none: its size)\tbytes on x86_64\n");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_string_append_printf (out, "%s\t%s\t%" G_GSIZE_FORMAT "\n", rows[i].type, rows[i].member,
                            rows[i].value);
  return g_string_free (out, FALSE);
}

static void
test_sizes (void)
{
#if defined(__x86_64__) && !defined(__ILP32__)
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "tests", "abi", "sizes.tsv", NULL);
  g_autofree char *expected = NULL, *now = table ();
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) a = NULL, b = NULL;

  g_assert_true (g_file_get_contents (path, &expected, NULL, &error));
  a = g_strsplit (expected, "\n", -1);
  b = g_strsplit (now, "\n", -1);
  for (guint i = 0; a[i] != NULL || b[i] != NULL; i++)
    {
      g_assert_cmpstr (a[i], ==, b[i]);
    }
#else
  g_test_skip ("the table is of x86_64");
#endif
}

/* No public structure may be missing from the table. */
static void
test_complete (void)
{
  g_autofree char *dir = g_test_build_filename (G_TEST_DIST, "core", "include", "flowrun", NULL);
  g_autoptr (GDir) d = g_dir_open (dir, 0, NULL);
  g_autoptr (GRegex) regex
      = g_regex_new ("typedef struct \\{[^}]*\\} (Fr\\w+);", G_REGEX_DEFAULT, 0, NULL);
  const char *name;
  guint found = 0;

  g_assert_nonnull (d);
  while ((name = g_dir_read_name (d)) != NULL)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL), *text = NULL;
      g_autoptr (GMatchInfo) match = NULL;

      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
      g_regex_match (regex, text, 0, &match);
      for (; g_match_info_matches (match); g_match_info_next (match, NULL), found++)
        {
          g_autofree char *type = g_match_info_fetch (match, 1);
          gboolean listed = FALSE;

          for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
            listed = listed || (g_str_equal (rows[i].type, type) && rows[i].member[0] == '\0');
          if (!listed)
            g_error ("%s: %s is not in the table of test-abi.c", name, type);
        }
    }
  g_assert_cmpuint (found, >=, 11);
}

int
main (int argc, char **argv)
{
  if (argc == 2 && strcmp (argv[1], "--print") == 0)
    {
      g_autofree char *text = table ();

      fputs (text, stdout);
      return 0;
    }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/abi/sizes", test_sizes);
  g_test_add_func ("/abi/complete", test_complete);
  return g_test_run ();
}
