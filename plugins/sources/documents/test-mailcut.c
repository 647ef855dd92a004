/* SPDX-License-Identifier: Apache-2.0 */
/* test-mailcut.c: what is cut off mails, and what must stay; header fields; mailboxes. */
#include "mailcut.h"
#include "mailhead.h"
#include "mbox.h"

#include <string.h>

static void
expect (const char *text, const char *wanted)
{
  GString *out = g_string_new (NULL);
  MailCuts cuts = { 0 };

  mail_cut ((FrStr){ text, strlen (text) }, out, &cuts);
  g_assert_cmpstr (out->str, ==, wanted);
  g_string_free (out, TRUE);
}

static void
test_chinese (void)
{
  expect ("好的，明天见。\n\n发自我的iPhone", "好的，明天见。");
  expect ("同意。\n\n在 2024年5月6日，09:30，李四 <li@example.cn> 写道：\n> 请审批。\n", "同意。");
  expect ("同意。\n\n在 2024-05-06 09:30:00，\"李四\" <li@example.cn> 写道：\n\n请审批。\n谢谢\n",
          "同意。");
  expect ("见附件。\n\n-----原始邮件-----\n发件人: 李四\n收件人: 张三\n\n旧内容\n", "见附件。");
  expect ("见附件。\n\n------------------ 原始邮件 ------------------\n旧内容\n", "见附件。");
  expect ("见附件。\n\n发件人： 李四\n发送时间： 2024年5月6日 9:30\n收件人： 张三\n主题： "
          "合同\n\n旧内容\n",
          "见附件。");
  expect ("请查收。\n\n本邮件及其附件含有保密信息，仅限于发送给上面地址中列出的个人或群组。非指定收"
          "件人请立即删除邮件。\n",
          "请查收。");
  /* 保密 alone is what people write about. */
  expect ("请查收。\n\n这份材料请注意保密。", "请查收。\n\n这份材料请注意保密。");
  /* Someone who says something is no attribution. */
  expect ("老师在黑板上写道：\n认真学习\n", "老师在黑板上写道：\n认真学习");
}

static void
test_english (void)
{
  expect ("Yes.\n\nOn Mon, May 6, 2024 at 9:00 AM Bob <bob@example.com> wrote:\n> Really?\n",
          "Yes.");
  expect (
      "Yes.\n\nOn Mon, May 6, 2024 at 9:00 AM Bob\n<bob@example.com> wrote:\n\n> Really?\n\nNo.\n",
      "Yes.\n\nNo.");
  expect ("> Do you agree?\n\nI do.\n\n> And this?\n\nNot this.\n", "I do.\n\nNot this.");
  expect ("Fine.\n-- \nBob Builder\n+1 555\n", "Fine.");
  expect ("Fine.\n--\nBob\n", "Fine.");
  expect ("Fine.\n\n-----Original Message-----\nFrom: a\nTo: b\nSubject: c\n\nold\n", "Fine.");
  expect ("Fine.\n\n________________________________\nFrom: A <a@b.c>\nSent: Monday\nTo: "
          "B\nSubject: x\n\nold\n",
          "Fine.");
  expect ("Fine.\n\nSent from my iPad\n", "Fine.");
  expect ("Fine.\n\nThis e-mail is confidential and intended only for the intended recipient.\n",
          "Fine.");
  /* A forward without words of its own is what it forwards. */
  expect (
      "---------- Forwarded message ---------\nFrom: a\nDate: b\nSubject: c\nTo: d\n\nThe news.\n",
      "The news.");
  /* All quoted: better than nothing. */
  expect ("> only\n> quotes\n", "only\nquotes");
  /* One header-like line is a sentence. */
  expect ("To: everyone\n\nThe office is closed.\n", "To: everyone\n\nThe office is closed.");
  expect ("", "");
  expect ("\n\n\n", "");
}

static void
test_flowed (void)
{
  GString *out = g_string_new (NULL);
  static const char text[] = "one \ntwo\n from\n-- \nsig\n";

  mail_unflow ((FrStr){ text, sizeof text - 1 }, FALSE, out);
  g_assert_cmpstr (out->str, ==, "one two\nfrom\n-- \nsig\n");
  g_string_truncate (out, 0);
  mail_unflow ((FrStr){ "汉 \n字\n", strlen ("汉 \n字\n") }, TRUE, out);
  g_assert_cmpstr (out->str, ==, "汉字\n");
  g_string_free (out, TRUE);
}

static void
expect_header (const char *raw, gsize len, const char *wanted)
{
  guint64 replaced = 0;
  GString *text = mail_header_decode ((FrStr){ raw, len }, &replaced);

  g_assert_cmpstr (text->str, ==, wanted);
  g_string_free (text, TRUE);
}

static void
test_headers (void)
{
  static const struct
  {
    const char *raw, *wanted;
  } cases[] = { { "plain\r\n folded", "plain folded" },
                { "=?utf-8?Q?caf=C3=A9_bar?=", "café bar" },
                { "=?utf-8?B?5Lit?= =?utf-8?B?5paH?=", "中文" },
                /* one character over two words */
                { "=?gb2312?B?1g==?= =?gb2312?B?0A==?=", "中" },
                { "=?GB2312?Q?=86=B4?=", "喆" },
                { "a =?utf-8*en?Q?b?= c", "a b c" },
                { "=?utf-8?X?no?=", "=?utf-8?X?no?=" },
                { "=?utf-8?B?5Lit", "=?utf-8?B?5Lit" },
                { "a = b =?", "a = b =?" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    expect_header (cases[i].raw, strlen (cases[i].raw), cases[i].wanted);
  /* GBK without any encoding */
  expect_header ("\xba\xcf\xcd\xac\xb5\xc4\xbb\xd8\xb8\xb4", 10, "合同的回复");
}

static void
test_names (void)
{
  static const char *const cases[][2]
      = { { "张三 <z@a.cn>", "张三" },      { "\"Doe, John\" <j@a.com>", "Doe, John" },
          { "<only@a.com>", "only@a.com" }, { "bare@a.com", "bare@a.com" },
          { "A <a@b>, B <b@c>", "A" },      { "", "" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      GString *name = mail_name ((FrStr){ cases[i][0], strlen (cases[i][0]) });

      g_assert_cmpstr (name->str, ==, cases[i][1]);
      g_string_free (name, TRUE);
    }
}

typedef struct
{
  const char *text;
  gsize step;
} Slow;

static gssize
read_slowly (gpointer data, char *to, gsize len)
{
  Slow *slow = data;
  gsize n = MIN (MIN (slow->step, len), strlen (slow->text));

  memcpy (to, slow->text, n);
  slow->text += n;
  return (gssize) n;
}

static void
test_mbox (void)
{
  static const char box[]
      = "From a@b Mon May  6 10:00:00 2024\nSubject: 1\n\nbody\n>From x\n>>From y\n\n"
        "From here no date\n\nFrom c@d Tue May  7 10:00:00 2024 +0800\nSubject: 2\n\nend";

  for (gsize step = 1; step < 200; step += 13)
    {
      Slow slow = { box, step };
      g_autoptr (Mbox) mbox = mbox_new (read_slowly, &slow, 1000);
      const char *data;
      gsize len;
      gboolean too_long, failed;
      g_autofree char *first = NULL, *second = NULL;

      g_assert_true (mbox_next (mbox, &data, &len, &too_long, &failed));
      first = g_strndup (data, len);
      g_assert_cmpstr (first, ==, "Subject: 1\n\nbody\nFrom x\n>From y\n\nFrom here no date\n\n");
      g_assert_true (mbox_next (mbox, &data, &len, &too_long, &failed));
      second = g_strndup (data, len);
      g_assert_cmpstr (second, ==, "Subject: 2\n\nend");
      g_assert_false (mbox_next (mbox, &data, &len, &too_long, &failed));
    }
}

static void
test_mbox_limit (void)
{
  Slow slow = { "From a@b Mon May  6 10:00:00 2024\n0123456789\n0123456789\n", 7 };
  g_autoptr (Mbox) mbox = mbox_new (read_slowly, &slow, 15);
  const char *data;
  gsize len;
  gboolean too_long, failed;

  g_assert_true (mbox_next (mbox, &data, &len, &too_long, &failed));
  g_assert_true (too_long);
  g_assert_cmpuint (len, ==, 15);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/documents/mail/chinese", test_chinese);
  g_test_add_func ("/documents/mail/english", test_english);
  g_test_add_func ("/documents/mail/flowed", test_flowed);
  g_test_add_func ("/documents/mail/headers", test_headers);
  g_test_add_func ("/documents/mail/names", test_names);
  g_test_add_func ("/documents/mail/mbox", test_mbox);
  g_test_add_func ("/documents/mail/mbox-limit", test_mbox_limit);
  return g_test_run ();
}
