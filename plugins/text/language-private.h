/* SPDX-License-Identifier: Apache-2.0 */
/* language-private.h: the tables that make-language.py makes for language.c. */
#ifndef FLOWRUN_TEXT_LANGUAGE_PRIVATE_H
#define FLOWRUN_TEXT_LANGUAGE_PRIVATE_H

/* Symbols of a triple: 0 the edge of a word, 1 to 26 a to z, 27 any other Latin letter. */
#define LANGUAGE_SYMBOLS 28
#define LANGUAGE_OTHER_LETTER 27
#define LANGUAGE_NEUTRAL 59
#define LANGUAGE_STEPS 6.0 /* to a nat */

#define LANGUAGE_FIRST_IDEOGRAPH 0x4e00
#define LANGUAGE_LAST_IDEOGRAPH 0x9fff

extern const char text_language_ideographs[];
extern const char text_language_triples[];

#endif
