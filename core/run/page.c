/* SPDX-License-Identifier: Apache-2.0 */
/* page.c: rows in a private file.
 *
 *   file    header record, rows records, perhaps one done record
 *   record  32 bytes: tag[8], length u64, XXH3-64 of the payload, rows u64; then the payload
 *   header  payload: fields (type u8, name, children), names of sources; rows holds the version
 *   rows    payload: row ids, then each column: length, nulls, text size (u64 each), its
 *           buffers, each filled up to a multiple of 8, then its children
 *   done    no payload: length holds the number of rows records, rows that of all rows
 *
 * Little-endian.  A reader takes nothing on trust: every length is checked
 * against what is left of the file before it is used, and every column is
 * validated, so that a damaged file is an error and never a crash.  A batch
 * read is one block of memory that its columns share.
 */
#include "config.h"

#include "run/page.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xxhash.h>

#include "data/data-private.h"

G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);
G_STATIC_ASSERT (sizeof (FrRowId) == 16);

#define PAGE_VERSION 1
#define MAX_NESTING 64
#define TAG_HEADER "FLOWROWS"
#define TAG_ROWS "ROWS\r\n\032\n"
#define TAG_DONE "DONE\r\n\032\n"

typedef struct
{
  char tag[8];
  guint64 length;
  guint64 hash;
  guint64 rows;
} Record;

G_STATIC_ASSERT (sizeof (Record) == 32);

/* The done record has no payload: its hash guards its own two numbers. */
static guint64
done_hash (const Record *record)
{
  guint64 numbers[2] = { record->length, record->rows };

  return XXH3_64bits (numbers, sizeof numbers);
}

/* ---- writing ------------------------------------------------------------- */

struct _FriPageWriter
{
  char *path;
  int fd;
  FrSchema *schema;
  GArray *pieces; /* struct iovec: the record being written */
  GByteArray *numbers;
  off_t end; /* of the last whole record */
  guint64 n_batches, n_rows;
  gboolean failed;
};

static void
writer_free (FriPageWriter *writer)
{
  if (writer->fd >= 0)
    close (writer->fd);
  fr_schema_unref (writer->schema);
  g_array_unref (writer->pieces);
  g_free (writer->path);
  g_free (writer);
}

static gboolean
write_pieces (FriPageWriter *writer, GError **error)
{
  struct iovec *v = (struct iovec *) (gpointer) writer->pieces->data;
  gsize n = writer->pieces->len;

  while (n > 0)
    {
      ssize_t done = writev (writer->fd, v, (int) MIN (n, 512));

      if (done < 0 && errno == EINTR)
        continue;
      if (done < 0)
        return fr_error_errno (error, errno, "write", writer->path);
      writer->end += done;
      for (; n > 0 && (gsize) done >= v->iov_len; v++, n--)
        done -= (ssize_t) v->iov_len;
      if (done > 0)
        {
          v->iov_base = (char *) v->iov_base + done;
          v->iov_len -= (gsize) done;
        }
    }
  return TRUE;
}

/* Writes a record with the pieces gathered (the first stands for the record
 * itself).  What was written of one that failed is taken back. */
static gboolean
write_record (FriPageWriter *writer, Record *record, GError **error)
{
  struct iovec *v = (struct iovec *) (gpointer) writer->pieces->data;
  off_t begin = writer->end;
  int cut;
  XXH3_state_t *hash = XXH3_createState ();
  guint64 length = 0;

  XXH3_64bits_reset (hash);
  for (guint i = 1; i < writer->pieces->len; i++)
    {
      XXH3_64bits_update (hash, v[i].iov_base, v[i].iov_len);
      length += v[i].iov_len;
    }
  if (writer->pieces->len > 1)
    {
      record->length = length;
      record->hash = XXH3_64bits_digest (hash);
    }
  XXH3_freeState (hash);
  v[0] = (struct iovec){ record, sizeof *record };
  if (write_pieces (writer, error))
    return TRUE;
  writer->failed = TRUE;
  writer->end = begin;
  /* Where this fails too, the reader finds a cut record, which it expects. */
  cut = ftruncate (writer->fd, begin);
  (void) cut;
  return FALSE;
}

static void
add_piece (FriPageWriter *writer, const void *data, gsize len)
{
  static const guint8 zeros[8];
  struct iovec v = { (void *) data, len };

  if (len > 0)
    g_array_append_val (writer->pieces, v);
  if (len % 8 != 0)
    {
      v = (struct iovec){ (void *) zeros, 8 - len % 8 };
      g_array_append_val (writer->pieces, v);
    }
}

static void
start_pieces (FriPageWriter *writer)
{
  struct iovec record = { NULL, 0 };

  g_array_set_size (writer->pieces, 0);
  g_array_append_val (writer->pieces, record);
}

static void
put_text (GByteArray *out, const char *text)
{
  guint32 len = (guint32) strlen (text);

  g_byte_array_append (out, (const guint8 *) &len, sizeof len);
  g_byte_array_append (out, (const guint8 *) text, len);
}

static void
put_field (GByteArray *out, const FrField *field)
{
  guint8 type = (guint8) field->type;
  guint32 n = field->n_children;

  g_byte_array_append (out, &type, 1);
  put_text (out, field->name);
  g_byte_array_append (out, (const guint8 *) &n, sizeof n);
  for (guint i = 0; i < n; i++)
    put_field (out, field->children[i]);
}

static gboolean
write_header (FriPageWriter *writer, const char *const *sources, GError **error)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  Record record = { TAG_HEADER, 0, 0, PAGE_VERSION };
  guint32 n = fr_schema_n_fields (writer->schema);

  g_byte_array_append (out, (const guint8 *) &n, sizeof n);
  for (guint i = 0; i < n; i++)
    put_field (out, fr_schema_field (writer->schema, i));
  n = 0;
  while (sources != NULL && sources[n + 1] != NULL)
    n++;
  g_byte_array_append (out, (const guint8 *) &n, sizeof n);
  for (guint i = 1; i <= n; i++)
    put_text (out, sources[i]);
  start_pieces (writer);
  add_piece (writer, out->data, out->len);
  return write_record (writer, &record, error);
}

FriPageWriter *
fri_page_writer_new (const char *path, FrSchema *schema, const char *const *sources, GError **error)
{
  FriPageWriter *writer;
  int fd = open (path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);

  if (fd < 0)
    {
      fr_error_errno (error, errno, "create", path);
      return NULL;
    }
  writer = g_new0 (FriPageWriter, 1);
  writer->fd = fd;
  writer->path = g_strdup (path);
  writer->schema = fr_schema_ref (schema);
  writer->pieces = g_array_new (FALSE, FALSE, sizeof (struct iovec));
  if (write_header (writer, sources, error))
    return writer;
  fri_page_writer_discard (writer);
  return NULL;
}

static void
add_column (FriPageWriter *writer, const FrColumn *column)
{
  gsize n = fr_column_length (column);
  const guint64 head[3] = { n, (guint64) column->array.null_count, column->data_size };

  g_byte_array_append (writer->numbers, (const guint8 *) head, sizeof head);
  /* The numbers may still move: their address is filled in at the end. */
  g_array_append_vals (writer->pieces, &(struct iovec){ NULL, sizeof head }, 1);
  if (column->array.null_count > 0)
    add_piece (writer, column->buffers[FRI_BUFFER_VALIDITY], (n + 7) / 8);
  if (column->type == FR_TYPE_LARGE_UTF8)
    add_piece (writer, column->buffers[FRI_BUFFER_OFFSETS], (n + 1) * 8);
  else if (column->type == FR_TYPE_LIST || fri_type_is_text (column->type))
    add_piece (writer, column->buffers[FRI_BUFFER_OFFSETS], (n + 1) * 4);
  else if (column->type == FR_TYPE_BOOL)
    add_piece (writer, column->buffers[FRI_BUFFER_VALUES], (n + 7) / 8);
  else if (column->type != FR_TYPE_STRUCT)
    add_piece (writer, column->buffers[FRI_BUFFER_VALUES], n * fri_type_width (column->type));
  if (fri_type_is_text (column->type))
    add_piece (writer, column->buffers[FRI_BUFFER_TEXT], column->data_size);
  for (guint i = 0; i < column->n_children; i++)
    add_column (writer, column->children[i]);
}

gboolean
fri_page_writer_add (FriPageWriter *writer, FrBatch *batch, GError **error)
{
  Record record = { TAG_ROWS, 0, 0, batch->n_rows };
  const guint8 *number;

  if (writer->failed)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot write %s: an earlier write failed",
                   writer->path);
      return FALSE;
    }
  g_return_val_if_fail (fr_schema_equal (writer->schema, batch->schema), FALSE);
  if (batch->n_rows == 0)
    return TRUE;
  start_pieces (writer);
  writer->numbers = g_byte_array_new ();
  add_piece (writer, batch->ids, batch->n_rows * sizeof (FrRowId));
  for (guint i = 0; i < batch->n_columns; i++)
    add_column (writer, batch->columns[i]);
  number = writer->numbers->data;
  for (guint i = 1; i < writer->pieces->len; i++)
    {
      struct iovec *v = &g_array_index (writer->pieces, struct iovec, i);

      if (v->iov_base == NULL)
        {
          v->iov_base = (void *) number;
          number += v->iov_len;
        }
    }
  if (write_record (writer, &record, error))
    {
      writer->n_batches++;
      writer->n_rows += batch->n_rows;
    }
  g_clear_pointer (&writer->numbers, g_byte_array_unref);
  return !writer->failed;
}

gboolean
fri_page_writer_flush (FriPageWriter *writer, GError **error)
{
  /* Records are written whole as they come; there is nothing held back. */
  if (!writer->failed)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot write %s: an earlier write failed",
               writer->path);
  return FALSE;
}

gboolean
fri_page_writer_close (FriPageWriter *writer, gboolean sync, GError **error)
{
  Record record = { TAG_DONE, writer->n_batches, 0, writer->n_rows };
  gboolean fine = fri_page_writer_flush (writer, error);
  int fd = writer->fd;

  record.hash = done_hash (&record);
  start_pieces (writer);
  fine = fine && write_record (writer, &record, error);
  if (fine && sync && fsync (fd) < 0)
    fine = fr_error_errno (error, errno, "write", writer->path);
  writer->fd = -1;
  if (close (fd) < 0 && fine)
    fine = fr_error_errno (error, errno, "close", writer->path);
  writer_free (writer);
  return fine;
}

void
fri_page_writer_discard (FriPageWriter *writer)
{
  struct stat st;

  if (writer == NULL)
    return;
  /* Only what is a file of rows: a device that was named by mistake stays. */
  if (fstat (writer->fd, &st) == 0 && S_ISREG (st.st_mode))
    unlink (writer->path);
  writer_free (writer);
}

/* ---- reading ------------------------------------------------------------- */

struct _FriPageReader
{
  char *path;
  int fd;
  gboolean complete;
  guint64 size;  /* of the file when it was opened */
  guint64 first; /* where the rows begin */
  guint64 pos;
  guint64 n_batches, n_rows; /* read so far */
  FrSchema *schema;
  GPtrArray *sources; /* NULL, names, NULL; or none at all */
};

/* A block being taken apart. */
typedef struct
{
  const guint8 *p;
  gsize left;
} Block;

static gboolean G_GNUC_PRINTF (3, 4)
    damaged (const FriPageReader *reader, GError **error, const char *format, ...)
{
  g_autofree char *fault = NULL;
  va_list args;

  va_start (args, format);
  fault = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s is damaged: %s; remove it and run again",
               reader->path, fault);
  return FALSE;
}

static gboolean
read_at (const FriPageReader *reader, void *to, gsize len, guint64 at, GError **error)
{
  char *p = to;

  while (len > 0)
    {
      ssize_t n = pread (reader->fd, p, len, (off_t) at);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return fr_error_errno (error, errno, "read", reader->path);
      if (n == 0)
        return damaged (reader, error, "it became shorter while it was read");
      p += n;
      at += (guint64) n;
      len -= (gsize) n;
    }
  return TRUE;
}

static const void *
take (Block *block, gsize len)
{
  const void *p = block->p;

  if (len > block->left || p == NULL)
    return NULL;
  block->p += len;
  block->left -= len;
  return p;
}

/* @len bytes and what fills them up to a multiple of 8. */
static const void *
take_padded (Block *block, gsize len)
{
  if (len > G_MAXSIZE - 8)
    return NULL;
  return take (block, (len + 7) / 8 * 8);
}

static gboolean
take_u32 (Block *block, guint32 *value)
{
  const void *p = take (block, sizeof *value);

  if (p != NULL)
    memcpy (value, p, sizeof *value);
  return p != NULL;
}

/* A C string; NULL unless it is valid UTF-8 without U+0000. */
static char *
take_text (Block *block)
{
  guint32 len;
  const char *p;

  if (!take_u32 (block, &len))
    return NULL;
  p = take (block, len);
  if (p == NULL || !g_utf8_validate (p, len, NULL))
    return NULL;
  return g_strndup (p, len);
}

static FrField *take_field (Block *block, guint depth);

static GPtrArray *
take_fields (Block *block, guint depth)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new_with_free_func ((GDestroyNotify) fr_field_unref);
  guint32 n;

  /* A field takes 9 bytes at least. */
  if (!take_u32 (block, &n) || n > block->left / 9)
    return NULL;
  for (guint i = 0; i < n; i++)
    {
      FrField *field = take_field (block, depth);

      if (field == NULL)
        return NULL;
      g_ptr_array_add (fields, field);
    }
  return g_steal_pointer (&fields);
}

static FrField *
take_field (Block *block, guint depth)
{
  const guint8 *type = take (block, 1);
  g_autofree char *name = NULL;
  g_autoptr (GPtrArray) children = NULL;

  if (type == NULL || *type < FR_TYPE_BOOL || *type > FR_TYPE_STRUCT || depth > MAX_NESTING)
    return NULL;
  name = take_text (block);
  children = name ? take_fields (block, depth + 1) : NULL;
  if (children == NULL)
    return NULL;
  if (*type == FR_TYPE_LIST)
    return children->len == 1 ? fr_field_new_list (name, fr_field_ref (children->pdata[0])) : NULL;
  if (*type == FR_TYPE_STRUCT)
    {
      g_ptr_array_set_free_func (children, NULL);
      return fr_field_new_struct (name, (FrField *const *) children->pdata, children->len);
    }
  return children->len == 0 ? fr_field_new (name, (FrType) *type) : NULL;
}

static gboolean
take_sources (FriPageReader *reader, Block *block)
{
  guint32 n;

  if (!take_u32 (block, &n) || n > block->left / 4)
    return FALSE;
  reader->sources = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (reader->sources, NULL);
  for (guint i = 0; i < n; i++)
    {
      char *name = take_text (block);

      if (name == NULL)
        return FALSE;
      g_ptr_array_add (reader->sources, name);
    }
  g_ptr_array_add (reader->sources, NULL);
  return TRUE;
}

/* A record's payload; g_free() it. */
static guint8 *
read_payload (const FriPageReader *reader, const Record *record, guint64 at, GError **error)
{
  g_autofree guint8 *payload = g_try_malloc (MAX (record->length, 1));

  if (payload == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "no memory for a batch of %" G_GUINT64_FORMAT " bytes from %s", record->length,
                   reader->path);
      return NULL;
    }
  if (!read_at (reader, payload, record->length, at, error))
    return NULL;
  if (XXH3_64bits (payload, record->length) != record->hash)
    {
      damaged (reader, error, "the checksum at byte %" G_GUINT64_FORMAT " does not fit", at);
      return NULL;
    }
  return g_steal_pointer (&payload);
}

static gboolean
read_header (FriPageReader *reader, GError **error)
{
  Record record;
  g_autofree guint8 *payload = NULL;
  g_autoptr (GPtrArray) fields = NULL;
  Block block;

  if (reader->size < sizeof record || !read_at (reader, &record, sizeof record, 0, NULL)
      || memcmp (record.tag, TAG_HEADER, sizeof record.tag) != 0)
    return damaged (reader, error, "it does not begin as a file of rows");
  if (record.rows != PAGE_VERSION)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "%s is of version %" G_GUINT64_FORMAT ", this flowrun reads version %d; "
                   "remove it and run again",
                   reader->path, record.rows, PAGE_VERSION);
      return FALSE;
    }
  if (record.length > reader->size - sizeof record)
    return damaged (reader, error, "it ends within its header");
  payload = read_payload (reader, &record, sizeof record, error);
  if (payload == NULL)
    return FALSE;
  block = (Block){ payload, record.length };
  fields = take_fields (&block, 0);
  if (fields == NULL || !take_sources (reader, &block))
    return damaged (reader, error, "its header makes no sense");
  g_ptr_array_set_free_func (fields, NULL);
  reader->schema = fr_schema_new ((FrField *const *) fields->pdata, fields->len, NULL);
  if (reader->schema == NULL)
    return damaged (reader, error, "two of its columns share a name");
  reader->first = reader->pos = sizeof record + record.length;
  return TRUE;
}

/* The end mark must be the last thing in the file; its counts are compared
 * when the reader gets there. */
static gboolean
check_end (FriPageReader *reader, GError **error)
{
  Record record;

  if (reader->size - reader->first >= sizeof record
      && read_at (reader, &record, sizeof record, reader->size - sizeof record, error)
      && memcmp (record.tag, TAG_DONE, sizeof record.tag) == 0
      && record.hash == done_hash (&record))
    return TRUE;
  g_clear_error (error);
  return damaged (reader, error, "it was not written to its end");
}

FriPageReader *
fri_page_reader_new (const char *path, gboolean complete, GError **error)
{
  g_autoptr (FriPageReader) reader = NULL;
  struct stat st;
  int fd = open (path, O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    {
      fr_error_errno (error, errno, "open", path);
      return NULL;
    }
  reader = g_new0 (FriPageReader, 1);
  reader->fd = fd;
  reader->path = g_strdup (path);
  reader->complete = complete;
  if (fstat (fd, &st) < 0 || !S_ISREG (st.st_mode))
    {
      damaged (reader, error, "it is no ordinary file");
      return NULL;
    }
  reader->size = (guint64) st.st_size;
  if (!read_header (reader, error) || (complete && !check_end (reader, error)))
    return NULL;
  return g_steal_pointer (&reader);
}

FrSchema *
fri_page_reader_schema (FriPageReader *reader)
{
  return reader->schema;
}

const char *const *
fri_page_reader_sources (FriPageReader *reader)
{
  return reader->sources->len > 2 ? (const char *const *) reader->sources->pdata : NULL;
}

gboolean
fri_page_reader_rewind (FriPageReader *reader, GError **error)
{
  (void) error;
  reader->pos = reader->first;
  reader->n_batches = reader->n_rows = 0;
  return TRUE;
}

void
fri_page_reader_free (FriPageReader *reader)
{
  if (reader == NULL)
    return;
  close (reader->fd);
  fr_schema_unref (reader->schema);
  if (reader->sources != NULL)
    g_ptr_array_unref (reader->sources);
  g_free (reader->path);
  g_free (reader);
}

/* The buffers of one column of @length rows; FALSE when the block is too
 * short for them. */
static gboolean
take_buffers (Block *block, FrType type, gsize length, gsize nulls, gsize text,
              const void *buffers[3])
{
  gsize width = fri_type_width (type);

  buffers[0] = buffers[1] = buffers[2] = NULL;
  if (nulls > 0 && (buffers[0] = take_padded (block, (length + 7) / 8)) == NULL)
    return FALSE;
  if (type == FR_TYPE_STRUCT)
    return TRUE;
  if (type == FR_TYPE_BOOL)
    buffers[1] = take_padded (block, (length + 7) / 8);
  else if (width > 0)
    buffers[1] = take_padded (block, length * width);
  else
    buffers[1] = take_padded (block, (length + 1) * (type == FR_TYPE_LARGE_UTF8 ? 8 : 4));
  if (buffers[1] == NULL)
    return FALSE;
  if (fri_type_is_text (type))
    return (buffers[2] = take_padded (block, text)) != NULL;
  return TRUE;
}

static FrColumn *
take_column (Block *block, const FrField *field, GBytes *owner)
{
  g_autoptr (GPtrArray) children
      = g_ptr_array_new_with_free_func ((GDestroyNotify) fr_column_unref);
  const void *buffers[3];
  guint64 head[3];
  const void *p = take (block, sizeof head);

  if (p == NULL)
    return NULL;
  memcpy (head, p, sizeof head);
  if (head[0] > G_MAXINT32 || head[1] > head[0]
      || !take_buffers (block, field->type, head[0], head[1], head[2], buffers))
    return NULL;
  for (guint i = 0; i < field->n_children; i++)
    {
      FrColumn *child = take_column (block, field->children[i], owner);

      if (child == NULL)
        return NULL;
      g_ptr_array_add (children, child);
    }
  g_ptr_array_set_free_func (children, NULL);
  return fri_column_new (field->type, head[0], head[1], (void *const *) buffers,
                         fri_type_is_text (field->type) ? head[2] : 0,
                         (FrColumn *const *) children->pdata, children->len, g_bytes_ref (owner),
                         (GDestroyNotify) g_bytes_unref);
}

/* A rows record whose payload is in @owner. */
static FrBatch *
unpack (FriPageReader *reader, const Record *record, GBytes *owner, GError **error)
{
  g_autoptr (GPtrArray) columns = g_ptr_array_new_with_free_func ((GDestroyNotify) fr_column_unref);
  guint n = fr_schema_n_fields (reader->schema);
  g_autoptr (FrBatch) batch = NULL;
  g_autoptr (GError) fault = NULL;
  Block block = { g_bytes_get_data (owner, NULL), record->length };
  const FrRowId *ids;

  ids = record->rows <= block.left / sizeof (FrRowId)
            ? take (&block, record->rows * sizeof (FrRowId))
            : NULL;
  for (guint i = 0; ids != NULL && i < n; i++)
    {
      FrColumn *column = take_column (&block, fr_schema_field (reader->schema, i), owner);

      if (column == NULL)
        break;
      g_ptr_array_add (columns, column);
    }
  if (columns->len != n || block.left != 0 || ids == NULL)
    {
      damaged (reader, error, "the rows at byte %" G_GUINT64_FORMAT " make no sense", reader->pos);
      return NULL;
    }
  g_ptr_array_set_free_func (columns, NULL);
  batch = fr_batch_new (reader->schema, record->rows, (FrColumn *const *) columns->pdata, ids,
                        &fault);
  if (batch == NULL || !fr_batch_validate (batch, &fault))
    {
      damaged (reader, error, "%s", fault->message);
      return NULL;
    }
  return g_steal_pointer (&batch);
}

/* At the end, or at what a killed writer left behind it. */
static FrBatch *
at_end (FriPageReader *reader, GError **error)
{
  if (reader->complete)
    damaged (reader, error, "it ends too early");
  return NULL;
}

static FrBatch *
read_rows (FriPageReader *reader, const Record *record, GError **error)
{
  guint64 at = reader->pos + sizeof *record;
  g_autoptr (GBytes) owner = NULL;
  guint8 *payload;
  FrBatch *batch;

  if (record->length > reader->size - at)
    return at_end (reader, error);
  payload = read_payload (reader, record, at, error);
  if (payload == NULL)
    return NULL;
  owner = g_bytes_new_take (payload, record->length);
  batch = unpack (reader, record, owner, error);
  if (batch != NULL)
    {
      reader->pos = at + record->length;
      reader->n_batches++;
      reader->n_rows += record->rows;
    }
  return batch;
}

FrBatch *
fri_page_reader_next (FriPageReader *reader, GError **error)
{
  Record record;

  if (reader->size - reader->pos < sizeof record)
    return at_end (reader, error);
  if (!read_at (reader, &record, sizeof record, reader->pos, error))
    return NULL;
  if (memcmp (record.tag, TAG_ROWS, sizeof record.tag) == 0)
    return read_rows (reader, &record, error);
  if (memcmp (record.tag, TAG_DONE, sizeof record.tag) != 0 || record.hash != done_hash (&record))
    damaged (reader, error, "there are no rows at byte %" G_GUINT64_FORMAT, reader->pos);
  else if (record.length != reader->n_batches || record.rows != reader->n_rows)
    damaged (reader, error, "some of its rows are missing");
  else if (reader->pos + sizeof record != reader->size)
    damaged (reader, error, "something follows its end");
  return NULL;
}
