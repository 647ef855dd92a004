/* SPDX-License-Identifier: Apache-2.0 */
/* view.h: figures for people, in report.html.
 *
 * Every run ends with a page, report.html, that the core draws.  The core does
 * not know what an element's figures mean; an element that has something to
 * show says how it wants to be looked at, as a list of *views* under the key
 * "views" of its part of report.json:
 *
 *     g_autoptr (FrViews) v = fr_views_new ();
 *
 *     fr_views_begin (v, FR_VIEW_FIGURES, "Split");
 *     fr_views_add_figure (v, "training rows", n_train, NULL);
 *     fr_views_add_figure (v, "held back", n_held, "by cluster");
 *
 *     fr_views_begin (v, FR_VIEW_TABLE, "Rows by category");
 *     fr_views_add_column (v, "category", FR_VIEW_TEXT);
 *     fr_views_add_column (v, "rows", FR_VIEW_BAR);
 *     for (...)
 *       {
 *         fr_views_begin_row (v, NULL, NULL);
 *         fr_views_add_cell (v, category[i]);
 *         fr_views_add_number (v, rows[i]);
 *       }
 *     fr_host_report (host, "views", fr_views_to_json (v));
 *
 * Views are for looking.  What a program may want to read goes under keys of
 * the element's own as well (fr_host_report(), fr_host_metric()).
 *
 * Call fr_host_report (host, "views", ...) once, or again with the whole list:
 * a later call replaces the earlier one, so that an element may show how far
 * it came before it is done.  Views appear in the order of the list.
 *
 * All strings are plain text in UTF-8, of any content: the page escapes them.
 * Titles and names are short and begin with a small or capital letter as they
 * shall appear; notes are a sentence.  Numbers are shown with as many digits as
 * tell something (an integer whole, with thousands apart; else four
 * significant digits); give text where that is not wanted.  What is not finite
 * cannot be shown: NaN is a gap in a plot, an empty cell in a table; in JSON it
 * is null.
 *
 * ## The convention
 *
 * The builder below writes it; JSON from elsewhere may be written by hand.  "?"
 * marks what may be left out; other members are an error.
 *
 *     figures    big numbers
 *       {"view": "figures", "title": T,
 *        "items": [{"name": T, "value": N or T, "note": T?}], "note": T?}
 *     table      kind: "text", "number" (right-aligned) or "bar" (a number with a bar beside it)
 *       {"view": "table", "title": T, "columns": [{"name": T, "kind": K}],
 *        "rows": [[cell, ...]], "note": T?}
 *                  a cell is a text, a number or null, one for each column
 *     plot       lines through points, in the order given; null for y: a gap;
 *                "marks": a dot at every point
 *       {"view": "plot", "title": T, "x": {"label": T}, "y": {"label": T, "log": bool?},
 *        "series": [{"name": T, "points": [[x, y], ...], "marks": bool?}], "note": T?}
 *     histogram  bins that follow one another, from <= to; they need not be equally wide
 *       {"view": "histogram", "title": T, "x": {"label": T},
 *        "bins": [[from, to, count], ...], "note": T?}
 *     intervals  estimates with whiskers, low <= value <= high;
 *                "zero": the axis shows 0, with a line there
 *       {"view": "intervals", "title": T, "unit": T?, "zero": bool?,
 *        "items": [{"name": T, "value": N, "low": N, "high": N, "note": T?}], "note": T?}
 *     texts      texts side by side: a column each, one cell for each column in a row
 *       {"view": "texts", "title": T, "columns": [T, ...],
 *        "rows": [{"name": T?, "note": T?, "cells": [T, ...]}], "note": T?}
 *
 * Wherever T stands, but for "view" and K, it may be texts in several languages
 * of which the page shows its own: {"en": "rows", "zh": "行数"}.  English must be
 * among them, and stands in for those that are not.
 *
 * A view that does not follow it is left out of the page, and the run warns,
 * naming stage and place ("views[2].series[0].points[7]: expected [x, y]");
 * the test kit (test.h) fails the test.  A page is for people: keep to some
 * hundred rows, some thousand points and a dozen series, and say in the note
 * what was left out.
 *
 * ## Other languages
 *
 * The page is in English or in Chinese (flowrun report --language).  An element
 * that wants to be read in Chinese too gives one table of what it says, and
 * goes on saying it in English:
 *
 *     static const FrViewWord chinese[] = {
 *       { "Split", "划分" },
 *       { "training rows", "训练行" },
 *       { "%u of %u rows", "%u 行，共 %u 行" },
 *       { NULL, NULL },
 *     };
 *
 *     fr_views_translate (v, "zh", chinese);
 *     fr_views_begin (v, FR_VIEW_FIGURES, "Split");
 *     fr_views_add_figure (v, "training rows", n_train,
 *                          fr_views_printf (v, "%u of %u rows", n_train, n));
 *
 * Titles, names, heads of columns, labels, units, notes and values that are
 * texts are looked up in the table.  Cells are not, for they are data; a cell
 * that is a word of the element's own is added with fr_views_add_word().  What
 * is put together goes through fr_views_printf(), whose format is looked up, or
 * fr_views_join(), whose parts are.
 * What is the same in both languages ("BLEU") may be left out of the table,
 * but a title, label, unit or note that looks like English belongs there, be
 * it beside itself: the test kit fails the test of an element that speaks
 * another language in some of them and not in others.
 *
 * ## Scores
 *
 * The views of evaluators come first on the page, before the graph and the
 * data: the reader decides from them whether to ship.  Within an evaluator's
 * list, put what decides first.
 */
#ifndef FLOWRUN_VIEW_H
#define FLOWRUN_VIEW_H

#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef enum
{
  FR_VIEW_FIGURES = 1,
  FR_VIEW_TABLE,
  FR_VIEW_PLOT,
  FR_VIEW_HISTOGRAM,
  FR_VIEW_INTERVALS,
  FR_VIEW_TEXTS
} FrViewKind;

typedef enum
{
  FR_VIEW_TEXT = 1, /* left-aligned                                     */
  FR_VIEW_NUMBER,   /* right-aligned                                    */
  FR_VIEW_BAR       /* a number, with a bar as long as it is great      */
} FrViewColumn;

/* Views being made.  Functions that do not fit the view begun last are
 * programming errors (a critical message, and nothing happens).  Strings are
 * copied. */
typedef struct _FrViews FrViews;

FrViews *fr_views_new (void);
void fr_views_free (FrViews *views);

/* What an element says in English, and the same in another language: a whole text, or a format of
 * fr_views_printf(), whose translation has the same conversions in the same order. */
typedef struct
{
  const char *english, *other;
} FrViewWord;

/**
 * fr_views_translate: what follows is said in @language ("zh") too, where @words has it.
 * @words: ended by one of NULLs; not copied, so constant. Of two tables for a language, a word is
 * that of the later one.
 */
void fr_views_translate (FrViews *views, const char *language, const FrViewWord *words);
/**
 * fr_views_printf: a text put together, in every language that has its @format.
 * Returns: (transfer none): it in English, for the functions below; as long as @views lives
 */
const char *fr_views_printf (FrViews *views, const char *format, ...) G_GNUC_PRINTF (2, 3);
/** fr_views_join: texts (ended by NULL) one behind the other, each in every language that has it,
 * those of fr_views_printf() and of this function too; otherwise as fr_views_printf(). */
const char *fr_views_join (FrViews *views, const char *first, ...) G_GNUC_NULL_TERMINATED;

/** fr_views_begin: another view, of @kind; what follows is added to it. */
void fr_views_begin (FrViews *views, FrViewKind kind, const char *title);
/** fr_views_note: a sentence below the view begun last. */
void fr_views_note (FrViews *views, const char *note);

/** fr_views_add_figure: FIGURES; @note NULL for none. */
void fr_views_add_figure (FrViews *views, const char *name, double value, const char *note);
/** fr_views_add_figure_text: FIGURES; the value as it shall appear ("12.3 MiB", "yes"). */
void fr_views_add_figure_text (FrViews *views, const char *name, const char *value,
                               const char *note);

/** fr_views_add_column: TABLE; all columns before the first row. TEXTS: @kind FR_VIEW_TEXT. */
void fr_views_add_column (FrViews *views, const char *name, FrViewColumn kind);
/** fr_views_begin_row: TABLE (both NULL) or TEXTS: another row; a cell for each column follows. */
void fr_views_begin_row (FrViews *views, const char *name, const char *note);
/** fr_views_add_cell: TABLE or TEXTS; the next cell of the row, as it is; NULL: empty. */
void fr_views_add_cell (FrViews *views, const char *text);
/** fr_views_add_word: TABLE or TEXTS; the next cell, in every language that has it. */
void fr_views_add_word (FrViews *views, const char *word);
/** fr_views_add_number: TABLE; the next cell of the row; not finite: empty. */
void fr_views_add_number (FrViews *views, double value);

/** fr_views_axes: PLOT: labels of both axes, with their units ("step", "loss (nats)"); @log_y: y by
 * powers. HISTOGRAM: @y NULL, @log_y FALSE. */
void fr_views_axes (FrViews *views, const char *x, const char *y, gboolean log_y);
/** fr_views_begin_series: PLOT: another line; @marks: a dot at every point (few points, or none
 * next to each other). */
void fr_views_begin_series (FrViews *views, const char *name, gboolean marks);
/** fr_views_add_point: PLOT: @x finite; @y not finite: a gap. */
void fr_views_add_point (FrViews *views, double x, double y);

/** fr_views_add_bin: HISTOGRAM: how many lie in [@from, @to). */
void fr_views_add_bin (FrViews *views, double from, double to, guint64 count);

/** fr_views_unit: INTERVALS: @unit of all values, or NULL; @zero: draw the line of 0. */
void fr_views_unit (FrViews *views, const char *unit, gboolean zero);
/** fr_views_add_interval: INTERVALS: @low <= @value <= @high; @note NULL for none ("p = 0.01"). */
void fr_views_add_interval (FrViews *views, const char *name, double value, double low, double high,
                            const char *note);

/** fr_views_to_json: the views made, for fr_host_report(), which takes them; @views is empty. */
JsonNode *fr_views_to_json (FrViews *views);

/**
 * fr_views_check: whether @views (borrowed) follows the convention.
 * @error: FR_ERROR_DATA, naming the first place that does not; may be NULL
 */
gboolean fr_views_check (JsonNode *views, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FrViews, fr_views_free)

G_END_DECLS

#endif
