/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-mail.c: a whole message through the mail reader. */
#include "documents-fuzz.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size > 0)
    fuzz_read (&mail_reader, data[0], (const char *) data + 1, size - 1);
  return 0;
}
