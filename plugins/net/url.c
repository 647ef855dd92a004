/* SPDX-License-Identifier: Apache-2.0 */
/* url.c: one pass over the parts of a URL, each written in its normal form.
 *
 * RFC 3986: the parts are cut by appendix B's expression, relative ones
 * resolved by 5.2.2 (with the old leniency for a scheme equal to the base's),
 * dot segments removed by 5.2.4.  host.c writes the host.
 */
#include "config.h"

#include "url-private.h"

#include <string.h>

/* The parts of a reference, pointing into it; NULL data: not there. */
typedef struct
{
  FrStr scheme, authority, path, query;
} Parts;

/* ---- characters ---------------------------------------------------------------- */

/* What may stand as it is (RFC 3986, appendix A; the rest is percent-encoded). */
static gboolean
is_unreserved (guchar c)
{
  return g_ascii_isalnum (c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static gboolean
stands_in_path (guchar c)
{
  return is_unreserved (c) || (c && strchr ("!$&'()*+,;=:@/", c) != NULL);
}

static gboolean
stands_in_query (guchar c)
{
  return stands_in_path (c) || c == '?';
}

static void
append_encoded (GString *out, guchar c)
{
  static const char hex[] = "0123456789ABCDEF";

  g_string_append_c (out, '%');
  g_string_append_c (out, hex[c >> 4]);
  g_string_append_c (out, hex[c & 15]);
}

/* Characters that need no encoding lose it, those that need it get it; a '%' that starts nothing is
 * text. */
static void
append_normal (GString *out, FrStr text, gboolean (*stands) (guchar))
{
  for (gsize i = 0; i < text.len; i++)
    {
      guchar c = (guchar) text.data[i];

      if (c == '%' && i + 2 < text.len && g_ascii_isxdigit (text.data[i + 1])
          && g_ascii_isxdigit (text.data[i + 2]))
        {
          c = (guchar) (g_ascii_xdigit_value (text.data[i + 1]) << 4
                        | g_ascii_xdigit_value (text.data[i + 2]));
          i += 2;
          if (is_unreserved (c))
            g_string_append_c (out, (char) c);
          else
            append_encoded (out, c);
        }
      else if (stands (c))
        g_string_append_c (out, (char) c);
      else
        append_encoded (out, c);
    }
}

/* ---- cutting ---------------------------------------------------------------------- */

/* A copy without white space around and without tabs and line ends within; backslashes before the
 * query are slashes. */
static GString *
tidy (const char *text, gsize len)
{
  GString *out;
  gboolean in_query = FALSE;

  while (len > 0 && (guchar) text[0] <= ' ')
    text++, len--;
  while (len > 0 && (guchar) text[len - 1] <= ' ')
    len--;
  out = g_string_sized_new (len + 1);
  for (gsize i = 0; i < len; i++)
    {
      char c = text[i];

      if (c == '\t' || c == '\n' || c == '\r')
        continue;
      if (c == '#')
        break; /* the fragment stays with the reader */
      in_query |= c == '?';
      g_string_append_c (out, c == '\\' && !in_query ? '/' : c);
    }
  return out;
}

static void
cut (FrStr text, Parts *parts)
{
  const char *p = text.data, *end = p + text.len, *q;

  memset (parts, 0, sizeof *parts);
  for (q = p; q < end && (g_ascii_isalnum (*q) || *q == '+' || *q == '-' || *q == '.'); q++)
    ;
  if (q < end && *q == ':' && q > p && g_ascii_isalpha (*p))
    {
      parts->scheme = (FrStr){ p, (gsize) (q - p) };
      p = q + 1;
    }
  if (end - p >= 2 && p[0] == '/' && p[1] == '/')
    {
      for (q = p += 2; q < end && *q != '/' && *q != '?'; q++)
        ;
      parts->authority = (FrStr){ p, (gsize) (q - p) };
      p = q;
    }
  for (q = p; q < end && *q != '?'; q++)
    ;
  parts->path = (FrStr){ p, (gsize) (q - p) };
  if (q < end)
    parts->query = (FrStr){ q + 1, (gsize) (end - q - 1) };
}

/* ---- the path ----------------------------------------------------------------------- */

/* remove_dot_segments of 5.2.4, in place on what follows @from in @out, which begins with '/'. */
static void
remove_dots (GString *out, gsize from)
{
  char *base = out->str + from, *w = base;
  const char *r = base, *end = out->str + out->len;

  while (r < end)
    {
      const char *segment = r + 1, *stop = memchr (segment, '/', (gsize) (end - segment));
      gsize len;

      if (stop == NULL)
        stop = end;
      len = (gsize) (stop - segment);
      if (len == 1 && segment[0] == '.')
        {
          if (stop == end)
            *w++ = '/';
        }
      else if (len == 2 && segment[0] == '.' && segment[1] == '.')
        {
          while (w > base && *--w != '/')
            ;
          if (stop == end)
            *w++ = '/';
        }
      else
        {
          memmove (w, r, len + 1);
          w += len + 1;
        }
      r = stop;
    }
  if (w == base)
    *w++ = '/';
  g_string_truncate (out, (gsize) (w - out->str));
}

static gboolean
is_session (const char *parameter)
{
  static const char *const names[] = { ";jsessionid=", ";phpsessid=", ";sid=" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_ascii_strncasecmp (parameter, names[i], strlen (names[i])) == 0)
      return strchr (parameter, '/') == NULL;
  return FALSE;
}

/* ";jsessionid=…" at the end of a path, as often as it stands there. */
static void
drop_session (GString *out, gsize from)
{
  char *semicolon;

  while ((semicolon = strrchr (out->str + from, ';')) != NULL && is_session (semicolon))
    g_string_truncate (out, (gsize) (semicolon - out->str));
}

/* ---- the query ------------------------------------------------------------------------ */

/* Parameters that say where a visitor came from or which session is theirs, never what the page
 * shows; a '*' at the end stands for anything.  From the documentation of the services that add
 * them. */
static const char *const tracking[]
    = { "utm_*",       "gclid",        "gclsrc",       "dclid",        "gbraid",
        "wbraid",      "fbclid",       "msclkid",      "yclid",        "ysclid",
        "twclid",      "ttclid",       "igshid",       "igsh",         "mc_cid",
        "mc_eid",      "_ga",          "_gl",          "_hsenc",       "_hsmi",
        "mkt_tok",     "oly_anon_id",  "oly_enc_id",   "vero_id",      "hmsr",
        "hmpl",        "hmcu",         "hmkw",         "hmci",         "bd_vid",
        "qz_gdt",      "gdt_vid",      "spm",          "scm",          "spm_id_from",
        "vd_source",   "share_source", "share_medium", "share_plat",   "share_session_id",
        "share_token", "phpsessid",    "jsessionid",   "aspsessionid*" };

static gboolean
is_tracking (const char *name, gsize len)
{
  for (guint i = 0; i < G_N_ELEMENTS (tracking); i++)
    {
      gsize n = strlen (tracking[i]);

      if (tracking[i][n - 1] == '*'
              ? len >= n - 1 && g_ascii_strncasecmp (name, tracking[i], n - 1) == 0
              : len == n && g_ascii_strncasecmp (name, tracking[i], n) == 0)
        return TRUE;
    }
  return FALSE;
}

/* The query that begins at @from (behind the '?') without those, and without empty ones; the '?'
 * goes too when nothing is left. */
static void
drop_tracking (GString *out, gsize from)
{
  const char *r = out->str + from, *end = out->str + out->len;
  char *w = out->str + from;

  while (r < end)
    {
      const char *stop = memchr (r, '&', (gsize) (end - r)), *name_end;

      if (stop == NULL)
        stop = end;
      name_end = memchr (r, '=', (gsize) (stop - r));
      if (name_end == NULL)
        name_end = stop;
      if (stop > r && !is_tracking (r, (gsize) (name_end - r)))
        {
          if (w > out->str + from)
            *w++ = '&';
          memmove (w, r, (gsize) (stop - r));
          w += stop - r;
        }
      r = stop + (stop < end);
    }
  g_string_truncate (out, (gsize) (w - out->str));
}

/* Letters beyond ASCII go out in the document's charset (WHATWG URL, 4.4, "query state"). */
static void
append_query (GString *out, FrStr query, const char *charset, guint flags)
{
  gsize from = out->len + 1;
  g_autofree char *converted = NULL;
  gsize len = 0;

  g_string_append_c (out, '?');
  if (charset && g_ascii_strcasecmp (charset, "utf-8") != 0)
    for (gsize i = 0; i < query.len; i++)
      if ((guchar) query.data[i] >= 0x80)
        {
          converted
              = g_convert (query.data, (gssize) query.len, charset, "UTF-8", NULL, &len, NULL);
          break;
        }
  append_normal (out, converted ? (FrStr){ converted, len } : query, stands_in_query);
  if (flags & NET_URL_TRACKING)
    drop_tracking (out, from);
  if (out->len == from)
    g_string_truncate (out, from - 1);
}

/* ---- all of it ------------------------------------------------------------------------- */

static gboolean
scheme_is (FrStr scheme, const char *name)
{
  return scheme.len == strlen (name) && g_ascii_strncasecmp (scheme.data, name, scheme.len) == 0;
}

static gboolean
append_origin (GString *out, const Parts *parts, const NetUrl *base, NetUrl *url, const char **why)
{
  const char *scheme = scheme_is (parts->scheme, "https") ? "https" : "http";

  if (parts->scheme.data == NULL)
    {
      if (base == NULL)
        {
          *why = "it is relative, and there is nothing it could be relative to";
          return FALSE;
        }
      scheme = base->scheme_len == 5 ? "https" : "http";
    }
  else if (!scheme_is (parts->scheme, "http") && !scheme_is (parts->scheme, "https"))
    {
      *why = "its scheme is neither http nor https";
      return FALSE;
    }
  url->scheme_len = (guint) strlen (scheme);
  if (parts->authority.data == NULL)
    {
      g_string_append_len (out, base->text, base->path);
      url->host = base->host;
      url->host_len = base->host_len;
      url->port = base->port;
      url->is_address = base->is_address;
      return TRUE;
    }
  g_string_append (out, scheme);
  g_string_append (out, "://");
  return net_url_append_authority (out, parts->authority, url, why);
}

/* The path before normalisation: the reference's own, or merged with the base's (5.2.3). */
static void
append_path (GString *out, const Parts *parts, const NetUrl *base, guint flags)
{
  gsize from = out->len;
  const char *slash;

  if (parts->authority.data || (parts->path.len && parts->path.data[0] == '/'))
    {
      if (parts->path.len == 0 || parts->path.data[0] != '/')
        g_string_append_c (out, '/');
    }
  else
    {
      slash = g_strrstr_len (base->text + base->path, base->query - base->path, "/");
      g_string_append_len (out, base->text + base->path,
                           parts->path.len ? slash + 1 - (base->text + base->path)
                                           : (gssize) (base->query - base->path));
    }
  append_normal (out, parts->path, stands_in_path);
  /* First, for it may leave a dot segment. */
  if (flags & NET_URL_TRACKING)
    drop_session (out, from);
  remove_dots (out, from);
  if (out->len == from)
    g_string_append_c (out, '/');
}

gboolean
net_url_parse (const char *text, gsize len, const NetUrl *base, const char *charset, guint flags,
               NetUrl *url, const char **why)
{
  g_autoptr (GString) in = NULL, out = NULL;
  const char *ignored;
  Parts parts;

  memset (url, 0, sizeof *url);
  why = why ? why : &ignored;
  *why = "it is longer than 8000 bytes";
  if (len > NET_URL_MAX)
    return FALSE;
  in = tidy (text, len);
  if (memchr (in->str, '\0', in->len))
    {
      *why = "it holds a NUL byte";
      return FALSE;
    }
  cut ((FrStr){ in->str, in->len }, &parts);
  if (parts.scheme.data && parts.authority.data == NULL && base
      && parts.scheme.len == base->scheme_len
      && g_ascii_strncasecmp (parts.scheme.data, base->text, base->scheme_len) == 0)
    parts.scheme = (FrStr){ NULL, 0 };
  if (parts.scheme.data && parts.authority.data == NULL
      && (scheme_is (parts.scheme, "http") || scheme_is (parts.scheme, "https")))
    {
      *why = "it has no host";
      return FALSE;
    }
  out = g_string_sized_new (in->len + (base ? base->len : 0) + 16);
  if (!append_origin (out, &parts, base, url, why))
    return FALSE;
  url->path = (guint) out->len;
  append_path (out, &parts, base, flags);
  url->query = (guint) out->len;
  if (parts.query.data)
    append_query (out, parts.query, charset, flags);
  else if (parts.path.len == 0 && parts.authority.data == NULL)
    g_string_append (out, base->text + base->query);
  if (out->len > NET_URL_MAX)
    {
      *why = "it is longer than 8000 bytes";
      return FALSE;
    }
  url->len = (guint) out->len;
  url->text = g_string_free (g_steal_pointer (&out), FALSE);
  return TRUE;
}

void
net_url_clear (NetUrl *url)
{
  g_free (url->text);
  memset (url, 0, sizeof *url);
}

gboolean
net_url_same_origin (const NetUrl *a, const NetUrl *b)
{
  return a->path == b->path && memcmp (a->text, b->text, a->path) == 0;
}
