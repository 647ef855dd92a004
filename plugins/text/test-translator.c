/* SPDX-License-Identifier: Apache-2.0 */
/* test-translator.c: the cache of translations, killed and shared and damaged; addresses;
 * languages. */
#include "config.h"

#include <flowrun/error.h>
#include <flowrun/flowrun.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "text/translator-cache.h"

typedef struct
{
  char *dir, *path;
} Fixture;

static void
setup (Fixture *f, gconstpointer data)
{
  (void) data;
  f->dir = g_dir_make_tmp ("translator-XXXXXX", NULL);
  f->path = g_build_filename (f->dir, "deep", "cache.jsonl", NULL);
}

static void
teardown (Fixture *f, gconstpointer data)
{
  g_autofree char *deep = g_path_get_dirname (f->path);

  (void) data;
  g_unlink (f->path);
  g_rmdir (deep);
  g_rmdir (f->dir);
  g_free (f->path);
  g_free (f->dir);
}

static TranslatorCache *
open_cache (Fixture *f, const char *identity)
{
  g_autoptr (GError) error = NULL;
  TranslatorCache *cache = translator_cache_open (f->path, identity, 1 << 20, f->dir, &error);

  g_assert_no_error (error);
  return cache;
}

static TranslatorItem
item (const char *text, guint64 seed)
{
  return (
      TranslatorItem){ .from = "zh", .to = "en", .text = { text, strlen (text) }, .seed = seed };
}

static void
store (TranslatorCache *cache, const char *text, guint64 seed, const char *translation)
{
  TranslatorItem one = item (text, seed), *items[] = { &one };
  g_autoptr (GError) error = NULL;

  if (translation != NULL)
    translator_item_done (&one, g_strdup (translation), strlen (translation));
  else
    translator_item_refuse (&one, "refused", "it said \"no\"");
  g_assert_true (translator_cache_store (cache, items, 1, &error));
  g_assert_no_error (error);
  translator_item_clear (&one);
}

/* @want NULL: not there; "!rule": refused */
static void
expect (TranslatorCache *cache, const char *text, guint64 seed, const char *want)
{
  TranslatorItem one = item (text, seed);
  g_autoptr (GError) error = NULL;
  gboolean found;

  g_assert_true (translator_cache_find (cache, &one, &found, &error));
  g_assert_no_error (error);
  g_assert_cmpint (found, ==, want != NULL);
  if (want != NULL && want[0] == '!')
    {
      g_assert_cmpint (one.state, ==, TRANSLATOR_REFUSED);
      g_assert_cmpstr (one.rule, ==, want + 1);
      g_assert_cmpstr (one.why, ==, "it said \"no\"");
    }
  else if (want != NULL)
    g_assert_cmpstr (one.translation, ==, want);
  translator_item_clear (&one);
}

static void
test_keep (Fixture *f, gconstpointer data)
{
  g_autoptr (TranslatorCache) cache = open_cache (f, "engine 1");
  g_autoptr (TranslatorCache) other = NULL;
  g_autofree char *longest = g_strnfill (300000, 'x');
  struct stat about;

  (void) data;
  expect (cache, "你好", 0, NULL);
  store (cache, "你好", 0, "hello");
  store (cache, "你好", 7, "hi");
  store (cache, "a\"b\\c\nd\te", 0, "quotes \" and\nlines\\");
  store (cache, "坏", 0, NULL);
  store (cache, longest, 0, longest);
  expect (cache, "你好", 0, "hello");
  expect (cache, "你好", 7, "hi");
  expect (cache, "你好", 8, NULL);
  expect (cache, "a\"b\\c\nd\te", 0, "quotes \" and\nlines\\");
  expect (cache, "坏", 0, "!refused");
  expect (cache, longest, 0, longest);
  g_assert_cmpuint (translator_cache_n (cache), ==, 5);
  g_assert_cmpuint (translator_cache_n_damaged (cache), ==, 0);
  /* Its owner's alone. */
  g_assert_cmpint (stat (f->path, &about), ==, 0);
  g_assert_cmpuint (about.st_mode & 0777, ==, 0600);
  /* Another engine finds nothing, and the later of two lines counts. */
  other = open_cache (f, "engine 2");
  expect (other, "你好", 0, NULL);
  store (cache, "你好", 0, "good day");
  expect (cache, "你好", 0, "good day");
  g_clear_pointer (&cache, translator_cache_free);
  cache = open_cache (f, "engine 1");
  expect (cache, "你好", 0, "good day");
  expect (cache, longest, 0, longest);
}

static void
test_shared (Fixture *f, gconstpointer data)
{
  g_autoptr (TranslatorCache) a = open_cache (f, "e"), b = open_cache (f, "e");

  (void) data;
  store (a, "一", 0, "one");
  store (b, "二", 0, "two"); /* finds a's by the way */
  expect (b, "一", 0, "one");
  expect (a, "二", 0, NULL); /* not yet looked */
  store (a, "三", 0, "three");
  expect (a, "二", 0, "two");
  store (b, "四", 0, "four");
  expect (b, "三", 0, "three");
}

static void
append (Fixture *f, const char *text)
{
  FILE *file = g_fopen (f->path, "ab");

  fputs (text, file);
  fclose (file);
}

static void
test_damaged (Fixture *f, gconstpointer data)
{
  g_autoptr (TranslatorCache) cache = open_cache (f, "e");
  g_autofree char *whole = NULL;
  gsize len;

  (void) data;
  store (cache, "一", 0, "one");
  g_clear_pointer (&cache, translator_cache_free);
  /* Lines that are none, one of them no more than a key. */
  append (f, "not a line\n{\"key\":\"00000000000000000000000000000000\"}\n\n");
  cache = open_cache (f, "e");
  g_assert_cmpuint (translator_cache_n_damaged (cache), ==, 3);
  store (cache, "二", 0, "two");
  g_clear_pointer (&cache, translator_cache_free);
  /* Cut at every byte of the last line: what came before stays, and the file takes more. */
  g_assert_true (g_file_get_contents (f->path, &whole, &len, NULL));
  for (gsize cut = len - 1; whole[cut - 1] != '\n'; cut--)
    {
      g_assert_true (g_file_set_contents (f->path, whole, (gssize) cut, NULL));
      cache = open_cache (f, "e");
      expect (cache, "一", 0, "one");
      expect (cache, "二", 0, NULL);
      store (cache, "三", 0, "three");
      g_clear_pointer (&cache, translator_cache_free);
      cache = open_cache (f, "e");
      expect (cache, "三", 0, "three");
      g_clear_pointer (&cache, translator_cache_free);
    }
  g_clear_pointer (&whole, g_free);
  /* A translation corrected by hand serves. */
  g_assert_true (g_file_get_contents (f->path, &whole, &len, NULL));
  memcpy (strstr (whole, "\"one\""), "\"ONE\"", 5);
  g_assert_true (g_file_set_contents (f->path, whole, (gssize) len, NULL));
  cache = open_cache (f, "e");
  expect (cache, "一", 0, "ONE");
}

static void
test_foreign (Fixture *f, gconstpointer data)
{
  static const char *const others[]
      = { "id,name\n1,x\n", "no newline", "{\"some\":\"json\"}\n", "\n" };
  g_autofree char *deep = g_path_get_dirname (f->path);

  (void) data;
  g_mkdir (deep, 0700);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autofree char *after = NULL;
      g_autoptr (GError) error = NULL;

      g_assert_true (g_file_set_contents (f->path, others[i], -1, NULL));
      g_assert_null (translator_cache_open (f->path, "e", 1 << 20, f->dir, &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
      g_assert_true (g_file_get_contents (f->path, &after, NULL, NULL));
      g_assert_cmpstr (after, ==, others[i]); /* not touched */
    }
  {
    g_autoptr (GError) error = NULL;

    g_assert_null (translator_cache_open (f->dir, "e", 1 << 20, f->dir, &error));
    g_assert_error (error, FR_ERROR, FR_ERROR_IO);
  }
}

/* A process killed while it stores, again and again: whatever it said was stored is there. */
static void
test_killed (Fixture *f, gconstpointer data)
{
  guint before = 0;

  (void) data;
  for (guint round = 0; round < 8; round++)
    {
      int said[2];
      guint last = 0;
      pid_t child;

      g_assert_cmpint (pipe (said), ==, 0);
      child = fork ();
      if (child == 0)
        {
          TranslatorCache *cache = open_cache (f, "e");

          for (guint i = before + 1;; i++)
            {
              g_autofree char *text = g_strdup_printf ("text %u", i);

              store (cache, text, 0, text);
              if (write (said[1], &i, sizeof i) != sizeof i)
                _exit (1);
            }
        }
      close (said[1]);
      while (last < before + 3 + round * 5 && read (said[0], &last, sizeof last) == sizeof last)
        ;
      kill (child, SIGKILL);
      waitpid (child, NULL, 0);
      while (read (said[0], &last, sizeof last) == sizeof last)
        ;
      close (said[0]);
      {
        g_autoptr (TranslatorCache) cache = open_cache (f, "e");

        g_assert_cmpuint (last, >, before);
        for (guint i = 1; i <= last; i++)
          {
            g_autofree char *text = g_strdup_printf ("text %u", i);

            expect (cache, text, 0, text);
          }
      }
      before = last;
    }
}

static void
test_items (void)
{
  static const struct
  {
    const char *text, *want, *rule;
  } cases[] = {
    { " hello \n", "hello", NULL },     { "\xe3\x80\x80你好\xe3\x80\x80", "你好", NULL },
    { "", NULL, "empty_answer" },       { " \t\n", NULL, "empty_answer" },
    { "\xff\xfe", NULL, "bad_answer" }, { "a\xe4\xbd", NULL, "bad_answer" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TranslatorItem one = item ("x", 0);

      translator_item_done (&one, g_strdup (cases[i].text), strlen (cases[i].text));
      g_assert_cmpstr (one.translation, ==, cases[i].want);
      g_assert_cmpstr (one.rule, ==, cases[i].rule);
      g_assert_cmpint (one.state, ==, cases[i].want != NULL ? TRANSLATOR_DONE : TRANSLATOR_REFUSED);
      translator_item_clear (&one);
    }
  g_assert_cmpstr (translator_rule ("too_long"), ==, "too_long");
  g_assert_cmpstr (translator_rule ("made up"), ==, "refused");
}

static void
test_reach (void)
{
  static const struct
  {
    const char *url;
    TranslatorReach reach;
  } cases[] = {
    { "http://127.0.0.1:5000", TRANSLATOR_REACH_LOCAL },
    { "http://127.9.8.7/x", TRANSLATOR_REACH_LOCAL },
    { "https://LOCALHOST/v1", TRANSLATOR_REACH_LOCAL },
    { "http://[::1]:80/", TRANSLATOR_REACH_LOCAL },
    { "http://localhost.example.org", TRANSLATOR_REACH_REMOTE },
    { "http://127.0.0.1.example.org", TRANSLATOR_REACH_REMOTE },
    { "http://127.0.0.1@example.org/", TRANSLATOR_REACH_REMOTE },
    { "http://10.0.0.1:5000", TRANSLATOR_REACH_REMOTE },
    { "https://translate.example.org", TRANSLATOR_REACH_REMOTE },
    { "http://0.0.0.0", TRANSLATOR_REACH_REMOTE },
    { "ftp://127.0.0.1", TRANSLATOR_REACH_NONE },
    { "127.0.0.1:5000", TRANSLATOR_REACH_NONE },
    { "http://", TRANSLATOR_REACH_NONE },
    { "", TRANSLATOR_REACH_NONE },
    { NULL, TRANSLATOR_REACH_NONE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (translator_reach (cases[i].url), ==, cases[i].reach);
}

static void
test_language (void)
{
  static const char *const cases[][2] = { { "zh", "Chinese" },
                                          { "en", "English" },
                                          { "ja", "Japanese" },
                                          { "pt-BR", "Portuguese (Brazil)" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = translator_language (cases[i][0]);

      g_assert_cmpstr (name, ==, cases[i][1]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/translator/cache/" name, Fixture, NULL, setup, func, teardown)
  ADD ("keep", test_keep);
  ADD ("shared", test_shared);
  ADD ("damaged", test_damaged);
  ADD ("foreign", test_foreign);
  ADD ("killed", test_killed);
  g_test_add_func ("/translator/items", test_items);
  g_test_add_func ("/translator/reach", test_reach);
  g_test_add_func ("/translator/language", test_language);
  return g_test_run ();
}
