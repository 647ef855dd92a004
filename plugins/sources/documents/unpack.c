/* SPDX-License-Identifier: Apache-2.0 */
/* unpack.c: detection, archives, mailboxes, readers.
 *
 * Of libarchive only formats and filters that work on the bytes given are
 * enabled: "mtree" would open files of this machine, and some filters start
 * programs.
 */
#include "config.h"

#include "detect.h"
#include "mbox.h"
#include "readers.h"
#include "text/input.h"
#include "text/utf8-scope.h"
#include "unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (128 * 1024)
#define FREE_GROWTH ((guint64) 64 * 1024 * 1024)

struct _Unpack
{
  UnpackOptions options;
  GCancellable *cancellable;
  UnpackEmit emit;
  gpointer data;
  GHashTable *counts;
  gpointer *states; /* of the readers */
  guint n_readers;
  /* the file on disk */
  guint64 file_size, unpacked, members;
  gboolean over; /* a limit of the file was passed: no more of it */
};

/** Source: where bytes come from: a file on disk, or memory. */
typedef struct
{
  int fd; /* -1: memory */
  const char *data;
  guint64 len;
} Source;

typedef struct
{
  char *member; /* NULL: the file itself */
  const char *name;
  guint depth;
  gboolean child; /* attached to a message: what is no document is no surprise */
} Where;

static gboolean visit (Unpack *u, const Source *source, const Where *where);

/* ---- items ---------------------------------------------------------------------- */

void
item_free (Item *item)
{
  if (item == NULL)
    return;
  g_free (item->member);
  g_free (item->reason);
  told_free (item->told);
  g_free (item);
}

static void
count (Unpack *u, const char *name, gint64 n)
{
  gint64 *value = g_hash_table_lookup (u->counts, name);

  if (value == NULL)
    {
      value = g_new0 (gint64, 1);
      g_hash_table_insert (u->counts, (gpointer) name, value);
    }
  *value += n;
}

static gboolean
reject (Unpack *u, const char *member, guint64 bytes, const char *kind, const char *rule,
        const char *format, ...)
{
  Item *item = g_new0 (Item, 1);
  va_list args;

  item->member = g_strdup (member);
  item->bytes = bytes;
  item->kind = kind;
  item->rule = g_intern_string (rule);
  va_start (args, format);
  item->reason = g_strdup_vprintf (format, args);
  va_end (args);
  return u->emit (u->data, item);
}

static gboolean
is_cancelled (Unpack *u)
{
  return g_cancellable_is_cancelled (u->cancellable);
}

/* What a file unpacks to counts once, whatever it is packed in. */
static gboolean
may_grow (Unpack *u, guint64 bytes, const char **why)
{
  u->unpacked += bytes;
  if (u->unpacked > u->options.max_unpacked)
    *why = "the file unpacks to more than 'max_unpacked'; raise it if the file is trusted";
  else if (u->unpacked > FREE_GROWTH && u->unpacked / u->options.max_ratio > u->file_size)
    *why = "the file unpacks to more than 'max_ratio' times its size, as archives of documents do "
           "not; raise it if the file is trusted";
  else
    return TRUE;
  u->over = TRUE;
  return FALSE;
}

/* ---- documents ------------------------------------------------------------------- */

static const TextDocReader *
reader_for (Unpack *u, const char *type, const char *name, const Source *source, guint *at)
{
  for (guint i = 0; i < u->n_readers; i++)
    {
      const TextDocReader *r = u->options.readers[i];

      for (const char *const *t = r->types; type && *t; t++)
        if (strcmp (*t, type) == 0)
          {
            *at = i;
            return r;
          }
      if (type == NULL && r->knows
          && r->knows (name, source->data, (gsize) MIN (source->len, DETECT_HEAD)))
        {
          *at = i;
          return r;
        }
    }
  return NULL;
}

static gboolean
visit_children (Unpack *u, Told *told, const Where *where)
{
  g_autoptr (GPtrArray) children = g_ptr_array_ref (told->children);
  gboolean ok = TRUE;

  for (guint i = 0; ok && !u->over && i < children->len; i++)
    {
      const Child *child = children->pdata[i];
      gsize len;
      const char *data = g_bytes_get_data (child->bytes, &len);
      Source source = { -1, data ? data : "", len };
      g_autofree char *name
          = *child->name ? g_strdup (child->name) : g_strdup_printf ("attachment-%u", i + 1);
      Where inner = { NULL, name, where->depth + 1, TRUE };
      const char *why = NULL;

      inner.member = where->member ? g_strconcat (where->member, "!", name, NULL) : g_strdup (name);
      if (inner.depth > u->options.max_depth)
        ok = reject (u, inner.member, len, NULL, "too_deep",
                     "messages lie more than 'max_depth' deep in each other");
      else if (++u->members > u->options.max_members || !may_grow (u, len, &why))
        {
          u->over = TRUE;
          ok = reject (u, inner.member, len, NULL, "bomb", "%s",
                       why ? why
                           : "the file holds more than 'max_members' messages and attachments");
        }
      else
        ok = visit (u, &source, &inner);
      g_free (inner.member);
    }
  return ok;
}

static void
merge_counts (Unpack *u, GHashTable *from)
{
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init (&iter, from);
  while (g_hash_table_iter_next (&iter, &key, &value))
    count (u, key, *(gint64 *) value);
}

/* Nothing to show for it: a reject, where one would expect something. */
static gboolean
without_text (Unpack *u, const Where *where, guint64 bytes, const char *kind, Told *told)
{
  if (u->options.tell.record == RECORD_ROW)
    count (u, "documents_without_tables", 1);
  else if (told->children->len)
    count (u, "messages_without_text", 1);
  else
    return reject (
        u, where->member, bytes, kind, "no_text", "%s",
        strcmp (kind, "pdf") == 0
            ? "it has no text: scanned pages must be recognised first (OCR); Chinese, "
              "Japanese or Korean without fonts of its own needs the package poppler-data"
            : "it has no text");
  return TRUE;
}

static gboolean
read_document (Unpack *u, const char *type, const Source *source, const Where *where)
{
  guint at = 0;
  const TextDocReader *reader = reader_for (u, type, where->name, source, &at);
  TextDocJob job = { .size = sizeof job,
                     .name = where->name,
                     .type = type,
                     .data = source->data,
                     .len = (gsize) source->len,
                     .wants = u->options.tell.wants,
                     .max_memory = MIN (2 * u->options.max_file, G_MAXINT32),
                     .max_text = u->options.tell.max_text,
                     .seconds = u->options.seconds,
                     .cancellable = u->cancellable };
  g_autoptr (Told) told = NULL;
  Tell *tell;
  Item *item;
  gboolean ok;

  if (reader == NULL)
    return reject (u, where->member, source->len, NULL, "no_reader", "nothing here reads %s; %s",
                   type,
                   strcmp (type, TYPE_PDF) == 0 ? "install flowrun's PDF plugin (document-pdf.so)"
                                                : "this build was made without the library for it");
  if (u->options.tell.record == RECORD_MESSAGE && strcmp (type, TYPE_MAIL) != 0)
    {
      count (u, "documents_passed_over", 1);
      return TRUE;
    }
  if (u->states[at] == NULL && reader->open)
    u->states[at] = reader->open ();
  tell = tell_new (&u->options.tell, g_get_monotonic_time () + (gint64) (u->options.seconds * 1e6),
                   u->options.max_unpacked, u->cancellable);
  ok = reader->read (u->states[at], &job, tell_sink (tell));
  told = tell_end (tell, ok);
  if (told->stopped || is_cancelled (u))
    return FALSE;
  if (told->rule)
    return reject (u, where->member, source->len, reader->kind, told->rule, "%s", told->reason);
  merge_counts (u, told->counts);
  count (u, "documents", 1);
  if (told->records->len == 0)
    return without_text (u, where, source->len, reader->kind, told)
           && visit_children (u, told, where);
  item = g_new0 (Item, 1);
  item->member = g_strdup (where->member);
  item->bytes = source->len;
  item->kind = reader->kind;
  item->told = g_steal_pointer (&told);
  if (item->told->children->len == 0)
    return u->emit (u->data, item);
  /* The item is the caller's once it is out. */
  told = g_new0 (Told, 1);
  told->records = g_ptr_array_new ();
  told->counts = g_hash_table_new (NULL, NULL);
  told->children = g_steal_pointer (&item->told->children);
  item->told->children = g_ptr_array_new ();
  return u->emit (u->data, item) && visit_children (u, told, where);
}

/* ---- bytes ------------------------------------------------------------------------ */

static GByteArray *
load (Unpack *u, const Source *source, char **fault)
{
  GByteArray *bytes = g_byte_array_sized_new ((guint) source->len + 1);
  guint64 at = 0;

  while (at < source->len)
    {
      gsize want = (gsize) MIN (PIECE, source->len - at);
      gssize n;

      if (is_cancelled (u))
        break;
      g_byte_array_set_size (bytes, (guint) (at + want));
      n = pread (source->fd, bytes->data + at, want, (off_t) at);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        *fault = g_strdup (g_strerror (errno));
      if (n <= 0)
        break;
      at += (guint64) n;
    }
  g_byte_array_set_size (bytes, (guint) at);
  return bytes;
}

/* ---- mailboxes --------------------------------------------------------------------- */

typedef struct
{
  Unpack *u;
  const Source *source;
  guint64 at;
} Stream;

static gssize
stream_read (gpointer data, char *to, gsize len)
{
  Stream *s = data;
  gssize n;

  if (is_cancelled (s->u))
    return -1;
  if (s->source->fd < 0)
    {
      n = (gssize) MIN (len, s->source->len - s->at);
      memcpy (to, s->source->data + s->at, (gsize) n);
    }
  else
    while ((n = pread (s->source->fd, to, len, (off_t) s->at)) < 0 && errno == EINTR)
      ;
  if (n > 0)
    s->at += (guint64) n;
  return n;
}

static gboolean
visit_message (Unpack *u, const Where *where, guint64 number, const char *data, gsize len,
               gboolean too_long)
{
  g_autofree char *name = g_strdup_printf ("message-%" G_GUINT64_FORMAT, number);
  Where inner = { where->member ? g_strconcat (where->member, "!", name, NULL) : g_strdup (name),
                  name, where->depth, where->child };
  Source source = { -1, data, len };
  gboolean ok;

  if (too_long)
    ok = reject (u, inner.member, len, NULL, "too_large",
                 "the message is longer than 'max_file'; raise it if the file is trusted");
  else
    ok = read_document (u, TYPE_MAIL, &source, &inner);
  g_free (inner.member);
  return ok;
}

static gboolean
visit_mbox (Unpack *u, const Source *source, const Where *where)
{
  Stream stream = { u, source, 0 };
  g_autoptr (Mbox) mbox = mbox_new (stream_read, &stream, (gsize) u->options.max_file);
  const char *data;
  gsize len;
  gboolean too_long, failed = FALSE;

  count (u, "mailboxes", 1);
  for (guint64 n = 1; !u->over && mbox_next (mbox, &data, &len, &too_long, &failed); n++)
    {
      if (++u->members > u->options.max_members)
        {
          u->over = TRUE;
          return reject (u, where->member, source->len, "mbox", "bomb",
                         "the file holds more than 'max_members' messages and attachments");
        }
      if (!visit_message (u, where, n, data, len, too_long))
        return FALSE;
    }
  if (is_cancelled (u))
    return FALSE;
  return !failed
         || reject (u, where->member, source->len, "mbox", "unreadable",
                    "the mailbox cannot be read further: %s", g_strerror (errno));
}

/* ---- archives ---------------------------------------------------------------------- */

static struct archive *
open_archive (const Source *source)
{
  struct archive *a = archive_read_new ();
  int rc;

  archive_read_support_filter_gzip (a);
  archive_read_support_filter_bzip2 (a);
  archive_read_support_filter_xz (a);
  archive_read_support_filter_lzma (a);
  archive_read_support_filter_lzip (a);
  archive_read_support_filter_lz4 (a);
  archive_read_support_filter_zstd (a);
  archive_read_support_filter_compress (a);
  archive_read_support_format_zip (a);
  archive_read_support_format_tar (a);
  archive_read_support_format_7zip (a);
  archive_read_support_format_rar (a);
  archive_read_support_format_rar5 (a);
  archive_read_support_format_cab (a);
  archive_read_support_format_empty (a);
  archive_read_support_format_raw (a);
  if (source->fd < 0)
    rc = archive_read_open_memory (a, source->data, (gsize) source->len);
  else
    {
      lseek (source->fd, 0, SEEK_SET);
      rc = archive_read_open_fd (a, source->fd, PIECE);
    }
  if (rc >= ARCHIVE_WARN)
    return a;
  archive_read_free (a);
  return NULL;
}

/* The name of what a single compressed file holds: "a.txt" of "a.txt.gz". */
static char *
name_inside (const char *name)
{
  const char *slash = strrchr (name, '/'), *base = slash ? slash + 1 : name;
  const char *dot = strrchr (base, '.');

  return dot && dot > base ? g_strndup (base, (gsize) (dot - base)) : g_strdup (base);
}

/* What operating systems add to archives is nobody's document. */
static gboolean
is_litter (const char *name)
{
  const char *slash = strrchr (name, '/'), *base = slash ? slash + 1 : name;

  return g_str_has_prefix (name, "__MACOSX/") || strcmp (base, ".DS_Store") == 0
         || g_ascii_strcasecmp (base, "Thumbs.db") == 0
         || g_ascii_strcasecmp (base, "desktop.ini") == 0;
}

typedef enum
{
  GOT_ALL,
  GOT_STOPPED,   /* the run ends */
  GOT_TOO_LARGE, /* the member: the rest of the archive can be read */
  GOT_OVER,      /* the file: no more of it */
  GOT_BROKEN
} Got;

static Got
read_member (Unpack *u, struct archive *a, GByteArray *bytes, const char **why)
{
  g_autofree guint8 *piece = g_malloc (PIECE);

  for (;;)
    {
      la_ssize_t n = archive_read_data (a, piece, PIECE);

      if (is_cancelled (u))
        return GOT_STOPPED;
      if (n == ARCHIVE_RETRY)
        continue;
      if (n < 0)
        return GOT_BROKEN;
      if (n == 0)
        return GOT_ALL;
      if (!may_grow (u, (guint64) n, why))
        return GOT_OVER;
      if (bytes->len + (guint64) n > u->options.max_file)
        return GOT_TOO_LARGE;
      g_byte_array_append (bytes, piece, (guint) n);
    }
}

static const char *
archive_fault (struct archive *a)
{
  const char *why = archive_error_string (a);

  return why && g_utf8_validate (why, -1, NULL) ? why : "unknown fault";
}

static gboolean
is_cut_off (struct archive *a)
{
  const char *why = archive_error_string (a);

  return why
         && (strstr (why, "runcated") || strstr (why, "nexpected end") || strstr (why, "EOF")
             || strstr (why, "(-5)")); /* zlib: more bytes were expected */
}

/* Reads one member and visits it; *more FALSE: the archive ends here. */
static gboolean
visit_member (Unpack *u, struct archive *a, struct archive_entry *entry, const char *name,
              const char *shown, const Where *where, gboolean *more)
{
  g_autoptr (GByteArray) bytes = NULL;
  Where inner = { (char *) shown, name, where->depth + 1, FALSE };
  guint64 size = archive_entry_size_is_set (entry) ? (guint64) archive_entry_size (entry) : 0;
  const char *why = NULL;
  Source source;

  if (archive_entry_is_data_encrypted (entry))
    return reject (u, shown, size, NULL, "encrypted",
                   "it is encrypted; unpack the archive with its password first");
  bytes = g_byte_array_new ();
  switch (read_member (u, a, bytes, &why))
    {
    case GOT_STOPPED:
      return FALSE;
    case GOT_TOO_LARGE:
      return reject (u, shown, size, NULL, "too_large",
                     "it is larger than 'max_file'; raise it if the file is trusted");
    case GOT_OVER:
      *more = FALSE;
      return reject (u, shown, bytes->len, NULL, "bomb", "%s", why);
    case GOT_BROKEN:
      *more = archive_errno (a) == 0;
      return reject (u, shown, bytes->len, NULL, is_cut_off (a) ? "truncated" : "damaged",
                     "it cannot be unpacked: %s", archive_fault (a));
    case GOT_ALL:
    default:
      break;
    }
  source = (Source){ -1, bytes->data ? (const char *) bytes->data : "", bytes->len };
  return visit (u, &source, &inner);
}

static gboolean
visit_entry (Unpack *u, struct archive *a, struct archive_entry *entry, const Where *where,
             gboolean *more)
{
  g_autofree char *name = NULL, *shown = NULL;
  mode_t type = archive_entry_filetype (entry);
  gboolean raw = archive_format (a) == ARCHIVE_FORMAT_RAW;

  name = raw ? name_inside (where->name) : text_input_member_name (entry);
  shown = where->member ? g_strconcat (where->member, "!", name, NULL) : g_strdup (name);
  if (!raw && type != 0 && type != S_IFREG)
    {
      if (type != S_IFDIR)
        count (u, "archive_links_passed_over", 1);
      return TRUE;
    }
  if (g_str_has_suffix (name, "/") || is_litter (name))
    return TRUE;
  if (++u->members > u->options.max_members)
    {
      u->over = TRUE;
      *more = FALSE;
      return reject (u, shown, 0, NULL, "bomb", "the file holds more than 'max_members' members");
    }
  return visit_member (u, a, entry, name, shown, where, more);
}

static gboolean
visit_entries (Unpack *u, struct archive *a, const Source *source, const Where *where)
{
  /* libarchive converts names by the thread's locale. */
  g_auto (TextUtf8Scope) scope = text_utf8_scope_begin ();
  struct archive_entry *entry;
  gboolean more = TRUE, any = FALSE;
  guint failures = 0;

  while (more && !u->over)
    {
      int rc = archive_read_next_header (a, &entry);

      if (rc == ARCHIVE_EOF || is_cancelled (u))
        {
          if (rc == ARCHIVE_EOF && !any)
            return reject (u, where->member, source->len, NULL, "no_text",
                           "the archive holds no files");
          return rc == ARCHIVE_EOF;
        }
      any = TRUE;
      if (rc < ARCHIVE_WARN)
        {
          /* Retry is of this member alone; but not for ever. */
          if (rc == ARCHIVE_RETRY && ++failures < 1000)
            continue;
          return reject (u, where->member, source->len, NULL,
                         is_cut_off (a)                               ? "truncated"
                         : archive_read_has_encrypted_entries (a) > 0 ? "encrypted"
                                                                      : "damaged",
                         "the archive cannot be read further: %s", archive_fault (a));
        }
      if (archive_format (a) == ARCHIVE_FORMAT_RAW && archive_filter_count (a) < 2)
        return reject (u, where->member, source->len, NULL, "damaged",
                       "it begins like an archive, but is none");
      if (!visit_entry (u, a, entry, where, &more))
        return FALSE;
    }
  return TRUE;
}

static gboolean
visit_archive (Unpack *u, const Source *source, const Where *where)
{
  struct archive *a;
  gboolean ok;

  if (!u->options.archives)
    {
      count (u, "archives_passed_over", 1);
      return TRUE;
    }
  if (where->depth >= u->options.max_depth)
    return reject (u, where->member, source->len, NULL, "too_deep",
                   "archives lie more than 'max_depth' deep in each other");
  a = open_archive (source);
  if (a == NULL)
    return reject (u, where->member, source->len, NULL, "damaged",
                   "it begins like an archive, but is none");
  count (u, "archives", 1);
  ok = visit_entries (u, a, source, where);
  archive_read_free (a);
  return ok;
}

/* ---- one file or member -------------------------------------------------------------- */

static gboolean
visit_unknown (Unpack *u, const Source *source, const Where *where, const char *what)
{
  guint at;

  /* A reader from elsewhere may know what we do not. */
  if (source->data && reader_for (u, NULL, where->name, source, &at))
    return read_document (u, u->options.readers[at]->types[0], source, where);
  if (where->child)
    {
      count (u, "attachments_passed_over", 1);
      return TRUE;
    }
  if (!u->options.reject_unknown)
    {
      count (u, "files_passed_over", 1);
      return TRUE;
    }
  return reject (u, where->member, source->len, NULL, "unknown_kind",
                 "it is %s, no document that is read here", what);
}

static gboolean
visit_ole (Unpack *u, const Source *source, const Where *where)
{
  gboolean encrypted;
  Found found = detect_ole (source->data, (gsize) source->len, &encrypted);

  if (encrypted)
    return reject (u, where->member, source->len, NULL, "encrypted",
                   "it is an Office document with a password; save it without one");
  return visit_unknown (u, source, where, found.what);
}

static gboolean
visit_whole (Unpack *u, Found found, const Source *source, const Where *where)
{
  if (found.kind == FOUND_ZIP)
    found = detect_zip (source->data, (gsize) source->len);
  switch (found.kind)
    {
    case FOUND_DOCUMENT:
      return read_document (u, found.type, source, where);
    case FOUND_OLE:
      return visit_ole (u, source, where);
    case FOUND_ARCHIVE:
      return visit_archive (u, source, where);
    case FOUND_EMPTY:
      if (where->child)
        return TRUE;
      return reject (u, where->member, 0, NULL, "no_text", "the file is empty");
    case FOUND_MBOX:
    case FOUND_ZIP:
    case FOUND_UNKNOWN:
    default:
      return visit_unknown (u, source, where, found.what);
    }
}

static gboolean
visit_large (Unpack *u, Found found, const Source *source, const Where *where)
{
  if (found.kind == FOUND_ZIP)
    found = detect_zip_fd (source->fd);
  if (found.kind == FOUND_ARCHIVE)
    return visit_archive (u, source, where);
  if (found.kind == FOUND_UNKNOWN)
    return visit_unknown (u, source, where, found.what);
  return reject (u, where->member, source->len, NULL, "too_large",
                 "it is larger than 'max_file'; raise it if the file is trusted");
}

static gboolean
visit (Unpack *u, const Source *source, const Where *where)
{
  char head[DETECT_HEAD];
  gsize n = (gsize) MIN (source->len, DETECT_HEAD);
  g_autoptr (GByteArray) bytes = NULL;
  g_autofree char *fault = NULL;
  Source memory;
  Found found;

  if (is_cancelled (u))
    return FALSE;
  if (source->fd < 0)
    memcpy (head, source->data, n);
  else
    {
      gssize got = pread (source->fd, head, n, 0);

      if (got < 0)
        return reject (u, where->member, source->len, NULL, "unreadable", "it cannot be read: %s",
                       g_strerror (errno));
      n = (gsize) got;
    }
  found = detect (where->name, head, n, n == source->len);
  if (found.kind == FOUND_MBOX)
    return visit_mbox (u, source, where);
  if (source->fd < 0)
    return visit_whole (u, found, source, where);
  if (found.kind == FOUND_ARCHIVE)
    return visit_archive (u, source, where);
  if (source->len > u->options.max_file)
    return visit_large (u, found, source, where);
  bytes = load (u, source, &fault);
  if (is_cancelled (u))
    return FALSE;
  if (fault)
    return reject (u, where->member, source->len, NULL, "unreadable", "it cannot be read: %s",
                   fault);
  memory = (Source){ -1, bytes->data ? (const char *) bytes->data : "", bytes->len };
  return visit_whole (u, found, &memory, where);
}

static void
begin_file (Unpack *u, guint64 size)
{
  u->file_size = MAX (size, 1);
  u->unpacked = u->members = 0;
  u->over = FALSE;
  count (u, "files", 1);
}

gboolean
unpack_file (Unpack *u, const char *path, const char *shown)
{
  /* Not to wait at a pipe that has taken a file's place since the walk. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  Where where = { NULL, shown, 0, FALSE };
  struct stat st;
  gboolean ok;

  begin_file (u, 0);
  if (fd < 0 || fstat (fd, &st) != 0)
    {
      ok = reject (u, NULL, 0, NULL, "unreadable", "it cannot be opened: %s", g_strerror (errno));
      if (fd >= 0)
        close (fd);
      return ok;
    }
  if (!S_ISREG (st.st_mode))
    ok = reject (u, NULL, 0, NULL, "not_a_file", "it is no regular file any more");
  else
    {
      Source source = { fd, NULL, (guint64) st.st_size };

      u->file_size = MAX (source.len, 1);
      ok = visit (u, &source, &where);
    }
  close (fd);
  return ok;
}

gboolean
unpack_bytes (Unpack *u, const char *name, const char *data, gsize len)
{
  Source source = { -1, data, len };
  Where where = { NULL, name, 0, FALSE };

  begin_file (u, len);
  return visit (u, &source, &where);
}

/* ---- life ------------------------------------------------------------------------------ */

static GHashTable *
counts_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
}

Unpack *
unpack_new (const UnpackOptions *options, GCancellable *cancellable, UnpackEmit emit, gpointer data)
{
  Unpack *u = g_new0 (Unpack, 1);

  u->options = *options;
  u->cancellable = cancellable;
  u->emit = emit;
  u->data = data;
  u->counts = counts_new ();
  while (options->readers[u->n_readers])
    u->n_readers++;
  u->states = g_new0 (gpointer, u->n_readers + 1);
  return u;
}

void
unpack_free (Unpack *u)
{
  if (u == NULL)
    return;
  for (guint i = 0; i < u->n_readers; i++)
    if (u->states[i] && u->options.readers[i]->close)
      u->options.readers[i]->close (u->states[i]);
  g_free (u->states);
  g_hash_table_unref (u->counts);
  g_free (u);
}

GHashTable *
unpack_counts (Unpack *u)
{
  GHashTable *counts = u->counts;

  u->counts = counts_new ();
  return counts;
}
