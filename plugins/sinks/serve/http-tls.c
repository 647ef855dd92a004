/* SPDX-License-Identifier: Apache-2.0 */
/* http-tls.c: the certificate and its key, looked at before anybody is let in.
 *
 * libmicrohttpd takes what GnuTLS can parse, and a certificate that has ended or that is not the
 * key's shows only in the clients' errors, later and elsewhere.  PEM as in RFC 7468, certificates
 * as in RFC 5280.
 */
#include "config.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

#include "http-private.h"

#define ID_BYTES 64

/* The certificates of one file, the first of them the server's own. */
typedef struct
{
  gnutls_x509_crt_t *all;
  unsigned n;
} Chain;

static void
chain_clear (Chain *chain)
{
  for (unsigned i = 0; i < chain->n; i++)
    gnutls_x509_crt_deinit (chain->all[i]);
  gnutls_free (chain->all);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Chain, chain_clear)

/* An identity of a public key. */
typedef struct
{
  unsigned char bytes[ID_BYTES];
  size_t len;
} KeyId;

static gboolean complain (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
complain (GError **error, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "TLS: %s", text);
  return FALSE;
}

static char *
day_of (time_t when)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (when);

  return date != NULL ? g_date_time_format (date, "%Y-%m-%d %H:%M UTC") : g_strdup ("another age");
}

/* Whose it is, for messages: "CN=shop.example". */
static char *
subject_of (gnutls_x509_crt_t certificate)
{
  gnutls_datum_t name = { NULL, 0 };
  char *text;

  if (gnutls_x509_crt_get_dn2 (certificate, &name) < 0)
    return g_strdup ("without a name");
  text = g_strndup ((const char *) name.data, name.size);
  gnutls_free (name.data);
  return text;
}

static gboolean
read_file (const char *what, const char *path, char **text, GError **error)
{
  g_autoptr (GError) failed = NULL;

  if (g_file_get_contents (path, text, NULL, &failed))
    return TRUE;
  return complain (error, "the %s cannot be read: %s", what, failed->message);
}

static gboolean
parse_chain (const char *path, const char *text, Chain *chain, GError **error)
{
  const gnutls_datum_t pem = { (unsigned char *) text, (unsigned) strlen (text) };
  int result = gnutls_x509_crt_list_import2 (&chain->all, &chain->n, &pem, GNUTLS_X509_FMT_PEM, 0);

  if (result >= 0 && chain->n > 0)
    return TRUE;
  if (strstr (text, "PRIVATE KEY-----") != NULL && strstr (text, "BEGIN CERTIFICATE") == NULL)
    return complain (error,
                     "'%s' holds a private key and no certificate: are 'certificate' and 'key' "
                     "swapped?",
                     path);
  return complain (error, "'%s' holds no certificate in PEM (\"-----BEGIN CERTIFICATE-----\"): %s",
                   path, gnutls_strerror (result));
}

static gboolean
parse_key (const char *path, const char *text, KeyId *id, GError **error)
{
  const gnutls_datum_t pem = { (unsigned char *) text, (unsigned) strlen (text) };
  gnutls_x509_privkey_t key;
  int result = gnutls_x509_privkey_init (&key);

  if (result < 0)
    return complain (error, "%s", gnutls_strerror (result));
  result = gnutls_x509_privkey_import2 (key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
  id->len = sizeof id->bytes;
  if (result >= 0)
    result = gnutls_x509_privkey_get_key_id (key, GNUTLS_KEYID_USE_SHA256, id->bytes, &id->len);
  gnutls_x509_privkey_deinit (key);
  if (result >= 0)
    return TRUE;
  if (strstr (text, "ENCRYPTED") != NULL)
    return complain (error,
                     "the private key '%s' has a passphrase, and nobody is there to type it: "
                     "'openssl pkey -in FILE -out FILE' writes one without; keep it for its owner "
                     "alone",
                     path);
  if (strstr (text, "BEGIN CERTIFICATE") != NULL && strstr (text, "PRIVATE KEY-----") == NULL)
    return complain (error,
                     "'%s' holds a certificate and no private key: are 'certificate' and 'key' "
                     "swapped?",
                     path);
  return complain (error, "'%s' holds no private key in PEM (\"-----BEGIN PRIVATE KEY-----\"): %s",
                   path, gnutls_strerror (result));
}

static gboolean
is_key_of (gnutls_x509_crt_t certificate, const KeyId *key)
{
  KeyId id = { .len = sizeof id.bytes };

  return gnutls_x509_crt_get_key_id (certificate, GNUTLS_KEYID_USE_SHA256, id.bytes, &id.len) >= 0
         && id.len == key->len && memcmp (id.bytes, key->bytes, id.len) == 0;
}

static gboolean
check_key (const HttpConfig *c, const Chain *chain, const KeyId *key, GError **error)
{
  g_autofree char *subject = subject_of (chain->all[0]);

  if (is_key_of (chain->all[0], key))
    return TRUE;
  for (unsigned i = 1; i < chain->n; i++)
    if (is_key_of (chain->all[i], key))
      return complain (error,
                       "the certificate of the private key is number %u in '%s'; it comes first, "
                       "and those that signed it after",
                       i + 1, c->certificate);
  return complain (error, "the private key '%s' is not that of the certificate '%s' (%s)", c->key,
                   c->certificate, subject);
}

static gboolean
check_times (const HttpConfig *c, gnutls_x509_crt_t certificate, gint64 *ends, GError **error)
{
  time_t from = gnutls_x509_crt_get_activation_time (certificate);
  time_t until = gnutls_x509_crt_get_expiration_time (certificate), now = time (NULL);
  g_autofree char *subject = subject_of (certificate), *first = day_of (from),
                  *last = day_of (until), *today = day_of (now);

  *ends = until;
  if (now > until)
    return complain (error,
                     "the certificate '%s' (%s) ended on %s; clients would refuse it: renew it",
                     c->certificate, subject, last);
  if (now < from)
    return complain (error, "the certificate '%s' (%s) begins on %s, and this machine has %s",
                     c->certificate, subject, first, today);
  return TRUE;
}

gboolean
http_tls_read (const HttpConfig *c, char **certificate, char **key, gint64 *ends, GError **error)
{
  g_auto (Chain) chain = { NULL, 0 };
  KeyId id = { .len = 0 };

  return read_file ("certificate", c->certificate, certificate, error)
         && read_file ("private key", c->key, key, error)
         && parse_chain (c->certificate, *certificate, &chain, error)
         && parse_key (c->key, *key, &id, error) && check_key (c, &chain, &id, error)
         && check_times (c, chain.all[0], ends, error);
}
