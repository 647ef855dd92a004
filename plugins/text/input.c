/* SPDX-License-Identifier: Apache-2.0 */
/* input.c: paths, globs, archives and standard input as one sequence of UTF-8
 * texts.
 *
 * What a file is, is asked of its first bytes, never of its name: a plain file
 * is read in blocks and only checked; anything compressed or archived goes
 * through libarchive.  Archives inside archives are not opened.
 *
 * What was read of standard input can be given back, so that a look at a header
 * and the reading proper can be two inputs.
 */
#include "config.h"

#include "text/input.h"

#include "text/charset.h"
#include "text/utf8-scope.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <flowrun/error.h>
#include <glob.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A compressed file may grow without limit up to here, beyond it at most by
 * this ratio: text reaches 100 to 1 at best, a bomb starts at 1000 to 1. */
#define EXPANSION_FREE ((guint64) 1024 * 1024 * 1024)
#define EXPANSION_RATIO 1000

#define BLOCK TEXT_CHARSET_WINDOW
#define MAGIC 512
#define STDIN_KEEP (8 * 1024 * 1024)

typedef struct
{
  char *path;
  char *member; /* glob within an archive, or NULL */
  guint64 size;
} Item;

struct _TextInput
{
  GPtrArray *items;
  guint next_item;
  char *charset; /* canonical; NULL: detect */
  GCancellable *cancellable;
  guint64 done_before, total; /* file bytes of closed items, of all */

  /* the file */
  const Item *item;
  int fd;
  gboolean is_stdin;
  GByteArray *seen; /* of standard input, for text_input_unread(); NULL when it grew too long */
  guint64 raw_read; /* bytes read from it */
  gboolean file_eof;
  char magic[MAGIC];
  gsize magic_pos, magic_len;
  char *feed; /* BLOCK bytes for libarchive */
  struct archive *archive;
  guint64 expanded;
  GPatternSpec *pattern;
  guint n_members, n_matched;
  GError *io_error; /* set inside a libarchive callback */

  /* the text */
  gboolean open;
  char *name;
  char *buffer; /* BLOCK + 16 bytes; [start, end) is not decoded yet */
  gsize start, end;
  gboolean eof;
  TextDecoder *decoder;
  const char *text_charset;
  const char *how;
  gboolean ascii_so_far;
  gboolean at_start;
  guint64 replaced_before;
};

/* ---- standard input, which can be opened only once ------------------------ */

static GMutex stdin_lock;
static GByteArray *stdin_kept; /* given back by text_input_unread() */
static gsize stdin_pos;
static gboolean stdin_used;

static gboolean
stdin_open (GError **error)
{
  gboolean used;

  g_mutex_lock (&stdin_lock);
  used = stdin_used;
  stdin_used = TRUE;
  g_mutex_unlock (&stdin_lock);
  if (used)
    g_set_error_literal (error, FR_ERROR, FR_ERROR_IO,
                         "standard input is being read already; only one stage can read '-'");
  return !used;
}

static gsize
stdin_take (char *data, gsize len)
{
  gsize n = 0;

  g_mutex_lock (&stdin_lock);
  if (stdin_kept != NULL)
    {
      n = MIN (len, stdin_kept->len - stdin_pos);
      memcpy (data, stdin_kept->data + stdin_pos, n);
      stdin_pos += n;
      if (stdin_pos == stdin_kept->len)
        g_clear_pointer (&stdin_kept, g_byte_array_unref);
    }
  g_mutex_unlock (&stdin_lock);
  return n;
}

/* ---- the list of files ---------------------------------------------------- */

static void
item_free (gpointer data)
{
  Item *item = data;

  g_free (item->path);
  g_free (item->member);
  g_free (item);
}

static gboolean
add_file (TextInput *input, const char *path, const char *member, GError **error)
{
  struct stat st;
  Item *item;

  if (stat (path, &st) != 0)
    return fr_error_errno (error, errno, "open", path);
  if (S_ISDIR (st.st_mode))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "'%s' is a directory; name the files in it, for example with '%s/*'", path,
                   path);
      return FALSE;
    }
  if (access (path, R_OK) != 0)
    return fr_error_errno (error, errno, "read", path);
  item = g_new0 (Item, 1);
  item->path = g_strdup (path);
  item->member = g_strdup (member);
  item->size = S_ISREG (st.st_mode) ? (guint64) st.st_size : 0;
  input->total += item->size;
  g_ptr_array_add (input->items, item);
  return TRUE;
}

static int
compare_paths (const void *a, const void *b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static gboolean
is_glob (const char *path)
{
  return strpbrk (path, "*?[") != NULL;
}

static gboolean
is_directory (const char *path)
{
  struct stat st;

  return stat (path, &st) == 0 && S_ISDIR (st.st_mode);
}

/* Adds what a glob matches, in the order of bytes; directories are passed over.
 * *found: how many files. */
static gboolean
add_glob (TextInput *input, const char *pattern, const char *member, guint *found, GError **error)
{
  glob_t g;
  gboolean ok = TRUE;

  *found = 0;
  if (glob (pattern, GLOB_NOSORT, NULL, &g) != 0)
    return TRUE;
  qsort (g.gl_pathv, g.gl_pathc, sizeof (char *), compare_paths);
  for (gsize i = 0; ok && i < g.gl_pathc; i++)
    if (!is_directory (g.gl_pathv[i]))
      {
        ok = add_file (input, g.gl_pathv[i], member, error);
        (*found)++;
      }
  globfree (&g);
  return ok;
}

/* "archive.zip:member-glob", the archive itself a glob perhaps. */
static gboolean
add_members (TextInput *input, const char *path, gboolean *found, GError **error)
{
  *found = FALSE;
  for (const char *colon = strchr (path, ':'); colon != NULL; colon = strchr (colon + 1, ':'))
    {
      g_autofree char *archive = g_strndup (path, (gsize) (colon - path));
      guint n = 0;

      if (colon[1] == '\0' || *archive == '\0')
        continue;
      if (access (archive, F_OK) == 0 && !is_directory (archive))
        {
          *found = TRUE;
          return add_file (input, archive, colon + 1, error);
        }
      if (is_glob (archive))
        {
          if (!add_glob (input, archive, colon + 1, &n, error))
            return FALSE;
          if (n > 0)
            {
              *found = TRUE;
              return TRUE;
            }
        }
    }
  return TRUE;
}

static gboolean
add_path (TextInput *input, const char *path, GError **error)
{
  gboolean found;
  guint n;

  if (g_str_equal (path, "-"))
    {
      Item *item = g_new0 (Item, 1);

      item->path = g_strdup (path);
      g_ptr_array_add (input->items, item);
      return TRUE;
    }
  /* A file of exactly that name wins over every reading as a pattern. */
  if (access (path, F_OK) == 0)
    return add_file (input, path, NULL, error);
  if (is_glob (path))
    {
      if (!add_glob (input, path, NULL, &n, error))
        return FALSE;
      if (n > 0)
        return TRUE;
    }
  if (!add_members (input, path, &found, error))
    return FALSE;
  if (found)
    return TRUE;
  if (!is_glob (path))
    return add_file (input, path, NULL, error);
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "no file matches '%s'; check the path and the pattern", path);
  return FALSE;
}

TextInput *
text_input_new (const char *const *paths, const char *charset, GCancellable *cancellable,
                GError **error)
{
  g_autoptr (TextInput) input = g_new0 (TextInput, 1);

  input->items = g_ptr_array_new_with_free_func (item_free);
  input->fd = -1;
  if (cancellable != NULL)
    input->cancellable = g_object_ref (cancellable);
  if (charset != NULL && *charset != '\0' && !g_str_equal (charset, "auto"))
    {
      const char *name
          = g_str_equal (charset, "bytes") ? charset : text_charset_canonical (charset, error);

      if (name == NULL)
        return NULL;
      input->charset = g_strdup (name);
    }
  if (paths == NULL || paths[0] == NULL)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG,
                           "no file is named; give at least one path, or '-' for standard input");
      return NULL;
    }
  for (gsize i = 0; paths[i] != NULL; i++)
    if (!add_path (input, paths[i], error))
      return NULL;
  input->buffer = g_malloc (BLOCK + 16);
  return g_steal_pointer (&input);
}

/* ---- bytes of a file ------------------------------------------------------ */

static gboolean
wait_readable (TextInput *input, GError **error)
{
  struct pollfd fds[2] = { { input->fd, POLLIN, 0 }, { -1, POLLIN, 0 } };

  if (g_cancellable_set_error_if_cancelled (input->cancellable, NULL))
    goto cancelled;
  if (input->item->size > 0 || input->cancellable == NULL)
    return TRUE;
  fds[1].fd = g_cancellable_get_fd (input->cancellable);
  while (poll (fds, 2, -1) < 0 && errno == EINTR)
    ;
  if (fds[1].fd >= 0)
    g_cancellable_release_fd (input->cancellable);
  if (!g_cancellable_is_cancelled (input->cancellable))
    return TRUE;
cancelled:
  g_set_error_literal (error, FR_ERROR, FR_ERROR_CANCELLED, "the run was cancelled");
  return FALSE;
}

/* Up to len bytes of the file as it lies on disk; -1 on error, 0 at its end. */
static gssize
file_read (TextInput *input, char *data, gsize len, GError **error)
{
  gssize n = 0;

  if (input->magic_pos < input->magic_len)
    {
      n = (gssize) MIN (len, input->magic_len - input->magic_pos);
      memcpy (data, input->magic + input->magic_pos, (gsize) n);
      input->magic_pos += (gsize) n;
      return n;
    }
  if (input->is_stdin)
    n = (gssize) stdin_take (data, len);
  while (n == 0 && !input->file_eof)
    {
      if (!wait_readable (input, error))
        return -1;
      n = read (input->fd, data, len);
      if (n < 0 && errno == EINTR)
        {
          n = 0;
          continue;
        }
      if (n < 0)
        {
          fr_error_errno (error, errno, "read", input->item->path);
          return -1;
        }
      input->file_eof = n == 0;
    }
  input->raw_read += (guint64) n;
  if (input->seen != NULL && n > 0)
    {
      if (input->seen->len + (gsize) n <= STDIN_KEEP)
        g_byte_array_append (input->seen, (const guint8 *) data, (guint) n);
      else
        g_clear_pointer (&input->seen, g_byte_array_unref);
    }
  return n;
}

static la_ssize_t
feed_read (struct archive *archive, void *data, const void **block)
{
  TextInput *input = data;

  (void) archive;
  *block = input->feed;
  return file_read (input, input->feed, BLOCK, input->io_error ? NULL : &input->io_error);
}

static la_int64_t
feed_seek (struct archive *archive, void *data, la_int64_t offset, int whence)
{
  TextInput *input = data;
  off_t at;

  (void) archive;
  /* The bytes looked at for the magic belong to the file again. */
  if (whence == SEEK_CUR && input->magic_pos < input->magic_len)
    offset -= (la_int64_t) (input->magic_len - input->magic_pos);
  input->magic_pos = input->magic_len = 0;
  input->file_eof = FALSE;
  at = lseek (input->fd, (off_t) offset, whence);
  return at < 0 ? ARCHIVE_FATAL : at;
}

/* Old tar files have no magic: the header's checksum tells them. */
static gboolean
is_tar (const char *head, gsize len)
{
  guint64 stated;
  guint sum = 0;

  if (len < 512)
    return FALSE;
  if (memcmp (head + 257, "ustar", 5) == 0)
    return TRUE;
  if (head[0] == '\0' || head[148] == '\0')
    return FALSE;
  stated = g_ascii_strtoull (head + 148, NULL, 8);
  for (gsize i = 0; i < 512; i++)
    sum += i >= 148 && i < 156 ? ' ' : (guchar) head[i];
  return stated == sum;
}

static gboolean
needs_archive (const char *head, gsize len)
{
  static const struct
  {
    const char *bytes;
    gsize len;
  } marks[] = {
    { "\x1F\x8B\x08", 3 },
    { "\xFD"
      "7zXZ\0",
      6 },
    { "\x28\xB5\x2F\xFD", 4 },
    { "PK\3\4", 4 },
    { "PK\5\6", 4 },
    { "7z\xBC\xAF\x27\x1C", 6 },
    { "\x1F\x9D", 2 },
    { "\x04\x22\x4D\x18", 4 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (marks); i++)
    if (len >= marks[i].len && memcmp (head, marks[i].bytes, marks[i].len) == 0)
      return TRUE;
  if (len >= 10 && memcmp (head, "BZh", 3) == 0 && head[3] >= '1' && head[3] <= '9')
    return memcmp (head + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0
           || memcmp (head + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0;
  /* zstd's skippable frames, as pzstd writes them first */
  if (len >= 4 && ((guchar) head[0] & 0xF0) == 0x50 && memcmp (head + 1, "\x2A\x4D\x18", 3) == 0)
    return TRUE;
  return is_tar (head, len);
}

static const char *
shown_name (TextInput *input)
{
  return g_str_equal (input->item->path, "-") ? "standard input" : input->item->path;
}

static gboolean
archive_failed (TextInput *input, GError **error)
{
  const char *why = archive_error_string (input->archive);

  if (input->io_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&input->io_error));
      return FALSE;
    }
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "cannot unpack '%s': %s; the file is damaged, cut short or protected: copy or "
               "download it again",
               input->open ? input->name : shown_name (input), why ? why : "unknown fault");
  return FALSE;
}

static gboolean
open_archive (TextInput *input, GError **error)
{
  struct archive *a = archive_read_new ();

  input->archive = a;
  if (input->feed == NULL)
    input->feed = g_malloc (BLOCK);
  archive_read_support_filter_gzip (a);
  archive_read_support_filter_xz (a);
  archive_read_support_filter_zstd (a);
  archive_read_support_filter_bzip2 (a);
  archive_read_support_filter_compress (a);
  archive_read_support_filter_lz4 (a);
  archive_read_support_format_tar (a);
  archive_read_support_format_zip (a);
  archive_read_support_format_7zip (a);
  archive_read_support_format_raw (a);
  archive_read_support_format_empty (a);
  archive_read_set_read_callback (a, feed_read);
  if (input->item->size > 0)
    archive_read_set_seek_callback (a, feed_seek);
  archive_read_set_callback_data (a, input);
  return archive_read_open1 (a) == ARCHIVE_OK || archive_failed (input, error);
}

static void
close_text (TextInput *input)
{
  if (input->decoder != NULL)
    input->replaced_before += text_decoder_n_replaced (input->decoder);
  g_clear_pointer (&input->decoder, text_decoder_free);
  g_clear_pointer (&input->name, g_free);
  input->open = FALSE;
  input->start = input->end = 0;
}

static void
close_file (TextInput *input)
{
  close_text (input);
  if (input->archive != NULL)
    archive_read_free (input->archive);
  input->archive = NULL;
  g_clear_pointer (&input->pattern, g_pattern_spec_free);
  g_clear_error (&input->io_error);
  if (input->fd >= 0 && !input->is_stdin)
    close (input->fd);
  input->fd = -1;
  if (input->item != NULL)
    input->done_before += input->item->size;
  input->item = NULL;
}

static gboolean
open_file (TextInput *input, const Item *item, GError **error)
{
  input->item = item;
  input->is_stdin = g_str_equal (item->path, "-");
  input->fd = input->is_stdin ? 0 : open (item->path, O_RDONLY | O_CLOEXEC);
  if (input->fd < 0)
    return fr_error_errno (error, errno, "open", item->path);
  input->raw_read = input->expanded = 0;
  input->magic_pos = input->magic_len = 0;
  input->n_members = input->n_matched = 0;
  input->file_eof = FALSE;
  if (item->member != NULL)
    input->pattern = g_pattern_spec_new (item->member);
  if (input->is_stdin)
    {
      if (!stdin_open (error))
        return FALSE;
      input->seen = g_byte_array_new ();
    }
  for (gsize got = 0; got < MAGIC;)
    {
      gssize n = file_read (input, input->magic + got, MAGIC - got, error);

      if (n < 0)
        return FALSE;
      if (n == 0)
        break;
      got += (gsize) n;
      input->magic_len = input->magic_pos = got;
    }
  input->magic_pos = 0;
#ifdef POSIX_FADV_SEQUENTIAL
  posix_fadvise (input->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
  if (needs_archive (input->magic, input->magic_len))
    return open_archive (input, error);
  if (item->member == NULL)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "'%s' is not an archive, so it has no member '%s'; write the path alone", item->path,
               item->member);
  return FALSE;
}

/* ---- members -------------------------------------------------------------- */

char *
text_input_member_name (struct archive_entry *entry)
{
  const char *name = archive_entry_pathname_utf8 (entry), *out;
  g_autoptr (TextDecoder) decoder = NULL;
  gsize len;

  if (name == NULL)
    name = archive_entry_pathname (entry);
  if (name == NULL)
    return g_strdup ("?");
  if (g_utf8_validate (name, -1, NULL))
    return g_strdup (name);
  decoder = text_decoder_new ("gb18030", NULL);
  if (decoder == NULL)
    return g_utf8_make_valid (name, -1);
  text_decoder_decode (decoder, name, strlen (name), TRUE, &out, &len);
  return text_decoder_n_replaced (decoder) > 0 ? g_utf8_make_valid (name, -1)
                                               : g_strndup (out, len);
}

static gboolean
wanted (TextInput *input, struct archive_entry *entry, const char *name)
{
  mode_t type = archive_entry_filetype (entry);

  if (type != 0 && type != S_IFREG)
    return FALSE;
  if (g_str_has_suffix (name, "/"))
    return FALSE;
  input->n_members++;
  if (input->pattern != NULL)
    return g_pattern_spec_match_string (input->pattern, name);
  /* What macOS adds to every zip is nobody's data. */
  return !g_str_has_prefix (name, "__MACOSX/") && !g_str_has_suffix (name, "/.DS_Store");
}

static gboolean
no_members (TextInput *input, GError **error)
{
  if (input->item->member == NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_DATA, "the archive '%s' holds no files",
                 shown_name (input));
  else
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                 "none of the %u files in '%s' matches '%s'; list them with 'bsdtar -tf' and "
                 "check the pattern",
                 input->n_members, shown_name (input), input->item->member);
  return FALSE;
}

static gboolean
find_member (TextInput *input, gboolean *more, GError **error)
{
  struct archive_entry *entry;

  *more = TRUE;
  for (;;)
    {
      int rc = archive_read_next_header (input->archive, &entry);
      g_autofree char *member = NULL;

      if (rc == ARCHIVE_EOF)
        break;
      if (rc < ARCHIVE_WARN || (rc != ARCHIVE_OK && input->io_error != NULL))
        return archive_failed (input, error);
      if (archive_format (input->archive) == ARCHIVE_FORMAT_RAW)
        {
          /* Nothing was taken off: the beginning promised what does not follow. */
          if (archive_filter_count (input->archive) < 2)
            {
              g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                           "'%s' begins like a compressed file or an archive, but is damaged; copy "
                           "or download it again",
                           shown_name (input));
              return FALSE;
            }
          if (input->pattern != NULL)
            {
              g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                           "'%s' is a compressed file, not an archive, so it has no member '%s'; "
                           "write the path alone",
                           shown_name (input), input->item->member);
              return FALSE;
            }
          input->name = g_strdup (input->item->path);
          input->n_matched++;
          return TRUE;
        }
      member = text_input_member_name (entry);
      if (!wanted (input, entry, member))
        continue;
      if (g_str_equal (member, "xl/workbook.xml"))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "'%s' is an Excel workbook; save its sheets as CSV first",
                       shown_name (input));
          return FALSE;
        }
      input->n_matched++;
      input->name = g_strconcat (input->item->path, ":", member, NULL);
      return TRUE;
    }
  if (input->io_error != NULL)
    return archive_failed (input, error);
  if (input->n_matched == 0 && archive_format (input->archive) == ARCHIVE_FORMAT_EMPTY
      && input->pattern == NULL)
    {
      /* A compressed file of nothing is one empty text. */
      input->n_matched++;
      input->name = g_strdup (input->item->path);
      input->eof = TRUE;
      return TRUE;
    }
  *more = FALSE;
  return input->n_matched > 0 || no_members (input, error);
}

/* Opens the next wanted member; *more FALSE when there is none. */
static gboolean
next_member (TextInput *input, gboolean *more, GError **error)
{
  /* libarchive converts names by the thread's locale. */
  g_auto (TextUtf8Scope) scope = text_utf8_scope_begin ();

  if (input->n_matched > 0 && archive_format (input->archive) == ARCHIVE_FORMAT_EMPTY)
    {
      *more = FALSE;
      return TRUE;
    }
  return find_member (input, more, error);
}

/* ---- texts ---------------------------------------------------------------- */

static gssize
text_bytes (TextInput *input, char *data, gsize len, GError **error)
{
  la_ssize_t n;

  if (input->archive == NULL)
    return file_read (input, data, len, error);
  do
    n = archive_read_data (input->archive, data, len);
  while (n == ARCHIVE_RETRY);
  if (n < 0)
    {
      archive_failed (input, error);
      return -1;
    }
  input->expanded += (guint64) n;
  if (input->expanded > EXPANSION_FREE && input->expanded / EXPANSION_RATIO > input->raw_read)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "'%s' grows more than %d times and past 1 GiB when unpacked, which no text "
                   "does; if it is trusted, unpack it first and read the result",
                   input->name, EXPANSION_RATIO);
      return -1;
    }
  return (gssize) n;
}

/* Reads behind what is in the buffer; @all: until it is full or the text ends. */
static gboolean
fill (TextInput *input, gboolean all, GError **error)
{
  if (input->start > 0)
    {
      memmove (input->buffer, input->buffer + input->start, input->end - input->start);
      input->end -= input->start;
      input->start = 0;
    }
  while (!input->eof && input->end < BLOCK)
    {
      gssize n = text_bytes (input, input->buffer + input->end, BLOCK - input->end, error);

      if (n < 0)
        return FALSE;
      input->eof = n == 0;
      input->end += (gsize) n;
      if (n > 0 && !all)
        break;
    }
  return TRUE;
}

static gboolean
set_charset (TextInput *input, const char *charset, const char *how, GError **error)
{
  if (input->decoder != NULL)
    input->replaced_before += text_decoder_n_replaced (input->decoder);
  g_clear_pointer (&input->decoder, text_decoder_free);
  input->text_charset = charset;
  input->how = how;
  if (g_str_equal (charset, "bytes"))
    return TRUE;
  input->decoder = text_decoder_new (charset, error);
  return input->decoder != NULL;
}

/* With the charset "bytes" there is no decoder, and all that was read goes out. */
static gsize
decode (TextInput *input, gboolean last, const char **block, gsize *len)
{
  if (input->decoder != NULL)
    return text_decoder_decode (input->decoder, input->buffer + input->start,
                                input->end - input->start, last, block, len);
  *block = input->buffer + input->start;
  *len = input->end - input->start;
  return *len;
}

static gboolean
begin_text (TextInput *input, GError **error)
{
  const char *how = "given", *charset = input->charset, *seen;

  input->open = input->at_start = TRUE;
  input->start = input->end = 0;
  input->ascii_so_far = FALSE;
  if (charset != NULL && !g_str_has_prefix (charset, "utf-16"))
    return set_charset (input, charset, how, error);
  if (!fill (input, TRUE, error))
    return FALSE;
  seen = text_charset_detect (input->buffer, input->end, input->eof, &how);
  if (charset == NULL)
    {
      input->ascii_so_far = g_str_equal (seen, "utf-8") && g_str_equal (how, "guessed");
      return set_charset (input, seen, how, error);
    }
  /* UTF-16 was given: the mark, if there is one, knows the byte order better. */
  if (g_str_has_prefix (seen, "utf-16") && g_str_equal (how, "marked"))
    return set_charset (input, seen, how, error);
  return set_charset (input, charset, "given", error);
}

gboolean
text_input_next_text (TextInput *input, const char **name, GError **error)
{
  gboolean more = TRUE;

  close_text (input);
  for (;;)
    {
      input->eof = FALSE;
      if (input->item == NULL)
        {
          if (input->next_item == input->items->len)
            return FALSE;
          if (!open_file (input, g_ptr_array_index (input->items, input->next_item++), error))
            return FALSE;
          if (input->archive == NULL)
            {
              input->name = g_strdup (input->item->path);
              break;
            }
        }
      else if (input->archive == NULL)
        {
          close_file (input);
          continue;
        }
      if (!next_member (input, &more, error))
        return FALSE;
      if (more)
        break;
      close_file (input);
    }
  if (!begin_text (input, error))
    return FALSE;
  *name = input->name;
  return TRUE;
}

/* A text that began as plain ASCII is guessed again at its first other byte. */
static gboolean
guess_again (TextInput *input, GError **error)
{
  gsize ascii = text_ascii_len (input->buffer + input->start, input->end - input->start);
  const char *charset, *how;

  if (ascii == input->end - input->start)
    return TRUE;
  input->ascii_so_far = FALSE;
  if (text_utf8_valid_len (input->buffer + input->start, input->end - input->start)
      >= input->end - input->start - MIN (3, input->end - input->start))
    return TRUE;
  if (!fill (input, TRUE, error))
    return FALSE;
  charset = text_charset_detect (input->buffer, input->end, input->eof, &how);
  /* Only charsets that contain ASCII as it is can follow ASCII. */
  if (g_str_equal (charset, input->text_charset) || g_str_has_prefix (charset, "utf-"))
    return TRUE;
  return set_charset (input, charset, "guessed", error);
}

gboolean
text_input_read (TextInput *input, const char **block, gsize *len, GError **error)
{
  while (input->open)
    {
      gboolean last;

      if (input->end - input->start < 4 && !input->eof && !fill (input, FALSE, error))
        return FALSE;
      if (input->ascii_so_far && !guess_again (input, error))
        return FALSE;
      last = input->eof;
      if (input->start == input->end && last && input->at_start)
        {
          input->open = FALSE;
          return FALSE;
        }
      input->start += decode (input, last, block, len);
      if (last && input->start == input->end)
        input->open = FALSE;
      else if (*len == 0 && !input->eof && !fill (input, FALSE, error))
        return FALSE;
      if (*len > 0 && input->at_start)
        {
          input->at_start = FALSE;
          if (*len >= 3 && memcmp (*block, "\xEF\xBB\xBF", 3) == 0)
            {
              *block += 3;
              *len -= 3;
            }
        }
      if (*len > 0)
        return TRUE;
    }
  return FALSE;
}

/* ---- the rest ------------------------------------------------------------- */

const char *
text_input_charset (TextInput *input, const char **how)
{
  if (how != NULL)
    *how = input->how;
  return input->text_charset;
}

guint64
text_input_n_replaced (TextInput *input)
{
  return input->replaced_before
         + (input->decoder != NULL ? text_decoder_n_replaced (input->decoder) : 0);
}

void
text_input_progress (TextInput *input, guint64 *done, guint64 *total)
{
  *done = input->done_before + (input->item != NULL ? MIN (input->raw_read, input->item->size) : 0);
  *total = input->total;
}

gboolean
text_input_unread (TextInput *input)
{
  gboolean ok = TRUE;

  if (input->item == NULL || !input->is_stdin)
    return TRUE;
  g_mutex_lock (&stdin_lock);
  if (input->seen != NULL)
    {
      if (stdin_kept != NULL)
        g_byte_array_append (input->seen, stdin_kept->data + stdin_pos,
                             stdin_kept->len - (guint) stdin_pos);
      g_clear_pointer (&stdin_kept, g_byte_array_unref);
      stdin_kept = g_steal_pointer (&input->seen);
      stdin_pos = 0;
      stdin_used = FALSE;
    }
  else
    ok = FALSE;
  g_mutex_unlock (&stdin_lock);
  return ok;
}

void
text_input_free (TextInput *input)
{
  if (input == NULL)
    return;
  g_clear_pointer (&input->seen, g_byte_array_unref);
  close_file (input);
  g_ptr_array_unref (input->items);
  g_clear_object (&input->cancellable);
  g_free (input->charset);
  g_free (input->buffer);
  g_free (input->feed);
  g_free (input);
}
