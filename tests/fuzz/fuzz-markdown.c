/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-markdown.c: Markdown, plain text and HTML pages as documents. */
#include "documents-fuzz.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size < 2)
    return 0;
  fuzz_read (data[1] % 8 == 7   ? &html_reader
             : data[1] % 8 == 6 ? &plain_reader
                                : &markdown_reader,
             data[0], (const char *) data + 2, size - 2);
  return 0;
}
