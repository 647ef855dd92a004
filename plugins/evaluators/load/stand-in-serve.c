/* SPDX-License-Identifier: Apache-2.0 */
/* stand-in-serve.c: the stand-in as a program: stand-in-serve [KEY] prints its port and serves
 * until standard input ends. */
#include "config.h"

#include "stand-in.h"

#include <stdio.h>
#include <unistd.h>

int
main (int argc, char **argv)
{
  StandIn stand_in;
  TestServer *server;
  char c;

  stand_in_init (&stand_in, argc > 1 ? argv[1] : NULL);
  server = test_server_new (stand_in_answer, &stand_in, NULL);
  printf ("%u\n", test_server_port (server));
  fflush (stdout);
  while (read (0, &c, 1) > 0)
    ;
  test_server_free (server);
  stand_in_clear (&stand_in);
  return 0;
}
