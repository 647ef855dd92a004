/* SPDX-License-Identifier: Apache-2.0 */
/* documents.c: source.documents, a folder of documents as rows of text.
 *
 * walk.h lists the files, unpack.h gets at the documents in them, tell.h makes
 * records; here are the parameters, the readers of other plugins, and the
 * loop.  Files are read by as many threads as the core grants, each file by
 * one; what they give is taken in the order of the files, so rows and their
 * numbers do not depend on how many threads there are.
 */
#include "config.h"

#include "readers.h"
#include "unpack.h"
#include "walk.h"

#include <flowrun/flowrun.h>
#include <string.h>

#define MAX_THREADS 16
/* What one file may have ready before its turn comes. */
#define QUEUE_BYTES (8 * 1024 * 1024)

typedef struct
{
  char **path;
  char **include, **exclude;
  gboolean recursive, hidden, follow_links, archives;
  int record, tables, markup, table_names;
  gint64 section_level;
  gboolean whole, notes, hidden_text, quotes, attachments;
  int unknown;
  guint64 max_file, max_unpacked, max_text;
  gint64 max_ratio, max_members, max_depth;
  gint64 max_seconds;
} Config;

static const FrEnumValue *const records[]
    = { FR_ENUM ("document", RECORD_DOCUMENT, "one a document, message or attachment"),
        FR_ENUM ("page", RECORD_PAGE,
                 "one a page (PDF), slide or sheet; a document without those is one"),
        FR_ENUM ("section", RECORD_SECTION, "one a heading with what stands below it"),
        FR_ENUM ("row", RECORD_ROW, "one a row of each table; text outside tables is left out"),
        FR_ENUM ("message", RECORD_MESSAGE, "one a mail message; other documents are passed over"),
        NULL };
static const FrEnumValue *const tables[]
    = { FR_ENUM ("text", TABLES_TEXT, "stand where they are, a line a row"),
        FR_ENUM ("records", TABLES_RECORDS, "each row is a record of its own beside the text"),
        FR_ENUM ("drop", TABLES_DROP, "are left out and counted"), NULL };
static const FrEnumValue *const markups[]
    = { FR_ENUM ("markdown", MARKUP_MARKDOWN, "# headings, - items, | tables |"),
        FR_ENUM ("plain", MARKUP_PLAIN, "lines and empty lines; cells parted by tabs"), NULL };
static const FrEnumValue *const names[]
    = { FR_ENUM ("auto", NAMES_AUTO,
                 "the first row, where it is marked so or has letters in every cell"),
        FR_ENUM ("first", NAMES_FIRST, "the first row"),
        FR_ENUM ("none", NAMES_NONE, "no row names columns"), NULL };
static const FrEnumValue *const unknowns[]
    = { FR_ENUM ("reject", 1, "is rejected"), FR_ENUM ("skip", 0, "is passed over and counted"),
        NULL };

static const FrParam *const params[] = {
  FR_PARAM_PATHS ("path", Config, path, "folders, files and globs",
                  .flags = FR_PARAM_REQUIRED | FR_PARAM_READS, .example = "\"contracts\""),
  FR_PARAM_STRINGS ("include", Config, include,
                    "patterns of files to read, on the name or the path below the folder",
                    .example = "[\"*.docx\", \"*.pdf\"]"),
  FR_PARAM_STRINGS ("exclude", Config, exclude, "patterns of files not to read",
                    .example = "[\"~$*\", \"drafts/*\"]"),
  FR_PARAM_BOOL ("recursive", Config, recursive, "read folders in folders", .def = "true"),
  FR_PARAM_BOOL ("hidden", Config, hidden, "read files and folders whose names begin with a dot"),
  FR_PARAM_BOOL ("follow_links", Config, follow_links,
                 "read what links lead to outside the folder"),
  FR_PARAM_BOOL ("archives", Config, archives, "read what is in archives", .def = "true"),
  FR_PARAM_ENUM ("record", Config, record, records, "what a record is", .def = "document"),
  FR_PARAM_INT ("section_level", Config, section_level, 1, 9,
                "headings down to this level begin a section", .def = "3"),
  FR_PARAM_ENUM ("tables", Config, tables, tables, "what tables become", .def = "text"),
  FR_PARAM_ENUM ("table_names", Config, table_names, names,
                 "where a table's columns have their names from", .def = "auto"),
  FR_PARAM_ENUM ("markup", Config, markup, markups, "how the text shows its structure",
                 .def = "markdown"),
  FR_PARAM_BOOL ("whole", Config, whole,
                 "keep headers, footers, page numbers, tables of contents, navigation of pages"),
  FR_PARAM_BOOL ("notes", Config, notes, "keep footnotes and speaker notes", .def = "true"),
  FR_PARAM_BOOL ("hidden_text", Config, hidden_text, "keep hidden text, rows, sheets and slides"),
  FR_PARAM_BOOL ("quotes", Config, quotes, "keep quoted text and signatures of mail"),
  FR_PARAM_BOOL ("attachments", Config, attachments, "read what is attached to mail",
                 .def = "true"),
  FR_PARAM_ENUM ("unknown", Config, unknown, unknowns,
                 "what a file does that is no document (an image, a program)", .def = "reject"),
  FR_PARAM_SIZE ("max_file", Config, max_file, "a larger document is rejected", .def = "256MiB",
                 .unit = "bytes"),
  FR_PARAM_SIZE ("max_unpacked", Config, max_unpacked,
                 "a file that unpacks to more is rejected from there on", .def = "4GiB",
                 .unit = "bytes"),
  FR_PARAM_INT ("max_ratio", Config, max_ratio, 1, 1000000,
                "so many times its size a file may unpack to, once past 64 MiB", .def = "200"),
  FR_PARAM_INT ("max_members", Config, max_members, 1, 1000000000,
                "members, messages and attachments in one file", .def = "1000000"),
  FR_PARAM_INT ("max_depth", Config, max_depth, 1, 16, "archives in archives, messages in messages",
                .def = "4"),
  FR_PARAM_SIZE ("max_text", Config, max_text, "a document with more text is rejected",
                 .def = "64MiB", .unit = "bytes"),
  FR_PARAM_DURATION ("max_seconds", Config, max_seconds, "a document that takes longer is rejected",
                     .def = "60s", .flags = FR_PARAM_NO_RESULT),
  NULL
};

/* ---- before the run -------------------------------------------------------------- */

static gboolean
documents_configure (gpointer data, FrProblems *problems)
{
  const Config *config = data;
  gboolean ok = TRUE;

  for (guint i = 0; config->path && config->path[i]; i++)
    if (strcmp (config->path[i], "-") == 0)
      {
        fr_problems_add (problems, "/path",
                         "documents are not read from standard input; name a "
                         "folder or files");
        ok = FALSE;
      }
  if (config->max_file > G_MAXINT32)
    {
      fr_problems_add (problems, "/max_file",
                       "must be at most 2 GiB less one byte, since a "
                       "document is read whole");
      ok = FALSE;
    }
  if (config->max_text > G_MAXINT32)
    {
      fr_problems_add (problems, "/max_text",
                       "must be at most 2 GiB less one byte, which is what a "
                       "cell holds");
      ok = FALSE;
    }
  if (config->max_seconds <= 0)
    {
      fr_problems_add (problems, "/max_seconds", "must be more than 0");
      ok = FALSE;
    }
  if (config->record == RECORD_ROW && config->tables == TABLES_DROP)
    {
      fr_problems_add (problems, "/tables", "'drop' leaves nothing where 'record' is 'row'");
      ok = FALSE;
    }
  return ok;
}

static gboolean
has_rows (const Config *config)
{
  return config->record == RECORD_ROW || config->tables == TABLES_RECORDS;
}

enum
{
  C_ID,
  C_PATH,
  C_MEMBER,
  C_KIND,
  C_UNIT,
  C_NUMBER,
  C_PAGE,
  C_NAME,
  C_TITLE,
  C_AUTHOR,
  C_DATE,
  C_LANGUAGE,
  C_TEXT,
  C_BYTES,
  C_TABLE,
  C_COLUMNS,
  C_CELLS
};

static FrSchema *
make_schema (const Config *config)
{
  FrSchema *plain = fr_schema_new_simple (
      "id", FR_TYPE_UTF8, "path", FR_TYPE_UTF8, "member", FR_TYPE_UTF8, "kind", FR_TYPE_UTF8,
      "unit", FR_TYPE_UTF8, "number", FR_TYPE_INT64, "page", FR_TYPE_INT64, "name", FR_TYPE_UTF8,
      "title", FR_TYPE_UTF8, "author", FR_TYPE_UTF8, "date", FR_TYPE_TIMESTAMP, "language",
      FR_TYPE_UTF8, "text", FR_TYPE_UTF8, "bytes", FR_TYPE_INT64, NULL);
  FrSchema *more;

  if (!has_rows (config))
    return plain;
  more = fr_schema_with (plain, fr_field_new ("table", FR_TYPE_INT64));
  fr_schema_unref (plain);
  plain = more;
  more = fr_schema_with (plain, fr_field_new_list ("columns", fr_field_new ("item", FR_TYPE_UTF8)));
  fr_schema_unref (plain);
  plain = more;
  more = fr_schema_with (plain, fr_field_new_list ("cells", fr_field_new ("item", FR_TYPE_UTF8)));
  fr_schema_unref (plain);
  return more;
}

static gboolean
documents_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *config = data;
  g_autoptr (GError) problem = NULL;
  guint which;

  (void) error;
  if (!walk_check ((const char *const *) config->path, &which, &problem))
    {
      g_autofree char *pointer
          = config->path[1] ? g_strdup_printf ("/path/%u", which) : g_strdup ("/path");

      fr_bind_problem (bind, pointer, "%s", problem->message);
      return FALSE;
    }
  fr_bind_output (bind, "out", make_schema (config));
  return TRUE;
}

/* The core hashes what lies in the folders; what links lead to outside is added here. */
static gboolean
documents_fingerprint (gconstpointer data, GString *out, GError **error)
{
  const Config *config = data;
  WalkOptions options
      = { (const char *const *) config->include, (const char *const *) config->exclude,
          config->recursive, config->hidden, TRUE };
  g_autoptr (Walked) walked = NULL;

  if (!config->follow_links)
    return TRUE;
  walked = walk_paths ((const char *const *) config->path, &options, NULL, error);
  for (guint i = 0; walked && i < walked->files->len; i++)
    {
      const WalkFile *file = walked->files->pdata[i];
      g_autofree char *hash = file->rule ? g_strdup (file->rule) : walk_hash (file->path);

      g_string_append_printf (out, "%s %s\n", file->shown, hash);
    }
  return walked != NULL;
}

/* ---- threads: one a file, in order -------------------------------------------------- */

/** Task: a file that is being read, or has been. */
typedef struct
{
  GQueue items; /* Item, in order */
  gsize bytes;  /* of their text */
  gboolean done;
  GHashTable *counts; /* when done */
} Task;

typedef struct
{
  const Config *config;
  FrHost *host;
  GCancellable *cancellable; /* the run's */
  GCancellable *enough;      /* ours: nobody wants more, or the run is cancelled */
  GPtrArray *readers;        /* TextDocReader, NULL-terminated */
  UnpackOptions options;
  Walked *walked;
  FrBuilder *builder;
  FrSchema *schema;
  guint64 position;
  GString *scratch;

  GMutex lock;
  GCond ready, room; /* an item or an end; the queue is shorter, or a file may begin */
  Task **tasks;      /* by file */
  guint next, head;  /* file to begin, file to take from */
  guint window;      /* files begun beyond the head */
  gboolean stop;
} State;

typedef struct
{
  State *state;
  Task *task;
} Worker;

static gsize
item_bytes (const Item *item)
{
  gsize bytes = 256;

  for (guint i = 0; item->told && i < item->told->records->len; i++)
    {
      const Record *r = item->told->records->pdata[i];

      bytes += r->text.len + 128;
      for (guint k = 0; r->cells && k < r->cells->n; k++)
        bytes += r->cells->cells[k].len + 16;
    }
  return bytes;
}

/* In a worker: hands an item over, waiting while the file is far ahead. */
static gboolean
hand_over (gpointer data, Item *item)
{
  Worker *worker = data;
  State *s = worker->state;
  Task *task = worker->task;
  gboolean stop;

  g_mutex_lock (&s->lock);
  while (!s->stop && task->bytes > QUEUE_BYTES)
    g_cond_wait (&s->room, &s->lock);
  stop = s->stop;
  if (!stop)
    {
      task->bytes += item_bytes (item);
      g_queue_push_tail (&task->items, item);
      g_cond_broadcast (&s->ready);
    }
  g_mutex_unlock (&s->lock);
  if (stop)
    item_free (item);
  return !stop;
}

static Task *
begin_task (State *s, guint *index)
{
  Task *task = NULL;

  g_mutex_lock (&s->lock);
  while (!s->stop && s->next < s->walked->files->len && s->next >= s->head + s->window)
    g_cond_wait (&s->room, &s->lock);
  if (!s->stop && s->next < s->walked->files->len)
    {
      *index = s->next++;
      task = s->tasks[*index] = g_new0 (Task, 1);
      g_queue_init (&task->items);
    }
  g_mutex_unlock (&s->lock);
  return task;
}

static void
refused_item (Worker *worker, const WalkFile *file)
{
  Item *item = g_new0 (Item, 1);

  item->rule = g_intern_string (file->rule);
  item->reason = g_strdup (file->reason);
  hand_over (worker, item);
}

static gpointer
work (gpointer data)
{
  State *s = data;
  Worker worker = { s, NULL };
  g_autoptr (Unpack) unpack = unpack_new (&s->options, s->enough, hand_over, &worker);
  guint index;

  while ((worker.task = begin_task (s, &index)) != NULL)
    {
      const WalkFile *file = s->walked->files->pdata[index];

      if (file->rule)
        refused_item (&worker, file);
      else
        unpack_file (unpack, file->path, file->shown);
      g_mutex_lock (&s->lock);
      worker.task->counts = unpack_counts (unpack);
      worker.task->done = TRUE;
      g_cond_broadcast (&s->ready);
      g_mutex_unlock (&s->lock);
    }
  return NULL;
}

/* ---- rows ---------------------------------------------------------------------------- */

static void
append (State *s, guint column, const char *text)
{
  fr_cells_append_str (fr_builder_cells (s->builder, column), text, text ? strlen (text) : 0);
}

/* "contracts/a.zip!b.pdf#page=3": where the row comes from, whatever else is read. */
static void
append_id (State *s, const WalkFile *file, const Item *item, const Record *record)
{
  GString *id = s->scratch;

  g_string_assign (id, file->shown);
  if (item->member)
    g_string_append_printf (id, "!%s", item->member);
  if (record->cells)
    g_string_append_printf (id, "#table=%u.%u", record->table, record->number);
  else if (record->number)
    g_string_append_printf (id, "#%s=%u", record->unit, record->number);
  fr_cells_append_str (fr_builder_cells (s->builder, C_ID), id->str, id->len);
}

static void
append_int (State *s, guint column, guint64 value)
{
  if (value)
    fr_cells_append_int (fr_builder_cells (s->builder, column), (gint64) value);
  else
    fr_cells_append_null (fr_builder_cells (s->builder, column));
}

static void
append_cells (State *s, guint column, const Cells *from)
{
  FrCells *cells = fr_builder_cells (s->builder, column), *child;

  if (from == NULL)
    {
      fr_cells_append_null (cells);
      return;
    }
  child = fr_cells_child (cells, 0);
  for (guint i = 0; i < from->n; i++)
    fr_cells_append_str (child, from->cells[i].data, from->cells[i].len);
  fr_cells_end (cells);
}

static void
append_record (State *s, const WalkFile *file, const Item *item, const Record *record)
{
  const Told *told = item->told;
  FrRowId id = { ++s->position, fr_host_source (s->host), 0 };

  append_id (s, file, item, record);
  append (s, C_PATH, file->shown);
  append (s, C_MEMBER, item->member);
  append (s, C_KIND, item->kind);
  append (s, C_UNIT, record->unit);
  append_int (s, C_NUMBER, record->number);
  append_int (s, C_PAGE, record->page);
  append (s, C_NAME, record->name);
  append (s, C_TITLE, told->title);
  append (s, C_AUTHOR, told->author);
  if (told->has_date)
    fr_cells_append_int (fr_builder_cells (s->builder, C_DATE), told->date);
  append (s, C_LANGUAGE, told->language);
  g_string_truncate (s->scratch, 0);
  record_text (record, s->scratch);
  fr_cells_append_str (fr_builder_cells (s->builder, C_TEXT), s->scratch->str, s->scratch->len);
  fr_cells_append_int (fr_builder_cells (s->builder, C_BYTES), (gint64) item->bytes);
  if (has_rows (s->config))
    {
      append_int (s, C_TABLE, record->table);
      append_cells (s, C_COLUMNS, record->header);
      append_cells (s, C_CELLS, record->cells);
    }
  fr_builder_end_row (s->builder, id);
}

static FrFlow
push (State *s, GError **error)
{
  FrBatch *batch;

  if (fr_builder_n_rows (s->builder) == 0)
    return FR_FLOW_OK;
  batch = fr_builder_finish (s->builder, error);
  return batch ? fr_host_push (s->host, "out", batch, error) : FR_FLOW_ERROR;
}

static void
reject_item (State *s, const WalkFile *file, const Item *item)
{
  FrRowId id = { ++s->position, fr_host_source (s->host), 0 };
  g_autofree char *where
      = item->member ? g_strconcat (file->shown, "!", item->member, NULL) : g_strdup (file->shown);

  fr_host_reject_raw (s->host, id, where, (FrStr){ where, strlen (where) }, item->rule, "%s",
                      item->reason);
}

static FrFlow
take_item (State *s, const WalkFile *file, Item *item, GError **error)
{
  FrFlow flow = FR_FLOW_OK;

  if (item->told == NULL)
    reject_item (s, file, item);
  else
    for (guint i = 0; flow == FR_FLOW_OK && i < item->told->records->len; i++)
      {
        append_record (s, file, item, item->told->records->pdata[i]);
        if (fr_builder_full (s->builder))
          flow = push (s, error);
      }
  item_free (item);
  return flow;
}

static void
tell_counts (State *s, GHashTable *counts)
{
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init (&iter, counts);
  while (g_hash_table_iter_next (&iter, &key, &value))
    fr_host_count (s->host, key, *(gint64 *) value);
}

/* ---- the run --------------------------------------------------------------------------- */

static void
documents_close (gpointer data)
{
  State *s = data;

  g_clear_pointer (&s->walked, walked_free);
  g_clear_pointer (&s->builder, fr_builder_free);
  g_clear_pointer (&s->readers, g_ptr_array_unref);
  g_string_free (s->scratch, TRUE);
  g_object_unref (s->enough);
  g_free (s->tasks);
  g_mutex_clear (&s->lock);
  g_cond_clear (&s->ready);
  g_cond_clear (&s->room);
  g_free (s);
}

/* Readers of plugins go before our own, best first. */
static void
find_readers (State *s)
{
  g_autoptr (GPtrArray) services = fr_service_list (TEXT_DOC_SERVICE);
  const FrService *pdf;

  s->readers = g_ptr_array_new ();
  for (guint i = 0; i < services->len; i++)
    {
      const FrService *service = services->pdata[i];

      if (service->version == TEXT_DOC_VERSION
          && (service->score == NULL || service->score (NULL) > 0))
        g_ptr_array_add (s->readers, (gpointer) service->table);
    }
  /* The pipeline may bring a plugin path of its own. */
  pdf = fr_host_service (s->host, TEXT_DOC_SERVICE, TEXT_DOC_VERSION, "pdf", NULL);
  if (pdf && !g_ptr_array_find (s->readers, pdf->table, NULL))
    g_ptr_array_add (s->readers, (gpointer) pdf->table);
  for (const TextDocReader *const *r = readers_builtin (); *r; r++)
    g_ptr_array_add (s->readers, (gpointer) *r);
  g_ptr_array_add (s->readers, NULL);
}

static void
set_options (State *s)
{
  const Config *c = s->config;
  UnpackOptions *o = &s->options;

  o->tell.record = (RecordKind) c->record;
  o->tell.tables = (TablesKind) c->tables;
  o->tell.markup = (MarkupKind) c->markup;
  o->tell.names = (NamesKind) c->table_names;
  o->tell.section_level = (guint) c->section_level;
  o->tell.max_text = c->max_text;
  o->tell.wants = (c->whole ? TEXT_DOC_WHOLE : 0u) | (c->notes ? TEXT_DOC_NOTES : 0u)
                  | (c->hidden_text ? TEXT_DOC_HIDDEN : 0u) | (c->quotes ? TEXT_DOC_QUOTES : 0u)
                  | (c->attachments && c->record != RECORD_MESSAGE ? TEXT_DOC_CHILDREN : 0u)
                  | (c->record == RECORD_PAGE ? TEXT_DOC_PARTS : 0u);
  o->max_file = c->max_file;
  o->max_unpacked = c->max_unpacked;
  o->max_ratio = (guint64) c->max_ratio;
  o->max_members = (guint64) c->max_members;
  o->max_depth = (guint) c->max_depth;
  o->seconds = (double) c->max_seconds / 1e6;
  o->readers = (const TextDocReader *const *) s->readers->pdata;
  o->archives = c->archives;
  o->reject_unknown = c->unknown == 1;
}

static gboolean
documents_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  const Config *config = data;
  WalkOptions walk = { (const char *const *) config->include, (const char *const *) config->exclude,
                       config->recursive, config->hidden, config->follow_links };
  State *s = g_new0 (State, 1);

  s->config = config;
  s->host = host;
  s->cancellable = fr_host_cancellable (host);
  s->enough = g_cancellable_new ();
  s->scratch = g_string_new (NULL);
  g_mutex_init (&s->lock);
  g_cond_init (&s->ready);
  g_cond_init (&s->room);
  s->schema = fr_host_output (host, "out");
  s->builder = fr_builder_new (s->schema);
  find_readers (s);
  set_options (s);
  s->walked = walk_paths ((const char *const *) config->path, &walk, s->cancellable, error);
  if (s->walked == NULL)
    {
      documents_close (s);
      return FALSE;
    }
  s->tasks = g_new0 (Task *, s->walked->files->len + 1);
  *state = s;
  return TRUE;
}

/* The next item of the head's file; NULL when it has given all, or the run ends. */
static Item *
next_item (State *s, Task **task)
{
  Item *item = NULL;

  g_mutex_lock (&s->lock);
  for (;;)
    {
      *task = s->tasks[s->head];
      if (*task && (item = g_queue_pop_head (&(*task)->items)) != NULL)
        {
          (*task)->bytes -= item_bytes (item);
          g_cond_broadcast (&s->room);
          break;
        }
      if ((*task && (*task)->done) || g_cancellable_is_cancelled (s->cancellable))
        break;
      g_cond_wait_until (&s->ready, &s->lock, g_get_monotonic_time () + 100 * 1000);
    }
  g_mutex_unlock (&s->lock);
  return item;
}

static FrFlow
take_file (State *s, GError **error)
{
  const WalkFile *file = s->walked->files->pdata[s->head];
  FrFlow flow = FR_FLOW_OK;
  Task *task;
  Item *item;

  fr_host_origin (s->host, s->position + 1, file->shown);
  while (flow == FR_FLOW_OK && (item = next_item (s, &task)) != NULL)
    flow = take_item (s, file, item, error);
  if (flow == FR_FLOW_OK && g_cancellable_is_cancelled (s->cancellable))
    flow = FR_FLOW_CANCELLED;
  if (flow != FR_FLOW_OK)
    return flow;
  tell_counts (s, task->counts);
  g_mutex_lock (&s->lock);
  g_clear_pointer (&task->counts, g_hash_table_unref);
  g_clear_pointer (&s->tasks[s->head], g_free);
  s->head++;
  g_cond_broadcast (&s->room);
  g_mutex_unlock (&s->lock);
  fr_host_progress (s->host, s->head, s->walked->files->len, "files");
  return FR_FLOW_OK;
}

static void
drop_tasks (State *s)
{
  for (guint i = s->head; i < s->walked->files->len; i++)
    if (s->tasks[i])
      {
        g_queue_clear_full (&s->tasks[i]->items, (GDestroyNotify) item_free);
        g_clear_pointer (&s->tasks[i]->counts, g_hash_table_unref);
        g_clear_pointer (&s->tasks[i], g_free);
      }
}

static FrFlow
documents_run (FrHost *host, gpointer data, GError **error)
{
  State *s = data;
  guint n = CLAMP (fr_host_threads (host), 1, MAX_THREADS);
  GThread *threads[MAX_THREADS];
  FrFlow flow = FR_FLOW_OK;

  n = MIN (n, MAX (s->walked->files->len, 1));
  s->window = 4 * n;
  if (s->walked->n_hidden)
    fr_host_count (host, "hidden_passed_over", (gint64) s->walked->n_hidden);
  if (s->walked->n_excluded)
    fr_host_count (host, "files_excluded", (gint64) s->walked->n_excluded);
  if (s->walked->n_links)
    fr_host_count (host, "links_passed_over", (gint64) s->walked->n_links);
  for (guint i = 0; i < n; i++)
    threads[i] = g_thread_new ("documents", work, s);
  while (flow == FR_FLOW_OK && s->head < s->walked->files->len)
    flow = take_file (s, error);
  if (flow != FR_FLOW_OK)
    g_cancellable_cancel (s->enough);
  g_mutex_lock (&s->lock);
  s->stop = TRUE;
  g_cond_broadcast (&s->room);
  g_mutex_unlock (&s->lock);
  for (guint i = 0; i < n; i++)
    g_thread_join (threads[i]);
  drop_tasks (s);
  return flow == FR_FLOW_OK ? push (s, error) : flow;
}

static const char details[] =
#include "details.h"
    ;

/* Not FR_ELEMENT_RUNS_PROGRAMS: that warns of what a pipeline has run; the worker
 * of the PDF reader is a part of flowrun that may do less than flowrun itself. */
static const FrElement element
    = { .size = sizeof (FrElement),
        .kind = FR_KIND_SOURCE,
        .name = "source.documents",
        .revision = 1,
        .flags = FR_ELEMENT_UNTRUSTED,
        .summary
        = "folders of HTML, PDF, Word, Excel, PowerPoint, OpenDocument, mail, Markdown and text",
        .details = details,
        .example = "{ \"path\": \"contracts\", \"record\": \"section\" }",
        .config_size = sizeof (Config),
        .params = params,
        .outputs = fr_ports_out,
        .configure = documents_configure,
        .bind = documents_bind,
        .open = documents_open,
        .run = documents_run,
        .close = documents_close,
        .fingerprint = documents_fingerprint };

FR_PLUGIN ("documents", PACKAGE_VERSION, "folders of documents as text", "Apache-2.0", "flowrun",
           &element)
