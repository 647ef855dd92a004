/* SPDX-License-Identifier: Apache-2.0 */
/* details-page.h: the manual of sink.serve on its page and on ratings; a part of details.h. */
#ifndef FLOWRUN_SERVE_DETAILS_PAGE_H
#define FLOWRUN_SERVE_DETAILS_PAGE_H

#define SERVE_DETAILS_PAGE                                                                         \
  "\n"                                                                                             \
  "### The page, and ratings\n"                                                                    \
  "\n"                                                                                             \
  "`GET /` is a page for the people who write, in Chinese and English: a form of the columns of "  \
  "`format`, several texts\n"                                                                      \
  "side by side as they are written, and a scale of 1 to 5 below each. It speaks with this "       \
  "server alone, which its content\n"                                                              \
  "security policy holds it to, and keeps what was asked, and a key, in its tab alone. It works "  \
  "below any prefix that a\n"                                                                      \
  "proxy puts in front.\n"                                                                         \
  "\n"                                                                                             \
  "With `feedback`, ratings are lines of JSON in that file, whole and, with `feedback_sync`, on "  \
  "the disk before they are\n"                                                                     \
  "acknowledged (201). `POST /feedback` takes `answer` (the id of an answer), `variant` (its "     \
  "choice), `rating`, and if\n"                                                                    \
  "there are any `comment` and `corrected`, the text as it should have been. Of the last "         \
  "`feedback_answers` answers the\n"                                                               \
  "server knows itself what was asked and said: such a line is `verified`. Of others `output` "    \
  "and `input` or `fields` must be\n"                                                              \
  "there, and the line is not. An answer that was stopped is one of these. A rating given again "  \
  "is another line; the\n"                                                                         \
  "latest `time` counts. A full disk or `feedback_max_file` gives 507 and leaves no half line "    \
  "behind. The file may be\n"                                                                      \
  "renamed at any time: the next rating begins a new one. The pipeline `monthly` learns from "     \
  "it.\n"

#endif
