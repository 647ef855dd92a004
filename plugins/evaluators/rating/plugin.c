/* SPDX-License-Identifier: Apache-2.0 */
/* plugin.c: people's judgement: the page to rate on, and what the ratings say. */
#include "config.h"

#include "elements.h"

FR_PLUGIN ("rating", PACKAGE_VERSION, "people's judgement of texts", "Apache-2.0", "flowrun",
           &rating_element, &ratings_element)
