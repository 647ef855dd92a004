/* SPDX-License-Identifier: Apache-2.0 */
/* elements.h: the two elements of this plugin: the page, and what its ratings say. */
#ifndef FLOWRUN_RATING_ELEMENTS_H
#define FLOWRUN_RATING_ELEMENTS_H

#include <flowrun/flowrun.h>

extern const FrElement rating_element, ratings_element;

#endif
