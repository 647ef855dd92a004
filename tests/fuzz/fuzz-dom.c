/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-dom.c: the HTML tree: every node is in it once, no text is made up, depth is bounded. */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "text/charset.h"
#include "text/dom.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static guint
depth_of (const TextDom *dom, guint32 node)
{
  guint depth = 0;

  for (; node != 0; node = dom->nodes[node].parent)
    depth++;
  return depth;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  /* A block of its own, so that reading past the end is seen. */
  g_autofree char *copy = g_memdup2 (data, size);
  FrStr html = { copy ? copy : "", size };
  g_autoptr (TextDom) dom = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  guint32 seen = 1;
  gsize bytes = 0;

  if (text_utf8_valid_len (html.data, size) != size)
    return 0;
  dom = text_dom_parse (html);
  for (guint32 i = 0; (i = text_dom_next (dom, i, 0, FALSE)) != 0; seen++)
    {
      const TextNode *n = &dom->nodes[i];

      g_assert_cmpuint (i, <, dom->n_nodes);
      g_assert_cmpuint (depth_of (dom, i), <=, TEXT_DOM_DEPTH + 2);
      for (guint a = 0; a < TEXT_N_ATTRS; a++)
        {
          FrStr value = text_dom_attribute (dom, i, (TextHtmlAttribute) a);

          g_assert_true (value.data == NULL
                         || text_utf8_valid_len (value.data, value.len) == value.len);
        }
      text_dom_is_hidden (dom, i);
      if (n->kind != TEXT_NODE_TEXT)
        continue;
      g_assert_cmpuint (n->text.len, >, 0);
      g_assert_true (text_utf8_valid_len (n->text.data, n->text.len) == n->text.len);
      bytes += n->text.len;
    }
  g_assert_cmpuint (seen, ==, dom->n_nodes);
  /* "&lt" and its like are shorter read than written; two of 2 125 are not, by at most a half. */
  g_assert_cmpuint (bytes, <=, size + size / 2 + 8);
  text_dom_text (dom, 0, 0, text);
  g_assert_true (text_utf8_valid_len (text->str, text->len) == text->len);
  g_string_truncate (text, 0);
  text_dom_text (dom, 0, 10, text);
  g_assert_cmpuint (text->len, <=, 10);
  g_assert_true (text_utf8_valid_len (text->str, text->len) == text->len);
  return 0;
}
