/* SPDX-License-Identifier: Apache-2.0 */
/* parts.c: libarchive's zip reader over memory, and relationships. */
#include "config.h"

#include "parts.h"
#include "xml.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#define MAX_PARTS 65536
#define PIECE (64 * 1024)
/* XML rarely shrinks to less than a fiftieth; a document of a few kilobytes may. */
#define FREE_GROWTH (32 * 1024 * 1024)
#define RATIO 500

struct _Parts
{
  TextDocSink *sink;
  GHashTable *bytes; /* name → GByteArray */
  guint64 total, max;
  gsize zipped;
};

static gboolean
is_wanted (const char *name)
{
  return g_str_has_suffix (name, ".xml") || g_str_has_suffix (name, ".rels");
}

static gboolean
too_large (Parts *parts, const char *name)
{
  g_autofree char *reason = NULL;

  if (parts->total > FREE_GROWTH && parts->total / RATIO > parts->zipped)
    {
      reason = g_strdup_printf ("'%s' unpacks to more than %d times the size of the file, as no "
                                "document does",
                                name, RATIO);
      return parts->sink->fail (parts->sink, "bomb", reason);
    }
  reason = g_strdup_printf ("its parts unpack to more than %" G_GUINT64_FORMAT
                            " MiB, twice 'max_file'; raise it if the file is trusted",
                            parts->max >> 20);
  return parts->sink->fail (parts->sink, "too_large", reason);
}

static gboolean
archive_failed (Parts *parts, struct archive *a)
{
  const char *why = archive_error_string (a);
  g_autofree char *reason
      = g_strdup_printf ("the zip container cannot be read: %s", why ? why : "unknown fault");

  return parts->sink->fail (parts->sink, "damaged", reason);
}

/* Zip files have their directory at the end. */
static gboolean
cut_off (Parts *parts)
{
  return parts->sink->fail (parts->sink, "truncated",
                            "the zip container has no directory at its end, as when it was not "
                            "copied or downloaded whole");
}

static gboolean
load (Parts *parts, struct archive *a, const char *name)
{
  GByteArray *bytes = g_byte_array_new ();
  g_autofree guint8 *piece = g_malloc (PIECE);

  /* The first of two parts of a name counts, as in office programs. */
  if (g_hash_table_contains (parts->bytes, name))
    {
      g_byte_array_unref (bytes);
      return TRUE;
    }
  g_hash_table_insert (parts->bytes, g_strdup (name), bytes);
  for (;;)
    {
      la_ssize_t n = archive_read_data (a, piece, PIECE);

      if (n == ARCHIVE_RETRY)
        continue;
      if (n < 0)
        return archive_failed (parts, a);
      if (n == 0)
        return TRUE;
      parts->total += (guint64) n;
      if (parts->total > parts->max
          || (parts->total > FREE_GROWTH && parts->total / RATIO > parts->zipped))
        return too_large (parts, name);
      g_byte_array_append (bytes, piece, (guint) n);
      if (!parts->sink->go_on (parts->sink))
        return FALSE;
    }
}

static gboolean
load_all (Parts *parts, struct archive *a)
{
  struct archive_entry *entry;
  int rc;

  for (guint n = 0; (rc = archive_read_next_header (a, &entry)) != ARCHIVE_EOF; n++)
    {
      const char *name;

      if (rc == ARCHIVE_RETRY && n < MAX_PARTS)
        continue;
      if (rc < ARCHIVE_WARN && n == 0)
        return cut_off (parts);
      if (rc < ARCHIVE_WARN)
        return archive_failed (parts, a);
      if (n >= MAX_PARTS)
        return parts->sink->fail (parts->sink, "bomb", "the zip container has over 65536 parts");
      name = archive_entry_pathname (entry);
      if (name == NULL || !g_utf8_validate (name, -1, NULL))
        continue;
      while (*name == '/')
        name++;
      if (!is_wanted (name))
        continue;
      if (archive_entry_is_data_encrypted (entry))
        return parts->sink->fail (parts->sink, "encrypted",
                                  "its parts are encrypted; save it without a password");
      if (!load (parts, a, name))
        return FALSE;
    }
  return TRUE;
}

Parts *
parts_new (const TextDocJob *job, TextDocSink *sink)
{
  g_autoptr (Parts) parts = g_new0 (Parts, 1);
  struct archive *a = archive_read_new ();
  gboolean ok;

  parts->sink = sink;
  parts->bytes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify) g_byte_array_unref);
  parts->max = job->max_memory;
  parts->zipped = job->len;
  archive_read_support_format_zip_seekable (a);
  if (archive_read_open_memory (a, job->data, job->len) != ARCHIVE_OK)
    ok = cut_off (parts);
  else
    ok = load_all (parts, a);
  archive_read_free (a);
  return ok ? g_steal_pointer (&parts) : NULL;
}

void
parts_free (Parts *parts)
{
  if (parts == NULL)
    return;
  g_hash_table_unref (parts->bytes);
  g_free (parts);
}

FrStr
parts_get (Parts *parts, const char *name)
{
  const GByteArray *bytes = name ? g_hash_table_lookup (parts->bytes, name) : NULL;

  if (bytes == NULL)
    return (FrStr){ NULL, 0 };
  return (FrStr){ bytes->data ? (const char *) bytes->data : "", bytes->len };
}

TextDocSink *
parts_sink (Parts *parts)
{
  return parts->sink;
}

/* ---- relationships --------------------------------------------------------- */

char *
parts_resolve (const char *base, const char *target)
{
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *dir = g_path_get_dirname (base);
  g_autofree char *joined = *target == '/' || strcmp (dir, ".") == 0
                                ? g_strdup (target)
                                : g_strconcat (dir, "/", target, NULL);
  g_auto (GStrv) words = g_strsplit (joined, "/", -1);

  for (char **w = words; *w; w++)
    {
      if (**w == '\0' || strcmp (*w, ".") == 0)
        continue;
      if (strcmp (*w, "..") != 0)
        g_ptr_array_add (steps, g_strdup (*w));
      else if (steps->len > 0)
        g_ptr_array_set_size (steps, (gint) steps->len - 1);
    }
  g_ptr_array_add (steps, NULL);
  return g_strjoinv ("/", (char **) steps->pdata);
}

static void
related_free (gpointer data)
{
  Related *related = data;

  g_free (related->id);
  g_free (related->type);
  g_free (related->target);
  g_free (related);
}

typedef struct
{
  GPtrArray *out;
  const char *base;
} Gather;

static XmlNext
related_start (gpointer data, int id, XmlWalk *walk)
{
  Gather *gather = data;
  FrStr type, target, mode;
  Related *related;
  const char *slash;

  if (id == 0)
    return XML_ON;
  type = xml_attribute (walk, XML_NS_NONE, "Type");
  target = xml_attribute (walk, XML_NS_NONE, "Target");
  mode = xml_attribute (walk, XML_NS_NONE, "TargetMode");
  related = g_new0 (Related, 1);
  related->id = g_strndup (xml_attribute (walk, XML_NS_NONE, "Id").data,
                           xml_attribute (walk, XML_NS_NONE, "Id").len);
  related->type = g_strndup (type.data ? type.data : "", type.len);
  slash = strrchr (related->type, '/');
  if (slash)
    {
      char *last = g_strdup (slash + 1);

      g_free (related->type);
      related->type = last;
    }
  if (target.data && !fr_str_equal (mode, FR_STR ("External")))
    {
      g_autofree char *written = g_strndup (target.data, target.len);

      related->target = parts_resolve (gather->base, written);
    }
  g_ptr_array_add (gather->out, related);
  return XML_ON;
}

GPtrArray *
parts_related (Parts *parts, const char *name)
{
  static const XmlName names[] = { { XML_NS_PACKAGE, "Relationship", 1 }, { 0, NULL, 0 } };
  static const XmlHandler handler = { names, related_start, NULL, NULL };
  g_autofree char *dir = g_path_get_dirname (name);
  g_autofree char *base = g_path_get_basename (name);
  g_autofree char *file = *name == '\0' ? g_strdup ("_rels/.rels")
                          : strcmp (dir, ".") == 0
                              ? g_strdup_printf ("_rels/%s.rels", base)
                              : g_strdup_printf ("%s/_rels/%s.rels", dir, base);
  Gather gather = { g_ptr_array_new_with_free_func (related_free), name };
  FrStr part = parts_get (parts, file);

  if (part.data && !xml_walk (part, file, &handler, &gather, parts->sink))
    {
      g_ptr_array_unref (gather.out);
      return NULL;
    }
  return gather.out;
}

const char *
related_by_type (GPtrArray *related, const char *type)
{
  for (guint i = 0; i < related->len; i++)
    {
      const Related *r = related->pdata[i];

      if (r->target && strcmp (r->type, type) == 0)
        return r->target;
    }
  return NULL;
}

const char *
related_by_id (GPtrArray *related, FrStr id)
{
  for (guint i = 0; id.data && i < related->len; i++)
    {
      const Related *r = related->pdata[i];

      if (r->target && r->id && strlen (r->id) == id.len && memcmp (r->id, id.data, id.len) == 0)
        return r->target;
    }
  return NULL;
}

/* ---- facts ------------------------------------------------------------------ */

enum
{
  FACT_TITLE = 1,
  FACT_CREATOR,
  FACT_LANGUAGE,
  FACT_MODIFIED,
  FACT_CREATED,
  FACT_DATE,
  FACT_INITIAL,
  N_FACTS
};

typedef struct
{
  int open;
  GString *values[N_FACTS];
} Facts;

static XmlNext
facts_start (gpointer data, int id, XmlWalk *walk)
{
  Facts *facts = data;

  (void) walk;
  facts->open = id;
  return XML_ON;
}

static XmlNext
facts_end (gpointer data, int id)
{
  Facts *facts = data;

  (void) id;
  facts->open = 0;
  return XML_ON;
}

static XmlNext
facts_text (gpointer data, const char *text, gsize len)
{
  Facts *facts = data;

  if (facts->open > 0 && facts->values[facts->open]->len < 4096)
    g_string_append_len (facts->values[facts->open], text, (gssize) len);
  return XML_ON;
}

static void
tell (Facts *facts, TextDocSink *sink, TextDocFact fact, int from)
{
  sink->fact (sink, fact, (FrStr){ facts->values[from]->str, facts->values[from]->len });
}

gboolean
parts_facts (Parts *parts, const char *name)
{
  static const XmlName names[] = { { XML_NS_DC, "title", FACT_TITLE },
                                   { XML_NS_DC, "creator", FACT_CREATOR },
                                   { XML_NS_DC, "language", FACT_LANGUAGE },
                                   { XML_NS_DC, "modified", FACT_MODIFIED },
                                   { XML_NS_DC, "created", FACT_CREATED },
                                   { XML_NS_DC, "date", FACT_DATE },
                                   { XML_NS_META, "creation-date", FACT_CREATED },
                                   { XML_NS_META, "initial-creator", FACT_INITIAL },
                                   { 0, NULL, 0 } };
  static const XmlHandler handler = { names, facts_start, facts_end, facts_text };
  FrStr part = parts_get (parts, name);
  Facts facts = { 0 };
  gboolean ok;

  if (part.data == NULL)
    return TRUE;
  for (int i = 1; i < N_FACTS; i++)
    facts.values[i] = g_string_new (NULL);
  ok = xml_walk (part, name, &handler, &facts, parts->sink);
  if (ok)
    {
      tell (&facts, parts->sink, TEXT_DOC_TITLE, FACT_TITLE);
      tell (&facts, parts->sink, TEXT_DOC_AUTHOR, FACT_INITIAL);
      tell (&facts, parts->sink, TEXT_DOC_AUTHOR, FACT_CREATOR);
      tell (&facts, parts->sink, TEXT_DOC_LANGUAGE, FACT_LANGUAGE);
      tell (&facts, parts->sink, TEXT_DOC_DATE, FACT_MODIFIED);
      tell (&facts, parts->sink, TEXT_DOC_DATE, FACT_DATE);
      tell (&facts, parts->sink, TEXT_DOC_DATE, FACT_CREATED);
    }
  for (int i = 1; i < N_FACTS; i++)
    g_string_free (facts.values[i], TRUE);
  return ok;
}

GPtrArray *
parts_main (Parts *parts, const char *otherwise, const char *missing, char **name, FrStr *part)
{
  g_autoptr (GPtrArray) package = parts_related (parts, "");
  g_autoptr (GPtrArray) related = NULL;
  const char *found, *facts;

  if (package == NULL)
    return NULL;
  found = related_by_type (package, "officeDocument");
  *name = g_strdup (found != NULL ? found : otherwise);
  *part = parts_get (parts, *name);
  if (part->data == NULL)
    {
      parts->sink->fail (parts->sink, "damaged", missing);
      return NULL;
    }
  facts = related_by_type (package, "core-properties");
  related = parts_related (parts, *name);
  if (related == NULL || !parts_facts (parts, facts != NULL ? facts : "docProps/core.xml"))
    return NULL;
  return g_steal_pointer (&related);
}
