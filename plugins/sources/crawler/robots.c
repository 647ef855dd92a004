/* SPDX-License-Identifier: Apache-2.0 */
/* robots.c: robots.txt as groups of rules; see robots.h.
 *
 * Patterns and paths are compared after both were brought to one form (RFC
 * 9309, 2.2.2): octets beyond ASCII percent-encoded, hex digits in capitals,
 * unreserved characters never encoded; a literal '*' or '$' is its code.
 */
#include "config.h"

#include "robots.h"

#include <string.h>

typedef struct
{
  char *pattern; /* in normal form; '*' is a wildcard */
  gsize len;     /* of the pattern, which is its weight */
  gboolean anchored;
  gboolean allow;
} Rule;

typedef struct
{
  GPtrArray *agents; /* product tokens in lower case, "*" */
  GPtrArray *rules;
  double delay;
} Group;

struct _Robots
{
  GPtrArray *groups;
  GPtrArray *sitemaps;
  gboolean cut;
};

static void
rule_free (gpointer data)
{
  Rule *rule = data;

  g_free (rule->pattern);
  g_free (rule);
}

static void
group_free (gpointer data)
{
  Group *group = data;

  g_ptr_array_unref (group->agents);
  g_ptr_array_unref (group->rules);
  g_free (group);
}

void
robots_free (Robots *robots)
{
  if (robots == NULL)
    return;
  g_ptr_array_unref (robots->groups);
  g_ptr_array_unref (robots->sitemaps);
  g_free (robots);
}

/* ---- one form ------------------------------------------------------------------ */

static void
append_code (GString *out, guchar c)
{
  static const char hex[] = "0123456789ABCDEF";

  g_string_append_c (out, '%');
  g_string_append_c (out, hex[c >> 4]);
  g_string_append_c (out, hex[c & 15]);
}

static gboolean
is_unreserved (guchar c)
{
  return g_ascii_isalnum (c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* With @wild, '*' stays a wildcard. */
static void
append_normal (GString *out, const char *text, gsize len, gboolean wild)
{
  for (gsize i = 0; i < len; i++)
    {
      guchar c = (guchar) text[i];

      if (c == '%' && i + 2 < len && g_ascii_isxdigit (text[i + 1])
          && g_ascii_isxdigit (text[i + 2]))
        {
          c = (guchar) (g_ascii_xdigit_value (text[i + 1]) << 4
                        | g_ascii_xdigit_value (text[i + 2]));
          i += 2;
          if (is_unreserved (c))
            g_string_append_c (out, (char) c);
          else
            append_code (out, c);
        }
      else if (c >= 0x80 || c <= ' ' || c == '$' || (c == '*' && !wild))
        append_code (out, c);
      else
        g_string_append_c (out, (char) c);
    }
}

/* ---- parsing --------------------------------------------------------------------- */

typedef struct
{
  Robots *robots;
  Group *group;   /* open, or NULL before the first user-agent line */
  gboolean rules; /* the open group has had a rule: another user-agent line begins a new one */
} Parser;

/* A token as the grammar of a product has it: the value's beginning. */
static char *
product (const char *value, gsize len)
{
  gsize n = 0;

  if (len > 0 && value[0] == '*' && (len == 1 || g_ascii_isspace (value[1])))
    return g_strdup ("*");
  while (n < len && (g_ascii_isalpha (value[n]) || value[n] == '-' || value[n] == '_'))
    n++;
  return g_ascii_strdown (value, (gssize) n);
}

static void
take_agent (Parser *p, const char *value, gsize len)
{
  if (p->group == NULL || p->rules)
    {
      p->group = g_new0 (Group, 1);
      p->group->agents = g_ptr_array_new_with_free_func (g_free);
      p->group->rules = g_ptr_array_new_with_free_func (rule_free);
      g_ptr_array_add (p->robots->groups, p->group);
      p->rules = FALSE;
    }
  g_ptr_array_add (p->group->agents, product (value, len));
}

static void
add_rule (Parser *p, const char *value, gsize len, gboolean allow)
{
  Rule *rule = g_new0 (Rule, 1);
  GString *pattern = g_string_sized_new (len + 8);

  rule->allow = allow;
  rule->anchored = len > 0 && value[len - 1] == '$';
  append_normal (pattern, value, len - rule->anchored, TRUE);
  rule->len = pattern->len + rule->anchored;
  rule->pattern = g_string_free (pattern, FALSE);
  g_ptr_array_add (p->group->rules, rule);
}

static void
take_rule (Parser *p, const char *value, gsize len, gboolean allow)
{
  const char *slash;

  if (p->group == NULL)
    return; /* belongs to nobody */
  p->rules = TRUE;
  if (len == 0)
    return; /* matches nothing (2.2.2) */
  add_rule (p, value, len, allow);
  slash = g_strrstr_len (value, (gssize) len, "/");
  if (allow && slash && (gsize) (value + len - slash) >= 10
      && memcmp (slash, "/index.htm", 10) == 0)
    {
      g_autofree char *folder = g_strdup_printf ("%.*s$", (int) (slash + 1 - value), value);

      add_rule (p, folder, strlen (folder), TRUE);
    }
}

static gboolean
key_is (const char *key, gsize len, const char *const *names)
{
  for (; *names; names++)
    if (strlen (*names) == len && g_ascii_strncasecmp (key, *names, len) == 0)
      return TRUE;
  return FALSE;
}

static void
take (Parser *p, const char *key, gsize key_len, const char *value, gsize len)
{
  static const char *const agents[] = { "user-agent", "useragent", "user agent", NULL };
  static const char *const allows[] = { "allow", NULL };
  static const char *const disallows[]
      = { "disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw", NULL };
  static const char *const sitemaps[] = { "sitemap", "site-map", NULL };
  static const char *const delays[] = { "crawl-delay", "crawldelay", NULL };

  if (key_is (key, key_len, agents))
    take_agent (p, value, len);
  else if (key_is (key, key_len, allows))
    take_rule (p, value, len, TRUE);
  else if (key_is (key, key_len, disallows))
    take_rule (p, value, len, FALSE);
  else if (key_is (key, key_len, sitemaps))
    g_ptr_array_add (p->robots->sitemaps, g_strndup (value, len));
  else if (key_is (key, key_len, delays) && p->group)
    {
      g_autofree char *number = g_strndup (value, len);
      double seconds = g_ascii_strtod (number, NULL);

      if (seconds > 0 && seconds < 1e6)
        p->group->delay = MAX (p->group->delay, seconds);
    }
}

static gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t';
}

static void
strip (const char **text, gsize *len)
{
  while (*len > 0 && is_blank (**text))
    (*text)++, (*len)--;
  while (*len > 0 && (is_blank ((*text)[*len - 1]) || (*text)[*len - 1] == '\0'))
    (*len)--;
}

/* "key: value", or two words where the colon was forgotten. */
static void
take_line (Parser *p, const char *line, gsize len)
{
  const char *hash = memchr (line, '#', len), *value, *end;
  gsize key_len, value_len;

  if (hash)
    len = (gsize) (hash - line);
  strip (&line, &len);
  end = line + len;
  value = len ? memchr (line, ':', len) : NULL;
  if (value == NULL)
    {
      for (value = line; value < end && !is_blank (*value); value++)
        ;
      for (const char *q = value + strspn (value, " \t"); q < end; q++)
        if (is_blank (*q))
          return; /* three words: prose */
      if (value == end)
        return;
    }
  key_len = (gsize) (value - line);
  value_len = (gsize) (end - value - 1);
  value++;
  strip (&line, &key_len);
  strip (&value, &value_len);
  if (key_len > 0)
    take (p, line, key_len, value, value_len);
}

Robots *
robots_parse (const char *data, gsize len)
{
  Robots *robots = g_new0 (Robots, 1);
  g_autofree char *copy = NULL;
  Parser p = { robots, NULL, FALSE };
  const char *at, *end;

  robots->groups = g_ptr_array_new_with_free_func (group_free);
  robots->sitemaps = g_ptr_array_new_with_free_func (g_free);
  robots->cut = len > ROBOTS_MAX;
  if (robots->cut)
    /* Not half a line: "Disallow: /a" cut from "/admin" would say something else. */
    for (len = ROBOTS_MAX; len > 0 && data[len - 1] != '\n' && data[len - 1] != '\r'; len--)
      ;
  if (len >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0)
    data += 3, len -= 3;
  copy = g_malloc (len + 1);
  memcpy (copy, len ? data : "", len);
  copy[len] = '\0';
  for (at = copy, end = copy + len; at < end;)
    {
      const char *stop = at;

      while (stop < end && *stop != '\n' && *stop != '\r')
        stop++;
      take_line (&p, at, (gsize) (stop - at));
      at = stop + 1;
    }
  g_ptr_array_add (robots->sitemaps, NULL);
  return robots;
}

/* ---- answering ---------------------------------------------------------------------- */

/* Each piece between wildcards is found as early as it can be: what follows then has the most room.
 */
static gboolean
matches (const Rule *rule, const char *path, gsize len)
{
  const char *at = path, *end = path + len, *piece = rule->pattern;
  gboolean first = TRUE;

  for (;;)
    {
      const char *star = strchr (piece, '*');
      gsize n = star ? (gsize) (star - piece) : strlen (piece);
      const char *found;

      if (star == NULL && rule->anchored)
        return first ? (gsize) (end - at) == n && memcmp (at, piece, n) == 0
                     : (gsize) (end - at) >= n && memcmp (end - n, piece, n) == 0;
      if (first)
        found = (gsize) (end - at) >= n && memcmp (at, piece, n) == 0 ? at : NULL;
      else
        found = n ? memmem (at, (gsize) (end - at), piece, n) : at;
      if (found == NULL)
        return FALSE;
      if (star == NULL)
        return TRUE;
      at = found + n;
      piece = star + 1;
      first = FALSE;
    }
}

static gboolean
is_for (const Group *group, const char *name)
{
  for (guint i = 0; i < group->agents->len; i++)
    if (g_ascii_strcasecmp (g_ptr_array_index (group->agents, i), name) == 0)
      return TRUE;
  return FALSE;
}

/* The name whose groups count: the product's own, else "*" (2.2.1). */
static const char *
whose (const Robots *robots, const char *name)
{
  for (guint i = 0; *name && i < robots->groups->len; i++)
    if (is_for (g_ptr_array_index (robots->groups, i), name))
      return name;
  return "*";
}

gboolean
robots_allows (const Robots *robots, const char *name, const char *path)
{
  g_autoptr (GString) normal = g_string_new (NULL);
  gssize allow = -1, disallow = -1;

  name = whose (robots, name);
  append_normal (normal, *path ? path : "/", *path ? strlen (path) : 1, FALSE);
  if (strcmp (normal->str, "/robots.txt") == 0)
    return TRUE; /* implicitly allowed (2.2.2) */
  for (guint g = 0; g < robots->groups->len; g++)
    {
      const Group *group = g_ptr_array_index (robots->groups, g);

      for (guint i = 0; is_for (group, name) && i < group->rules->len; i++)
        {
          const Rule *rule = g_ptr_array_index (group->rules, i);
          gssize *best = rule->allow ? &allow : &disallow;

          if ((gssize) rule->len > *best && matches (rule, normal->str, normal->len))
            *best = (gssize) rule->len;
        }
    }
  return allow >= disallow;
}

double
robots_delay (const Robots *robots, const char *name)
{
  double delay = 0;

  name = whose (robots, name);
  for (guint g = 0; g < robots->groups->len; g++)
    {
      const Group *group = g_ptr_array_index (robots->groups, g);

      if (is_for (group, name))
        delay = MAX (delay, group->delay);
    }
  return delay;
}

const char *const *
robots_sitemaps (const Robots *robots)
{
  return (const char *const *) robots->sitemaps->pdata;
}

gboolean
robots_was_cut (const Robots *robots)
{
  return robots->cut;
}
