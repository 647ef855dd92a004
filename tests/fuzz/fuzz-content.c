/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-content.c: a page of any bytes gives a page of valid UTF-8, with addresses that are ASCII,
 * in each way it can be asked for. */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "text/content.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
assert_text (FrStr s)
{
  g_assert_nonnull (s.data);
  /* This refuses NUL characters too. */
  g_assert_true (g_utf8_validate_len (s.data, s.len, NULL));
}

static void
look_at (const TextContent *page)
{
  const FrStr members[] = { page->title,       page->page_title, page->byline,    page->site,
                            page->description, page->keywords,   page->published, page->modified,
                            page->language,    page->canonical,  page->base,      page->refresh };
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    assert_text (members[i]);
  g_assert_true (page->confidence >= 0 && page->confidence <= 1);
  g_assert_true ((page->n_blocks == 0) == (page->n_chars == 0));
  for (guint i = 0; i < page->n_blocks; i++)
    {
      assert_text (page->blocks[i].text);
      g_assert_cmpuint (page->blocks[i].text.len, >, 0);
      g_assert_true (page->blocks[i].kind != TEXT_BLOCK_HEADING
                     || (page->blocks[i].level >= 1 && page->blocks[i].level <= 6));
    }
  for (guint i = 0; i < page->n_links; i++)
    {
      assert_text (page->links[i].href);
      assert_text (page->links[i].url);
      assert_text (page->links[i].text);
      for (gsize k = 0; k < page->links[i].url.len; k++)
        g_assert_true (page->links[i].url.data[k] > ' ' && page->links[i].url.data[k] < 0x7f);
    }
  text_content_append (page, TEXT_STYLE_PLAIN, out);
  text_content_append (page, TEXT_STYLE_MARKDOWN, out);
  text_content_explain (page, out);
  assert_text ((FrStr){ out->str, out->len });
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const TextContentOptions options[] = {
    { .url = "https://example.com/a/2024/05/06/b.html", .flags = TEXT_CONTENT_EXPLAIN },
    { .charset = "gb2312", .flags = TEXT_CONTENT_WHOLE },
    { .url = "x", .flags = TEXT_CONTENT_NO_MAIN },
  };

  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    {
      g_autofree char *copy = g_memdup2 (data, size);
      g_autoptr (TextContent) page = text_content_new (copy ? copy : "", size, &options[i]);

      /* The page does not look at the bytes again. */
      if (i == 1)
        memset (copy ? copy : (char[]){ 0 }, 'x', size);
      look_at (page);
    }
  return 0;
}
