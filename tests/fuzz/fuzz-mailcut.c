/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-mailcut.c: cutting mails, header fields, mailboxes. */
#include "sources/documents/mailcut.h"
#include "sources/documents/mailhead.h"
#include "sources/documents/mbox.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct
{
  const char *data;
  gsize len, step;
} Slow;

static gssize
read_slowly (gpointer data, char *to, gsize len)
{
  Slow *slow = data;
  gsize n = MIN (MIN (slow->step, len), slow->len);

  memcpy (to, slow->data, n);
  slow->data += n;
  slow->len -= n;
  return (gssize) n;
}

static void
try_mbox (const char *data, gsize len, gsize step)
{
  Slow slow = { data, len, step };
  g_autoptr (Mbox) mbox = mbox_new (read_slowly, &slow, 4096);
  gboolean too_long, failed;

  while (mbox_next (mbox, &data, &len, &too_long, &failed))
    g_assert_cmpuint (len, <=, 4096);
}

static void
try_header (const char *data, gsize len)
{
  guint64 replaced = 0;
  GString *text = mail_header_decode ((FrStr){ data, len }, &replaced);
  GString *name = mail_name ((FrStr){ text->str, text->len });

  g_assert_true (g_utf8_validate (text->str, (gssize) text->len, NULL));
  g_assert_true (g_utf8_validate (name->str, (gssize) name->len, NULL));
  g_string_free (text, TRUE);
  g_string_free (name, TRUE);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *valid = NULL;
  GString *out = g_string_new (NULL);
  MailCuts cuts = { 0 };

  if (size > 0)
    try_mbox ((const char *) data + 1, size - 1, data[0] % 64 + 1);
  try_header ((const char *) data, size);
  valid = g_utf8_make_valid ((const char *) data, (gssize) size);
  mail_cut ((FrStr){ valid, strlen (valid) }, out, &cuts);
  g_assert_true (g_utf8_validate (out->str, (gssize) out->len, NULL));
  g_string_truncate (out, 0);
  mail_unflow ((FrStr){ valid, strlen (valid) }, size % 2, out);
  g_assert_true (g_utf8_validate (out->str, (gssize) out->len, NULL));
  g_string_free (out, TRUE);
  return 0;
}
