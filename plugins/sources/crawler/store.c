/* SPDX-License-Identifier: Apache-2.0 */
/* store.c: an append-only file of answers and an index in memory; see store.h. */
#include "config.h"

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define MAGIC G_GUINT64_CONSTANT (0x315741524c574646) /* "FFWLRAW1", little-endian */

/* The head of a record; numbers as this machine has them. */
typedef struct
{
  guint64 magic;
  guint64 sum; /* XXH3 of everything from here on */
  gint64 fetched;
  gint64 duration;
  guint64 body_len;
  guint32 url_len;
  guint32 headers_len;
  guint32 message_len;
  guint16 status;
  guint8 fault;
  guint8 cut;
} Head;

struct _Store
{
  char *path;
  int fd;
  guint64 end;
  GHashTable *where; /* url → offset of its head, as guint64 */
};

void
answer_free (Answer *answer)
{
  if (answer == NULL)
    return;
  g_free (answer->url);
  g_free (answer->headers);
  g_free (answer->message);
  if (answer->body)
    g_byte_array_unref (answer->body);
  g_free (answer);
}

const char *
answer_header (const Answer *answer, const char *name)
{
  const char *p = answer->headers, *end = p + answer->headers_len, *found = NULL;

  while (p < end)
    {
      const char *value = p + strlen (p) + 1;

      if (strcmp (p, name) == 0)
        found = value;
      p = value + strlen (value) + 1;
    }
  return found;
}

char *
answer_header_parameter (const Answer *answer, const char *name, const char *parameter)
{
  const char *p = answer_header (answer, name);
  gsize n = strlen (parameter);

  while (p && (p = strchr (p, ';')) != NULL)
    {
      const char *end;

      for (p++; *p == ' ' || *p == '\t'; p++)
        ;
      if (g_ascii_strncasecmp (p, parameter, n) != 0 || p[n] != '=')
        continue;
      p += n + 1;
      if (*p == '"')
        {
          p++;
          end = strchr (p, '"');
          return g_strndup (p, end ? (gsize) (end - p) : strlen (p));
        }
      end = p + strcspn (p, "; \t");
      return g_strndup (p, (gsize) (end - p));
    }
  return NULL;
}

/* ---- reading -------------------------------------------------------------------------- */

static gboolean
read_at (const Store *store, guint64 offset, void *data, gsize len)
{
  gsize done = 0;

  while (done < len)
    {
      ssize_t n = pread (store->fd, (char *) data + done, len - done, (off_t) (offset + done));

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      done += (gsize) n;
    }
  return TRUE;
}

static guint64
size_of (const Head *head)
{
  return sizeof *head + head->url_len + (guint64) head->headers_len + head->message_len
         + head->body_len;
}

/* The whole record behind @head at @offset, checked; NULL when it is torn. */
static guint8 *
read_record (const Store *store, guint64 offset, guint64 size, Head *head)
{
  g_autofree guint8 *data = NULL;

  if (size - MIN (size, offset) < sizeof *head || !read_at (store, offset, head, sizeof *head)
      || head->magic != MAGIC || size_of (head) < head->body_len || size_of (head) > size - offset)
    return NULL;
  data = g_try_malloc (size_of (head));
  if (data == NULL || !read_at (store, offset, data, size_of (head))
      || XXH3_64bits (data + 16, size_of (head) - 16) != head->sum)
    return NULL;
  return g_steal_pointer (&data);
}

static gboolean
load (Store *store, GError **error)
{
  off_t size = lseek (store->fd, 0, SEEK_END);

  for (;;)
    {
      Head head;
      g_autofree guint8 *data = read_record (store, store->end, (guint64) size, &head);
      guint64 *offset;

      if (data == NULL)
        break;
      offset = g_memdup2 (&store->end, sizeof store->end);
      g_hash_table_replace (store->where,
                            g_strndup ((const char *) data + sizeof head, head.url_len), offset);
      store->end += size_of (&head);
    }
  if ((guint64) size > store->end && ftruncate (store->fd, (off_t) store->end) != 0)
    return fr_error_errno (error, errno, "cut the torn end of", store->path);
  return TRUE;
}

Store *
store_open (const char *dir, gboolean fresh, GError **error)
{
  g_autoptr (Store) store = g_new0 (Store, 1);

  store->path = g_build_filename (dir, "answers", NULL);
  store->where = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  store->fd = open (store->path, O_RDWR | O_CREAT | O_CLOEXEC | (fresh ? O_TRUNC : 0), 0666);
  if (store->fd < 0)
    {
      fr_error_errno (error, errno, "open", store->path);
      return NULL;
    }
  return load (store, error) ? g_steal_pointer (&store) : NULL;
}

void
store_free (Store *store)
{
  if (store == NULL)
    return;
  if (store->fd >= 0)
    close (store->fd);
  g_hash_table_unref (store->where);
  g_free (store->path);
  g_free (store);
}

gboolean
store_has (const Store *store, const char *url)
{
  return g_hash_table_contains (store->where, url);
}

guint64
store_count (const Store *store, guint64 *bytes)
{
  *bytes = store->end;
  return g_hash_table_size (store->where);
}

Answer *
store_get (Store *store, const char *url, GError **error)
{
  const guint64 *offset = g_hash_table_lookup (store->where, url);
  g_autofree guint8 *data = NULL;
  Answer *answer;
  const guint8 *p;
  Head head;

  data = offset ? read_record (store, *offset, store->end, &head) : NULL;
  if (data == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "%s was changed while it was in use; remove the run directory and begin anew",
                   store->path);
      return NULL;
    }
  p = data + sizeof head;
  answer = g_new0 (Answer, 1);
  answer->url = g_strndup ((const char *) p, head.url_len);
  p += head.url_len;
  answer->headers = g_malloc ((gsize) head.headers_len + 1);
  memcpy (answer->headers, p, head.headers_len);
  answer->headers[head.headers_len] = '\0';
  answer->headers_len = head.headers_len;
  p += head.headers_len;
  answer->message = head.message_len ? g_strndup ((const char *) p, head.message_len) : NULL;
  p += head.message_len;
  answer->body = g_byte_array_sized_new ((guint) head.body_len + 1);
  g_byte_array_append (answer->body, p, (guint) head.body_len);
  answer->status = head.status;
  answer->fault = head.fault;
  answer->fetched = head.fetched;
  answer->duration = head.duration;
  answer->cut = head.cut;
  answer->replayed = TRUE;
  return answer;
}

/* ---- writing ------------------------------------------------------------------------------ */

static gboolean
write_at (Store *store, const guint8 *data, gsize len, GError **error)
{
  gsize done = 0;

  while (done < len)
    {
      ssize_t n = pwrite (store->fd, data + done, len - done, (off_t) (store->end + done));

      if (n < 0 && errno != EINTR)
        return fr_error_errno (error, errno, "write", store->path);
      if (n > 0)
        done += (gsize) n;
    }
  return TRUE;
}

gboolean
store_put (Store *store, const Answer *answer, GError **error)
{
  Head head = { .magic = MAGIC,
                .fetched = answer->fetched,
                .duration = answer->duration,
                .body_len = answer->body ? answer->body->len : 0,
                .url_len = (guint32) strlen (answer->url),
                .headers_len = (guint32) answer->headers_len,
                .message_len = answer->message ? (guint32) strlen (answer->message) : 0,
                .status = (guint16) answer->status,
                .fault = (guint8) answer->fault,
                .cut = (guint8) answer->cut };
  g_autofree guint8 *record = g_malloc (size_of (&head));
  guint8 *p = record + sizeof head;
  guint64 *offset;

  p = (guint8 *) mempcpy (p, answer->url, head.url_len);
  if (head.headers_len)
    p = (guint8 *) mempcpy (p, answer->headers, head.headers_len);
  if (head.message_len)
    p = (guint8 *) mempcpy (p, answer->message, head.message_len);
  if (head.body_len)
    memcpy (p, answer->body->data, head.body_len);
  memcpy (record, &head, sizeof head);
  head.sum = XXH3_64bits (record + 16, size_of (&head) - 16);
  memcpy (record, &head, sizeof head);
  if (!write_at (store, record, size_of (&head), error))
    return FALSE;
  offset = g_memdup2 (&store->end, sizeof store->end);
  store->end += size_of (&head);
  g_hash_table_replace (store->where, g_strdup (answer->url), offset);
  return TRUE;
}
