/* SPDX-License-Identifier: Apache-2.0 */
/* url.h: web addresses, taken apart, resolved and made equal (libflowrun-net).
 *
 * Syntax and resolution follow RFC 3986 (sections 3, 5.2 and 6.2); where pages
 * do not, it reads them as browsers do (WHATWG URL): white space around,
 * tabs and line ends within, backslashes for slashes, raw blanks and letters
 * beyond ASCII, "http:page" beside an http base, IPv4 addresses in hex, octal
 * or one number.  Names beyond ASCII become their ASCII form by UTS #46
 * (through ICU).
 *
 * There is one form of a URL in the house, the normal one that
 * net_url_parse() gives: two URLs are the same when their texts are.
 *
 *   - scheme and host in lower case, no default port, no dot at the host's end
 *   - no user name, no password, no fragment, no empty query
 *   - dot segments resolved, an empty path is "/"
 *   - percent-encoding only where needed, its hex digits in capitals
 *   - with NET_URL_TRACKING: no parameters that tell where a visitor came from
 *     (utm_source, gclid, spm, …) or which session is theirs (jsessionid, …)
 *
 * Only http and https; other schemes are refused by name.  Order and case of
 * parameters are kept: a server may care.
 */
#ifndef FLOWRUN_NET_URL_H
#define FLOWRUN_NET_URL_H

#include <flowrun/batch.h>
#include <flowrun/error.h>
#include <glib.h>

G_BEGIN_DECLS

/* Bytes of a URL, at most: what RFC 9110 (4.1) asks servers to take. */
#define NET_URL_MAX 8000

typedef enum
{
  NET_URL_TRACKING = 1 << 0 /* drop parameters of tracking and of sessions */
} NetUrlFlags;

/**
 * NetUrl: a URL in its normal form.
 * @text: all of it; NUL-terminated; NULL: empty, as after net_url_clear()
 * @scheme_len: "http" or "https" is @text up to here
 * @host, @host_len: where the host is in @text; an IPv6 address without its brackets
 * @path: where the path begins; @text up to here is the origin, "https://host:8443"
 * @query: where the '?' is, or the end of @text
 * @len: of @text
 * @port: also when it is the default
 * @is_address: the host is an IPv4 or IPv6 address
 * @had_userinfo: there was a user name or password, now gone
 */
typedef struct
{
  char *text;
  guint scheme_len;
  guint host, host_len;
  guint path;
  guint query;
  guint len;
  guint16 port;
  gboolean is_address;
  gboolean had_userinfo;
} NetUrl;

/**
 * net_url_parse:
 * @text, @len: any bytes
 * @base: what a relative URL is relative to; NULL: only an absolute one will do
 * @charset: of the document that holds the URL, for letters beyond ASCII in the query, as browsers
 * send them; NULL: UTF-8
 * @flags: NetUrlFlags
 * @url: set on success; the caller's to net_url_clear()
 * @why: or NULL: what was wrong with it; static
 */
gboolean net_url_parse (const char *text, gsize len, const NetUrl *base, const char *charset,
                        guint flags, NetUrl *url, const char **why);
void net_url_clear (NetUrl *url);

/** net_url_same_origin: scheme, host and port are equal. */
gboolean net_url_same_origin (const NetUrl *a, const NetUrl *b);

/**
 * net_url_display: @text (any bytes) for messages and logs, always valid UTF-8 and at most 300
 * characters: user name, password and fragment are gone, and of parameters whose names tell of
 * secrets (token, key, sign, password, …) only
 * "***" is left.  Free with g_free().
 */
char *net_url_display (const char *text);

/**
 * net_url_site: the registrable domain of @host ("www.news.com.cn" gives "news.com.cn") by the
 * Public Suffix List through libpsl; without it by a short list of second levels such as com.cn and
 * co.uk.  An address, or a name that is a suffix itself, is its own.  Free with g_free().
 */
char *net_url_site (const char *host, gsize len);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NetUrl, net_url_clear)

G_END_DECLS

#endif
