/* SPDX-License-Identifier: Apache-2.0 */
/* tell.c: blocks to records. */
#include "config.h"

#include "tell.h"
#include "text/chars.h"
#include "text/charset.h"

#include <string.h>

/* What a record costs beside its text, so that a limit on text is one on memory. */
#define OVERHEAD 96
#define MAX_HEADING 9
#define MAX_NAME 512

struct _Tell
{
  TextDocSink sink;
  TellOptions options;
  gint64 deadline;
  GCancellable *cancellable;
  guint64 child_room, used;
  Told *told;
  char *first_heading;

  GString *text; /* of the open record */
  GString *block;
  TextDocKind last;  /* kind of the last block; 0: none in this record */
  const char *unit;  /* of the open record */
  guint page, begun; /* the page, and the one the open record began on */
  guint n_sections;
  char *part_name; /* GRefString */
  char *headings[MAX_HEADING];
  guint table, row;
  Cells *header;
  guint columns; /* of the open table */
  gboolean in_table;
};

/* ---- records ------------------------------------------------------------------ */

Cells *
cells_ref (Cells *cells)
{
  g_atomic_ref_count_inc (&cells->refs);
  return cells;
}

void
cells_unref (Cells *cells)
{
  if (cells && g_atomic_ref_count_dec (&cells->refs))
    g_free (cells);
}

/* One piece of memory: counter, table of cells, their bytes. */
static Cells *
cells_new (const FrStr *from, guint n)
{
  gsize total = 0;
  Cells *cells;
  char *to;

  for (guint i = 0; i < n; i++)
    total += from[i].len;
  cells = g_malloc (sizeof (Cells) + n * sizeof (FrStr) + total + 1);
  g_atomic_ref_count_init (&cells->refs);
  cells->n = n;
  to = (char *) &cells->cells[n];
  for (guint i = 0; i < n; i++)
    {
      memcpy (to, from[i].data, from[i].len);
      cells->cells[i] = (FrStr){ to, from[i].len };
      to += from[i].len;
    }
  return cells;
}

static void
record_free (gpointer data)
{
  Record *record = data;

  g_clear_pointer (&record->name, g_ref_string_release);
  cells_unref (record->header);
  cells_unref (record->cells);
  g_free ((char *) record->text.data);
  g_free (record);
}

void
record_text (const Record *record, GString *out)
{
  const Cells *cells = record->cells, *header = record->header;
  gboolean any = FALSE;

  if (cells == NULL)
    {
      g_string_append_len (out, record->text.data, (gssize) record->text.len);
      return;
    }
  for (guint i = 0; i < cells->n; i++)
    {
      if (header == NULL)
        {
          if (i)
            g_string_append_c (out, '\t');
        }
      else if (cells->cells[i].len == 0)
        continue;
      else
        {
          if (any)
            g_string_append_c (out, '\n');
          if (i < header->n && header->cells[i].len)
            {
              g_string_append_len (out, header->cells[i].data, (gssize) header->cells[i].len);
              g_string_append (out, ": ");
            }
        }
      any = TRUE;
      g_string_append_len (out, cells->cells[i].data, (gssize) cells->cells[i].len);
    }
}

static void
child_free (gpointer data)
{
  Child *child = data;

  g_free (child->name);
  g_bytes_unref (child->bytes);
  g_free (child);
}

void
told_free (Told *told)
{
  if (told == NULL)
    return;
  g_free (told->title);
  g_free (told->author);
  g_free (told->language);
  g_free (told->reason);
  g_ptr_array_unref (told->records);
  g_ptr_array_unref (told->children);
  g_hash_table_unref (told->counts);
  g_free (told);
}

/* ---- text ----------------------------------------------------------------------- */

/* The beginning of @text, at most @max bytes, whole characters. */
static FrStr
beginning (FrStr text, gsize max)
{
  if (text.len <= max)
    return text;
  while (max > 0 && ((guchar) text.data[max] & 0xc0) == 0x80)
    max--;
  return (FrStr){ text.data, max };
}

static char *
name_of (const GString *text)
{
  FrStr name = beginning ((FrStr){ text->str, text->len }, MAX_NAME);

  return g_strndup (name.data, name.len);
}

/* Appends @text as valid UTF-8 without control characters, blanks off its ends;
 * @line: on one line. */
static void
append_clean (GString *out, FrStr text, gboolean line)
{
  g_autofree char *valid = NULL;
  gsize from = 0;

  if (text.len == 0)
    return;
  if (text_utf8_valid_len (text.data, text.len) != text.len)
    {
      valid = g_utf8_make_valid (text.data, (gssize) text.len);
      text = (FrStr){ valid, strlen (valid) };
    }
  while (text.len && (guchar) text.data[0] <= ' ')
    text = (FrStr){ text.data + 1, text.len - 1 };
  while (text.len && (guchar) text.data[text.len - 1] <= ' ')
    text.len--;
  for (gsize i = 0; i < text.len; i++)
    {
      guchar c = (guchar) text.data[i];

      if (G_LIKELY (c >= ' ' && c != 0x7f))
        continue;
      if ((c == '\n' || c == '\t') && !line)
        continue;
      g_string_append_len (out, text.data + from, (gssize) (i - from));
      if (c == '\n' || c == '\t' || c == '\r')
        g_string_append_c (out, ' ');
      else if (c == '\v' || c == '\f')
        g_string_append_c (out, line ? ' ' : '\n');
      from = i + 1;
    }
  g_string_append_len (out, text.data + from, (gssize) (text.len - from));
}

const char *
tell_language (FrStr text)
{
  static const char *const words[] = { " the ", " of ", " and ", " to ", " in ", " is " };
  guint counts[5] = { 0 }, letters = 0, common = 0, ascii = 0;
  const char *p, *end;

  text.len = MIN (text.len, 16384);
  text.len = text_utf8_valid_len (text.data, text.len);
  for (p = text.data, end = p + text.len; p < end;)
    {
      guint32 flags = text_char_flags (text_next_char (&p));

      letters += (flags & TEXT_CH_ALNUM) && !(flags & TEXT_CH_DIGIT);
      counts[0] += (flags & TEXT_CH_HAN) != 0;
      counts[1] += (flags & TEXT_CH_KANA) != 0;
      counts[2] += (flags & TEXT_CH_HANGUL) != 0;
      counts[3] += (flags & TEXT_CH_LATIN) != 0;
    }
  if (letters < 8)
    return counts[0] >= 2 && counts[0] * 2 > letters && counts[1] == 0 ? "zh" : NULL;
  if (counts[1] * 10 > letters)
    return "ja";
  if (counts[2] * 3 > letters)
    return "ko";
  /* A Han character says as much as two or three letters. */
  if (counts[0] * 3 > letters - counts[0])
    return "zh";
  if (counts[3] * 10 < letters * 9)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    for (p = text.data; (p = g_strstr_len (p, end - p, words[i])) != NULL; p++)
      common++;
  for (p = text.data; p < end; p++)
    ascii += *p == ' ';
  return common * 12 > ascii ? "en" : NULL;
}

/* ---- failing -------------------------------------------------------------------- */

static gboolean
tell_fail (TextDocSink *sink, const char *rule, const char *reason)
{
  Tell *t = sink->data;

  if (t->told->rule == NULL && !t->told->stopped)
    {
      t->told->rule = g_intern_string (rule);
      t->told->reason = g_strdup (reason);
    }
  return FALSE;
}

static gboolean
tell_go_on (TextDocSink *sink)
{
  Tell *t = sink->data;

  if (t->told->rule || t->told->stopped)
    return FALSE;
  if (g_cancellable_is_cancelled (t->cancellable))
    {
      t->told->stopped = TRUE;
      return FALSE;
    }
  if (g_get_monotonic_time () < t->deadline)
    return TRUE;
  return tell_fail (sink, "timeout", "it takes longer than 'max_seconds'");
}

static gboolean
charge (Tell *t, guint64 bytes)
{
  g_autofree char *reason = NULL;

  t->used += bytes;
  if (t->used <= t->options.max_text)
    return TRUE;
  reason = g_strdup_printf ("its text is longer than %" G_GUINT64_FORMAT
                            " bytes; raise 'max_text' if the file is trusted",
                            t->options.max_text);
  return tell_fail (&t->sink, "too_large", reason);
}

/* ---- boundaries ------------------------------------------------------------------ */

static char *
heading_path (Tell *t)
{
  GString *path = g_string_new (NULL);
  char *shared;

  if (t->part_name && *t->part_name)
    g_string_append (path, t->part_name);
  for (guint i = 0; i < MAX_HEADING; i++)
    if (t->headings[i] && (path->len == 0 || strcmp (t->headings[i], path->str) != 0))
      g_string_append_printf (path, "%s%s", path->len ? " > " : "", t->headings[i]);
  shared = path->len ? g_ref_string_new (path->str) : NULL;
  g_string_free (path, TRUE);
  return shared;
}

static Record *
add_record (Tell *t, const char *unit)
{
  Record *record = g_new0 (Record, 1);

  record->unit = unit;
  record->page = t->page;
  g_ptr_array_add (t->told->records, record);
  return record;
}

/* Ends the open record; one without text is none. */
static gboolean
flush (Tell *t)
{
  Record *record;

  t->last = (TextDocKind) 0;
  if (t->text->len == 0)
    return TRUE;
  if (t->options.record == RECORD_ROW)
    {
      g_string_truncate (t->text, 0);
      return TRUE;
    }
  record = add_record (t, t->unit);
  if (t->options.record == RECORD_SECTION)
    {
      record->number = ++t->n_sections;
      record->page = t->begun;
      record->name = heading_path (t);
    }
  else if (t->options.record == RECORD_PAGE && t->page)
    {
      record->number = t->page;
      record->name = t->part_name && *t->part_name ? g_ref_string_acquire (t->part_name) : NULL;
    }
  else
    record->page = 0;
  record->text.len = t->text->len;
  record->text.data = g_strndup (t->text->str, t->text->len);
  g_string_truncate (t->text, 0);
  return charge (t, OVERHEAD);
}

static void
forget_headings (Tell *t, guint from)
{
  for (guint i = from; i < MAX_HEADING; i++)
    g_clear_pointer (&t->headings[i], g_free);
}

static void
close_table (Tell *t)
{
  g_clear_pointer (&t->header, cells_unref);
  t->row = 0;
  t->in_table = FALSE;
}

static gboolean tell_block (TextDocSink *sink, const TextDocBlock *block);

static gboolean
tell_part (TextDocSink *sink, TextDocPart part, guint number, FrStr name)
{
  static const char *const units[] = { "document", "page", "sheet", "slide" };
  Tell *t = sink->data;
  GString *clean = g_string_new (NULL);
  gboolean ok = TRUE;

  if (t->options.record == RECORD_PAGE
      || (t->options.record == RECORD_SECTION && part != TEXT_DOC_PAGE))
    ok = flush (t);
  append_clean (clean, beginning (name, MAX_NAME), TRUE);
  g_clear_pointer (&t->part_name, g_ref_string_release);
  t->part_name = g_ref_string_new (clean->str);
  t->page = number;
  /* A table may go on over a page's end; rows say when they begin one. */
  if (part != TEXT_DOC_PAGE || t->options.record == RECORD_PAGE)
    close_table (t);
  if (t->options.record == RECORD_PAGE)
    t->unit = units[part];
  if (part != TEXT_DOC_PAGE)
    forget_headings (t, 0);
  /* A sheet's name stands nowhere in it. */
  if (ok && part == TEXT_DOC_SHEET && clean->len && t->options.record == RECORD_DOCUMENT)
    ok = text_doc_heading (sink, 2, (FrStr){ clean->str, clean->len });
  g_string_free (clean, TRUE);
  return ok && tell_go_on (sink);
}

/* ---- tables ----------------------------------------------------------------------- */

static gboolean
looks_like_names (const FrStr *cells, guint n)
{
  if (n < 2)
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      gboolean letter = FALSE;

      for (gsize k = 0; k < cells[i].len && !letter; k++)
        letter = g_ascii_isalpha (cells[i].data[k]) || (guchar) cells[i].data[k] >= 0x80;
      if (!letter || cells[i].len > 120)
        return FALSE;
    }
  return TRUE;
}

static void
append_row (Tell *t, const FrStr *cells, guint n, gboolean first)
{
  gboolean markdown = t->options.markup == MARKUP_MARKDOWN;
  GString *out = t->text;

  if (out->len == 0)
    t->begun = t->page;
  else
    g_string_append (out, first || t->last != TEXT_DOC_ROW ? "\n\n" : "\n");
  if (first)
    t->columns = n;
  if (markdown)
    g_string_append_c (out, '|');
  for (guint i = 0; i < (markdown ? MAX (n, t->columns) : n); i++)
    {
      if (markdown)
        g_string_append_c (out, ' ');
      else if (i)
        g_string_append_c (out, '\t');
      for (gsize k = 0; i < n && k < cells[i].len; k++)
        {
          if (markdown && cells[i].data[k] == '|')
            g_string_append_c (out, '\\');
          g_string_append_c (out, cells[i].data[k]);
        }
      if (markdown)
        g_string_append (out, " |");
    }
  if (!markdown || !first)
    return;
  g_string_append (out, "\n|");
  for (guint i = 0; i < n; i++)
    g_string_append (out, " --- |");
}

static gboolean
keep_row (Tell *t, const TextDocBlock *block, const FrStr *cells, guint n)
{
  Record *record;

  if (t->row == 1 && t->header == NULL && t->options.names != NAMES_NONE
      && (block->header || t->options.names == NAMES_FIRST || looks_like_names (cells, n)))
    {
      t->header = cells_new (cells, n);
      t->row = 0;
      return charge (t, OVERHEAD);
    }
  record = add_record (t, "row");
  record->number = t->row;
  record->table = t->table;
  record->name
      = t->part_name && *t->part_name ? g_ref_string_acquire (t->part_name) : heading_path (t);
  record->header = t->header ? cells_ref (t->header) : NULL;
  record->cells = cells_new (cells, n);
  return charge (t, OVERHEAD + n * sizeof (FrStr));
}

static gboolean
tell_row (Tell *t, const TextDocBlock *block)
{
  g_autofree FrStr *cells = g_new0 (FrStr, block->n_cells + 1);
  g_autofree gsize *ends = g_new0 (gsize, block->n_cells + 1);
  gboolean first = block->first || !t->in_table, any = FALSE;
  gsize total = 0;

  for (guint i = 0; i < block->n_cells; i++)
    total += block->cells[i].len + 3;
  if (!charge (t, total))
    return FALSE;
  g_string_truncate (t->block, 0);
  for (guint i = 0; i < block->n_cells; i++)
    {
      append_clean (t->block, block->cells[i], TRUE);
      ends[i] = t->block->len;
    }
  for (guint i = 0; i < block->n_cells; i++)
    {
      gsize from = i ? ends[i - 1] : 0;

      cells[i] = (FrStr){ t->block->str + from, ends[i] - from };
      any |= cells[i].len > 0;
    }
  if (first)
    {
      close_table (t);
      t->table++;
      t->in_table = TRUE;
    }
  if (!any)
    return TRUE;
  t->row++;
  if (t->options.tables == TABLES_DROP)
    {
      t->sink.count (&t->sink, "table_rows_dropped", 1);
      return TRUE;
    }
  if (t->options.tables == TABLES_RECORDS)
    return keep_row (t, block, cells, block->n_cells);
  append_row (t, cells, block->n_cells, first);
  t->last = TEXT_DOC_ROW;
  return TRUE;
}

/* ---- blocks ------------------------------------------------------------------------ */

static void
append_lines (GString *out, const char *text, gsize len, const char *before)
{
  while (len)
    {
      const char *newline = memchr (text, '\n', len);
      gsize n = newline ? (gsize) (newline - text) + 1 : len;

      g_string_append (out, before);
      g_string_append_len (out, text, (gssize) n);
      text += n;
      len -= n;
    }
}

static void
append_block (Tell *t, const TextDocBlock *block)
{
  gboolean markdown = t->options.markup == MARKUP_MARKDOWN;
  GString *out = t->text;
  guint level = CLAMP (block->level, 1, 6);

  if (out->len == 0)
    t->begun = t->page;
  else
    g_string_append (out, block->kind == TEXT_DOC_ITEM && t->last == TEXT_DOC_ITEM ? "\n" : "\n\n");
  t->last = block->kind;
  switch (block->kind)
    {
    case TEXT_DOC_HEADING:
      if (markdown)
        {
          g_string_append_len (out, "######", (gssize) level);
          g_string_append_c (out, ' ');
        }
      break;
    case TEXT_DOC_ITEM:
      for (guint i = 1; i < MIN (block->level, 10); i++)
        g_string_append (out, "  ");
      if (block->ordered)
        g_string_append_printf (out, "%u. ", block->ordered);
      else
        g_string_append (out, "- ");
      break;
    case TEXT_DOC_QUOTE:
      if (markdown)
        {
          append_lines (out, t->block->str, t->block->len, "> ");
          return;
        }
      break;
    case TEXT_DOC_CODE:
      if (markdown)
        {
          const char *fence = strstr (t->block->str, "```") ? "~~~~" : "```";

          g_string_append_printf (out, "%s\n", fence);
          g_string_append_len (out, t->block->str, (gssize) t->block->len);
          g_string_append_printf (out, "\n%s", fence);
          return;
        }
      break;
    default:
      break;
    }
  g_string_append_len (out, t->block->str, (gssize) t->block->len);
}

/* A heading is known before the section it begins is. */
static gboolean
meet_heading (Tell *t, guint level)
{
  level = CLAMP (level, 1, MAX_HEADING);
  if (t->first_heading == NULL)
    t->first_heading = name_of (t->block);
  if (t->options.record == RECORD_SECTION && level <= t->options.section_level)
    {
      g_autofree char *title = g_strndup (t->block->str, t->block->len);

      if (!flush (t))
        return FALSE;
      g_string_assign (t->block, title);
    }
  forget_headings (t, level - 1);
  t->headings[level - 1] = name_of (t->block);
  return TRUE;
}

static gboolean
tell_block (TextDocSink *sink, const TextDocBlock *block)
{
  Tell *t = sink->data;

  if (t->told->rule || t->told->stopped)
    return FALSE;
  if (block->kind == TEXT_DOC_ROW)
    return tell_row (t, block);
  if (t->in_table)
    close_table (t);
  if (!charge (t, block->text.len))
    return FALSE;
  g_string_truncate (t->block, 0);
  if (block->kind == TEXT_DOC_CODE)
    {
      /* Blanks at its beginning mean something. */
      FrStr text = block->text;
      gsize n = 0;

      while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
      while (n < text.len && (text.data[n] == ' ' || text.data[n] == '\t'))
        n++;
      g_string_append_len (t->block, text.data, (gssize) n);
      append_clean (t->block, text, FALSE);
    }
  else
    append_clean (t->block, block->text, block->kind == TEXT_DOC_HEADING);
  if (t->block->len == 0)
    return TRUE;
  if (block->kind == TEXT_DOC_HEADING && !meet_heading (t, block->level))
    return FALSE;
  if (t->options.record != RECORD_ROW)
    append_block (t, block);
  return TRUE;
}

/* ---- the rest of the sink ------------------------------------------------------------ */

/* Names that programs give, not people. */
static gboolean
says_nothing (const char *name)
{
  static const char *const prefixes[] = { "Microsoft Word - ",
                                          "Microsoft PowerPoint - ",
                                          "PowerPoint Presentation",
                                          "PowerPoint 演示文稿",
                                          "Untitled",
                                          "untitled",
                                          "无标题",
                                          "未命名",
                                          "Slide 1",
                                          "幻灯片 1",
                                          "(anonymous)",
                                          "Document1" };

  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (name, prefixes[i]))
      return TRUE;
  return FALSE;
}

static void
tell_fact (TextDocSink *sink, TextDocFact fact, FrStr value)
{
  Tell *t = sink->data;
  char **at = fact == TEXT_DOC_TITLE      ? &t->told->title
              : fact == TEXT_DOC_AUTHOR   ? &t->told->author
              : fact == TEXT_DOC_LANGUAGE ? &t->told->language
                                          : NULL;
  GString *clean = g_string_new (NULL);

  append_clean (clean, beginning (value, 4096), TRUE);
  if (fact == TEXT_DOC_DATE && !t->told->has_date)
    t->told->has_date = fr_timestamp_parse (clean->str, clean->len, &t->told->date);
  else if (at && *at == NULL && clean->len
           && !(fact != TEXT_DOC_LANGUAGE && says_nothing (clean->str)))
    *at = g_strdup (clean->str);
  g_string_free (clean, TRUE);
}

static gboolean
tell_child (TextDocSink *sink, FrStr name, const char *type, const char *data, gsize len)
{
  Tell *t = sink->data;
  Child *child;
  GString *clean;

  (void) type;
  if (len > t->child_room)
    return tell_fail (sink, "too_large", "what is attached is larger than 'max_unpacked' allows");
  t->child_room -= len;
  clean = g_string_new (NULL);
  append_clean (clean, name, TRUE);
  child = g_new0 (Child, 1);
  child->name = g_string_free (clean, FALSE);
  child->bytes = g_bytes_new (data, len);
  g_ptr_array_add (t->told->children, child);
  return tell_go_on (sink);
}

static void
tell_count (TextDocSink *sink, const char *name, gint64 n)
{
  Tell *t = sink->data;
  gint64 *value = g_hash_table_lookup (t->told->counts, name);

  if (value == NULL)
    {
      value = g_new0 (gint64, 1);
      g_hash_table_insert (t->told->counts, (gpointer) name, value);
    }
  *value += n;
}

Tell *
tell_new (const TellOptions *options, gint64 deadline, guint64 max_children,
          GCancellable *cancellable)
{
  Tell *t = g_new0 (Tell, 1);

  t->sink = (TextDocSink){ sizeof (TextDocSink), tell_fact,  tell_part, tell_block, tell_child,
                           tell_count,           tell_go_on, tell_fail, t };
  t->options = *options;
  if (options->record == RECORD_ROW)
    t->options.tables = TABLES_RECORDS;
  t->deadline = deadline;
  t->child_room = max_children;
  t->cancellable = cancellable;
  t->unit = options->record == RECORD_SECTION ? "section" : "document";
  t->text = g_string_new (NULL);
  t->block = g_string_new (NULL);
  t->told = g_new0 (Told, 1);
  t->told->records = g_ptr_array_new_with_free_func (record_free);
  t->told->children = g_ptr_array_new_with_free_func (child_free);
  t->told->counts = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  return t;
}

TextDocSink *
tell_sink (Tell *tell)
{
  return &tell->sink;
}

/* By the first record's text, where the document does not say. */
static void
guess_facts (Tell *t)
{
  GString *sample = g_string_new (NULL);
  const char *language;

  if (t->told->title == NULL)
    t->told->title = g_steal_pointer (&t->first_heading);
  for (guint i = 0; i < t->told->records->len && i < 16 && sample->len < 4096; i++)
    {
      record_text (t->told->records->pdata[i], sample);
      g_string_append_c (sample, '\n');
    }
  language = tell_language ((FrStr){ sample->str, sample->len });
  /* What a program wrote as its own language is not the text's. */
  if (language && (t->told->language == NULL || strncmp (t->told->language, language, 2) != 0))
    {
      g_free (t->told->language);
      t->told->language = g_strdup (language);
    }
  g_string_free (sample, TRUE);
}

Told *
tell_end (Tell *t, gboolean ok)
{
  Told *told = t->told;

  if (ok && told->rule == NULL && flush (t))
    guess_facts (t);
  else if (told->rule == NULL && !told->stopped)
    tell_fail (&t->sink, "unsupported", "the reader gave up without a reason");
  if (told->rule || told->stopped)
    {
      g_ptr_array_set_size (told->records, 0);
      g_ptr_array_set_size (told->children, 0);
    }
  g_string_free (t->text, TRUE);
  g_string_free (t->block, TRUE);
  g_free (t->first_heading);
  g_clear_pointer (&t->part_name, g_ref_string_release);
  cells_unref (t->header);
  forget_headings (t, 0);
  g_free (t);
  return told;
}
