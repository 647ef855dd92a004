/* SPDX-License-Identifier: Apache-2.0 */
/* words.c: the tables of words.h. */
#include "config.h"

#include "report/words.h"

#include <string.h>

#define ENGLISH(key, en, zh) en,
#define CHINESE(key, en, zh) zh,

static const FriWords english = { "en", { FRI_WORDS (ENGLISH) } };
static const FriWords chinese = { "zh-Hans", { FRI_WORDS (CHINESE) } };

const FriWords *
fri_words (const char *language)
{
  return language != NULL && g_str_has_prefix (language, "zh") ? &chinese : &english;
}

const char *
fri_word_of_state (const FriWords *words, const char *state)
{
  if (strcmp (state, "done") == 0)
    return FRI_W (DONE);
  if (strcmp (state, "reused") == 0)
    return FRI_W (KEPT);
  if (strcmp (state, "failed") == 0)
    return FRI_W (FAILED);
  if (strcmp (state, "cancelled") == 0)
    return FRI_W (CANCELLED);
  return strcmp (state, "waiting") == 0 || *state == '\0' ? FRI_W (NOT_REACHED)
                                                          : FRI_W (RAN_SO_FAR);
}
