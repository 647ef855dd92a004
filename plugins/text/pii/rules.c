/* SPDX-License-Identifier: Apache-2.0 */
/* rules.c: which types there are, the built-in ones and the caller's. */
#include "config.h"

#include <flowrun/error.h>
#include <string.h>

#include "text/pii/pii-private.h"

static const char *const names[TEXT_PII_BUILTIN + 1] = {
  [TEXT_PII_MOBILE] = "mobile",
  [TEXT_PII_LANDLINE] = "landline",
  [TEXT_PII_ID_CARD] = "id_card",
  [TEXT_PII_BANK_CARD] = "bank_card",
  [TEXT_PII_PASSPORT] = "passport",
  [TEXT_PII_PERMIT] = "permit",
  [TEXT_PII_USCC] = "uscc",
  [TEXT_PII_PLATE] = "plate",
  [TEXT_PII_EMAIL] = "email",
  [TEXT_PII_WECHAT] = "wechat",
  [TEXT_PII_QQ] = "qq",
  [TEXT_PII_NAME] = "name",
  [TEXT_PII_ADDRESS] = "address",
  [TEXT_PII_IP] = "ip",
  [TEXT_PII_MAC] = "mac",
  [TEXT_PII_URL_TOKEN] = "url_token",
  [TEXT_PII_API_KEY] = "api_key",
  [TEXT_PII_BUILTIN] = NULL,
};

static const char *const labels[TEXT_PII_BUILTIN][2] = {
  [TEXT_PII_MOBILE] = { "PHONE", "手机号" },
  [TEXT_PII_LANDLINE] = { "LANDLINE", "电话" },
  [TEXT_PII_ID_CARD] = { "ID_CARD", "身份证号" },
  [TEXT_PII_BANK_CARD] = { "BANK_CARD", "银行卡号" },
  [TEXT_PII_PASSPORT] = { "PASSPORT", "护照号" },
  [TEXT_PII_PERMIT] = { "PERMIT", "通行证号" },
  [TEXT_PII_USCC] = { "CREDIT_CODE", "信用代码" },
  [TEXT_PII_PLATE] = { "PLATE", "车牌号" },
  [TEXT_PII_EMAIL] = { "EMAIL", "邮箱" },
  [TEXT_PII_WECHAT] = { "WECHAT", "微信号" },
  [TEXT_PII_QQ] = { "QQ", "QQ号" },
  [TEXT_PII_NAME] = { "NAME", "姓名" },
  [TEXT_PII_ADDRESS] = { "ADDRESS", "地址" },
  [TEXT_PII_IP] = { "IP", "IP地址" },
  [TEXT_PII_MAC] = { "MAC", "MAC地址" },
  [TEXT_PII_URL_TOKEN] = { "TOKEN", "令牌" },
  [TEXT_PII_API_KEY] = { "SECRET", "密钥" },
};

const char *const *
text_pii_type_names (void)
{
  return names;
}

int
text_pii_type_from_name (const char *name)
{
  for (int i = 0; names[i] != NULL; i++)
    if (strcmp (names[i], name) == 0)
      return i;
  return -1;
}

TextPii *
text_pii_new (guint64 types)
{
  TextPii *pii = g_new0 (TextPii, 1);

  pii->types = types & TEXT_PII_ALL;
  pii->words = pii_words_new ();
  pii_words_add_builtin (pii->words);
  pii->names = g_ptr_array_new ();
  pii->patterns = g_ptr_array_new_with_free_func (pii_pattern_free);
  pii->strings = g_string_chunk_new (1024);
  return pii;
}

void
text_pii_free (TextPii *pii)
{
  if (pii == NULL)
    return;
  pii_words_free (pii->words);
  g_ptr_array_unref (pii->names);
  g_ptr_array_unref (pii->patterns);
  g_string_chunk_free (pii->strings);
  g_free (pii);
}

static gboolean
name_is_good (const char *name)
{
  for (const char *p = name; *p != '\0'; p++)
    if (!g_ascii_islower (*p) && !g_ascii_isdigit (*p) && *p != '_')
      return FALSE;
  return *name != '\0' && strlen (name) <= 64;
}

int
text_pii_add_type (TextPii *pii, const char *name, const char *zh, const char *en, GError **error)
{
  for (guint i = 0; i < pii->names->len; i += 3)
    if (strcmp (pii->names->pdata[i], name) == 0)
      return TEXT_PII_BUILTIN + (int) i / 3;
  if (!name_is_good (name))
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                 "'%.80s' cannot be the name of a type; lower-case letters, digits and '_' can",
                 name);
  else if (text_pii_type_from_name (name) >= 0)
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "'%s' is a built-in type; call yours otherwise",
                 name);
  else if (text_pii_n_types (pii) >= TEXT_PII_MAX)
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "more than %d types of your own",
                 TEXT_PII_MAX - TEXT_PII_BUILTIN);
  else
    {
      g_ptr_array_add (pii->names, g_string_chunk_insert (pii->strings, name));
      g_ptr_array_add (pii->names, g_string_chunk_insert (pii->strings, en ? en : name));
      g_ptr_array_add (pii->names, g_string_chunk_insert (pii->strings, zh ? zh : name));
      return TEXT_PII_BUILTIN + (int) pii->names->len / 3 - 1;
    }
  return -1;
}

gboolean
text_pii_add_word (TextPii *pii, guint type, const char *word, gsize len, GError **error)
{
  g_autofree char *copy = g_strndup (word, len);

  return pii_words_add (pii->words, copy, K_CUSTOM, type, error);
}

gboolean
text_pii_ready (TextPii *pii, GError **error)
{
  (void) error;
  if (!pii->ready)
    pii_words_ready (pii->words);
  pii->ready = TRUE;
  return TRUE;
}

guint
text_pii_n_types (const TextPii *pii)
{
  return TEXT_PII_BUILTIN + pii->names->len / 3;
}

const char *
text_pii_type_name (const TextPii *pii, guint type)
{
  return type < TEXT_PII_BUILTIN ? names[type] : pii->names->pdata[(type - TEXT_PII_BUILTIN) * 3];
}

const char *
text_pii_type_label (const TextPii *pii, guint type, gboolean chinese)
{
  if (type < TEXT_PII_BUILTIN)
    return labels[type][chinese ? 1 : 0];
  return pii->names->pdata[(type - TEXT_PII_BUILTIN) * 3 + (chinese ? 2 : 1)];
}
