/* SPDX-License-Identifier: Apache-2.0 */
/* rules.h: the rules of transform.quality, one line each.
 *
 *   RULE (name, group, value, MIN or MAX, default, lowest, highest, unit, why)
 *
 * The name is the parameter's key and the name in reports.  A minimum of 0 and
 * a maximum of 1 of a share hold for everything; a maximum of 0 of anything
 * else means none.
 */
#ifndef FLOWRUN_QUALITY_RULES_H
#define FLOWRUN_QUALITY_RULES_H

#include "text/quality.h"

/* Values beyond the figures of text/quality.h. */
enum
{
  VALUE_TOKENS = TEXT_N_FIGURES,
  VALUE_PERPLEXITY,
  N_VALUES
};

enum
{
  GROUP_LENGTH,
  GROUP_LANGUAGE,
  GROUP_REPETITION,
  GROUP_SYMBOLS,
  GROUP_WORDS,
  GROUP_LINES,
  GROUP_MODEL,
  N_GROUPS
};

/* clang-format off */
#define QUALITY_RULES(RULE) \
  RULE (min_characters, LENGTH, TEXT_FIGURE_CHARACTERS, MIN, "10", 0, 1e15, "characters", "shorter texts have little to learn (data-juicer: 10)") \
  RULE (max_characters, LENGTH, TEXT_FIGURE_CHARACTERS, MAX, "500000", 0, 1e15, "characters", "longer ones are dumps and concatenations (Gopher: 100000 words)") \
  RULE (min_units, LENGTH, TEXT_FIGURE_UNITS, MIN, "3", 0, 1e15, "units", "fewer words or Han characters make no statement (Gopher asks for 50, which product texts rarely have)") \
  RULE (max_units, LENGTH, TEXT_FIGURE_UNITS, MAX, "100000", 0, 1e15, "units", "Gopher's limit") \
  RULE (min_sentences, LENGTH, TEXT_FIGURE_SENTENCES, MIN, "0", 0, 1e15, "sentences", "C4 asks for 5 of a web page; short records have one, so none is asked for") \
  RULE (min_mean_word, LENGTH, TEXT_FIGURE_MEAN_WORD, MIN, "2.5", 0, 1e15, "letters", "scattered letters are bad OCR or code (Gopher: 3); of texts that are mostly words, from ten on") \
  RULE (max_mean_word, LENGTH, TEXT_FIGURE_MEAN_WORD, MAX, "10", 0, 1e15, "letters", "words run together, identifiers (Gopher: 10)") \
  RULE (max_longest_word, LENGTH, TEXT_FIGURE_LONGEST_WORD, MAX, "1000", 0, 1e15, "characters", "C4's limit: base64 and minified code; Han characters are no word") \
  RULE (min_mean_line, LENGTH, TEXT_FIGURE_MEAN_LINE, MIN, "5", 0, 1e15, "characters", "menus and tables without their borders (data-juicer: 10; half of it, for Chinese says twice as much in one)") \
  RULE (max_repeated_lines, REPETITION, TEXT_FIGURE_REPEATED_LINES, MAX, "0.3", 0, 1, NULL, "share of lines that were there before (Gopher)") \
  RULE (max_repeated_line_characters, REPETITION, TEXT_FIGURE_REPEATED_LINE_CHARACTERS, MAX, "0.2", 0, 1, NULL, "the same by characters (Gopher; FineWeb: 0.01)") \
  RULE (max_repeated_paragraphs, REPETITION, TEXT_FIGURE_REPEATED_PARAGRAPHS, MAX, "0.3", 0, 1, NULL, "share of paragraphs that were there before (Gopher)") \
  RULE (max_repeated_paragraph_characters, REPETITION, TEXT_FIGURE_REPEATED_PARAGRAPH_CHARACTERS, MAX, "0.2", 0, 1, NULL, "the same by bytes (Gopher)") \
  RULE (max_top_2gram, REPETITION, TEXT_FIGURE_TOP_2GRAM, MAX, "0.2", 0, 1, NULL, "share of characters in the most frequent two words in a row (Gopher); four Han characters") \
  RULE (max_top_3gram, REPETITION, TEXT_FIGURE_TOP_3GRAM, MAX, "0.18", 0, 1, NULL, "three words, six Han characters (Gopher)") \
  RULE (max_top_4gram, REPETITION, TEXT_FIGURE_TOP_4GRAM, MAX, "0.16", 0, 1, NULL, "four words, eight Han characters (Gopher)") \
  RULE (max_repeated_5grams, REPETITION, TEXT_FIGURE_REPEATED_5GRAMS, MAX, "0.15", 0, 1, NULL, "share of characters in five words, ten Han characters, that were there before (Gopher)") \
  RULE (max_repeated_6grams, REPETITION, TEXT_FIGURE_REPEATED_6GRAMS, MAX, "0.14", 0, 1, NULL, "six words (Gopher)") \
  RULE (max_repeated_7grams, REPETITION, TEXT_FIGURE_REPEATED_7GRAMS, MAX, "0.13", 0, 1, NULL, "seven words (Gopher)") \
  RULE (max_repeated_8grams, REPETITION, TEXT_FIGURE_REPEATED_8GRAMS, MAX, "0.12", 0, 1, NULL, "eight words (Gopher)") \
  RULE (max_repeated_9grams, REPETITION, TEXT_FIGURE_REPEATED_9GRAMS, MAX, "0.11", 0, 1, NULL, "nine words (Gopher)") \
  RULE (max_repeated_10grams, REPETITION, TEXT_FIGURE_REPEATED_10GRAMS, MAX, "0.1", 0, 1, NULL, "ten words, twenty Han characters (Gopher)") \
  RULE (max_repeated_characters, REPETITION, TEXT_FIGURE_REPEATED_CHARACTERS, MAX, "0.5", 0, 1, NULL, "share of ten characters in a row that were there before (data-juicer)") \
  RULE (max_marks_per_unit, SYMBOLS, TEXT_FIGURE_MARKS_PER_UNIT, MAX, "0.1", 0, 1e15, "marks", "'#' and ellipses to a word or Han character (Gopher); 0 means no limit") \
  RULE (max_bullet_lines, SYMBOLS, TEXT_FIGURE_BULLET_LINES, MAX, "0.9", 0, 1, NULL, "share of lines that begin with a bullet (Gopher)") \
  RULE (max_ellipsis_lines, SYMBOLS, TEXT_FIGURE_ELLIPSIS_LINES, MAX, "0.3", 0, 1, NULL, "share of lines that end with an ellipsis: teasers (Gopher)") \
  RULE (min_alphabetic, SYMBOLS, TEXT_FIGURE_ALPHABETIC, MIN, "0.6", 0, 1, NULL, "share of units with a letter, ideographs too, among units and runs of symbols (Gopher: 0.8 of English words; prices and sizes are many in goods)") \
  RULE (min_alphanumeric, SYMBOLS, TEXT_FIGURE_ALPHANUMERIC, MIN, "0.25", 0, 1, NULL, "share of letters and digits among characters (data-juicer)") \
  RULE (max_symbols, SYMBOLS, TEXT_FIGURE_SYMBOLS, MAX, "0.25", 0, 1, NULL, "share of what is neither letter, digit nor usual punctuation, emoji too (data-juicer)") \
  RULE (max_digits, SYMBOLS, TEXT_FIGURE_DIGITS, MAX, "0.5", 0, 1, NULL, "share of digits: logs and tables of numbers") \
  RULE (min_stop_words, WORDS, TEXT_FIGURE_STOP_WORDS, MIN, "1", 0, 24, "words", "different ones of the most frequent words: running text has them, lists of keywords have none (Gopher: 2); from 50 words on") \
  RULE (min_stop_share, WORDS, TEXT_FIGURE_STOP_SHARE, MIN, "0", 0, 1, NULL, "share of stop words (data-juicer: 0.3 of English words; Chinese needs few, so none is asked for)") \
  RULE (min_end_marks, LINES, TEXT_FIGURE_END_MARKS, MIN, "0.12", 0, 1, NULL, "share of lines that end as a sentence does, with 。！？ as well (FineWeb)") \
  RULE (max_short_lines, LINES, TEXT_FIGURE_SHORT_LINES, MAX, "0.67", 0, 1, NULL, "share of lines of at most 30 columns, 15 Han characters (FineWeb)") \
  RULE (max_newlines, LINES, TEXT_FIGURE_NEWLINES, MAX, "0.3", 0, 1e15, "newlines", "line ends to a word or Han character (FineWeb); 0 means no limit") \
  RULE (max_boilerplate, LINES, TEXT_FIGURE_BOILERPLATE, MAX, "0.3", 0, 1, NULL, "share of lines about cookies, policies, scripts, rights and QR codes, in English and Chinese (after C4)") \
  RULE (min_tokens, MODEL, VALUE_TOKENS, MIN, "0", 0, 1e15, "tokens", "length in the model's own tokens") \
  RULE (max_tokens, MODEL, VALUE_TOKENS, MAX, "0", 0, 1e15, "tokens", "what is longer than the context would be cut in training; 0 means no limit") \
  RULE (min_perplexity, MODEL, VALUE_PERPLEXITY, MIN, "0", 0, 1e15, NULL, "what the model knows by heart teaches nothing") \
  RULE (max_perplexity, MODEL, VALUE_PERPLEXITY, MAX, "0", 0, 1e15, NULL, "what surprises the model beyond measure is noise (data-juicer: 1500, of its own n-gram model); 0 means no limit")
/* clang-format on */

#define QUALITY_RULE_ID(name, ...) RULE_##name,
enum
{
  QUALITY_RULES (QUALITY_RULE_ID) RULE_language,
  N_RULES
};
#undef QUALITY_RULE_ID

#endif
