/* SPDX-License-Identifier: Apache-2.0 */
/* command.c: transform.command, rows through any program as JSON Lines.
 *
 *   rows --window, in order--> slot 0..n-1: todo -> flight (sent, unanswered) --> window head -->
 * out
 *
 * A row belongs to one slot, chosen by its number alone; a slot runs one
 * program at a time (program.h).  Rows leave from the head of the window when
 * they are answered, so their order is kept however many programs run.  One
 * thread polls all pipes; it waits only where neither reading, writing nor the
 * next batch can go on, so no program can block another or us.
 */
#include "config.h"

#include <errno.h>
#include <flowrun/flowrun.h>
#include <poll.h>
#include <sys/wait.h>
#include <xxhash.h>

#include "program.h"

enum
{
  MODE_STREAM,
  MODE_BATCH,
  MODE_PER_ROW
};
enum
{
  MATCH_ORDER,
  MATCH_ID
};
enum
{
  OUTPUT_MERGE,
  OUTPUT_REPLACE
};
enum
{
  UNANSWERED_REJECT,
  UNANSWERED_DROP
};

#define MAX_FLIGHT 65536         /* rows that one program may owe an answer */
#define MAX_TO_SEND (256 * 1024) /* bytes made ready before a pipe takes them */
#define HOME_ROWS 32             /* streams: so many rows in a row go to one program */
#define MAX_TICK_MS 100
#define FREE_COMPLAINTS 50 /* lines of standard error that are logged without a limit */
#define COMPLAINTS_PER_SECOND 10

typedef struct
{
  char **command;
  int mode;
  int match;
  FrPair *columns;
  int output;
  char **send;
  gint64 batch_rows;
  gint64 processes;
  gint64 timeout;
  gint64 restart;
  int unanswered;
  guint64 max_line;
  FrPair *env;
  char *directory;
  char **files;
} Config;

static const FrEnumValue *const modes[]
    = { FR_ENUM ("stream", MODE_STREAM, "one program (or 'processes') for all rows"),
        FR_ENUM ("batch", MODE_BATCH,
                 "a new program for every 'batch_rows' rows; its input ends after them"),
        FR_ENUM ("per_row", MODE_PER_ROW, "a new program for every row"), NULL };
static const FrEnumValue *const matches[]
    = { FR_ENUM ("order", MATCH_ORDER, "one line of output for each line of input, in order"),
        FR_ENUM ("id", MATCH_ID,
                 "every line of output carries the _id of its line of input; any number for a row, "
                 "rows in order"),
        NULL };
static const FrEnumValue *const output_words[]
    = { FR_ENUM ("merge", OUTPUT_MERGE,
                 "the columns of the input and those of the answer, which win"),
        FR_ENUM ("replace", OUTPUT_REPLACE, "only the columns of the answer"), NULL };
static const FrEnumValue *const unanswered_words[]
    = { FR_ENUM ("reject", UNANSWERED_REJECT, "the row is rejected (rule no_answer)"),
        FR_ENUM ("drop", UNANSWERED_DROP, "the program filters: the row is counted as no_answer"),
        NULL };

static const FrParam *const params[] = {
  FR_PARAM_STRINGS ("command", Config, command,
                    "the program and its arguments, one string each; no shell is between",
                    .flags = FR_PARAM_REQUIRED,
                    .example = "[\"python3\", \"score.py\", \"--fast\"]"),
  FR_PARAM_MAP ("columns", Config, columns,
                "columns that the program answers with, and their types",
                .example = "{\"score\": \"float64\", \"tags\": \"list<utf8>\"}"),
  FR_PARAM_ENUM ("mode", Config, mode, modes, "how long a program lives", .def = "stream"),
  FR_PARAM_ENUM ("match", Config, match, matches, "how answers find their rows", .def = "order"),
  FR_PARAM_ENUM ("output", Config, output, output_words, "which columns go on", .def = "merge"),
  FR_PARAM_COLUMNS ("send", Config, send, FR_TYPES_ANY,
                    "columns that the program is given; none named: all"),
  FR_PARAM_INT ("batch_rows", Config, batch_rows, 1, 1000000, "rows for one program in mode batch",
                .def = "1000", .unit = "rows"),
  FR_PARAM_INT ("processes", Config, processes, 1, 64,
                "programs at the same time; the order of rows is kept", .def = "1"),
  FR_PARAM_DURATION (
      "timeout", Config, timeout,
      "a program that owes an answer and neither reads nor writes for so long is killed",
      .def = "5m", .flags = FR_PARAM_NO_RESULT),
  FR_PARAM_INT ("restart", Config, restart, 0, 100,
                "how often a row is tried again after its program crashed or hung, before it is "
                "rejected; 0: the run fails at once",
                .def = "0"),
  FR_PARAM_ENUM ("unanswered", Config, unanswered, unanswered_words,
                 "match id: a row without any answer", .def = "reject"),
  FR_PARAM_SIZE ("max_line", Config, max_line, "longest line that a program may write",
                 .def = "64MiB"),
  FR_PARAM_MAP ("env", Config, env, "environment variables for the program, besides flowrun's own"),
  FR_PARAM_PATH ("directory", Config, directory,
                 "working directory of the program; none: flowrun's own"),
  FR_PARAM_PATHS ("files", Config, files,
                  "files that the program reads: when one changes, kept results are made anew",
                  .flags = FR_PARAM_READS),
  NULL
};

static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "rows for the program", .flags = FR_PORT_MANY), NULL };

/* ---- configure, bind ------------------------------------------------------------- */

static gboolean
command_configure (gpointer data, FrProblems *problems)
{
  const Config *config = data;
  gboolean ok = TRUE;

  if (config->command != NULL && (config->command[0] == NULL || *config->command[0] == '\0'))
    {
      fr_problems_add (problems, "/command", "the program is missing");
      ok = FALSE;
    }
  if (config->command != NULL && config->command[0] != NULL && config->command[1] == NULL
      && strchr (config->command[0], ' ') != NULL)
    {
      fr_problems_add (problems, "/command",
                       "no shell splits '%s' into words; write a list with one string for each, or "
                       "[\"sh\", \"-c\", \"...\"]",
                       config->command[0]);
      ok = FALSE;
    }
  for (const FrPair *c = config->columns; c != NULL && c->key != NULL; c++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (FrField) field = fr_field_parse (c->key, c->value, &error);

      if (field == NULL || g_str_has_prefix (c->key, "_"))
        {
          fr_problems_add (problems, "/columns", "column '%s': %s", c->key,
                           field == NULL
                               ? error->message
                               : "names that begin with '_' are for flowrun and the program");
          ok = FALSE;
        }
    }
  if (config->output == OUTPUT_REPLACE && (config->columns == NULL || config->columns->key == NULL))
    {
      fr_problems_add (problems, "/output", "'replace' needs 'columns', or nothing would be left");
      ok = FALSE;
    }
  if (config->unanswered == UNANSWERED_DROP && config->match != MATCH_ID)
    {
      fr_problems_add (problems, "/unanswered", "this needs \"match\": \"id\"");
      ok = FALSE;
    }
  return ok;
}

static FrSchema *
output_schema (const Config *config, FrSchema *in, GError **error)
{
  g_autoptr (FrSchema) out = NULL;

  out = config->output == OUTPUT_MERGE ? fr_schema_ref (in) : fr_schema_new (NULL, 0, error);
  for (const FrPair *c = config->columns; out != NULL && c != NULL && c->key != NULL; c++)
    {
      FrField *field = fr_field_parse (c->key, c->value, error);
      FrSchema *more;

      if (field == NULL)
        return NULL;
      more = fr_schema_with (out, field);
      fr_schema_unref (out);
      out = more;
    }
  return g_steal_pointer (&out);
}

static gboolean
command_bind (gconstpointer data, FrBind *bind, GError **error)
{
  FrSchema *in = fr_bind_input (bind, "in"), *out;

  if (in == NULL)
    {
      fr_bind_output (bind, "out", NULL);
      return TRUE;
    }
  out = output_schema (data, in, error);
  if (out == NULL)
    return FALSE;
  fr_bind_output (bind, "out", out);
  return TRUE;
}

/* The program is part of the stage: words of the command that are files count by their content. */
static gboolean
command_fingerprint (gconstpointer data, GString *out, GError **error)
{
  const Config *config = data;

  (void) error;
  for (guint i = 0; config->command != NULL && config->command[i] != NULL; i++)
    {
      g_autofree char *found = i == 0 ? g_find_program_in_path (config->command[0]) : NULL;
      g_autofree char *path
          = found != NULL || g_path_is_absolute (config->command[i]) || config->directory == NULL
                ? g_strdup (found ? found : config->command[i])
                : g_build_filename (config->directory, config->command[i], NULL);
      g_autoptr (GMappedFile) file = g_file_test (path, G_FILE_TEST_IS_REGULAR)
                                         ? g_mapped_file_new (path, FALSE, NULL)
                                         : NULL;

      if (file != NULL)
        g_string_append_printf (out, "%s=%016" G_GINT64_MODIFIER "x\n", config->command[i],
                                (guint64) XXH3_64bits (g_mapped_file_get_contents (file),
                                                       g_mapped_file_get_length (file)));
    }
  return TRUE;
}

/* ---- rows, slots, state -------------------------------------------------------------- */

typedef struct
{
  FrBatch *batch;
  gsize row;
  gint64 tries;
  GPtrArray *answers; /* char *: lines */
  gboolean done;
  const char *rule; /* why it is rejected, or NULL */
  char *reason;
} Row;

typedef struct
{
  Program *program;
  GQueue todo;   /* Row *, not sent */
  GQueue flight; /* Row *, sent to the program */
  gint64 given;  /* rows sent to this program */
  gboolean hung; /* killed because it took too long */
} Slot;

typedef struct
{
  const Config *config;
  FrHost *host;
  FrSchema *in, *out;
  FrSchema *send_schema;
  GArray *send_columns; /* guint */
  char **env;
  GArray *from_input; /* int: for each output column its input column, or -1 */
  GArray *declared;   /* gboolean: for each output column whether the answer may give it */
  Slot *slots;
  GQueue window; /* Row *, in order of input */
  guint64 window_bytes, max_bytes;
  guint64 n_rows;
  gboolean input_done, wants_no_more, ever_answered;
  FrBuilder *builder;
  FrJsonReader reader;
  gboolean reader_ready;
  guint8 *seen;
  GString *text, *id;
  gint64 n_complaints, second_us, in_second, n_unknown;
} State;

static void
row_free (gpointer data)
{
  Row *row = data;

  fr_batch_unref (row->batch);
  g_ptr_array_unref (row->answers);
  g_free (row->reason);
  g_free (row);
}

static const char *
row_name (State *s, const Row *row)
{
  g_string_truncate (s->id, 0);
  fr_host_append_row_id (s->host, fr_batch_ids (row->batch)[row->row], s->id);
  return s->id->str;
}

static void
command_close (gpointer data)
{
  State *s = data;

  for (gint64 i = 0; i < s->config->processes; i++)
    {
      program_free (s->slots[i].program);
      g_queue_clear (&s->slots[i].todo);
      g_queue_clear (&s->slots[i].flight);
    }
  g_free (s->slots);
  g_queue_clear_full (&s->window, row_free);
  if (s->reader_ready)
    fr_json_reader_clear (&s->reader);
  g_clear_pointer (&s->builder, fr_builder_free);
  g_clear_pointer (&s->out, fr_schema_unref);
  g_clear_pointer (&s->send_schema, fr_schema_unref);
  g_array_unref (s->send_columns);
  g_array_unref (s->from_input);
  g_array_unref (s->declared);
  g_strfreev (s->env);
  g_free (s->seen);
  g_string_free (s->text, TRUE);
  g_string_free (s->id, TRUE);
  g_free (s);
}

static void
plan_columns (State *s)
{
  guint n = fr_schema_n_fields (s->out);

  for (guint i = 0; i < n; i++)
    {
      const char *name = fr_field_name (fr_schema_field (s->out, i));
      int from = s->config->output == OUTPUT_MERGE ? fr_schema_find (s->in, name) : -1;
      gboolean declared = FALSE;

      for (const FrPair *c = s->config->columns; c != NULL && c->key != NULL; c++)
        declared |= strcmp (c->key, name) == 0;
      /* A declared column of another type cannot fall back on the input's cell. */
      if (from >= 0 && declared
          && !fr_field_equal (fr_schema_field (s->in, (guint) from), fr_schema_field (s->out, i)))
        from = -1;
      g_array_append_val (s->from_input, from);
      g_array_append_val (s->declared, declared);
    }
  s->seen = g_malloc0 (n + 1);
}

static gboolean
plan_sending (State *s, GError **error)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();

  for (guint i = 0; i < fr_schema_n_fields (s->in); i++)
    {
      FrField *field = fr_schema_field (s->in, i);

      if (s->config->send != NULL && *s->config->send != NULL
          && !g_strv_contains ((const char *const *) s->config->send, fr_field_name (field)))
        continue;
      g_array_append_val (s->send_columns, i);
      g_ptr_array_add (fields, fr_field_ref (field));
    }
  s->send_schema = fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
  return s->send_schema != NULL;
}

static gboolean
command_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  State *s = g_new0 (State, 1);

  s->config = data;
  s->host = host;
  s->in = fr_host_input (host, "in");
  s->slots = g_new0 (Slot, s->config->processes);
  for (gint64 i = 0; i < s->config->processes; i++)
    {
      g_queue_init (&s->slots[i].todo);
      g_queue_init (&s->slots[i].flight);
    }
  g_queue_init (&s->window);
  s->send_columns = g_array_new (FALSE, FALSE, sizeof (guint));
  s->from_input = g_array_new (FALSE, FALSE, sizeof (int));
  s->declared = g_array_new (FALSE, FALSE, sizeof (gboolean));
  s->text = g_string_new (NULL);
  s->id = g_string_new (NULL);
  s->max_bytes = MAX (fr_host_memory (host) / 2, 1024 * 1024);
  s->env = g_get_environ ();
  for (const FrPair *e = s->config->env; e != NULL && e->key != NULL; e++)
    s->env = g_environ_setenv (s->env, e->key, e->value, TRUE);
  s->out = output_schema (s->config, s->in, error);
  if (s->out == NULL || !plan_sending (s, error))
    {
      command_close (s);
      return FALSE;
    }
  plan_columns (s);
  s->builder = fr_builder_new (s->out);
  *state = s;
  return TRUE;
}

/* ---- from rows to programs --------------------------------------------------------------- */

static gint64
rows_for_one (const State *s)
{
  if (s->config->mode == MODE_PER_ROW)
    return 1;
  return s->config->mode == MODE_BATCH ? s->config->batch_rows : G_MAXINT64;
}

static Slot *
home_of (State *s, guint64 number)
{
  guint64 block = s->config->mode == MODE_STREAM ? HOME_ROWS : (guint64) rows_for_one (s);

  return &s->slots[number / block % (guint64) s->config->processes];
}

static void
take_batch (State *s, FrBatch *batch)
{
  gsize n = fr_batch_n_rows (batch);

  s->window_bytes += fr_batch_bytes (batch);
  for (gsize i = 0; i < n; i++)
    {
      Row *row = g_new0 (Row, 1);

      row->batch = fr_batch_ref (batch);
      row->row = i;
      row->answers = g_ptr_array_new_with_free_func (g_free);
      g_queue_push_tail (&s->window, row);
      g_queue_push_tail (&home_of (s, s->n_rows++)->todo, row);
    }
}

static void
append_row (State *s, GString *out, const Row *row)
{
  const char *comma = "";

  g_string_append_c (out, '{');
  if (s->config->match == MATCH_ID)
    {
      g_string_append (out, "\"_id\":");
      row_name (s, row);
      fr_json_append_string (out, s->id->str, s->id->len);
      comma = ",";
    }
  for (guint i = 0; i < s->send_columns->len; i++)
    {
      const char *name = fr_field_name (fr_schema_field (s->send_schema, i));

      g_string_append (out, comma);
      fr_json_append_string (out, name, strlen (name));
      g_string_append_c (out, ':');
      fr_batch_append_json_cell (row->batch, g_array_index (s->send_columns, guint, i), row->row,
                                 out);
      comma = ",";
    }
  g_string_append (out, "}\n");
}

static gboolean
feed_slot (State *s, Slot *slot, GError **error)
{
  Program *p = slot->program;

  if (p == NULL)
    {
      if (slot->todo.length == 0)
        return TRUE;
      p = slot->program = program_start ((const char *const *) s->config->command,
                                         (const char *const *) s->env, s->config->directory, error);
      if (p == NULL)
        return FALSE;
      slot->given = 0;
      slot->hung = FALSE;
    }
  while (p->in >= 0 && !p->refused && slot->todo.length > 0 && slot->given < rows_for_one (s)
         && slot->flight.length < MAX_FLIGHT && p->to_send->len - p->sent < MAX_TO_SEND)
    {
      Row *row = g_queue_pop_head (&slot->todo);

      if (slot->flight.length == 0)
        p->progress_us = g_get_monotonic_time ();
      g_queue_push_tail (&slot->flight, row);
      append_row (s, p->to_send, row);
      slot->given++;
    }
  if (!program_send (p, error))
    return FALSE;
  if (p->in >= 0 && p->to_send->len == 0
      && (slot->given >= rows_for_one (s) || (s->input_done && slot->todo.length == 0)))
    program_close_input (p);
  return TRUE;
}

/* ---- from programs to rows ----------------------------------------------------------------- */

static void
complain (const char *line, gpointer data)
{
  State *s = data;
  gint64 now = g_get_monotonic_time ();

  if (now - s->second_us > G_USEC_PER_SEC)
    {
      s->second_us = now;
      s->in_second = 0;
    }
  if (s->n_complaints++ < FREE_COMPLAINTS || s->in_second++ < COMPLAINTS_PER_SECOND)
    fr_host_info (s->host, "%s: %s", s->config->command[0], line);
}

static gboolean
read_id (State *s, FrStr line, char **id)
{
  FrJsonToken t;

  if (s->reader_ready)
    fr_json_reader_reset (&s->reader, line.data, line.len);
  else
    fr_json_reader_init (&s->reader, line.data, line.len, 0);
  s->reader_ready = TRUE;
  *id = NULL;
  if (fr_json_reader_next (&s->reader) != FR_JSON_OBJECT)
    return FALSE;
  while ((t = fr_json_reader_next (&s->reader)) == FR_JSON_KEY)
    {
      gboolean here = fr_str_equal (s->reader.str, FR_STR ("_id"));

      if (!here)
        {
          if (!fr_json_reader_skip (&s->reader))
            return FALSE;
          continue;
        }
      if (fr_json_reader_next (&s->reader) != FR_JSON_STRING)
        return FALSE;
      *id = g_strndup (s->reader.str.data, s->reader.str.len);
      return TRUE;
    }
  return FALSE;
}

static char *
short_line (FrStr line)
{
  g_autofree char *cut = g_strndup (line.data, MIN (line.len, 120));
  g_autofree char *valid = g_utf8_make_valid (cut, -1);

  return g_strdup_printf ("%s%s", valid, line.len > 120 ? "..." : "");
}

static gboolean
answer_by_id (State *s, Slot *slot, FrStr line, GError **error)
{
  g_autofree char *id = NULL, *shown = short_line (line);
  GList *found = NULL;

  if (!read_id (s, line, &id))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "'%s' wrote a line without the _id of a row: %s",
                   s->config->command[0], shown);
      return FALSE;
    }
  for (GList *l = slot->flight.head; l != NULL && found == NULL; l = l->next)
    if (strcmp (row_name (s, l->data), id) == 0)
      found = l;
  if (found == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "'%s' answered row '%s', which it was not given or has left behind; rows must "
                   "be answered in order",
                   s->config->command[0], id);
      return FALSE;
    }
  while (slot->flight.head != found)
    ((Row *) g_queue_pop_head (&slot->flight))->done = TRUE;
  g_ptr_array_add (((Row *) found->data)->answers, g_strndup (line.data, line.len));
  return TRUE;
}

static gboolean
take_answer (State *s, Slot *slot, FrStr line, GError **error)
{
  Row *row;

  if (line.len == 0)
    {
      fr_host_count (s->host, "blank_lines", 1);
      return TRUE;
    }
  s->ever_answered = TRUE;
  if (s->config->match == MATCH_ID)
    return answer_by_id (s, slot, line, error);
  row = g_queue_pop_head (&slot->flight);
  if (row == NULL)
    {
      g_autofree char *shown = short_line (line);

      g_set_error (
          error, FR_ERROR, FR_ERROR_DATA,
          "'%s' wrote more lines than it was given rows (%" G_GINT64_FORMAT
          "), the first too many is: %s; with \"match\": \"id\" a row may have several answers",
          s->config->command[0], slot->given, shown);
      return FALSE;
    }
  g_ptr_array_add (row->answers, g_strndup (line.data, line.len));
  row->done = TRUE;
  return TRUE;
}

static gboolean
read_slot (State *s, Slot *slot, GError **error)
{
  Program *p = slot->program;
  FrStr line;

  program_read_error (p, complain, s);
  if (!program_read (p, error))
    return FALSE;
  while (program_next_line (p, FALSE, &line))
    if (!take_answer (s, slot, line, error))
      return FALSE;
  if (p->line->len - p->taken > s->config->max_line)
    {
      const Row *row = g_queue_peek_head (&slot->flight);

      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "'%s' wrote a line of more than %" G_GUINT64_FORMAT
                   " bytes for row %s; max_line allows no more",
                   s->config->command[0], s->config->max_line,
                   row != NULL ? row_name (s, row) : "(none)");
      return FALSE;
    }
  return TRUE;
}

static char *
how_it_ended (const State *s, const Slot *slot, int status)
{
  if (slot->hung)
    return g_strdup_printf ("neither read nor wrote for %.6g seconds",
                            (double) s->config->timeout / (double) G_USEC_PER_SEC);
  if (WIFSIGNALED (status))
    return g_strdup_printf ("was killed by signal %d (%s)", WTERMSIG (status),
                            g_strsignal (WTERMSIG (status)));
  return g_strdup_printf ("ended with status %d", WEXITSTATUS (status));
}

/* The program died with rows unanswered: the first of them is to blame. */
static gboolean
handle_crash (State *s, Slot *slot, const char *how, GError **error)
{
  Row *first = g_queue_peek_head (&slot->flight);
  g_autofree char *words = program_last_words (slot->program, "; its last words: ");
  Row *row;

  if (++first->tries > s->config->restart)
    {
      if (s->config->restart == 0 || !s->ever_answered)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA, "'%s' %s while it had row %s%s%s",
                       s->config->command[0], how, row_name (s, first), words,
                       s->config->restart == 0 && slot->hung && s->config->mode == MODE_STREAM
                           ? "; a program must flush its output"
                           : "");
          return FALSE;
        }
      first->rule = slot->hung ? "timeout" : "crash";
      first->reason = g_strdup_printf ("'%s' %s%s", s->config->command[0], how, words);
      first->done = TRUE;
      g_queue_pop_head (&slot->flight);
    }
  fr_host_count (s->host, "restarts", 1);
  while ((row = g_queue_pop_tail (&slot->flight)) != NULL)
    {
      g_ptr_array_set_size (row->answers, 0);
      g_queue_push_head (&slot->todo, row);
    }
  return TRUE;
}

static gboolean
handle_end (State *s, Slot *slot, int status, GError **error)
{
  g_autofree char *how = how_it_ended (s, slot, status);
  g_autofree char *words = program_last_words (slot->program, "; its last words: ");
  gboolean failed = slot->hung || !WIFEXITED (status) || WEXITSTATUS (status) != 0, ok = TRUE;
  FrStr line;
  Row *row;

  while (ok && program_next_line (slot->program, !failed, &line))
    ok = take_answer (s, slot, line, error);
  if (!ok)
    return FALSE;
  if (failed && slot->flight.length == 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "'%s' %s after its last row%s",
                   s->config->command[0], how, words);
      ok = FALSE;
    }
  else if (failed)
    ok = handle_crash (s, slot, how, error);
  else if (s->config->match == MATCH_ID && !slot->program->refused)
    while ((row = g_queue_pop_head (&slot->flight)) != NULL)
      row->done = TRUE;
  else if (slot->flight.length > 0)
    {
      row = g_queue_peek_head (&slot->flight);
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "'%s' ended without an answer to row %s: it was given %" G_GINT64_FORMAT
                   " rows and left %u unanswered; one line for each is expected%s",
                   s->config->command[0], row_name (s, row), slot->given, slot->flight.length,
                   words);
      ok = FALSE;
    }
  g_clear_pointer (&slot->program, program_free);
  return ok;
}

/* Looks whether the slot's program has ended or hangs. */
static gboolean
watch_slot (State *s, Slot *slot, GError **error)
{
  Program *p = slot->program;
  int status;
  gint64 idle = g_get_monotonic_time () - p->progress_us;

  if (s->config->timeout > 0 && idle > s->config->timeout && !slot->hung
      && (slot->flight.length > 0 || p->in < 0))
    {
      slot->hung = TRUE;
      program_kill (p);
    }
  if (!program_reap (p, &status))
    return TRUE;
  /* All it wrote is in the pipes by now; what it left running is dead. */
  while (p->out >= 0)
    {
      gsize before = p->line->len - p->taken;

      if (!read_slot (s, slot, error))
        return FALSE;
      if (p->out >= 0 && p->line->len - p->taken == before)
        {
          struct pollfd fd = { .fd = p->out, .events = POLLIN };

          if (poll (&fd, 1, MAX_TICK_MS) == 0)
            break;
        }
    }
  program_read_error (p, complain, s);
  return handle_end (s, slot, status, error);
}

/* ---- from answers to batches ------------------------------------------------------------------
 */

static void
reject (State *s, const Row *row, const char *rule, const char *what, const char *line)
{
  g_autofree char *shown = short_line ((FrStr){ line, strlen (line) });

  fr_host_reject (s->host, row->batch, row->row, rule, "%s; the program wrote: %s", what, shown);
}

/* One member of an answer; FALSE with an error, or with @refusal set. */
static gboolean
read_member (State *s, char **refusal, GError **error)
{
  g_autofree char *key = g_strndup (s->reader.str.data, s->reader.str.len);
  int column = fr_schema_find (s->out, key);
  FrJsonToken t;

  if (strcmp (key, "_reject") == 0)
    {
      t = fr_json_reader_next (&s->reader);
      *refusal = t == FR_JSON_STRING ? g_strndup (s->reader.str.data, s->reader.str.len)
                                     : g_strdup ("no reason given");
      return FALSE;
    }
  if (column < 0 || !g_array_index (s->declared, gboolean, column))
    {
      /* What a merging program passes back is no news. */
      if (*key != '_' && fr_schema_find (s->in, key) < 0)
        s->n_unknown++;
      return fr_json_reader_skip (&s->reader) || fr_json_reader_error (&s->reader, error);
    }
  if (s->seen[column]++)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "'%s' is there twice", key);
      return FALSE;
    }
  t = fr_json_reader_next (&s->reader);
  if (t == FR_JSON_ERROR)
    return fr_json_reader_error (&s->reader, error);
  if (!fr_json_read_cell (&s->reader, t, fr_schema_field (s->out, (guint) column),
                          fr_builder_cells (s->builder, (guint) column), error))
    {
      g_prefix_error (error, "column '%s': ", key);
      return FALSE;
    }
  return TRUE;
}

static gboolean
read_answer (State *s, const Row *row, const char *line, char **refusal, GError **error)
{
  FrJsonToken t;

  if (s->reader_ready)
    fr_json_reader_reset (&s->reader, line, strlen (line));
  else
    fr_json_reader_init (&s->reader, line, strlen (line), 0);
  s->reader_ready = TRUE;
  memset (s->seen, 0, fr_schema_n_fields (s->out));
  t = fr_json_reader_next (&s->reader);
  if (t == FR_JSON_ERROR)
    return fr_json_reader_error (&s->reader, error);
  if (t != FR_JSON_OBJECT)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "expected a JSON object");
      return FALSE;
    }
  while ((t = fr_json_reader_next (&s->reader)) == FR_JSON_KEY)
    if (!read_member (s, refusal, error))
      return FALSE;
  if (t != FR_JSON_OBJECT_END || fr_json_reader_next (&s->reader) != FR_JSON_END)
    return fr_json_reader_error (&s->reader, error);
  for (guint i = 0; i < s->from_input->len; i++)
    {
      int from = g_array_index (s->from_input, int, i);

      if (from >= 0 && !s->seen[i])
        {
          FrView view = fr_view (row->batch, (guint) from);

          fr_cells_append_from (fr_builder_cells (s->builder, i), &view, row->row);
        }
    }
  return TRUE;
}

static FrFlow
flush_builder (State *s, GError **error)
{
  FrBatch *batch;
  FrFlow flow;

  if (fr_builder_n_rows (s->builder) == 0)
    return FR_FLOW_OK;
  batch = fr_builder_finish (s->builder, error);
  if (batch == NULL)
    return FR_FLOW_ERROR;
  flow = fr_host_push (s->host, "out", batch, error);
  if (flow == FR_FLOW_DONE)
    s->wants_no_more = TRUE;
  return flow == FR_FLOW_DONE ? FR_FLOW_OK : flow;
}

static FrFlow
retire_row (State *s, const Row *row, GError **error)
{
  FrRowId id = fr_batch_ids (row->batch)[row->row];

  if (row->rule != NULL)
    fr_host_reject (s->host, row->batch, row->row, row->rule, "%s", row->reason);
  else if (row->answers->len == 0 && s->config->unanswered == UNANSWERED_DROP)
    fr_host_count (s->host, "no_answer", 1);
  else if (row->answers->len == 0)
    fr_host_reject (s->host, row->batch, row->row, "no_answer", "'%s' wrote nothing for it",
                    s->config->command[0]);
  for (guint i = 0; row->rule == NULL && i < row->answers->len; i++)
    {
      g_autoptr (GError) wrong = NULL;
      g_autofree char *refusal = NULL;

      if (read_answer (s, row, row->answers->pdata[i], &refusal, &wrong))
        {
          fr_builder_end_row (s->builder,
                              row->answers->len == 1 ? id : fr_row_id_child (id, i + 1));
          if (fr_builder_full (s->builder))
            {
              FrFlow flow = flush_builder (s, error);

              if (flow != FR_FLOW_OK)
                return flow;
            }
          continue;
        }
      fr_builder_cancel_row (s->builder);
      if (refusal != NULL)
        fr_host_reject (s->host, row->batch, row->row, "program", "%s", refusal);
      else
        reject (s, row, "bad_answer", wrong != NULL ? wrong->message : "the line is no JSON object",
                row->answers->pdata[i]);
    }
  return FR_FLOW_OK;
}

static FrFlow
retire (State *s, GError **error)
{
  Row *row;

  while ((row = g_queue_peek_head (&s->window)) != NULL && row->done)
    {
      FrFlow flow = retire_row (s, row, error);

      if (row->row + 1 == fr_batch_n_rows (row->batch))
        s->window_bytes -= fr_batch_bytes (row->batch);
      row_free (g_queue_pop_head (&s->window));
      if (flow != FR_FLOW_OK)
        return flow;
    }
  return FR_FLOW_OK;
}

/* ---- the loop
 * ------------------------------------------------------------------------------------- */

/* Whether every slot has sent what it had, so that more rows would be of use. */
static gboolean
wants_rows (const State *s)
{
  if (s->input_done || s->window_bytes > s->max_bytes)
    return FALSE;
  for (gint64 i = 0; i < s->config->processes; i++)
    {
      const Slot *slot = &s->slots[i];

      if (slot->todo.length == 0
          && (slot->program == NULL
              || (slot->program->to_send->len == 0 && slot->flight.length < MAX_FLIGHT)))
        return TRUE;
    }
  return FALSE;
}

/* Waits until some pipe can go on, at most @timeout_ms. */
static void
wait_for_pipes (State *s, int timeout_ms)
{
  g_autofree struct pollfd *fds = g_new0 (struct pollfd, (gsize) s->config->processes * 3 + 1);
  nfds_t n = 0;
  int cancel = g_cancellable_get_fd (fr_host_cancellable (s->host));

  if (cancel >= 0)
    fds[n++] = (struct pollfd){ .fd = cancel, .events = POLLIN };
  for (gint64 i = 0; i < s->config->processes; i++)
    {
      const Program *p = s->slots[i].program;

      if (p == NULL)
        continue;
      if (p->in >= 0 && p->to_send->len > p->sent)
        fds[n++] = (struct pollfd){ .fd = p->in, .events = POLLOUT };
      if (p->out >= 0)
        fds[n++] = (struct pollfd){ .fd = p->out, .events = POLLIN };
      else
        timeout_ms = MIN (timeout_ms, 2); /* only its end is waited for */
      if (p->err >= 0)
        fds[n++] = (struct pollfd){ .fd = p->err, .events = POLLIN };
    }
  poll (fds, n, timeout_ms);
  if (cancel >= 0)
    g_cancellable_release_fd (fr_host_cancellable (s->host));
}

static gboolean
pump (State *s, GError **error)
{
  for (gint64 i = 0; i < s->config->processes; i++)
    {
      Slot *slot = &s->slots[i];

      if (!feed_slot (s, slot, error))
        return FALSE;
      if (slot->program != NULL && (!read_slot (s, slot, error) || !watch_slot (s, slot, error)))
        return FALSE;
    }
  return TRUE;
}

static gboolean
all_ended (const State *s)
{
  for (gint64 i = 0; i < s->config->processes; i++)
    if (s->slots[i].program != NULL)
      return FALSE;
  return TRUE;
}

static void
end_telling (State *s)
{
  if (s->n_complaints > 0)
    fr_host_count (s->host, "stderr_lines", s->n_complaints);
  if (s->n_unknown > 0)
    {
      fr_host_count (s->host, "undeclared_members", s->n_unknown);
      fr_host_warn (
          s->host, "the program answered with members that 'columns' does not name; they are lost");
    }
}

static FrFlow
command_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  FrFlow flow;

  s->host = host;
  for (;;)
    {
      if (fr_host_is_cancelled (host))
        return FR_FLOW_CANCELLED;
      if (!pump (s, error))
        return FR_FLOW_ERROR;
      flow = retire (s, error);
      if (flow != FR_FLOW_OK)
        return flow;
      if (s->wants_no_more)
        return FR_FLOW_DONE;
      if (s->input_done && s->window.length == 0 && all_ended (s))
        break;
      if (wants_rows (s))
        {
          g_autoptr (FrBatch) batch = NULL;
          gint64 before = g_get_monotonic_time ();

          flow = fr_host_next (host, "in", &batch, error);
          if (flow == FR_FLOW_OK)
            take_batch (s, batch);
          else if (flow == FR_FLOW_DONE)
            s->input_done = TRUE;
          else
            return flow;
          /* While we waited for rows, nobody looked at the programs. */
          before = g_get_monotonic_time () - before;
          for (gint64 i = 0; i < s->config->processes; i++)
            if (s->slots[i].program != NULL)
              s->slots[i].program->progress_us += before;
        }
      else
        wait_for_pipes (s, MAX_TICK_MS);
    }
  end_telling (s);
  return flush_builder (s, error);
}

static const char details[]
    = "Sends every row to a program as one line of JSON on its standard input and reads one line "
      "of JSON for it\n"
      "from its standard output. The program may be a script in any language:\n"
      "\n"
      "```python\n"
      "import json, sys\n"
      "for line in sys.stdin:\n"
      "    row = json.loads(line)\n"
      "    print(json.dumps({\"score\": len(row[\"content\"])}), flush=True)\n"
      "```\n"
      "\n"
      "The members of the answer that `columns` names become columns, of the types given there. "
      "With `output`\n"
      "`merge` the columns of the input stay; a column that is there already is replaced where the "
      "answer has it.\n"
      "A member that nobody asked for is counted and warned of. An answer `{\"_reject\": \"why\"}` "
      "rejects the row\n"
      "(rule `program`). An answer that is no JSON object or has a wrong type rejects it too (rule "
      "`bad_answer`).\n"
      "\n"
      "With `match` `id`, each line of input has a member `_id`, and each line of output must "
      "bring it back. Then a\n"
      "row may have any number of answers: several become rows with ids of their own. Rows must "
      "still be answered\n"
      "in the order in which they came.\n"
      "\n"
      "### What can go wrong\n"
      "\n"
      "* Too few or too many answers are an error that names the row.\n"
      "* A program that crashes or ends with a status other than 0 is an error with the last lines "
      "of its standard\n"
      "  error. With `restart`, rows it had not answered are given to a new one; the row that was "
      "first among them\n"
      "  is to blame, and after so many more tries it is rejected (rule `crash` or `timeout`). A "
      "program that never\n"
      "  answered anything is always an error.\n"
      "* A program that owes answers and neither reads nor writes for `timeout` is killed, with "
      "all it started.\n"
      "  A program that keeps its answers in a buffer looks the same: flush after each line.\n"
      "* Standard error goes to the log: the first 50 lines, then at most ten a second; all are "
      "counted.\n"
      "\n"
      "No shell is involved. The first word of `command` is looked up in PATH; relative paths are "
      "relative to\n"
      "`directory`. Words of the command that are files, and `files`, are part of what decides "
      "whether a kept\n"
      "result is used again. Up to 65536 rows may be on their way in a program.\n";

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.command",
  .revision = 1,
  .flags = FR_ELEMENT_RUNS_PROGRAMS | FR_ELEMENT_WAITS,
  .summary = "send rows through any program as JSON Lines",
  .details = details,
  .example = "{\"command\": [\"cat\"], \"match\": \"order\"}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .outputs = fr_ports_out,
  .configure = command_configure,
  .bind = command_bind,
  .open = command_open,
  .run = command_run,
  .close = command_close,
  .fingerprint = command_fingerprint,
};

FR_PLUGIN ("command", PACKAGE_VERSION, "rows through any program", "Apache-2.0", "flowrun",
           &element)
