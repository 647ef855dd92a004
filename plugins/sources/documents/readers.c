/* SPDX-License-Identifier: Apache-2.0 */
/* readers.c: which readers this build has. */
#include "config.h"

#include "readers.h"

static const TextDocReader *const readers[] = {
#ifdef DOCUMENTS_XML
  &docx_reader, &xlsx_reader,     &pptx_reader,  &odt_reader, &ods_reader, &odp_reader,
#endif
#ifdef DOCUMENTS_MAIL
  &mail_reader,
#endif
  &html_reader, &markdown_reader, &plain_reader, NULL
};

const TextDocReader *const *
readers_builtin (void)
{
  return readers;
}
