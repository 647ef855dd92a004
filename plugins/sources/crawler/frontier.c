/* SPDX-License-Identifier: Apache-2.0 */
/* frontier.c: see frontier.h. */
#include "config.h"

#include "frontier.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define UNWRITTEN (1024 * 1024) /* bytes of text kept before they go to the file */

typedef struct
{
  XXH128_hash_t hash;
  guint32 url; /* NO_URL: free */
} Slot;

struct _Frontier
{
  char *path;
  int fd;
  GArray *urls;
  GString *tail;   /* texts not yet in the file */
  guint64 written; /* bytes in the file */
  Slot *slots;
  guint32 n_slots; /* a power of two, at most half full */
};

static void
clear_slots (Slot *slots, guint32 n)
{
  for (guint32 i = 0; i < n; i++)
    slots[i].url = NO_URL;
}

Frontier *
frontier_new (const char *dir, GError **error)
{
  g_autoptr (Frontier) f = g_new0 (Frontier, 1);

  f->path = g_build_filename (dir, "urls", NULL);
  f->urls = g_array_new (FALSE, FALSE, sizeof (Url));
  f->tail = g_string_new (NULL);
  f->n_slots = 4096;
  f->slots = g_new (Slot, f->n_slots);
  clear_slots (f->slots, f->n_slots);
  f->fd = open (f->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (f->fd < 0)
    {
      fr_error_errno (error, errno, "open", f->path);
      return NULL;
    }
  return g_steal_pointer (&f);
}

void
frontier_free (Frontier *f)
{
  if (f == NULL)
    return;
  if (f->fd >= 0)
    close (f->fd);
  g_array_unref (f->urls);
  g_string_free (f->tail, TRUE);
  g_free (f->slots);
  g_free (f->path);
  g_free (f);
}

guint32
frontier_size (const Frontier *f)
{
  return f->urls->len;
}

static Slot *
slot_of (Slot *slots, guint32 n, XXH128_hash_t hash)
{
  guint32 i = (guint32) hash.low64 & (n - 1);

  while (slots[i].url != NO_URL && !XXH128_isEqual (slots[i].hash, hash))
    i = (i + 1) & (n - 1);
  return &slots[i];
}

guint32
frontier_find (const Frontier *f, const char *url)
{
  return slot_of (f->slots, f->n_slots, XXH3_128bits (url, strlen (url)))->url;
}

static void
grow (Frontier *f)
{
  guint32 n = f->n_slots * 2;
  Slot *slots = g_new (Slot, n);

  clear_slots (slots, n);
  for (guint32 i = 0; i < f->n_slots; i++)
    if (f->slots[i].url != NO_URL)
      *slot_of (slots, n, f->slots[i].hash) = f->slots[i];
  g_free (f->slots);
  f->slots = slots;
  f->n_slots = n;
}

static gboolean
write_tail (Frontier *f, GError **error)
{
  gsize done = 0;

  while (done < f->tail->len)
    {
      ssize_t n
          = pwrite (f->fd, f->tail->str + done, f->tail->len - done, (off_t) (f->written + done));

      if (n < 0 && errno != EINTR)
        return fr_error_errno (error, errno, "write", f->path);
      if (n > 0)
        done += (gsize) n;
    }
  f->written += f->tail->len;
  g_string_truncate (f->tail, 0);
  return TRUE;
}

guint32
frontier_add (Frontier *f, const char *url, GError **error)
{
  guint32 number = f->urls->len;
  gsize len = strlen (url);
  Url entry = { .offset = f->written + f->tail->len,
                .len = (guint32) len,
                .referrer = NO_URL,
                .origin = number,
                .next = NO_URL };
  Slot *slot;

  if (f->tail->len > UNWRITTEN && !write_tail (f, error))
    return NO_URL;
  if (number >= f->n_slots / 2)
    grow (f);
  slot = slot_of (f->slots, f->n_slots, XXH3_128bits (url, len));
  slot->hash = XXH3_128bits (url, len);
  slot->url = number;
  g_string_append_len (f->tail, url, (gssize) len);
  g_array_append_val (f->urls, entry);
  return number;
}

Url *
frontier_url (Frontier *f, guint32 n)
{
  return &g_array_index (f->urls, Url, n);
}

char *
frontier_text (Frontier *f, guint32 n, GError **error)
{
  const Url *url = frontier_url (f, n);
  g_autofree char *text = g_malloc (url->len + 1);
  gsize done = 0;

  text[url->len] = '\0';
  if (url->offset >= f->written)
    {
      memcpy (text, f->tail->str + (url->offset - f->written), url->len);
      return g_steal_pointer (&text);
    }
  while (done < url->len)
    {
      ssize_t k = pread (f->fd, text + done, url->len - done, (off_t) (url->offset + done));

      if (k < 0 && errno == EINTR)
        continue;
      if (k <= 0)
        {
          fr_error_errno (error, k < 0 ? errno : EIO, "read", f->path);
          return NULL;
        }
      done += (gsize) k;
    }
  return g_steal_pointer (&text);
}
