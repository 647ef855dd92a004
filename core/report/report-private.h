/* SPDX-License-Identifier: Apache-2.0 */
/* report-private.h: the parts of the page writer (internal).
 *
 *   load.c    a run directory's files as one FriPageData
 *   page.c    the page: its sections, in order
 *   stage.c   the section of one stage
 *   rows.c    rows before and after, what was rejected, lengths of texts
 *   show.c    views of elements (view.h)
 *   chart.c   plots, histograms, intervals as SVG
 *   graph.c   the stages and their connections as SVG
 *   view.c    views checked and made
 *   speak.c   texts of views in several languages
 *   axis.c    round numbers for axes, numbers for people
 *   diff.c    what changed between two texts
 *   svg.c     shapes, and how wide a text is
 *   html.c    tags and escaped text
 *   words.c   every word of the page, in each language
 *   style.c   the style sheet
 *
 * The bytes of a page depend on the run's files alone.
 */
#ifndef FLOWRUN_REPORT_PRIVATE_H
#define FLOWRUN_REPORT_PRIVATE_H

#include <flowrun/view.h>

#include "report/html.h"
#include "report/words.h"

G_BEGIN_DECLS

/* ---- views (view.c) -------------------------------------------------------- */

/** fri_view_kind: which kind of view @view says it is; 0: none. */
FrViewKind fri_view_kind (JsonNode *view);
/** fri_view_check: as fr_views_check() for view number @index of a list alone. */
gboolean fri_view_check (JsonNode *view, guint index, GError **error);

/* ---- texts of views in several languages (speak.c) --------------------------- */

/* What an element says, and how else it is said. */
typedef struct _FriSpeech FriSpeech;

FriSpeech *fri_speech_new (void);
void fri_speech_free (FriSpeech *speech);
/** fri_speech_add: see fr_views_translate(). */
void fri_speech_add (FriSpeech *speech, const char *language, const FrViewWord *words);
/** fri_speech_put: see fr_views_printf(). */
const char *fri_speech_put (FriSpeech *speech, const char *format, va_list args)
    G_GNUC_PRINTF (2, 0);
/** fri_speech_join: see fr_views_join(); @more: what follows @first. */
const char *fri_speech_join (FriSpeech *speech, const char *first, va_list more);
/** fri_speech_say: @text as JSON: in every language that has it, or else as it is. */
JsonNode *fri_speech_say (FriSpeech *speech, const char *text);
/** fri_speech_in: a copy of @node in which every text is that of @language; json_node_unref(). */
JsonNode *fri_speech_in (JsonNode *node, const char *language);
/**
 * fri_speech_check: whether views (sound ones) that speak another language anywhere speak it in
 * every title, label, unit and note that looks like English.
 * @error: FR_ERROR_DATA, naming the text; may be NULL
 */
gboolean fri_speech_check (JsonNode *views, GError **error);

/* ---- numbers (axis.c) ------------------------------------------------------- */

/* An axis from @low to @high with a mark at each of `ticks`. */
typedef struct
{
  double low, high;
  gboolean log;  /* by powers of ten: low > 0 */
  int decimals;  /* of every label; for log, of none */
  double step;   /* between ticks; log: unused */
  GArray *ticks; /* double */
} FriAxis;

/**
 * fri_axis_new: an axis that shows all of [@low, @high], with round numbers at
 * its ends and at about @n ticks; @log only where @low > 0.
 */
FriAxis *fri_axis_new (double low, double high, guint n, gboolean log);
void fri_axis_free (FriAxis *axis);
/** fri_axis_place: where @value lies, from 0 (low) to 1 (high). */
double fri_axis_place (const FriAxis *axis, double value);
/** fri_axis_label: the text of a tick; g_free(). */
char *fri_axis_label (const FriAxis *axis, double value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FriAxis, fri_axis_free)

/** fri_number: @value for a person: whole numbers whole with thousands apart, else four digits that
 * count; g_free(). */
char *fri_number (double value);
/** fri_count: thousands apart; g_free(). */
char *fri_count (guint64 n);
/** fri_bytes: "12.3 MiB"; g_free(). */
char *fri_bytes (guint64 bytes);
/** fri_seconds: "4 min 12 s"; g_free(). */
char *fri_seconds (double seconds);

/* ---- differences (diff.c) ------------------------------------------------------- */

typedef enum
{
  FRI_RUN_KEPT,
  FRI_RUN_DELETED,
  FRI_RUN_INSERTED
} FriRunKind;

typedef struct
{
  FriRunKind kind;
  guint length; /* characters */
} FriRun;

/** fri_diff: FriRun's that lead from @before to @after (valid UTF-8); NULL when they share too
 * little to tell; g_array_unref(). */
GArray *fri_diff (const char *before, const char *after);

/* ---- drawing (svg.c) ---------------------------------------------------------- */

/** fri_text_width: about how wide @text is, in units of the font's size. */
double fri_text_width (const char *text);
/** fri_text_fit: @text, or its beginning and an ellipsis, at most @width wide; g_free(). */
char *fri_text_fit (const char *text, double width);
/** fri_svg_begin: <svg> of @width by @height, with a title and a description for those who cannot
 * see it
 * (@desc may be NULL). */
void fri_svg_begin (FriHtml *html, const char *class, double width, double height,
                    const char *title, const char *desc);
void fri_svg_end (FriHtml *html);
void fri_svg_line (FriHtml *html, const char *class, double x1, double y1, double x2, double y2);
void fri_svg_rect (FriHtml *html, const char *class, double x, double y, double width,
                   double height, double radius);
void fri_svg_circle (FriHtml *html, const char *class, double x, double y, double r);
void fri_svg_path (FriHtml *html, const char *class, const char *d);
/** fri_svg_text: @anchor: "start", "middle" or "end". */
void fri_svg_text (FriHtml *html, const char *class, double x, double y, const char *anchor,
                   const char *text);
/** fri_svg_point: appends "x,y " to the data of a path or polyline. */
void fri_svg_point (GString *d, const char *command, double x, double y);

/* ---- charts (chart.c) ---------------------------------------------------------- */

/** fri_chart_*: the SVG of one checked view. */
void fri_chart_plot (FriHtml *html, JsonObject *view);
void fri_chart_histogram (FriHtml *html, JsonObject *view);
void fri_chart_intervals (FriHtml *html, JsonObject *view);

/* Lengths of texts: lower ends of bins and counts, as samples.json has them. */
typedef struct
{
  GArray *from, *count; /* double */
  double n, nulls, min, max, sum;
} FriLengths;

/** fri_lengths_distance: half the sum of differences of shares: 0 alike, 1 nothing in common. */
double fri_lengths_distance (const FriLengths *a, const FriLengths *b);
/** fri_chart_lengths: bars of @now, and an outline of @before (or NULL). */
void fri_chart_lengths (FriHtml *html, const FriWords *words, const char *title,
                        const FriLengths *now, const FriLengths *before);

/* ---- the run (load.c) ------------------------------------------------------------ */

typedef struct
{
  JsonObject *manifest, *report, *samples; /* as in the files; of a failed run as far as it came */
  JsonObject *failed;                      /* failed.json, or NULL: the last run was done */
  JsonObject *before; /* of a failed run: the manifest of the run whose results stand, or NULL */
  JsonObject *graph;  /* stages: id → manifest entry; never NULL; owned by the manifest */
  GPtrArray *order;   /* char *: ids, producers first */
  gboolean rows;      /* whether rows may be shown */
} FriPageData;

FriPageData *fri_page_data_load (const char *run_dir, GError **error);
void fri_page_data_free (FriPageData *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FriPageData, fri_page_data_free)

/* Members of objects that may not be there. */
JsonObject *fri_get_object (JsonObject *object, const char *name);
JsonArray *fri_get_array (JsonObject *object, const char *name);
const char *fri_get_text (JsonObject *object, const char *name); /* "" when it is not there */
double fri_get_number (JsonObject *object, const char *name);    /* 0 when it is not there */

/* Elements of arrays that may be of any type: "" and NaN for those of another. */
const char *fri_text_at (JsonArray *array, guint i);
double fri_number_at (JsonArray *array, guint i);

/** fri_page_end: stage and port of the connection @i, "stage.port", of @ends; NULL: it is none. */
char *fri_page_end (JsonArray *ends, guint i, char **port);

/** fri_page_is_read: whether any stage reads output @port of stage @id. */
gboolean fri_page_is_read (FriPageData *data, const char *id, const char *port);

/** fri_page_stage: the entry of stage @id in @document ("stages"), or NULL. */
JsonObject *fri_page_stage (JsonObject *document, const char *id);

/* ---- sections ---------------------------------------------------------------------- */

/** fri_graph_draw: the stages, left to right. */
void fri_graph_draw (FriHtml *html, const FriWords *words, FriPageData *data);
/** fri_show_views: all views of a stage; those that do not fit the convention are named. */
void fri_show_views (FriHtml *html, const FriWords *words, FriPageData *data, JsonArray *views);
/** fri_show_metrics: the series of a stage that has no plots of its own. */
void fri_show_metrics (FriHtml *html, const FriWords *words, JsonObject *metrics);
/** fri_show_rows: examples of rows of stage @id before and after it. */
void fri_show_rows (FriHtml *html, const FriWords *words, FriPageData *data, const char *id);
/** fri_show_rejects: counts by rule, with examples. */
void fri_show_rejects (FriHtml *html, const FriWords *words, FriPageData *data, const char *id);
/** fri_show_lengths: histograms of text columns that this stage brought or changed. */
void fri_show_lengths (FriHtml *html, const FriWords *words, FriPageData *data, const char *id);
/** fri_show_long: a text, folded when it is long; @of: its whole length where it was cut, else 0.
 */
void fri_show_long (FriHtml *html, const FriWords *words, const char *text, guint64 of);
/** fri_show_stage: the section of one stage. */
void fri_show_stage (FriHtml *html, const FriWords *words, FriPageData *data, const char *id);
/** fri_show_time: a time of a manifest for a person; g_free(). */
char *fri_show_time (const char *iso);
/** fri_is_of_kind: whether its element is one of @kind ("evaluator"). */
gboolean fri_is_of_kind (FriPageData *data, const char *id, const char *kind);

/** fri_style: the style sheet. */
extern const char fri_style[];

/** fri_page_make: the whole page. */
char *fri_page_make (FriPageData *data, const char *language, gsize *len);

G_END_DECLS

#endif
