/* SPDX-License-Identifier: Apache-2.0 */
/* process.c: what this process takes of the machine: proc(5). */
#include "config.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "metrics-private.h"

/* Fields of /proc/self/stat behind the name, from the third on. */
#define FIELD_UTIME 11
#define FIELD_STIME 12
#define FIELD_START 19
#define FIELD_VSIZE 20
#define FIELD_RSS 21
#define N_FIELDS 22

static gboolean
read_stat (double *fields)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;
  const char *behind;

  if (!g_file_get_contents ("/proc/self/stat", &text, NULL, NULL)
      || (behind = strrchr (text, ')')) == NULL || behind[1] == '\0')
    return FALSE;
  words = g_strsplit (behind + 2, " ", N_FIELDS + 1);
  if (g_strv_length (words) < N_FIELDS)
    return FALSE;
  for (guint i = 0; i < N_FIELDS; i++)
    fields[i] = g_ascii_strtod (words[i], NULL);
  return TRUE;
}

static double
boot_time (void)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/stat", &text, NULL, NULL)
      || (line = strstr (text, "\nbtime ")) == NULL)
    return 0;
  return g_ascii_strtod (line + strlen ("\nbtime "), NULL);
}

static guint
count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (dir != NULL && g_dir_read_name (dir) != NULL)
    n++;
  return n > 0 ? n - 1 : 0; /* the one that looks */
}

static void
set (ServeMetrics *metrics, ServeFigure figure, double value)
{
  serve_cell_set (serve_metrics_cell (metrics, figure, NULL), value);
}

void
serve_process_look (ServeMetrics *metrics)
{
  double fields[N_FIELDS], ticks = (double) sysconf (_SC_CLK_TCK);
  struct rlimit limit;

  if (read_stat (fields))
    {
      set (metrics, SERVE_F_PROCESS_CPU, (fields[FIELD_UTIME] + fields[FIELD_STIME]) / ticks);
      set (metrics, SERVE_F_PROCESS_RSS, fields[FIELD_RSS] * (double) sysconf (_SC_PAGESIZE));
      set (metrics, SERVE_F_PROCESS_VIRTUAL, fields[FIELD_VSIZE]);
      set (metrics, SERVE_F_PROCESS_START, boot_time () + fields[FIELD_START] / ticks);
    }
  set (metrics, SERVE_F_PROCESS_FDS, count_fds ());
  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    set (metrics, SERVE_F_PROCESS_MAX_FDS, (double) limit.rlim_cur);
}
