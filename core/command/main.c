/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: the program `flowrun`: takes the command line apart and calls the
 * command.  Commands return the exit status (DESIGN, "The command"). */
#include "config.h"

#include <locale.h>
#include <signal.h>
#include <string.h>

#include "command/command.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF (x)

static int
print_version (void)
{
  printf ("flowrun %s (plugin ABI %d.%d)\n", PACKAGE_VERSION, FR_ABI_MAJOR, FR_ABI_MINOR);
#ifdef __clang__
  printf ("compiler: clang %s\n", __clang_version__);
#else
  printf ("compiler: gcc %s\n", __VERSION__);
#endif
  printf ("libraries: GLib %u.%u.%u (built with %d.%d.%d), json-glib %s\n", glib_major_version,
          glib_minor_version, glib_micro_version, GLIB_MAJOR_VERSION, GLIB_MINOR_VERSION,
          GLIB_MICRO_VERSION, JSON_VERSION_S);
#ifdef FR_DEBUG
  puts ("build: debug, every batch is validated on every push");
#endif
  printf ("plugins: %s\npipelines: %s\n", FR_PLUGINDIR, FR_PIPELINEDIR);
  return cmd_flush () ? FRI_EXIT_OK : FRI_EXIT_FAILED;
}

/* What other programs ask; not for people, so not in the tables. */
static gboolean
hidden_command (int argc, char **argv, int *status)
{
  g_autoptr (GError) error = NULL;

  *status = FRI_EXIT_OK;
  if (argc == 3 && strcmp (argv[1], "--describe-plugin") == 0)
    {
      const FrPlugin *plugin = fri_plugin_open (argv[2], &error);

      *status = plugin ? cmd_print_json (fri_plugin_json (plugin, argv[2])) : cmd_fail (error);
      return TRUE;
    }
  if (argc >= 3 && strcmp (argv[1], "--complete") == 0)
    {
      g_autofree char *words = cmd_complete (argv + 2);

      fputs (words, stdout);
      return TRUE;
    }
  if (argc == 2 && strcmp (argv[1], "--manual") == 0)
    {
      g_autofree char *text = cmd_manual ();

      fputs (text, stdout);
      return TRUE;
    }
  return FALSE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CmdLine) line = NULL;
  int status;

  setlocale (LC_CTYPE, "");  /* not LC_NUMERIC: a number is written the same everywhere */
  signal (SIGPIPE, SIG_IGN); /* a closed pipe is an error of that write, */
  signal (SIGXFSZ, SIG_IGN); /* and so is a file at the limit of its size */
  /* Threads of OpenMP, in libraries that plugins bring, spin for long before they sleep.  That is
   * processor time that other stages, and other programs, are waiting for, and theirs in the end:
   * who they wait for may be in that line.  (Our own kernels have threads of their own.) */
  g_setenv ("GOMP_SPINCOUNT", "1000", FALSE);
  if (hidden_command (argc, argv, &status))
    return status;
  line = cmd_parse (argc, argv, &error);
  if (line == NULL)
    return cmd_fail (error);
  if (line->version)
    return print_version ();
  if (line->help && line->command != NULL)
    {
      g_autofree char *text = cmd_usage (line->command);

      fputs (text, stdout);
      return cmd_flush () ? FRI_EXIT_OK : FRI_EXIT_FAILED;
    }
  if (line->command == NULL && !line->help)
    {
      say ("usage: flowrun PIPELINE.json; 'flowrun help' lists the commands");
      return FRI_EXIT_USAGE;
    }
  return line->command ? line->command->run (line) : cmd_help (line);
}
