/* SPDX-License-Identifier: Apache-2.0 */
/* scope.c: see scope.h. */
#include "config.h"

#include "scope.h"

#include <string.h>

struct _Scope
{
  const Settings *settings;
  GHashTable *places;  /* hosts, domains, or origins with folder: a set */
  GHashTable *origins; /* of what was given: a set */
};

Scope *
scope_new (const Settings *settings)
{
  Scope *scope = g_new0 (Scope, 1);

  scope->settings = settings;
  scope->places = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  scope->origins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return scope;
}

void
scope_free (Scope *scope)
{
  if (scope == NULL)
    return;
  g_hash_table_unref (scope->places);
  g_hash_table_unref (scope->origins);
  g_free (scope);
}

/* Host with its port, scheme aside: http and https are one place. */
static char *
host_of (const NetUrl *url)
{
  return g_strndup (url->text + url->host, url->path - url->host);
}

static char *
folder_of (const NetUrl *url)
{
  const char *slash = g_strrstr_len (url->text + url->path, url->query - url->path, "/");

  return g_strndup (url->text + url->host, (gsize) (slash + 1 - (url->text + url->host)));
}

static void
add_place (Scope *scope, const NetUrl *url)
{
  char *place = NULL;

  switch (scope->settings->scope)
    {
    case SCOPE_FOLDER:
      place = folder_of (url);
      break;
    case SCOPE_DOMAIN:
      place = net_url_site (url->text + url->host, url->host_len);
      break;
    default:
      place = host_of (url);
      break;
    }
  g_hash_table_add (scope->places, place);
}

void
scope_add (Scope *scope, const NetUrl *url)
{
  add_place (scope, url);
  g_hash_table_add (scope->origins, g_strndup (url->text, url->path));
}

gboolean
scope_is_given (const Scope *scope, const NetUrl *url)
{
  g_autofree char *origin = g_strndup (url->text, url->path);

  return g_hash_table_contains (scope->origins, origin);
}

gboolean
scope_add_redirect (Scope *scope, const NetUrl *from, const NetUrl *to)
{
  g_autofree char *a = net_url_site (from->text + from->host, from->host_len);
  g_autofree char *b = net_url_site (to->text + to->host, to->host_len);

  if (!g_str_equal (a, b))
    return FALSE;
  add_place (scope, to);
  return TRUE;
}

gboolean
scope_matches (const char *pattern, const char *text)
{
  const char *star = NULL, *again = NULL;

  while (*text)
    if (*pattern == '*')
      {
        star = ++pattern;
        again = text;
      }
    else if (*pattern == *text)
      pattern++, text++;
    else if (star)
      {
        pattern = star;
        text = ++again;
      }
    else
      return FALSE;
  while (*pattern == '*')
    pattern++;
  return *pattern == '\0';
}

static gboolean
any_matches (char *const *patterns, const char *text)
{
  for (; patterns && *patterns; patterns++)
    if (scope_matches (*patterns, text))
      return TRUE;
  return FALSE;
}

static gboolean
is_inside (const Scope *scope, const NetUrl *url)
{
  g_autofree char *host = NULL;

  switch (scope->settings->scope)
    {
    case SCOPE_ANY:
      return TRUE;
    case SCOPE_DOMAIN:
      host = net_url_site (url->text + url->host, url->host_len);
      return g_hash_table_contains (scope->places, host);
    case SCOPE_FOLDER:
      /* The folder itself, or one above it that was given. */
      host = folder_of (url);
      for (;;)
        {
          char *slash;

          if (g_hash_table_contains (scope->places, host))
            return TRUE;
          host[strlen (host) - 1] = '\0';
          slash = strrchr (host, '/');
          if (slash == NULL)
            return FALSE;
          slash[1] = '\0';
        }
    default:
      host = host_of (url);
      return g_hash_table_contains (scope->places, host);
    }
}

/* Names that end so hold no text that this source reads; asking for them would be a waste of
 * others' bandwidth. */
static gboolean
is_file (const NetUrl *url)
{
  static const char *const ends[]
      = { ".7z",   ".apk",  ".avi",  ".bin", ".bmp",  ".bz2",  ".css", ".deb",  ".dmg",   ".doc",
          ".docx", ".eot",  ".epub", ".exe", ".flac", ".flv",  ".gif", ".gz",   ".ico",   ".iso",
          ".jar",  ".jpeg", ".jpg",  ".js",  ".json", ".m3u8", ".m4a", ".mkv",  ".mov",   ".mp3",
          ".mp4",  ".mpeg", ".mpg",  ".msi", ".odp",  ".ods",  ".odt", ".ogg",  ".otf",   ".pdf",
          ".png",  ".ppt",  ".pptx", ".rar", ".rpm",  ".svg",  ".swf", ".tar",  ".tgz",   ".tif",
          ".tiff", ".ttf",  ".wasm", ".wav", ".webm", ".webp", ".wmv", ".woff", ".woff2", ".xls",
          ".xlsx", ".xz",   ".zip",  ".zst" };
  const char *dot = g_strrstr_len (url->text + url->path, url->query - url->path, ".");
  gsize len = dot ? (gsize) (url->text + url->query - dot) : 0;

  if (dot == NULL || memchr (dot, '/', len))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    if (strlen (ends[i]) == len && g_ascii_strncasecmp (ends[i], dot, len) == 0)
      return TRUE;
  return FALSE;
}

/* A segment three times, or more than 30 segments: what relative links in error pages make
 * ("/a/b/a/b/a/b/"). */
static gboolean
is_repeating (const NetUrl *url)
{
  g_autofree char *path = g_strndup (url->text + url->path, url->query - url->path);
  g_auto (GStrv) segments = g_strsplit (path, "/", 64);
  guint n = g_strv_length (segments);

  if (n > 31)
    return TRUE;
  for (guint i = 0; i < n; i++)
    {
      guint same = 0;

      for (guint k = 0; k < n; k++)
        same += strlen (segments[i]) > 1 && strcmp (segments[i], segments[k]) == 0;
      if (same >= 3)
        return TRUE;
    }
  return FALSE;
}

ScopeWhy
scope_check (const Scope *scope, const NetUrl *url)
{
  const Settings *s = scope->settings;

  if (!is_inside (scope, url))
    return SCOPE_OUTSIDE;
  if (any_matches (s->exclude, url->text)
      || (s->include && *s->include && !any_matches (s->include, url->text)))
    return SCOPE_EXCLUDED;
  if (is_file (url))
    return SCOPE_FILE;
  return is_repeating (url) ? SCOPE_REPEATING : SCOPE_IN;
}

const char *
scope_counter (ScopeWhy why)
{
  switch (why)
    {
    case SCOPE_EXCLUDED:
      return "links_excluded";
    case SCOPE_FILE:
      return "links_to_files";
    case SCOPE_REPEATING:
      return "links_repeating";
    case SCOPE_IN:
    case SCOPE_OUTSIDE:
    default:
      return "links_outside";
    }
}
