/* SPDX-License-Identifier: Apache-2.0 */
/* test-pii.c: text/pii.h: the table of rivals' mistakes first, then real values in
 * four embeddings, tables against public lists, and what must always hold. */
#include "config.h"

#include <flowrun/error.h>
#include <flowrun/json.h>
#include <string.h>
#include <time.h>

#include "text/pii.h"

static TextPii *pii;
static TextPiiScan *scan;

static FrStr
str (const char *text)
{
  return (FrStr){ text, strlen (text) };
}

/* What was found as "type[value] ", in order. */
static char *
found (const char *text)
{
  GString *out = g_string_new (NULL);

  text_pii_scan (scan, str (text), TEXT_PII_MIN_SCORE);
  for (guint i = 0; i < text_pii_n_hits (scan); i++)
    {
      const TextPiiHit *h = &text_pii_hits (scan)[i];

      g_string_append_printf (out, "%s%s[%.*s]", i ? " " : "", text_pii_type_name (pii, h->type),
                              (int) (h->end - h->start), text + h->start);
    }
  return g_string_free (out, FALSE);
}

typedef struct
{
  const char *text, *want;
} Case;

static void
try_cases (const Case *cases, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *got = found (cases[i].text);

      if (strcmp (got, cases[i].want) != 0)
        {
          g_test_message ("%s\n  found %s\n  not   %s", cases[i].text, got, cases[i].want);
          g_test_fail ();
        }
    }
}

/* ---- where others go wrong --------------------------------------------------- */

static void
test_rivals (void)
{
  static const Case cases[] = {
    { "邮箱：zhangsan@example.com，谢谢", "email[zhangsan@example.com]" },
    { "邮箱zhangsan@example.com。", "email[zhangsan@example.com]" },
    { "邮箱zhang.san@example.com", "email[zhang.san@example.com]" },
    { "联系Zhang.San@Example.COM谢谢", "email[Zhang.San@Example.COM]" },
    { "请发到zhang+tag@example.com.cn谢谢", "email[zhang+tag@example.com.cn]" },
    { "卡号：4111111111111111。", "bank_card[4111111111111111]" },
    { "卡号4111111111111111。", "bank_card[4111111111111111]" },
    { "卡号 6222021234567890128 可以", "bank_card[6222021234567890128]" },
    { "卡号6222021234567890128可以", "bank_card[6222021234567890128]" },
    { "电话13800138000请联系", "mobile[13800138000]" },
    { "订单号9138001380001", "" },
    { "身份证号110101199003070135", "" }, /* a wrong check digit */
  };

  g_assert_true (text_pii_luhn ("6222021234567890128", 19));
  try_cases (cases, G_N_ELEMENTS (cases));
  g_assert_cmpuint (text_pii_n_doubts (scan), ==, 1);
  g_assert_cmpuint (text_pii_doubts (scan)[0].type, ==, TEXT_PII_ID_CARD);
  g_assert_cmpuint (text_pii_doubts (scan)[0].check, ==, TEXT_PII_CHECK_WRONG);
}

/* ---- examples ---------------------------------------------------------------- */

static void
test_numbers (void)
{
  static const Case cases[] = {
    { "手机１３８００１３８０００。", "mobile[１３８００１３８０００]" },
    { "打1\u200b3\u200b8\u200b0\u200b0\u200b1\u200b3\u200b8\u200b0\u200b0\u200b0",
      "mobile[1\u200b3\u200b8\u200b0\u200b0\u200b1\u200b3\u200b8\u200b0\u200b0\u200b0]" },
    { "138 0013 8000和138-0013-8000", "mobile[138 0013 8000] mobile[138-0013-8000]" },
    { "1 3 8 0 0 1 3 8 0 0 0", "mobile[1 3 8 0 0 1 3 8 0 0 0]" },
    { "1 3 8 0 0 1 3 8 0 0 0 1", "" },
    { "+86 138 0013 8000", "mobile[+86 138 0013 8000]" },
    { "我的号码是幺三八零零幺三八零零零", "mobile[幺三八零零幺三八零零零]" },
    { "13800138000、13900139000", "mobile[13800138000] mobile[13900139000]" },
    { "14312345678", "" },                        /* no such segment */
    { "电话14312345678", "mobile[14312345678]" }, /* but its word */
    { "113800138000", "" },
    { "1380013800012", "" },
    { "货号13800138000", "" },
    { "¥13800138000", "" },
    { "13800138000元", "" },
    { "13800138000.jpg", "" },
    { "/img/13800138000_s.png", "" },
    { "3.13800138000", "" },
    { "abc13800138000", "" },
    { "tel13800138000", "mobile[13800138000]" },
    { "tel:13800138000", "mobile[13800138000]" },
    { "https://a.test/?phone=13800138000", "mobile[13800138000]" },
    { "https://a.test/13800138000", "" },
    { "0571-88888888", "landline[0571-88888888]" },
    { "(010) 6234 5678转801", "landline[(010) 6234 5678转801]" },
    { "+86 10 6234 5678", "landline[+86 10 6234 5678]" },
    { "400-810-8888，8008108888", "landline[400-810-8888] landline[8008108888]" },
    { "座机62345678", "landline[62345678]" },
    { "62345678", "" },
    { "0399-88888888", "" }, /* no such area */
    { "11010519491231002X", "id_card[11010519491231002X]" },
    { "11010519491231002x。", "id_card[11010519491231002x]" },
    { "110105 19491231 002X", "id_card[110105 19491231 002X]" },
    { "身份证110105491231002", "id_card[110105491231002]" },
    { "4111 1111 1111 1111", "bank_card[4111 1111 1111 1111]" },
    { "4111-1111-1111-1111", "bank_card[4111-1111-1111-1111]" },
    { "378282246310005", "bank_card[378282246310005]" },
    { "4111111111111112", "" },
    { "订单号4111111111111111", "" },
  };

  try_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_others (void)
{
  static const Case cases[] = {
    { "护照E12345678", "passport[E12345678]" },
    { "型号E12345678", "" },
    { "往来港澳通行证号：C12345678", "permit[C12345678]" },
    { "台胞证号12345678", "permit[12345678]" },
    { "91350100M000100Y43", "uscc[91350100M000100Y43]" }, /* the example of GB 32100 */
    { "91350100M000100Y44", "" },
    { "京A12345，粤B·D12345，沪A·1234学", "plate[京A12345] plate[粤B·D12345] plate[沪A·1234学]" },
    { "京I12345，京A1234", "" },
    { "微信号：abc_1234", "wechat[abc_1234]" },
    { "加微信zhang-san88", "wechat[zhang-san88]" },
    { "微信windows版", "" },
    { "QQ：12345678，扣扣87654321", "qq[12345678] qq[87654321]" },
    { "QQ音乐", "" },
    { "12345678@qq.com", "email[12345678@qq.com]" },
    { "icon@2x.png", "" },
    { "IP 192.168.1.23，版本1.2.3.4，127.0.0.1", "ip[192.168.1.23]" },
    { "256.1.1.1 1.2.3.4.5 01.2.3.4", "" },
    { "fe80::1ff:fe23:4567:890a std::vector 12:30:45", "ip[fe80::1ff:fe23:4567:890a]" },
    { "00:1A:2B:3C:4D:5E和00-1a-2b-3c-4d-5f", "mac[00:1A:2B:3C:4D:5E] mac[00-1a-2b-3c-4d-5f]" },
    { "https://a.test/x?lang=zh&token=abcdef123456", "url_token[abcdef123456]" },
    { "https://user:pass1@a.test/", "url_token[user:pass1]" },
    { "https://a.test/?code=200&key=coat", "" },
    { "AKIAIOSFODNN7EXAMPLE", "api_key[AKIAIOSFODNN7EXAMPLE]" },
    { "密码：abc12345", "api_key[abc12345]" },
    { "密码长度8位", "" },
    { "收件人：张伟，王先生，欧阳娜女士", "name[张伟] name[王] name[欧阳娜]" },
    { "Recipient: 张伟", "name[张伟]" },
    { "项目经理，任何先生，由于经理不在", "" },
    { "Dear Mr. Smith, dear Customer", "name[Smith]" },
    { "浙江省杭州市西湖区文三路90号3幢501室", "address[浙江省杭州市西湖区文三路90号3幢501室]" },
    { "我住在中山路12号", "address[中山路12号]" },
    { "北京市，3号楼，2号线", "" },
    { "221 Baker Street", "address[221 Baker Street]" },
  };

  try_cases (cases, G_N_ELEMENTS (cases));
}

/* ---- values of validator.js -------------------------------------------------- */

/* What our rules find in a value that is not valid as a whole, and why that is right. */
static const struct
{
  const char *kind, *value;
  int type;
  const char *why;
} exceptions[] = {
  { "mobile_cn", "+86-13838389438", TEXT_PII_MOBILE,
    "a number with its country code; the validator forbids the hyphen" },
  { "mobile_cn", "0086-138-1121-1114", TEXT_PII_MOBILE, "the same, grouped" },
  { "mobile_cn", "010-38238383", TEXT_PII_LANDLINE, "no mobile number: a landline of Beijing" },
  { "card_unionpay", "2720428011723762", TEXT_PII_BANK_CARD,
    "no UnionPay card: a Mastercard (2221-2720)" },
  { "card_unionpay", "4716461583322103", TEXT_PII_BANK_CARD, "no UnionPay card: a Visa card" },
  { "card_unionpay", "4716989580001715211", TEXT_PII_BANK_CARD, "no UnionPay card: a Visa card" },
  { "card_unionpay", "5398228707871527", TEXT_PII_BANK_CARD, "no UnionPay card: a Mastercard" },
};

static char *
data_file (const char *name)
{
  const char *data = g_getenv ("FLOWRUN_DATA");
  char *path = data ? g_build_filename (data, name, NULL) : NULL;

  if (path != NULL && g_file_test (path, G_FILE_TEST_EXISTS))
    return path;
  g_free (path);
  return NULL;
}

static int
type_of_kind (const char *kind)
{
  return strcmp (kind, "mobile_cn") == 0     ? TEXT_PII_MOBILE
         : strcmp (kind, "id_card_cn") == 0  ? TEXT_PII_ID_CARD
         : strcmp (kind, "email") == 0       ? TEXT_PII_EMAIL
         : strcmp (kind, "passport_cn") == 0 ? TEXT_PII_PASSPORT
         : g_str_has_prefix (kind, "card_")  ? TEXT_PII_BANK_CARD
                                             : -1;
}

static const char *const labels[TEXT_PII_BUILTIN] = {
  [TEXT_PII_MOBILE] = "联系电话", [TEXT_PII_ID_CARD] = "身份证号",   [TEXT_PII_EMAIL] = "邮箱",
  [TEXT_PII_PASSPORT] = "护照号", [TEXT_PII_BANK_CARD] = "银行卡号",
};

/* Embedding @i of @value with @label, and where the value then stands. */
static char *
embed (guint i, const char *label, const char *value, gsize *at)
{
  static const char *const before[] = { "", "请记下", "", "", "" };
  static const char *const middle[] = { "", "是", " ", "：", "" };
  static const char *const after[] = { "，谢谢", "请尽快处理", " 谢谢", "。", "" };
  char *text = g_strconcat (before[i], label, middle[i], value, after[i], NULL);

  *at = strlen (before[i]) + strlen (label) + strlen (middle[i]);
  return text;
}

static void
check_valid (int type, const char *value, guint embeddings)
{
  for (guint i = 0; i < embeddings; i++)
    {
      gsize at;
      g_autofree char *text = embed (i, labels[type], value, &at);
      gboolean ok = FALSE;

      text_pii_scan (scan, str (text), TEXT_PII_MIN_SCORE);
      for (guint k = 0; k < text_pii_n_hits (scan); k++)
        {
          const TextPiiHit *h = &text_pii_hits (scan)[k];

          ok |= h->type == type && h->start == at && h->end == at + strlen (value);
        }
      if (!ok || text_pii_n_hits (scan) != 1)
        {
          g_autofree char *got = found (text);

          g_test_message ("valid %s not found as it is: %s: %s",
                          text_pii_type_name (pii, (guint) type), text, got);
          g_test_fail ();
        }
    }
}

static void
check_invalid (const char *kind, int type, const char *value)
{
  int allowed = -1;
  gsize blank = 0; /* bytes of a blank before the last letter */

  if (strlen (value) > 4)
    {
      const char *last = g_utf8_find_prev_char (value, value + strlen (value) - 1);

      if (last != NULL && g_unichar_isspace (g_utf8_get_char (last)))
        blank = (gsize) (value + strlen (value) - 1 - last);
    }
  for (guint i = 0; i < G_N_ELEMENTS (exceptions); i++)
    if (strcmp (exceptions[i].kind, kind) == 0 && strcmp (exceptions[i].value, value) == 0)
      allowed = exceptions[i].type;
  for (guint i = 0; i < 4; i++)
    {
      gsize at;
      g_autofree char *text = embed (i, labels[type], value, &at);

      text_pii_scan (scan, str (text), TEXT_PII_MIN_SCORE);
      for (guint k = 0; k < text_pii_n_hits (scan); k++)
        {
          const TextPiiHit *h = &text_pii_hits (scan)[k];

          /* "test1@invalid.co m", with a blank of another alphabet: what stands before
           * it is an address, and nothing says that it is not the one meant. */
          if (type == TEXT_PII_EMAIL && h->type == TEXT_PII_EMAIL && g_str_has_suffix (value, "m")
              && h->end - h->start == strlen (value) - 1 - blank)
            continue;
          if (h->type == allowed)
            continue;
          g_test_message ("invalid %s '%s' (%s): found %s[%.*s]", kind, value, text,
                          text_pii_type_name (pii, h->type), (int) (h->end - h->start),
                          text + h->start);
          g_test_fail ();
        }
    }
}

static void
test_validator (void)
{
  g_autofree char *path = data_file ("pii-validator/values.jsonl"), *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint valid = 0, invalid = 0;

  if (path == NULL)
    {
      g_test_skip ("$FLOWRUN_DATA/pii-validator is not there");
      return;
    }
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
    {
      g_autoptr (JsonNode) node = fr_json_parse (lines[i], -1, 0, NULL);
      JsonObject *o = json_node_get_object (node);
      const char *kind = json_object_get_string_member (o, "kind"),
                 *value = json_object_get_string_member (o, "value");
      int type = type_of_kind (kind);

      /* Of the plain Luhn numbers those that are as long as a card. */
      if (strcmp (kind, "luhn") == 0 && json_object_get_boolean_member (o, "valid")
          && strlen (value) >= 14 && strlen (value) <= 19)
        type = TEXT_PII_BANK_CARD;
      if (type < 0 || *value == '\0')
        continue;
      if (json_object_get_boolean_member (o, "valid"))
        {
          valid++;
          check_valid (type, value, 4);
        }
      else
        {
          invalid++;
          check_invalid (kind, type, value);
        }
    }
  g_assert_cmpuint (valid, >=, 30);
  g_assert_cmpuint (invalid, >=, 30);
}

/* ---- tables against public lists --------------------------------------------- */

static void
test_regions (void)
{
  g_autofree char *path = data_file ("regions-cn/areas.csv"), *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint n = 0;

  if (path == NULL)
    {
      g_test_skip ("$FLOWRUN_DATA/regions-cn is not there");
      return;
    }
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 1; lines[i] != NULL && strlen (lines[i]) > 7; i++)
    {
      char id[19];
      g_autofree char *old = NULL, *sentence = NULL, *got = NULL;

      memcpy (id, lines[i], 6);
      memcpy (id + 6, "19850612123", 11);
      id[17] = text_pii_id_check (id);
      id[18] = '\0';
      got = found (id);
      g_assert_true (g_str_has_prefix (got, "id_card["));
      /* A known county makes a card of before 1999 one without a word. */
      old = g_strdup_printf ("%.6s850612123", lines[i]);
      if (!text_pii_luhn (old, 15))
        {
          g_free (got);
          got = found (old);
          g_assert_true (g_str_has_prefix (got, "id_card["));
        }
      n++;
    }
  g_assert_cmpuint (n, >, 2900);
}

static void
test_telephone_tables (void)
{
  g_autofree char *areas = data_file ("lexicon-jionlp/landline_phone_area_code.txt"), *text = NULL;
  g_autofree char *segments = data_file ("lexicon-jionlp/phone_location.txt"), *more = NULL;
  g_auto (GStrv) lines = NULL, rows = NULL;

  if (areas == NULL || segments == NULL)
    {
      g_test_skip ("$FLOWRUN_DATA/lexicon-jionlp is not there");
      return;
    }
  g_assert_true (g_file_get_contents (areas, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
    {
      g_autofree char *number
          = g_strdup_printf ("%.*s-62345678", (int) strcspn (lines[i], " \t"), lines[i]);
      g_autofree char *got = found (number), *want = g_strdup_printf ("landline[%s]", number);

      g_assert_cmpstr (got, ==, want);
    }
  g_assert_true (g_file_get_contents (segments, &more, NULL, NULL));
  rows = g_strsplit (more, "\n", -1);
  for (guint i = 0; rows[i] != NULL; i++)
    if (rows[i][0] == '\t' && g_ascii_isdigit (rows[i][1]))
      {
        g_autofree char *number = g_strdup_printf ("%.3s00001234", rows[i] + 1);
        g_autofree char *got = found (number), *want = g_strdup_printf ("mobile[%s]", number);

        g_assert_cmpstr (got, ==, want);
      }
}

/* Real addresses and telephone numbers: the hotels of a dialogue corpus. */
static void
test_hotels (void)
{
  g_autofree char *path = data_file ("dialog-crosswoz/hotel_db.json"), *text = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;
  JsonArray *hotels;
  guint n = 0, addresses = 0, exact = 0, numbers = 0;
  gsize len;

  if (path == NULL)
    {
      g_test_skip ("$FLOWRUN_DATA/dialog-crosswoz is not there");
      return;
    }
  g_assert_true (g_file_get_contents (path, &text, &len, NULL));
  node = fr_json_parse (text, (gssize) len, 0, &error);
  g_assert_no_error (error);
  hotels = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (hotels); i++)
    {
      JsonObject *hotel
          = json_array_get_object_element (json_array_get_array_element (hotels, i), 1);
      JsonNode *where = json_object_get_member (hotel, "地址"),
               *number = json_object_get_member (hotel, "电话");
      g_autofree char *sentence = NULL;
      const char *a, *p;
      gsize as, ps;

      if (where == NULL || number == NULL || !JSON_NODE_HOLDS_VALUE (where)
          || !JSON_NODE_HOLDS_VALUE (number))
        continue;
      a = json_node_get_string (where);
      p = json_node_get_string (number);
      sentence = g_strdup_printf ("酒店地址：%s，电话：%s。", a, p);
      as = strlen ("酒店地址：");
      ps = as + strlen (a) + strlen ("，电话：");
      text_pii_scan (scan, str (sentence), TEXT_PII_MIN_SCORE);
      n++;
      for (guint k = 0; k < text_pii_n_hits (scan); k++)
        {
          const TextPiiHit *h = &text_pii_hits (scan)[k];

          addresses += h->type == TEXT_PII_ADDRESS && h->start == as;
          exact += h->type == TEXT_PII_ADDRESS && h->start == as && h->end == as + strlen (a);
          numbers += h->start == ps && h->end == ps + strlen (p);
        }
    }
  g_test_message ("%u hotels: addresses %.3f, to the character %.3f, telephones %.3f", n,
                  (double) addresses / n, (double) exact / n, (double) numbers / n);
  g_assert_cmpuint (n, >, 1000);
  g_assert_cmpfloat ((double) addresses / n, >, 0.98);
  g_assert_cmpfloat ((double) exact / n, >, 0.85);
  g_assert_cmpfloat ((double) numbers / n, >, 0.99);
}

/* ---- hiding ------------------------------------------------------------------ */

static char *
hidden (guint type, const char *value, TextPiiAction action, guint first, guint last,
        const char *secret)
{
  g_autoptr (TextPiiKey) key = secret ? text_pii_key_new (secret, strlen (secret)) : NULL;
  GString *out = g_string_new (NULL);
  const TextPiiHide hide = { action, first, last, TRUE, 8 };

  text_pii_append_hidden (pii, key, type, str (value), &hide, out);
  return g_string_free (out, FALSE);
}

static void
test_masks (void)
{
  static const struct
  {
    guint type;
    const char *value;
    TextPiiAction action;
    guint first, last;
    const char *want;
  } cases[] = {
    { TEXT_PII_MOBILE, "138 0013 8000", TEXT_PII_MASK, 0, 0, "*** **** ****" },
    { TEXT_PII_MOBILE, "13800138000", TEXT_PII_PARTIAL, TEXT_PII_USUAL, TEXT_PII_USUAL,
      "138****8000" },
    { TEXT_PII_BANK_CARD, "4111 1111 1111 1234", TEXT_PII_PARTIAL, TEXT_PII_USUAL, TEXT_PII_USUAL,
      "**** **** **** 1234" },
    { TEXT_PII_BANK_CARD, "4111111111111234", TEXT_PII_PARTIAL, 6, 4, "4111********1234" },
    { TEXT_PII_NAME, "张三丰", TEXT_PII_PARTIAL, TEXT_PII_USUAL, TEXT_PII_USUAL, "张**" },
    { TEXT_PII_NAME, "王", TEXT_PII_PARTIAL, TEXT_PII_USUAL, TEXT_PII_USUAL, "*" },
    { TEXT_PII_EMAIL, "zhang@example.com", TEXT_PII_PARTIAL, TEXT_PII_USUAL, TEXT_PII_USUAL,
      "z****@example.com" },
    { TEXT_PII_ID_CARD, "11010519491231002X", TEXT_PII_PARTIAL, 0, 4, "**************002X" },
    { TEXT_PII_MOBILE, "1\u200b3800138000", TEXT_PII_MASK, 0, 0, "***********" },
    { TEXT_PII_IP, "192.168.1.23", TEXT_PII_PARTIAL, TEXT_PII_USUAL, TEXT_PII_USUAL,
      "192.168.*.**" },
    { TEXT_PII_MOBILE, "13800138000", TEXT_PII_TAG, 0, 0, "<手机号>" },
    { TEXT_PII_MOBILE, "13800138000", TEXT_PII_KEEP, 0, 0, "13800138000" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *got = hidden (cases[i].type, cases[i].value, cases[i].action, cases[i].first,
                                     cases[i].last, NULL);

      g_assert_cmpstr (got, ==, cases[i].want);
    }
}

static const char secret[] = "correct horse battery staple";

static void
test_pseudonyms (void)
{
  static const struct
  {
    guint type;
    const char *value, *same; /* written otherwise */
    const char *pattern;
  } cases[] = {
    { TEXT_PII_MOBILE, "13800138000", "+86 138-0013-8000", "^12[0-9]{9}$" },
    { TEXT_PII_LANDLINE, "0571-88888888", "057188888888", "^000[0-9]-[0-9]{8}$" },
    { TEXT_PII_ID_CARD, "11010519491231002X", "11010519491231002x",
      "^00[0-9]{4}(19|20)[0-9]{9}[0-9X]$" },
    { TEXT_PII_BANK_CARD, "4111 1111 1111 1111", "4111111111111111",
      "^0[0-9]{3} [0-9]{4} [0-9]{4} [0-9]{4}$" },
    { TEXT_PII_EMAIL, "Zhang@Example.com", "zhang@example.com",
      "^user_[0-9a-f]{8}@example\\.invalid$" },
    { TEXT_PII_NAME, "张三", "张三", "^用户_[0-9A-F]{8}$" },
    { TEXT_PII_IP, "192.168.1.1", "192.168.1.1", "^2[45][0-9]\\.[0-9]+\\.[0-9]+\\.[0-9]+$" },
    { TEXT_PII_MAC, "00:1A:2B:3C:4D:5E", "00:1a:2b:3c:4d:5e",
      "^f2:ff:ff:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}$" },
    { TEXT_PII_ADDRESS, "文三路 90号", "文三路90号", "^地址_[0-9A-F]{8}$" },
    { TEXT_PII_USCC, "91350100M000100Y43", "91350100M000100Y43", "^00[0-9A-Z]{16}$" },
    { TEXT_PII_QQ, "12345678", "12345678", "^0[0-9]{7}$" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *a = hidden (cases[i].type, cases[i].value, TEXT_PII_PSEUDONYM, 0, 0, secret);
      g_autofree char *b = hidden (cases[i].type, cases[i].value, TEXT_PII_PSEUDONYM, 0, 0, secret);
      g_autofree char *c = hidden (cases[i].type, cases[i].value, TEXT_PII_PSEUDONYM, 0, 0,
                                   "another key, as long as the first");
      g_autoptr (GString) x = g_string_new (NULL), y = g_string_new (NULL);
      g_autofree char *again = NULL;

      g_assert_cmpstr (a, ==, b);
      g_assert_cmpstr (a, !=, c);
      if (!g_regex_match_simple (cases[i].pattern, a, 0, 0))
        g_error ("pseudonym '%s' is not like '%s'", a, cases[i].pattern);
      text_pii_append_canonical (cases[i].type, str (cases[i].value), x);
      text_pii_append_canonical (cases[i].type, str (cases[i].same), y);
      g_assert_cmpstr (x->str, ==, y->str);
      /* Never one that would be found again. */
      again = found (a);
      g_assert_cmpstr (again, ==, "");
    }
}

/* The digest by the standard's own test vector: RFC 4231, case 2, through our message. */
static void
test_hash (void)
{
  g_autoptr (TextPiiKey) key = text_pii_key_new (secret, strlen (secret));
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *want
      = g_compute_hmac_for_data (G_CHECKSUM_SHA256, (const guchar *) secret, strlen (secret),
                                 (const guchar *) "mobile\00013800138000", 18);

  text_pii_append_hash (pii, key, TEXT_PII_MOBILE, str ("138 0013 8000"), 16, out);
  g_assert_cmpmem (out->str, out->len, want + 32, 16);
}

/* ---- what must always hold
 * ------------------------------------------------------------------------ */

static const char *const pieces[] = { "电话",
                                      "13800138000",
                                      "138 0013 8000",
                                      "，",
                                      "。",
                                      "收件人：",
                                      "张伟",
                                      "先生",
                                      "zhang@example.com",
                                      "\u200b",
                                      "１３８００１３８０００",
                                      "身份证",
                                      "11010519491231002X",
                                      "卡号",
                                      "4111111111111111",
                                      "地址：",
                                      "浙江省杭州市",
                                      "西湖区文三路",
                                      "90号",
                                      "3幢501室",
                                      "微信",
                                      "abc_1234",
                                      "QQ",
                                      "12345678",
                                      "192.168.1.1",
                                      "token=",
                                      "AKIAIOSFODNN7EXAMPLE",
                                      "京A12345",
                                      " ",
                                      "-",
                                      "+86",
                                      "\n",
                                      "x",
                                      "0571-",
                                      "88888888",
                                      "@",
                                      "：",
                                      "护照",
                                      "E12345678",
                                      "https://a.test/?token=",
                                      "abcdef123456",
                                      "Mr. ",
                                      "John Smith",
                                      "00:1A:2B:3C:4D:5E",
                                      "元",
                                      "¥",
                                      "订单号",
                                      "\xf0\x9f\x98\x80",
                                      "端",
                                      "幺三八零零幺三八零零零",
                                      "转8001",
                                      "(",
                                      ")",
                                      "<",
                                      ">",
                                      "4111 1111 1111 1111",
                                      "91350100M000100Y43",
                                      "密码：",
                                      "Abc12345" };

/* @text with all hits hidden; FALSE: there were none. */
static gboolean
hide_once (const GString *text, const TextPiiKey *key, const TextPiiHide *hide, GString *out)
{
  gsize from = 0;

  g_string_truncate (out, 0);
  text_pii_scan (scan, (FrStr){ text->str, text->len }, TEXT_PII_MIN_SCORE);
  for (guint i = 0; i < text_pii_n_hits (scan); i++)
    {
      const TextPiiHit *h = &text_pii_hits (scan)[i];

      g_assert_cmpuint (h->start, >=, from);
      g_assert_cmpuint (h->end, >, h->start);
      g_assert_cmpuint (h->end, <=, text->len);
      g_assert_true (g_utf8_validate_len (text->str + h->start, h->end - h->start, NULL));
      g_assert_cmpuint (h->score, >=, TEXT_PII_MIN_SCORE);
      g_string_append_len (out, text->str + from, (gssize) (h->start - from));
      text_pii_append_hidden (pii, key, h->type, (FrStr){ text->str + h->start, h->end - h->start },
                              hide, out);
      from = h->end;
    }
  g_string_append_len (out, text->str + from, (gssize) (text->len - from));
  g_assert_true (g_utf8_validate_len (out->str, out->len, NULL));
  return text_pii_n_hits (scan) > 0;
}

/* Any text of these pieces: hits in order, on character borders, apart; hidden text is valid
 * UTF-8, and hiding comes to an end after a few rounds, whatever the action.  A second round
 * is for what the first uncovers: a number that touched a letter of what is a tag now. */
static void
test_properties (void)
{
  g_autoptr (TextPiiKey) key = text_pii_key_new (secret, strlen (secret));
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  g_autoptr (GString) text = g_string_new (NULL), out = g_string_new (NULL),
                      first = g_string_new (NULL);
  guint rounds = g_test_slow () ? 300000 : 20000, total = 0, again = 0;

  for (guint round = 0; round < rounds; round++)
    {
      const TextPiiAction action
          = (TextPiiAction) g_rand_int_range (rand, TEXT_PII_MASK, TEXT_PII_PSEUDONYM + 1);
      const TextPiiHide hide = { action, TEXT_PII_USUAL, TEXT_PII_USUAL, g_rand_boolean (rand), 8 };
      guint passes = 0;

      g_string_truncate (text, 0);
      for (int i = g_rand_int_range (rand, 1, 10); i > 0; i--)
        g_string_append (text, pieces[g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces))]);
      g_string_assign (first, text->str);
      while (hide_once (text, key, &hide, out))
        {
          g_string_assign (text, out->str);
          if (++passes > 4)
            {
              g_autofree char *had = found (first->str), *has = found (text->str);

              g_error ("%s\n  had %s\n  became %s\n  and has %s", first->str, had, text->str, has);
            }
        }
      total += passes > 0;
      again += passes > 1;
    }
  g_assert_cmpuint (total, >, rounds / 3);
  g_assert_cmpuint (again, <, total / 10);
}

/* U+0000 is a character like others, wherever it stands. */
static void
test_nul (void)
{
  static const char text[] = "\0电话\000"
                             "13800138000\0x@\0a.b@example.com\0京\0A12345\0路\0"
                             "1号\0密码：\0abc12345\0https://\0?token=\0";
  guint64 counts[TEXT_PII_BUILTIN] = { 0 };

  for (gsize n = 0; n < sizeof text; n++)
    if (((guchar) text[n] & 0xc0) != 0x80)
      {
        text_pii_scan (scan, (FrStr){ text, n }, TEXT_PII_MIN_SCORE);
        text_pii_residual (scan, (FrStr){ text, n }, TEXT_PII_ALL, counts);
      }
  text_pii_scan (scan, (FrStr){ text, sizeof text - 1 }, TEXT_PII_MIN_SCORE);
  g_assert_cmpuint (text_pii_n_hits (scan), ==, 2);
  g_assert_cmpuint (text_pii_hits (scan)[0].type, ==, TEXT_PII_MOBILE);
  g_assert_cmpuint (text_pii_hits (scan)[1].type, ==, TEXT_PII_EMAIL);
}

static void
test_residual (void)
{
  static const struct
  {
    const char *text;
    guint n;
  } cases[] = {
    { "13800138000", 1 },         { "138 0013 8000", 1 },        { "110105 19491231 002X", 1 },
    { "4111-1111-1111-1111", 1 }, { "a.b@example.com", 1 },      { "a@b.invalid", 0 },
    { "订单号：13800138000", 0 }, { "¥13800138000", 0 },         { "a/13800138000.jpg", 0 },
    { "12800138000", 0 },         { "<手机号> 138****8000", 0 }, { "１３８００１３８０００", 1 },
    { "1\u200b3800138000", 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint64 counts[TEXT_PII_BUILTIN] = { 0 };
      guint n = text_pii_residual (scan, str (cases[i].text), TEXT_PII_ALL, counts);

      if (n != cases[i].n)
        {
          g_test_message ("%s: %u left, not %u", cases[i].text, n, cases[i].n);
          g_test_fail ();
        }
    }
}

/* ---- the caller's types
 * ------------------------------------------------------------------------------ */

static void
test_own (void)
{
  g_autoptr (TextPii) own = text_pii_new (TEXT_PII_BIT (TEXT_PII_MOBILE));
  g_autoptr (GError) error = NULL;
  g_autoptr (TextPiiScan) s = NULL;
  int staff = text_pii_add_type (own, "staff", "员工", "STAFF", NULL),
      number = text_pii_add_type (own, "number", NULL, NULL, NULL);
  g_autoptr (GString) evil = g_string_new (NULL);

  g_assert_cmpint (staff, ==, TEXT_PII_BUILTIN);
  g_assert_true (text_pii_add_word (own, (guint) staff, "银河计划", strlen ("银河计划"), NULL));
  g_assert_true (text_pii_add_word (own, (guint) staff, "Falcon", 6, NULL));
  g_assert_cmpint (text_pii_add_type (own, "mobile", NULL, NULL, &error), ==, -1);
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  g_clear_error (&error);
#ifdef HAVE_PCRE2
  g_assert_true (text_pii_add_pattern (own, (guint) number, "EMP-([0-9]{6})", NULL));
  g_assert_true (text_pii_add_pattern (own, (guint) number, "(x+x+)+[yw]", NULL));
  g_assert_false (text_pii_add_pattern (own, (guint) number, "(a", &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  g_clear_error (&error);
  g_assert_false (text_pii_add_pattern (own, (guint) number, "a*", &error));
  g_clear_error (&error);
#endif
  g_assert_true (text_pii_ready (own, NULL));
  s = text_pii_scan_new (own);
  g_assert_true (
      text_pii_scan (s, str ("参加银河计划和FALCON，不是falcons；EMP-123456；a@b.com"), 50));
#ifdef HAVE_PCRE2
  g_assert_cmpuint (text_pii_n_hits (s), ==, 3);
  g_assert_cmpuint (text_pii_hits (s)[2].end - text_pii_hits (s)[2].start, ==, 6);
  /* A pattern that would run for ever is given up, and says so. */
  for (guint i = 0; i < 40000; i++)
    g_string_append_c (evil, 'x');
  g_assert_false (text_pii_scan (s, (FrStr){ evil->str, evil->len }, 50));
#else
  g_assert_cmpuint (text_pii_n_hits (s), ==, 2);
#endif
}

/* Of this thread, in microseconds: what others take on this machine is not counted. */
static gint64
processor_time (void)
{
  struct timespec t;

  g_assert_cmpint (clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t), ==, 0);
  return (gint64) t.tv_sec * G_USEC_PER_SEC + t.tv_nsec / 1000;
}

/* Time is linear: four times the text takes about four times as long. */
static void
test_linear (void)
{
  static const char *const evil[] = { "1",      "1 ",     "1-",       "1.",     "@",      "a@",
                                      "a.",     ":",      "张",       "收件人", "号",     "路1号",
                                      "1号",    "微信",   "https://", "a:",     "\u200b", "=",
                                      "密码：", "张先生", "((((",     "\"" };
  gint64 worst = 0;

  for (guint i = 0; i < G_N_ELEMENTS (evil); i++)
    {
      gint64 took[2];

      for (guint k = 0; k < 2; k++)
        {
          g_autoptr (GString) text = g_string_new (NULL);

          while (text->len < (k ? 800000 : 200000))
            g_string_append (text, evil[i]);
          took[k] = processor_time ();
          text_pii_scan (scan, (FrStr){ text->str, text->len }, TEXT_PII_MIN_SCORE);
          took[k] = processor_time () - took[k];
        }
      worst = MAX (worst, took[1]);
      if (g_test_verbose ())
        g_test_message ("'%s': %" G_GINT64_FORMAT " us", evil[i], took[1]);
      /* A quadratic rule would need sixteen times, and minutes. */
      if (took[1] > 12 * MAX (took[0], 20000))
        g_error ("'%s' repeated: %" G_GINT64_FORMAT " us, then %" G_GINT64_FORMAT
                 " for four times as much",
                 evil[i], took[0], took[1]);
    }
  g_test_message ("slowest: %" G_GINT64_FORMAT " us for 800 kB", worst);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  pii = text_pii_new (TEXT_PII_ALL);
  g_assert_true (text_pii_ready (pii, NULL));
  scan = text_pii_scan_new (pii);
  g_test_add_func ("/pii/rivals", test_rivals);
  g_test_add_func ("/pii/numbers", test_numbers);
  g_test_add_func ("/pii/others", test_others);
  g_test_add_func ("/pii/validator", test_validator);
  g_test_add_func ("/pii/regions", test_regions);
  g_test_add_func ("/pii/telephone-tables", test_telephone_tables);
  g_test_add_func ("/pii/hotels", test_hotels);
  g_test_add_func ("/pii/masks", test_masks);
  g_test_add_func ("/pii/pseudonyms", test_pseudonyms);
  g_test_add_func ("/pii/hash", test_hash);
  g_test_add_func ("/pii/properties", test_properties);
  g_test_add_func ("/pii/nul", test_nul);
  g_test_add_func ("/pii/residual", test_residual);
  g_test_add_func ("/pii/own", test_own);
  g_test_add_func ("/pii/linear", test_linear);
  status = g_test_run ();
  text_pii_scan_free (scan);
  text_pii_free (pii);
  return status;
}
