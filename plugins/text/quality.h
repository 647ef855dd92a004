/* SPDX-License-Identifier: Apache-2.0 */
/* quality.h: figures that tell a text worth learning from (libflowrun-text).
 *
 * What Gopher (Rae et al. 2021, appendix A1.1), C4 (Raffel et al. 2020, section
 * 2.2) and FineWeb (Penedo et al. 2024, section 3) count, and data-juicer after
 * them, in units that mean the same in Chinese: a unit is a word, or one
 * character of a script without blanks (grams.h); where the papers count words
 * in a row, two such characters stand for a word; lines end with the marks of
 * both.  Which figure is too much is not said here.
 *
 * A figure that a text is too short for is not a number, and should count
 * neither for it nor against it.
 */
#ifndef FLOWRUN_TEXT_QUALITY_H
#define FLOWRUN_TEXT_QUALITY_H

#include <flowrun/batch.h>
#include <glib.h>

G_BEGIN_DECLS

/* Shares of n-grams and of stop words need as many words, or twice as many characters of scripts
 * without blanks: Gopher judges no shorter texts. */
#define TEXT_QUALITY_LEAST_WORDS 50
/* Shares of lines need as many of them. */
#define TEXT_QUALITY_LEAST_LINES 3

typedef enum
{
  TEXT_FIGURE_CHARACTERS, /* code points but white space */
  TEXT_FIGURE_UNITS,
  TEXT_FIGURE_SENTENCES, /* runs of units that an end mark ends */
  TEXT_FIGURE_MEAN_WORD, /* letters of a word; needs 10 words, and that they are half of the text */
  TEXT_FIGURE_LONGEST_WORD,   /* characters between blanks, of scripts with blanks */
  TEXT_FIGURE_MEAN_LINE,      /* characters of a line that is not empty */
  TEXT_FIGURE_REPEATED_LINES, /* share of lines that were there before */
  TEXT_FIGURE_REPEATED_LINE_CHARACTERS,
  TEXT_FIGURE_REPEATED_PARAGRAPHS,
  TEXT_FIGURE_REPEATED_PARAGRAPH_CHARACTERS,
  TEXT_FIGURE_TOP_2GRAM, /* share of characters in the most frequent two words in a row */
  TEXT_FIGURE_TOP_3GRAM,
  TEXT_FIGURE_TOP_4GRAM,
  TEXT_FIGURE_REPEATED_5GRAMS, /* share of characters in five words in a row that were there before
                                */
  TEXT_FIGURE_REPEATED_6GRAMS,
  TEXT_FIGURE_REPEATED_7GRAMS,
  TEXT_FIGURE_REPEATED_8GRAMS,
  TEXT_FIGURE_REPEATED_9GRAMS,
  TEXT_FIGURE_REPEATED_10GRAMS,
  TEXT_FIGURE_REPEATED_CHARACTERS, /* share of ten characters in a row that were there before */
  TEXT_FIGURE_MARKS_PER_UNIT,      /* '#' and ellipses */
  TEXT_FIGURE_BULLET_LINES,        /* share of lines that begin with a bullet */
  TEXT_FIGURE_ELLIPSIS_LINES,      /* share of lines that end with an ellipsis */
  TEXT_FIGURE_ALPHABETIC,   /* share of units with a letter, among units and runs of symbols */
  TEXT_FIGURE_ALPHANUMERIC, /* share of letters and digits among characters */
  TEXT_FIGURE_SYMBOLS,      /* share of what is no letter, digit or usual punctuation */
  TEXT_FIGURE_DIGITS,
  TEXT_FIGURE_STOP_WORDS,  /* different ones, of eight English and sixteen Chinese */
  TEXT_FIGURE_STOP_SHARE,  /* share of units that are stop words of a longer list */
  TEXT_FIGURE_END_MARKS,   /* share of lines that an end mark ends */
  TEXT_FIGURE_SHORT_LINES, /* share of lines of at most 30 columns; an ideograph takes two */
  TEXT_FIGURE_NEWLINES,    /* line ends to a unit */
  TEXT_FIGURE_BOILERPLATE, /* share of lines with the phrases of a web page's frame */
  TEXT_N_FIGURES
} TextFigureOfQuality;

/** TextQuality: the memory that measuring works in; one to a thread. */
typedef struct _TextQuality TextQuality;

TextQuality *text_quality_new (void);
void text_quality_free (TextQuality *quality);
/** text_quality_measure: all figures of @text, valid UTF-8. */
void text_quality_measure (TextQuality *quality, FrStr text, double figures[TEXT_N_FIGURES]);

/** text_quality_name: "top_2gram"; static. */
const char *text_quality_name (TextFigureOfQuality figure);
/** text_quality_is_share: whether the figure lies between 0 and 1. */
gboolean text_quality_is_share (TextFigureOfQuality figure);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextQuality, text_quality_free)

G_END_DECLS

#endif
