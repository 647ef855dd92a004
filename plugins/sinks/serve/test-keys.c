/* SPDX-License-Identifier: Apache-2.0 */
/* test-keys.c: lines, roles, rotation, rates, re-reading; what a message never shows. */
#include "config.h"

#include <fcntl.h>
#include <flowrun/error.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "keys-private.h"
#include "test-teller.h"

#define KEY "fr-3f9c2c77"
#define OTHER "fr-另一把钥匙"

typedef struct
{
  char *dir, *path;
  Told told;
  ServeTeller teller;
  ServeKeysConfig config;
} Place;

static void
place_up (Place *p, gconstpointer data)
{
  (void) data;
  p->dir = g_dir_make_tmp ("flowrun-keys-XXXXXX", NULL);
  p->path = g_build_filename (p->dir, "keys", NULL);
  p->teller = told_init (&p->told);
  p->config.path = p->path;
}

static void
place_down (Place *p, gconstpointer data)
{
  (void) data;
  /* Whatever was told: never a key. */
  g_assert_null (strstr (p->told.text->str, KEY));
  g_unlink (p->path);
  g_rmdir (p->dir);
  told_clear (&p->told);
  g_free (p->dir);
  g_free (p->path);
}

/* @text with $KEY, $OTHER as hashes and $SALTED as KEY's with the salt "盐". */
static void
write_keys (Place *p, const char *text)
{
  g_autofree char *key = g_compute_checksum_for_string (G_CHECKSUM_SHA256, KEY, -1);
  g_autofree char *other = g_compute_checksum_for_string (G_CHECKSUM_SHA256, OTHER, -1);
  g_autofree char *salted = g_compute_checksum_for_string (G_CHECKSUM_SHA256, "盐" KEY, -1);
  g_autoptr (GString) out = g_string_new (text);
  g_autoptr (GError) error = NULL;

  g_string_replace (out, "$KEY", key, 0);
  g_string_replace (out, "$OTHER", other, 0);
  g_string_replace (out, "$SALTED", salted, 0);
  g_file_set_contents_full (p->path, out->str, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error);
  g_assert_no_error (error);
}

static ServeKeys *
open_keys (Place *p, const char *text)
{
  g_autoptr (GError) error = NULL;
  ServeKeys *keys;

  write_keys (p, text);
  keys = serve_keys_new (&p->config, &p->teller, &error);
  g_assert_no_error (error);
  return keys;
}

static ServeAccess
check (ServeKeys *keys, const char *authorization, ServeRole role, const char *name)
{
  g_autoptr (ServeClient) client = NULL;
  ServeAccess access = serve_keys_check (keys, authorization, NULL, role, &client);

  g_assert_cmpstr (serve_client_name (client), ==, name);
  return access;
}

/* ---- who ---------------------------------------------------------------------------------------
 */

static void
test_check (Place *p, gconstpointer data)
{
  g_autoptr (ServeKeys) keys
      = open_keys (p, "# 注释\n\n$KEY web rpm=60 # the shop\r\nsha256:$OTHER  运营  admin\n");
  g_autoptr (ServeClient) client = NULL;

  (void) data;
  g_assert_true (serve_keys_has_admin (keys));
  g_assert_true (serve_keys_needed (keys));
  g_assert_cmpint (check (keys, "Bearer " KEY, SERVE_ROLE_USE, "web"), ==, SERVE_ACCESS_GRANTED);
  g_assert_cmpint (check (keys, "bearer  " KEY, SERVE_ROLE_USE, "web"), ==, SERVE_ACCESS_GRANTED);
  g_assert_cmpint (check (keys, "Bearer " KEY, SERVE_ROLE_ADMIN, NULL), ==, SERVE_ACCESS_FORBIDDEN);
  g_assert_cmpint (check (keys, "Bearer " OTHER, SERVE_ROLE_ADMIN, "运营"), ==,
                   SERVE_ACCESS_GRANTED);
  g_assert_cmpint (check (keys, "Bearer " OTHER, SERVE_ROLE_USE, NULL), ==, SERVE_ACCESS_FORBIDDEN);
  g_assert_cmpint (check (keys, NULL, SERVE_ROLE_USE, NULL), ==, SERVE_ACCESS_MISSING);
  g_assert_cmpint (check (keys, "Bearer x" KEY, SERVE_ROLE_USE, NULL), ==, SERVE_ACCESS_WRONG);
  g_assert_cmpint (check (keys, "Bearer ", SERVE_ROLE_USE, NULL), ==, SERVE_ACCESS_WRONG);
  g_assert_cmpint (check (keys, "Bearer", SERVE_ROLE_USE, NULL), ==, SERVE_ACCESS_WRONG);
  g_assert_cmpint (check (keys, "Basic " KEY, SERVE_ROLE_USE, NULL), ==, SERVE_ACCESS_WRONG);
  g_assert_cmpint (serve_keys_check (keys, NULL, KEY, SERVE_ROLE_USE, &client), ==,
                   SERVE_ACCESS_GRANTED);
  g_assert_cmpstr (serve_client_name (client), ==, "web");
}

static void
test_none (Place *p, gconstpointer data)
{
  (void) p;
  (void) data;
  g_assert_false (serve_keys_has_admin (NULL));
  g_assert_false (serve_keys_needed (NULL));
  g_assert_false (serve_keys_refresh (NULL));
  g_assert_cmpint (check (NULL, NULL, SERVE_ROLE_USE, NULL), ==, SERVE_ACCESS_GRANTED);
  g_assert_cmpint (check (NULL, "Bearer " KEY, SERVE_ROLE_ADMIN, NULL), ==, SERVE_ACCESS_WRONG);
}

static void
test_salted (Place *p, gconstpointer data)
{
  g_autoptr (ServeKeys) keys
      = open_keys (p, "sha256:盐:$SALTED a\n$OTHER b\nsha256:糖:$SALTED c\n");

  (void) data;
  g_assert_cmpint (check (keys, "Bearer " KEY, SERVE_ROLE_USE, "a"), ==, SERVE_ACCESS_GRANTED);
  g_assert_cmpint (check (keys, "Bearer " OTHER, SERVE_ROLE_USE, "b"), ==, SERVE_ACCESS_GRANTED);
}

/* One key, written plain and salted: the first line counts. */
static void
test_twice (Place *p, gconstpointer data)
{
  g_autoptr (ServeKeys) keys = open_keys (p, "$OTHER x\n$KEY a\nsha256:盐:$SALTED b\n");

  (void) data;
  g_assert_cmpint (check (keys, "Bearer " KEY, SERVE_ROLE_USE, "a"), ==, SERVE_ACCESS_GRANTED);
}

static void
test_anyone (Place *p, gconstpointer data)
{
  g_autoptr (ServeKeys) keys = open_keys (p, "* 路人 rpm=1\n$KEY operator admin\n");
  g_autoptr (ServeClient) client = NULL;
  ServeQuota quota;

  (void) data;
  g_assert_false (serve_keys_needed (keys));
  g_assert_cmpint (check (keys, NULL, SERVE_ROLE_USE, "路人"), ==, SERVE_ACCESS_GRANTED);
  g_assert_cmpint (check (keys, NULL, SERVE_ROLE_ADMIN, NULL), ==, SERVE_ACCESS_MISSING);
  g_assert_cmpint (check (keys, "Bearer nobody", SERVE_ROLE_USE, NULL), ==, SERVE_ACCESS_WRONG);
  serve_keys_check (keys, NULL, NULL, SERVE_ROLE_USE, &client);
  g_assert_cmpint (serve_client_take (client, 0, 1, &quota), ==, SERVE_ACCESS_GRANTED);
  g_assert_cmpint (serve_client_take (client, 0, 1, &quota), ==, SERVE_ACCESS_LIMITED);
}

static void
test_until (Place *p, gconstpointer data)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *today = g_date_time_format (now, "%Y-%m-%d");
  g_autofree char *text = g_strdup_printf ("$KEY a until=%s\n$OTHER b until=2020-02-29\n", today);
  g_autoptr (ServeKeys) keys = open_keys (p, text);

  (void) data;
  g_assert_cmpint (check (keys, "Bearer " KEY, SERVE_ROLE_USE, "a"), ==, SERVE_ACCESS_GRANTED);
  g_assert_cmpint (check (keys, "Bearer " OTHER, SERVE_ROLE_USE, NULL), ==, SERVE_ACCESS_WRONG);
}

/* ---- the file ----------------------------------------------------------------------------------
 */

static void
test_refused (Place *p, gconstpointer data)
{
  static const struct
  {
    const char *text, *line, *says;
  } bad[] = {
    { "web " KEY "\n", "line 1", "64 hexadecimal digits" },
    { "# ok\n" KEY " web\n", "line 2", "64 hexadecimal digits" },
    { "$KEY\n", "line 1", "expected a name" },
    { "$KEY  -\n", "line 1", "expected a name" },
    { "$KEY rpm=3\n", "line 1", "without '='" },
    { "$KEY a admn\n", "line 1", "did you mean 'admin'" },
    { "$KEY a " KEY "\n", "line 1", "expected admin, rpm=N" },
    { "$KEY a rpm=0\n", "line 1", "behind rpm=" },
    { "$KEY a rpm=1 rpm=2\n", "line 1", "twice" },
    { "$KEY a tpm=-1\n", "line 1", "behind tpm=" },
    { "$KEY a tpm=many\n", "line 1", "behind tpm=" },
    { "$KEY a until=tomorrow\n", "line 1", "until=2027-01-31" },
    { "$KEY a until=2027-02-30\n", "line 1", "until=2027-01-31" },
    { "$KEY a\n\n$KEY b\n", "line 3", "line 1" },
    { "$KEY a rpm=3\n$OTHER a rpm=4\n", "line 2", "line 1" },
    { "* a\n* b\n", "line 2", "'*' stands on line 1" },
    { "* a admin\n", "line 1", "an admin must" },
    { "sha256::$KEY a\n", "line 1", "salt" },
    { "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 a\n", "line 1",
      "empty key" },
    { "$KEY a\n\xff\xfe\n", "keys", "UTF-8" },
  };

  (void) data;
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      write_keys (p, bad[i].text);
      g_assert_null (serve_keys_new (&p->config, &p->teller, &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
      if (strstr (error->message, bad[i].line) == NULL
          || strstr (error->message, bad[i].says) == NULL || strstr (error->message, KEY) != NULL)
        {
          g_test_message ("%s: expected '%s' and '%s', and no key", error->message, bad[i].line,
                          bad[i].says);
          g_test_fail ();
        }
    }
}

static void
test_missing (Place *p, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  (void) data;
  g_assert_null (serve_keys_new (&p->config, &p->teller, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
  g_clear_error (&error);
  p->config.path = p->dir;
  g_assert_null (serve_keys_new (&p->config, &p->teller, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
}

static void
test_writable (Place *p, gconstpointer data)
{
  g_autoptr (ServeKeys) keys = NULL;

  (void) data;
  write_keys (p, "$KEY a\n");
  g_chmod (p->path, 0666);
  keys = serve_keys_new (&p->config, &p->teller, NULL);
  g_assert_nonnull (keys);
  g_assert_true (told_has (&p->told, "chmod 600"));
}

/* Written again in place, as long as it was, within a tick of the file system's clock. */
static void
test_same_stamp (Place *p, gconstpointer data)
{
  g_autoptr (ServeKeys) keys = open_keys (p, "$KEY web\n");
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, OTHER, -1);
  int fd;

  (void) data;
  fd = g_open (p->path, O_WRONLY, 0);
  g_assert_cmpint (write (fd, hash, 64), ==, 64);
  close (fd);
  g_assert_true (serve_keys_refresh (keys));
  g_assert_false (serve_keys_refresh (keys));
  g_assert_cmpint (check (keys, "Bearer " OTHER, SERVE_ROLE_USE, "web"), ==, SERVE_ACCESS_GRANTED);
}

static void
test_refresh (Place *p, gconstpointer data)
{
  g_autoptr (ServeKeys) keys = open_keys (p, "$KEY web rpm=2\n");
  g_autoptr (ServeClient) client = NULL, later = NULL;
  ServeQuota quota;

  (void) data;
  g_assert_false (serve_keys_refresh (keys));
  serve_keys_check (keys, "Bearer " KEY, NULL, SERVE_ROLE_USE, &client);
  serve_client_take (client, 0, 1, &quota);
  g_assert_cmpuint (quota.remaining_requests, ==, 1);
  /* Rotation: the new key is the same client, with what it has used. */
  write_keys (p, "$KEY web rpm=3\n$OTHER web\n");
  g_assert_true (serve_keys_refresh (keys));
  serve_keys_check (keys, "Bearer " OTHER, NULL, SERVE_ROLE_USE, &later);
  g_assert_true (later == client);
  serve_client_take (later, 0, 1, &quota);
  g_assert_cmpuint (quota.limit_requests, ==, 3);
  g_assert_cmpuint (quota.remaining_requests, ==, 1);
  write_keys (p, "$OTHER web\n");
  g_assert_true (serve_keys_refresh (keys));
  g_assert_cmpint (check (keys, "Bearer " KEY, SERVE_ROLE_USE, NULL), ==, SERVE_ACCESS_WRONG);
  /* A mistake changes nothing, and is told once. */
  write_keys (p, KEY " web\n");
  g_assert_false (serve_keys_refresh (keys));
  g_assert_false (serve_keys_refresh (keys));
  g_assert_cmpuint (p->told.warnings, ==, 1);
  g_assert_true (told_has (&p->told, "line 1"));
  g_unlink (p->path);
  g_assert_false (serve_keys_refresh (keys));
  g_assert_false (serve_keys_refresh (keys));
  g_assert_cmpuint (p->told.warnings, ==, 2);
  g_assert_cmpint (check (keys, "Bearer " OTHER, SERVE_ROLE_USE, "web"), ==, SERVE_ACCESS_GRANTED);
  write_keys (p, "$KEY back\n");
  g_assert_true (serve_keys_refresh (keys));
  g_assert_cmpint (check (keys, "Bearer " KEY, SERVE_ROLE_USE, "back"), ==, SERVE_ACCESS_GRANTED);
}

/* ---- how much ----------------------------------------------------------------------------------
 */

static void
test_requests (Place *p, gconstpointer data)
{
  g_autoptr (ServeKeys) keys = open_keys (p, "$KEY a rpm=60\n");
  g_autoptr (ServeClient) client = NULL;
  gint64 now = 1000;
  ServeQuota quota;

  (void) data;
  serve_keys_check (keys, "Bearer " KEY, NULL, SERVE_ROLE_USE, &client);
  for (guint i = 0; i < 60; i++)
    g_assert_cmpint (serve_client_take (client, 1000, now, &quota), ==, SERVE_ACCESS_GRANTED);
  g_assert_cmpuint (quota.remaining_requests, ==, 0);
  g_assert_cmpint (quota.reset_requests_us, ==, 60 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (serve_client_take (client, 0, now, &quota), ==, SERVE_ACCESS_LIMITED);
  g_assert_cmpuint (quota.retry_after, ==, 1);
  g_assert_cmpuint (quota.limit_tokens, ==, 0);
  now += G_TIME_SPAN_SECOND - 1;
  g_assert_cmpint (serve_client_take (client, 0, now, &quota), ==, SERVE_ACCESS_LIMITED);
  now += 2;
  g_assert_cmpint (serve_client_take (client, 0, now, &quota), ==, SERVE_ACCESS_GRANTED);
  now += G_TIME_SPAN_DAY; /* no more than a minute's worth is saved up */
  for (guint i = 0; i < 60; i++)
    g_assert_cmpint (serve_client_take (client, 0, now, &quota), ==, SERVE_ACCESS_GRANTED);
  g_assert_cmpint (serve_client_take (client, 0, now, &quota), ==, SERVE_ACCESS_LIMITED);
}

static void
test_tokens (Place *p, gconstpointer data)
{
  g_autoptr (ServeKeys) keys = NULL;
  g_autoptr (ServeClient) client = NULL;
  gint64 now = 1000;
  ServeQuota quota;

  (void) data;
  p->config.tpm = 600;
  keys = open_keys (p, "$KEY a\n");
  serve_keys_check (keys, "Bearer " KEY, NULL, SERVE_ROLE_USE, &client);
  g_assert_cmpint (serve_client_take (client, 400, now, &quota), ==, SERVE_ACCESS_GRANTED);
  g_assert_cmpint (serve_client_take (client, 400, now, &quota), ==, SERVE_ACCESS_LIMITED);
  g_assert_cmpuint (quota.retry_after, ==, 20); /* 200 tokens at 10 a second */
  g_assert_cmpuint (quota.remaining_tokens, ==, 200);
  serve_client_charge (client, 500, now); /* a debt of 300 */
  g_assert_cmpint (serve_client_take (client, 0, now, &quota), ==, SERVE_ACCESS_LIMITED);
  g_assert_cmpuint (quota.retry_after, ==, 31);
  now += 31 * G_TIME_SPAN_SECOND;
  g_assert_cmpint (serve_client_take (client, 0, now, &quota), ==, SERVE_ACCESS_GRANTED);
  /* More than a minute's worth: when nothing else was used. */
  g_assert_cmpint (serve_client_take (client, 5000, now, &quota), ==, SERVE_ACCESS_LIMITED);
  now += 60 * G_TIME_SPAN_SECOND;
  g_assert_cmpint (serve_client_take (client, 5000, now, &quota), ==, SERVE_ACCESS_GRANTED);
  now += 400 * G_TIME_SPAN_SECOND;
  g_assert_cmpint (serve_client_take (client, 1, now, &quota), ==, SERVE_ACCESS_LIMITED);
  g_assert_cmpint (serve_client_take (NULL, 1, now, &quota), ==, SERVE_ACCESS_GRANTED);
}

#define ADD(name, function) g_test_add ("/keys/" name, Place, NULL, place_up, function, place_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("check", test_check);
  ADD ("none", test_none);
  ADD ("salted", test_salted);
  ADD ("twice", test_twice);
  ADD ("anyone", test_anyone);
  ADD ("until", test_until);
  ADD ("refused", test_refused);
  ADD ("missing", test_missing);
  ADD ("writable", test_writable);
  ADD ("same-stamp", test_same_stamp);
  ADD ("refresh", test_refresh);
  ADD ("requests", test_requests);
  ADD ("tokens", test_tokens);
  return g_test_run ();
}
