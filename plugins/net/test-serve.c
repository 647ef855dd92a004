/* SPDX-License-Identifier: Apache-2.0 */
/* test-serve.c: the test server as a program: test-serve FOLDER [LOG] [MILLISECONDS] prints its
 * port and serves until standard input ends.
 */
#include "config.h"

#include "test-server.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct
{
  char *folder;
  guint delay;
} Site;

static gboolean
answer (const TestAsk *ask, TestAnswer *out, gpointer data)
{
  Site *site = data;

  if (site->delay)
    g_usleep (site->delay * 1000);
  return test_answer_file (ask, out, site->folder);
}

int
main (int argc, char **argv)
{
  Site site = { argc > 1 ? argv[1] : NULL, argc > 3 ? (guint) atoi (argv[3]) : 0 };
  TestServer *server;
  char c;

  if (site.folder == NULL)
    {
      fprintf (stderr, "usage: test-serve FOLDER [LOG] [MILLISECONDS]\n");
      return 2;
    }
  server = test_server_new (answer, &site, argc > 2 && *argv[2] ? argv[2] : NULL);
  printf ("%u\n", test_server_port (server));
  fflush (stdout);
  while (read (0, &c, 1) > 0)
    ;
  test_server_free (server);
  return 0;
}
