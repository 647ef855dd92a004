/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-loadanswer.c: any bytes as the answer of a server under load: no crash, what it says of them
 * is text and does not depend on how they were cut.
 */
#include "evaluators/load/answer.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_same (const LoadAnswer *a, const LoadAnswer *b)
{
  g_assert_cmpstr (a->fault, ==, b->fault);
  g_assert_cmpuint (a->pieces, ==, b->pieces);
  g_assert_cmpuint (a->chars, ==, b->chars);
  g_assert_cmpint (a->tokens, ==, b->tokens);
  g_assert_cmpint (a->finished, ==, b->finished);
  g_assert_cmpint (a->done, ==, b->done);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *) data;
  g_auto (LoadAnswer) whole = { 0 }, bits = { 0 }, body = { 0 };
  g_autofree char *model = load_models_first (text, size), *error = load_answer_error (text, size);
  gsize step = size > 0 ? data[0] % 7 + 1 : 1;

  load_answer_init (&whole);
  load_answer_init (&bits);
  load_answer_init (&body);
  load_answer_feed (&whole, text, size, 1);
  for (gsize at = 0; at < size; at += step)
    load_answer_feed (&bits, text + at, MIN (step, size - at), 1);
  check_same (&whole, &bits);
  load_answer_whole (&body, text, size, 1);
  g_assert_true (whole.fault == NULL || g_utf8_validate (whole.fault, -1, NULL));
  g_assert_true (body.fault == NULL || g_utf8_validate (body.fault, -1, NULL));
  g_assert_true (error == NULL || g_utf8_validate (error, -1, NULL));
  g_assert_true (model == NULL || g_utf8_validate (model, -1, NULL));
  g_assert_cmpint (body.tokens, >=, -1);
  return 0;
}
