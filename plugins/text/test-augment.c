/* SPDX-License-Identifier: Apache-2.0 */
/* test-augment.c: what augmenters leave alone, and what they check. */
#include "config.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "text/augment.h"

static FrStr
str (const char *text)
{
  return (FrStr){ text, strlen (text) };
}

static TextKeeper *
keeper (void)
{
  static const char *const terms[] = { "小米", "Dyson", "戴森 V12", " ", NULL };
  g_autoptr (GError) error = NULL;
  TextKeeper *k = text_keeper_new (terms, NULL, &error);

  g_assert_no_error (error);
  return k;
}

/* "kind:piece|kind:piece" */
static char *
shown (const TextKeeper *k, const char *text, const char *brand)
{
  g_autoptr (GArray) keeps = g_array_new (FALSE, FALSE, sizeof (TextKeep));
  GString *out = g_string_new (NULL);
  FrStr more = brand != NULL ? str (brand) : (FrStr){ NULL, 0 };
  gsize end = 0;

  text_keeper_find (k, str (text), &more, brand != NULL, keeps);
  for (guint i = 0; i < keeps->len; i++)
    {
      const TextKeep *keep = &g_array_index (keeps, TextKeep, i);

      g_assert_cmpuint (keep->offset, >=, end);
      end = keep->offset + keep->len;
      g_assert_cmpuint (end, <=, strlen (text));
      g_string_append_printf (out, "%s%s:%.*s", i ? "|" : "", text_keep_name (keep->kind),
                              (int) keep->len, text + keep->offset);
    }
  return g_string_free (out, FALSE);
}

static void
test_find (void)
{
  static const struct
  {
    const char *text, *want;
  } cases[] = {
    { "", "" },
    { "这款杯子很好看", "" },
    { "{name}您好，{{ order.id }}已发货${x}%(day)s",
      "placeholder:{name}|placeholder:{{ order.id }}|placeholder:${x}|placeholder:%(day)s" },
    { "请联系<手机号>或<PHONE_1>，[姓名]收",
      "placeholder:<手机号>|placeholder:<PHONE_1>|placeholder:[姓名]" },
    { "a < b > c [见下文的说明文字很长]", "" },
    { "见https://shop.cn/a?b=1。或 www.shop.cn, me@shop.cn",
      "url:https://shop.cn/a?b=1|url:www.shop.cn|url:me@shop.cn" },
    { "小米手机和ＤＹＳＯＮ吹风机", "term:小米|term:ＤＹＳＯＮ" },
    { "Dysonic dyson", "term:dyson" },
    { "戴森 v12轻量", "term:戴森 v12" },
    { "仅售¥199.00，原价299元，打8.5折，满300减40",
      "price:¥199.00|price:299元|price:8.5折|number:300|number:40" },
    { "2024年5月1日至2024-05-02 12:30",
      "date:2024年|date:5月|date:1日|date:2024-05-02|date:12:30" },
    { "双11大促，第3代", "date:双11|number:第3代" },
    { "容量500ml、1,000 克、三斤、100%棉", "number:500ml|number:1,000 克|number:三斤|number:100%" },
    { "iPhone 15和A4纸，5G网络，XPS-13", "number:iPhone 15|number:A4|number:5G|number:XPS-13" },
    { "十分好看，一些，万一，一起", "" },
    { "不会褪色，没有异味，不错，特别好", "negation:不|negation:没有" },
    { "It doesn't fade, not only nice", "negation:doesn't" },
    { "notable annotation", "" },
    { "138****5678", "number:138****5678" },
  };
  g_autoptr (TextKeeper) k = keeper ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *got = shown (k, cases[i].text, NULL);

      g_assert_cmpstr (got, ==, cases[i].want);
    }
  {
    g_autofree char *got = shown (k, "华为Mate好", "华为mate");

    g_assert_cmpstr (got, ==, "term:华为Mate");
  }
}

static void
test_judge (void)
{
  static const struct
  {
    const char *parent, *child;
    TextKeepKind want;
    const char *lost;
  } cases[] = {
    { "好看的杯子", "漂亮的杯子", TEXT_KEEP_N, NULL },
    { "{name}好", "{nam}好", TEXT_KEEP_PLACEHOLDER, "{name}" },
    { "好", "<PHONE>好", TEXT_KEEP_PLACEHOLDER, "<PHONE>" },
    { "见www.shop.cn/a", "见www.shop.cn/b", TEXT_KEEP_URL, "www.shop.cn/a" },
    { "小米手机", "大米手机", TEXT_KEEP_TERM, "小米" },
    { "小米手机，小米好", "小米手机好", TEXT_KEEP_TERM, "小米" },
    { "DYSON吹风机", "dyson 吹风机", TEXT_KEEP_N, NULL },
    { "重1,000克", "重1000 g", TEXT_KEEP_N, NULL },
    { "重1,000克", "一千克重", TEXT_KEEP_N, NULL },
    { "1.5万人", "15000 people", TEXT_KEEP_N, NULL },
    { "一万五千人", "15000人", TEXT_KEEP_N, NULL },
    { "三百二十件", "320件", TEXT_KEEP_N, NULL },
    { "二〇二四年", "2024年", TEXT_KEEP_N, NULL },
    { "百分之五十", "50%", TEXT_KEEP_N, NULL },
    { "2024年5月1日", "2024-05-01", TEXT_KEEP_N, NULL },
    { "两件", "two pieces", TEXT_KEEP_N, NULL },
    { "两件", "three pieces", TEXT_KEEP_NUMBER, "两" },
    { "一个好杯子", "a good cup", TEXT_KEEP_N, NULL },
    { "¥199", "199元", TEXT_KEEP_N, NULL },
    { "¥199", "¥198", TEXT_KEEP_NUMBER, "199" },
    { "便宜", "便宜3元", TEXT_KEEP_NUMBER, "3" },
    { "5元和5元", "5元", TEXT_KEEP_NUMBER, "5" },
    { "iPhone15好", "iPhone 15 is good", TEXT_KEEP_N, NULL },
    { "用A4纸", "用纸", TEXT_KEEP_NUMBER, "A4" },
    { "不会褪色", "会褪色", TEXT_KEEP_NEGATION, "不" },
    { "很好", "不坏", TEXT_KEEP_NEGATION, "不" },
    { "不会褪色", "never fades", TEXT_KEEP_N, NULL },
    { "不错", "good", TEXT_KEEP_N, NULL },
    { "", "", TEXT_KEEP_N, NULL },
  };
  g_autoptr (TextKeeper) k = keeper ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      FrStr lost = { NULL, 0 };
      TextKeepKind got
          = text_keeper_judge (k, str (cases[i].parent), str (cases[i].child), NULL, 0, &lost);
      g_autofree char *text = lost.data != NULL ? g_strndup (lost.data, lost.len) : NULL;

      g_test_message ("%s / %s", cases[i].parent, cases[i].child);
      g_assert_cmpint (got, ==, cases[i].want);
      g_assert_cmpstr (text, ==, cases[i].lost);
    }
}

static void
test_lists (void)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "flowrun-terms-XXXXXX", NULL);
  int fd = g_mkstemp (path);
  g_autoptr (GError) error = NULL;
  g_autoptr (TextKeeper) none = NULL, good = NULL, bad = NULL;
  g_autofree char *got = NULL;

  g_assert_cmpint (fd, >=, 0);
  close (fd);
  g_assert_true (g_file_set_contents (path, "\xef\xbb\xbf# brands\n\n 华为 \r\nMi 10\n", -1, NULL));
  good = text_keeper_new (NULL, path, &error);
  g_assert_no_error (error);
  got = shown (good, "华为和mi 10", NULL);
  g_assert_cmpstr (got, ==, "term:华为|term:mi 10");
  g_assert_true (g_file_set_contents (path, "华为\n\xff\xfe\n", -1, NULL));
  bad = text_keeper_new (NULL, path, &error);
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, ":2: a term must be UTF-8"));
  g_clear_error (&error);
  g_unlink (path);
  none = text_keeper_new (NULL, path, &error);
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
}

static void
test_seen (void)
{
  g_autoptr (TextSeen) seen = text_seen_new ();

  g_assert_true (text_seen_add (seen, FR_STR ("很好, OK")));
  g_assert_false (text_seen_add (seen, FR_STR ("很好，ｏｋ！")));
  g_assert_true (text_seen_add (seen, FR_STR ("很好")));
  g_assert_true (text_seen_add (seen, FR_STR ("")));
  g_assert_false (text_seen_add (seen, FR_STR ("。")));
  text_seen_clear (seen);
  g_assert_true (text_seen_add (seen, FR_STR ("很好")));
}

static void
test_schema (void)
{
  g_autoptr (FrSchema) plain = fr_schema_new_simple ("text", FR_TYPE_UTF8, NULL);
  g_autoptr (FrSchema) mine
      = fr_schema_new_simple ("text", FR_TYPE_UTF8, "parent", FR_TYPE_INT64, NULL);
  g_autoptr (FrSchema) number = fr_schema_new_simple ("cluster", FR_TYPE_INT64, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (FrSchema) first = text_family_schema (plain, &error);
  g_autoptr (FrSchema) second = text_family_schema (first, &error);
  g_autofree char *is = fr_schema_describe (first);

  g_assert_no_error (error);
  g_assert_cmpstr (is, ==, "text: utf8, cluster: utf8, parent: utf8, variant: int32");
  g_assert_true (fr_schema_equal (first, second));
  g_assert_null (text_family_schema (mine, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  g_clear_error (&error);
  g_assert_null (text_family_schema (number, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/augment/find", test_find);
  g_test_add_func ("/augment/judge", test_judge);
  g_test_add_func ("/augment/lists", test_lists);
  g_test_add_func ("/augment/seen", test_seen);
  g_test_add_func ("/augment/schema", test_schema);
  return g_test_run ();
}
