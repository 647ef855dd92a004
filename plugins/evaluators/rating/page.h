/* SPDX-License-Identifier: Apache-2.0 */
/* page.h: the page on which a person rates: one HTML file that needs nothing beside it.
 *
 * The page is page/page.html with page.css, page.js and the samples put in.  Samples are JSON in an
 * element that no browser runs, with everything escaped that could end it; page.js puts them in as
 * text.  The page's content security policy names its own script and style by their hash and allows
 * nothing else: no script of a sample could run, and nothing can be fetched or sent.
 */
#ifndef FLOWRUN_RATING_PAGE_H
#define FLOWRUN_RATING_PAGE_H

#include "key.h"

G_BEGIN_DECLS

/**
 * RatingTask: what a rater sees beside the samples of a prompt.
 * @parts: name, text, name, text, …, NULL
 * @reference: or NULL
 */
typedef struct
{
  char **parts;
  char *reference;
} RatingTask;

/**
 * RatingPage: all borrowed.
 * @key: its items are shown; its page is set from the page's content
 * @scale: of RatingCriterion
 * @tasks: [key's prompts], of RatingTask
 * @title, @instructions: texts, or ""
 * @language: "en", "zh", or "auto" for the reader's own
 */
typedef struct
{
  RatingKey *key;
  GPtrArray *scale;
  GPtrArray *tasks;
  const char *title;
  const char *instructions;
  const char *language;
} RatingPage;

/** rating_page_build: the whole file; sets @page's key's page to an id made of what the page shows.
 */
GString *rating_page_build (const RatingPage *page);

G_END_DECLS

#endif
