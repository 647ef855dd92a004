/* SPDX-License-Identifier: Apache-2.0 */
/* page.c: see page.h. */
#include "config.h"

#include "page.h"

#include <string.h>

#include "text/webpage/webpage.h"

/* The server it came from alone; and no text is ever taken for markup. */
#define POLICY "; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"

enum
{
  HEADER_POLICY,
  HEADER_ETAG,
  HEADER_CACHE,
  HEADER_SNIFF,
  HEADER_REFERRER,
  HEADER_OPENER,
  HEADER_PERMISSIONS,
  HEADER_TYPE,
  N_HEADERS
};

struct _ServePage
{
  GBytes *bytes;
  char *policy, *etag;
  ServePageHeader headers[N_HEADERS + 1];
};

static void
set_headers (ServePage *page)
{
  const ServePageHeader headers[N_HEADERS + 1] = {
    [HEADER_TYPE] = { "Content-Type", "text/html; charset=utf-8" },
    [HEADER_POLICY] = { "Content-Security-Policy", page->policy },
    [HEADER_ETAG] = { "ETag", page->etag },
    [HEADER_CACHE] = { "Cache-Control", "no-cache" },
    [HEADER_SNIFF] = { "X-Content-Type-Options", "nosniff" },
    [HEADER_REFERRER] = { "Referrer-Policy", "no-referrer" },
    [HEADER_OPENER] = { "Cross-Origin-Opener-Policy", "same-origin" },
    [HEADER_PERMISSIONS] = { "Permissions-Policy", "camera=(), geolocation=(), microphone=()" },
  };

  memcpy (page->headers, headers, sizeof headers);
}

ServePage *
serve_page_new (void)
{
  ServePage *page = g_new0 (ServePage, 1);
  g_autofree char *policy = NULL, *sum = NULL;
  GString *text
      = text_webpage_build ("/flowrun/serve/", "Write copy 写文案", NULL, POLICY, &policy);

  sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text->str, (gssize) text->len);
  page->etag = g_strdup_printf ("\"%.32s\"", sum);
  /* A page in a frame could be clicked on unseen; only a header can forbid it. */
  page->policy = g_strconcat (policy, "; frame-ancestors 'none'", NULL);
  page->bytes = g_string_free_to_bytes (text);
  set_headers (page);
  return page;
}

void
serve_page_free (ServePage *page)
{
  if (page == NULL)
    return;
  g_bytes_unref (page->bytes);
  g_free (page->policy);
  g_free (page->etag);
  g_free (page);
}

GBytes *
serve_page_bytes (const ServePage *page)
{
  return page->bytes;
}

const ServePageHeader *
serve_page_headers (const ServePage *page)
{
  return page->headers;
}

const char *
serve_page_etag (const ServePage *page)
{
  return page->etag;
}

gboolean
serve_page_not_modified (const ServePage *page, const char *if_none_match)
{
  g_auto (GStrv) tags = NULL;

  if (if_none_match == NULL)
    return FALSE;
  tags = g_strsplit (if_none_match, ",", 64);
  for (char **tag = tags; *tag != NULL; tag++)
    {
      const char *plain = g_strstrip (*tag);

      /* weak comparison: W/"x" is as good as "x" */
      if (strcmp (plain, "*") == 0
          || strcmp (g_str_has_prefix (plain, "W/") ? plain + 2 : plain, page->etag) == 0)
        return TRUE;
    }
  return FALSE;
}
