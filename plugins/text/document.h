/* SPDX-License-Identifier: Apache-2.0 */
/* document.h: how a document is told, block by block; the service "document".
 *
 * A reader knows some file formats.  It is given the bytes of one document and tells a sink what is
 * in it, in reading order: facts (title, author, ...), where a page, sheet or slide begins, then
 * blocks (headings, paragraphs, list items, table rows).  source.documents has readers of its own
 * and uses those that plugins offer as services of the kind TEXT_DOC_SERVICE; a plugin's reader
 * goes before a built-in one for the same media type.  This header needs only what flowrun
 * installs, and is installed itself (<flowrun/document.h>), so that readers can live out of tree:
 *
 *   static gboolean
 *   read_memo (gpointer state, const TextDocJob *job, TextDocSink *sink)
 *   {
 *     if (job->len < 4)
 *       return sink->fail (sink, "damaged", "a memo has at least 4 bytes");
 *     return text_doc_paragraph (sink, (FrStr){ job->data + 4, job->len - 4 });
 *   }
 *   static const char *const memo_types[] = { "application/x-memo", NULL };
 *   static const TextDocReader memo = { sizeof (TextDocReader), memo_types, "memo", is_memo, NULL,
 * NULL, read_memo }; static const FrService service = { sizeof (FrService), TEXT_DOC_SERVICE,
 * "memo", TEXT_DOC_VERSION, "memo files", NULL, &memo };
 *
 * in a plugin file called document-memo.so (service.h says why).
 *
 * What a reader must do: treat the bytes as hostile; stay linear in their length and within
 * job->max_memory; call sink->go_on() at least every few milliseconds of work and return FALSE at
 * once when it, or any other function of the sink, returns FALSE; give the same blocks for the same
 * bytes.  What it need not do: limits of the text (the sink has them), headers and footers that the
 * format does not mark, charsets of names.  Nothing that a failed read has told is kept.
 */
#ifndef FLOWRUN_DOCUMENT_H
#define FLOWRUN_DOCUMENT_H

#include <flowrun/batch.h>
#include <gio/gio.h>
#include <glib.h>

G_BEGIN_DECLS

#define TEXT_DOC_SERVICE "document"
#define TEXT_DOC_VERSION 1

/** TextDocFact: what is known of the whole document; the first value told of each counts. */
typedef enum
{
  TEXT_DOC_TITLE = 1,
  TEXT_DOC_AUTHOR,
  TEXT_DOC_DATE,    /* RFC 3339, or a date alone: published, sent, else last changed, else made */
  TEXT_DOC_LANGUAGE /* BCP 47 */
} TextDocFact;

/** TextDocPart: what begins; numbers count from 1. */
typedef enum
{
  TEXT_DOC_PAGE = 1,
  TEXT_DOC_SHEET,
  TEXT_DOC_SLIDE
} TextDocPart;

typedef enum
{
  TEXT_DOC_PARAGRAPH = 1,
  TEXT_DOC_HEADING, /* level 1 to 9 */
  TEXT_DOC_ITEM,    /* of a list; level is the depth of the list, from 1 */
  TEXT_DOC_ROW,     /* of a table: cells rather than text */
  TEXT_DOC_CODE,    /* line ends and blanks count */
  TEXT_DOC_QUOTE    /* a paragraph of a quotation */
} TextDocKind;

/**
 * TextDocBlock:
 * @kind, @level: see TextDocKind
 * @ordered: the number of an item of a numbered list; 0: none
 * @first: begins a list or a table
 * @header: this row names the columns
 * @text: valid UTF-8; newlines are line breaks within the block; the sink trims blanks at its ends
 *   and drops a block of nothing else
 * @cells, @n_cells: of a row: valid UTF-8, an empty cell is { "", 0 }
 */
typedef struct
{
  gsize size;
  TextDocKind kind;
  guint level;
  guint ordered;
  gboolean first;
  gboolean header;
  FrStr text;
  const FrStr *cells;
  guint n_cells;
} TextDocBlock;

typedef struct _TextDocSink TextDocSink;

/**
 * TextDocSink: who is told.  All strings are only read during the call.
 *
 * @fact: see TextDocFact; empty values are ignored
 * @part: a page, sheet or slide begins, called @name (may be empty)
 * @block: see TextDocBlock
 * @child: a document within (an attachment): its name, the media type it claims or NULL, its bytes;
 *   read after this one, under the limits of the file both are in
 * @count: adds to a counter of the stage ("headers_dropped"); @name is static
 * @go_on: FALSE when the run was cancelled or the time of this file is up
 * @fail: always FALSE: the document is rejected under @rule ("encrypted", "damaged", "truncated",
 *   "too_large", "entities", "crashed", "unsupported"), with @reason for a person, copied
 * @data: the sink's own
 */
struct _TextDocSink
{
  gsize size;
  void (*fact) (TextDocSink *sink, TextDocFact fact, FrStr value);
  gboolean (*part) (TextDocSink *sink, TextDocPart part, guint number, FrStr name);
  gboolean (*block) (TextDocSink *sink, const TextDocBlock *block);
  gboolean (*child) (TextDocSink *sink, FrStr name, const char *type, const char *data, gsize len);
  void (*count) (TextDocSink *sink, const char *name, gint64 n);
  gboolean (*go_on) (TextDocSink *sink);
  gboolean (*fail) (TextDocSink *sink, const char *rule, const char *reason);
  gpointer data;
};

/** What of a document is wanted; see the parameters of source.documents. */
typedef enum
{
  TEXT_DOC_WHOLE = 1 << 0,    /* headers, footers, page numbers, navigation too                */
  TEXT_DOC_NOTES = 1 << 1,    /* speaker notes; footnotes, at the end                           */
  TEXT_DOC_HIDDEN = 1 << 2,   /* hidden sheets, slides, text                                    */
  TEXT_DOC_QUOTES = 1 << 3,   /* quoted text and signatures of mail                             */
  TEXT_DOC_CHILDREN = 1 << 4, /* documents within                                            */
  TEXT_DOC_PARTS = 1 << 5     /* pages apart: no paragraph is joined over a page's end          */
} TextDocWants;

/**
 * TextDocJob: one document.
 * @name: its path, for telling formats apart; never opened
 * @type: media type, found from the bytes
 * @data, @len: the document, whole; nothing behind it may be read
 * @wants: TextDocWants
 * @max_memory: bytes the reader may hold beside @data
 * @max_text: bytes of text wanted at most; the sink stops the reader there
 * @seconds: for the whole file
 * @cancellable: for waits
 */
typedef struct
{
  gsize size;
  const char *name;
  const char *type;
  const char *data;
  gsize len;
  guint wants;
  guint64 max_memory;
  guint64 max_text;
  double seconds;
  GCancellable *cancellable;
} TextDocJob;

/**
 * TextDocReader: the table of a service of the kind TEXT_DOC_SERVICE.
 * @types: media types that it reads, NULL-terminated
 * @kind: short name of the format, for the column "kind" ("pdf")
 * @knows: whether a document of a type that source.documents cannot tell is one of @types[0]: by
 * its first bytes, @head; NULL: not asked
 * @open: something that one thread keeps between documents, freed by @close; both may be NULL
 * @read: tells @sink; TRUE when all was told.  Called from several threads at once, each with a
 * state of its own.
 */
typedef struct
{
  gsize size;
  const char *const *types;
  const char *kind;
  gboolean (*knows) (const char *name, const char *head, gsize len);
  gpointer (*open) (void);
  void (*close) (gpointer state);
  gboolean (*read) (gpointer state, const TextDocJob *job, TextDocSink *sink);
} TextDocReader;

/* ---- for readers ---------------------------------------------------------- */

static inline gboolean
text_doc_text (TextDocSink *sink, TextDocKind kind, guint level, FrStr text)
{
  TextDocBlock block = { .size = sizeof block, .kind = kind, .level = level, .text = text };

  return sink->block (sink, &block);
}

static inline gboolean
text_doc_paragraph (TextDocSink *sink, FrStr text)
{
  return text_doc_text (sink, TEXT_DOC_PARAGRAPH, 0, text);
}

static inline gboolean
text_doc_heading (TextDocSink *sink, guint level, FrStr text)
{
  return text_doc_text (sink, TEXT_DOC_HEADING, level, text);
}

static inline gboolean
text_doc_row (TextDocSink *sink, const FrStr *cells, guint n, gboolean first, gboolean header)
{
  TextDocBlock block = { .size = sizeof block,
                         .kind = TEXT_DOC_ROW,
                         .first = first,
                         .header = header,
                         .cells = cells,
                         .n_cells = n };

  return sink->block (sink, &block);
}

G_END_DECLS

#endif
