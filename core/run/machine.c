/* SPDX-License-Identifier: Apache-2.0 */
/* machine.c: what a run ran on, for people who compare runs. */
#include "config.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "run/rundir-private.h"

/* "model name : …" of Linux; "" elsewhere. */
static char *
processor (void)
{
  g_autofree char *text = NULL;
  const char *at, *colon;

  if (!g_file_get_contents ("/proc/cpuinfo", &text, NULL, NULL)
      || (at = strstr (text, "model name")) == NULL || (colon = strchr (at, ':')) == NULL)
    return g_strdup ("");
  return g_strstrip (g_strndup (colon + 1, strcspn (colon + 1, "\n")));
}

JsonObject *
fri_machine_json (void)
{
  JsonObject *o = json_object_new ();
  g_autofree char *name = processor ();
  g_autofree char *os = g_get_os_info (G_OS_INFO_KEY_PRETTY_NAME);
  long pages = sysconf (_SC_PHYS_PAGES), size = sysconf (_SC_PAGESIZE);
  struct utsname u;

  if (*name != '\0')
    json_object_set_string_member (o, "processor", name);
  json_object_set_int_member (o, "processors", g_get_num_processors ());
  if (pages > 0 && size > 0)
    json_object_set_int_member (o, "memory", (gint64) pages * size);
  if (os != NULL)
    json_object_set_string_member (o, "system", os);
  if (uname (&u) == 0)
    {
      g_autofree char *kernel = g_strdup_printf ("%s %s %s", u.sysname, u.release, u.machine);

      json_object_set_string_member (o, "kernel", kernel);
    }
  return o;
}

guint64
fri_machine_peak_memory (void)
{
  struct rusage use;

  return getrusage (RUSAGE_SELF, &use) == 0 ? (guint64) use.ru_maxrss * 1024 : 0;
}
