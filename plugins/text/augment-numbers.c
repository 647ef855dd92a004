/* SPDX-License-Identifier: Apache-2.0 */
/* augment-numbers.c: numbers in running text, with what belongs to them: units, prices, dates.
 *
 * Made to protect and to compare, not to understand: what is taken for a number and is none is only
 * left alone, and a number is the same number in any script.  A Chinese numeral counts when a unit
 * follows or when it has two characters or more; 十分, 一些 and their like are words.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "text/augment-private.h"
#include "text/chars.h"

gunichar
text_fold_char (gunichar c)
{
  if (c < 0x80)
    return (guchar) g_ascii_tolower ((char) c);
  if (c >= 0xff01 && c <= 0xff5e)
    return (guchar) g_ascii_tolower ((char) (c - 0xfee0));
  if (c == 0x3000)
    return ' ';
  return g_unichar_tolower (c);
}

#define MAX_NAME 128 /* bytes */

/* ---- reading ------------------------------------------------------------------------------------
 */

typedef struct
{
  FrStr text;
  gsize at;
} Cursor;

/* The folded character at the cursor; 0 at the end. */
static gunichar
peek (const Cursor *c, gsize *after)
{
  const char *p = c->text.data + c->at;
  gunichar ch;

  if (c->at >= c->text.len)
    return 0;
  ch = text_fold_char (text_next_char (&p));
  if (after != NULL)
    *after = (gsize) (p - c->text.data);
  return ch;
}

static gboolean
is_digit (gunichar c)
{
  return c >= '0' && c <= '9';
}

static gboolean
is_latin (gunichar c)
{
  return (c >= 'a' && c <= 'z') || (c >= 0xdf && c < 0x250);
}

/* Moves past @word (folded, ASCII or Chinese) if it stands here; a word that ends in a letter must
 * end there. */
static gboolean
skip_word (Cursor *c, const char *word)
{
  Cursor probe = *c;
  gsize after = c->at;
  const char *p = word;
  gunichar last = 0;

  while (*p != '\0')
    {
      last = text_next_char (&p);
      if (peek (&probe, &after) != last)
        return FALSE;
      probe.at = after;
    }
  if (is_latin (last) && is_latin (peek (&probe, NULL)))
    return FALSE;
  *c = probe;
  return TRUE;
}

static const char *
skip_any (Cursor *c, const char *const *words)
{
  for (guint i = 0; words[i] != NULL; i++)
    if (skip_word (c, words[i]))
      return words[i];
  return NULL;
}

/* ---- words around numbers: longer ones first
 * ------------------------------------------------------ */

static const char *const money_after[]
    = { "元钱", "块钱",    "人民币", "美元", "欧元", "日元", "港币", "港元", "英镑",
        "元",   "块",      "毛",     "角钱", "折",   "rmb",  "cny",  "usd",  "eur",
        "yuan", "dollars", "dollar", "¥",    "￥",   "$",    "€",    NULL };
static const char *const money_before[]
    = { "rmb", "cny", "usd", "us$", "¥", "￥", "$", "€", "£", NULL };
static const char *const dates[]
    = { "年代", "年份", "年", "月份", "月", "日", "号", "点钟", "点", "时", "世纪", "周年", NULL };
static const char *const units[]
    = { "平方米", "立方米", "平方",  "毫升",   "毫米",   "厘米", "千米", "公里",   "公斤", "千克",
        "公分",   "小时",   "分钟",  "秒钟",   "个月",   "星期", "周岁", "英寸",   "英尺", "盎司",
        "像素",   "万像素", "瓦特",  "毫安时", "毫安",   "伏特", "斤",   "克",     "吨",   "升",
        "米",     "寸",     "尺",    "个",     "件",     "只",   "条",   "台",     "部",   "款",
        "种",     "次",     "位",    "名",     "人",     "天",   "周",   "岁",     "页",   "本",
        "册",     "张",     "片",    "块",     "盒",     "箱",   "包",   "袋",     "瓶",   "罐",
        "桶",     "支",     "枝",    "把",     "双",     "对",   "套",   "组",     "层",   "楼",
        "级",     "度",     "倍",    "成",     "分",     "秒",   "步",   "代",     "项",   "家",
        "间",     "辆",     "头",    "匹",     "朵",     "颗",   "粒",   "滴",     "杯",   "碗",
        "盘",     "份",     "批",    "码",     "寸",     "亩",   "届",   "集",     "章",   "期",
        "kg",     "g",      "mg",    "km",     "cm",     "mm",   "ml",   "l",      "m",    "gb",
        "mb",     "tb",     "kb",    "mah",    "ghz",    "mhz",  "hz",   "kw",     "w",    "v",
        "pcs",    "px",     "dpi",   "fps",    "oz",     "lb",   "inch", "inches", "days", "day",
        "hours",  "hour",   "years", "year",   "pieces", "%",    "‰",    "℃",      "°c",   "°",
        "㎡",     "㎏",     "㎝",    "㎜",     NULL };
/* Words that begin like a number and are none. */
static const char *const no_numbers[]
    = { "十分", "一些",   "一样",   "一起", "一定", "一直", "一般", "一切", "一旦", "一边",
        "一向", "一再",   "一致",   "一律", "一同", "一概", "一流", "一点", "一下", "一会",
        "一生", "一旁",   "一时",   "一面", "万一", "万分", "千万", "百般", "百姓", "四处",
        "四周", "三明治", "七夕",   "五金", "九牛", "八卦", "两者", "零食", "零售", "零件",
        "零钱", "零距离", "百分百", "万能", "千奇", "亿万", "双方", NULL };

static gboolean
after_blank (Cursor *c, const char *const *words, gboolean blank)
{
  Cursor probe = *c;
  gsize after;

  if (skip_any (&probe, words) == NULL)
    {
      if (!blank || peek (&probe, &after) != ' ')
        return FALSE;
      probe.at = after;
      if (skip_any (&probe, words) == NULL)
        return FALSE;
    }
  *c = probe;
  return TRUE;
}

/* ---- one number
 * ------------------------------------------------------------------------------------ */

static double
big_unit (gunichar c)
{
  return c == 0x5341 /* 十 */   ? 10
         : c == 0x767e /* 百 */ ? 100
         : c == 0x5343 /* 千 */ ? 1000
         : c == 0x4e07 /* 万 */ ? 1e4
         : c == 0x4ebf /* 亿 */ ? 1e8
                                : 0;
}

static int
chinese_digit (gunichar c)
{
  static const gunichar digits[]
      = { 0x96f6, 0x4e00, 0x4e8c, 0x4e09, 0x56db, 0x4e94, 0x516d, 0x4e03, 0x516b, 0x4e5d };

  if (c == 0x3007) /* 〇 */
    return 0;
  if (c == 0x4e24) /* 两 */
    return 2;
  for (int i = 0; i < 10; i++)
    if (digits[i] == c)
      return i;
  return -1;
}

/* Digits, with commas between thousands and a decimal point, and 百千万亿 after them. */
static gboolean
read_arabic (Cursor *c, double *value)
{
  gsize after, start = c->at;
  double scale = 0;
  guint n = 0;

  *value = 0;
  for (;;)
    {
      gunichar ch = peek (c, &after);
      Cursor next = { c->text, after };

      if (is_digit (ch))
        {
          if (scale > 0)
            {
              *value += (ch - '0') * scale;
              scale /= 10;
            }
          else
            *value = *value * 10 + (ch - '0');
          n++;
          c->at = after;
          continue;
        }
      if (n == 0)
        return FALSE;
      if (ch == '.' && scale == 0 && is_digit (peek (&next, NULL)))
        {
          scale = 0.1;
          c->at = after;
          continue;
        }
      if (ch == ',' && scale == 0 && is_digit (peek (&next, NULL)))
        {
          Cursor probe = next;
          guint k = 0;

          while (k < 4 && is_digit (peek (&probe, &after)))
            {
              probe.at = after;
              k++;
            }
          if (k == 3)
            {
              c->at = next.at;
              continue;
            }
        }
      break;
    }
  /* A tail of many places is exact enough for the comparison, which is relative. */
  while (c->at > start && big_unit (peek (c, &after)) > 0)
    {
      *value *= big_unit (peek (c, NULL));
      c->at = after;
    }
  return TRUE;
}

/* 三百二十, 二〇二四, 一千零五万, 三点五; @n: characters. */
static gboolean
read_chinese (Cursor *c, double *value, guint *n)
{
  double total = 0, section = 0, digit = -1, plain = 0, scale = 0;
  gboolean big = FALSE;
  gsize after;

  *n = 0;
  for (;; (*n)++)
    {
      gunichar ch = peek (c, &after);
      int d = chinese_digit (ch);
      double u = big_unit (ch);

      if (d >= 0 && scale > 0)
        {
          plain += d * scale;
          scale /= 10;
        }
      else if (d >= 0)
        {
          plain = plain * 10 + d;
          digit = d;
        }
      else if (u >= 1e4 && *n > 0 && scale == 0)
        {
          total = (total + section + MAX (digit, 0)) * u;
          if (section + MAX (digit, 0) == 0 && total == 0)
            break;
          section = 0;
          digit = -1;
          big = TRUE;
        }
      else if (u > 0 && u < 1e4 && scale == 0)
        {
          section += (digit > 0 ? digit : 1) * u;
          digit = -1;
          big = TRUE;
        }
      else if (ch == 0x70b9 /* 点 */ && *n > 0 && !big && scale == 0)
        {
          Cursor next = { c->text, after };

          if (chinese_digit (peek (&next, NULL)) < 0)
            break;
          scale = 0.1;
        }
      else
        break;
      c->at = after;
    }
  *value = big ? total + section + MAX (digit, 0) : plain;
  return *n > 0;
}

static void
add (GArray *numbers, double value, gsize offset, gsize end, gboolean strong, gboolean arabic)
{
  TextNumber number = { value, offset, end - offset, strong, arabic };

  if (numbers != NULL)
    g_array_append_val (numbers, number);
}

/* Digits inside a word of letters (A4, 3.14.15, 138****5678): weak, for they belong to a name. */
static void
add_digits (FrStr text, gsize from, gsize to, GArray *numbers)
{
  Cursor c = { { text.data, to }, from };
  gsize after, start;
  double value;

  while (c.at < to)
    {
      if (!is_digit (peek (&c, &after)))
        {
          c.at = after;
          continue;
        }
      start = c.at;
      for (value = 0; is_digit (peek (&c, &after)); c.at = after)
        value = value * 10 + (peek (&c, NULL) - '0');
      add (numbers, value, start, c.at, FALSE, TRUE);
    }
}

/* The end of a word of letters and digits with -, ., _, /, * between or after them. */
static gsize
word_end (FrStr text, gsize at, gboolean *digits, gboolean *letters, gboolean *upper)
{
  Cursor c = { text, at };
  gsize end = at, after;

  *digits = *letters = *upper = FALSE;
  /* No name is longer, and no text may take time without end. */
  while (c.at < text.len && c.at - at < MAX_NAME)
    {
      gunichar ch = peek (&c, &after);

      if (is_digit (ch) || is_latin (ch))
        {
          *digits |= is_digit (ch);
          *letters |= is_latin (ch);
          *upper |= g_ascii_isupper (text.data[c.at]) != 0;
          end = after;
        }
      else if (ch == '*')
        end = after;
      else if (ch != '-' && ch != '.' && ch != '_')
        break;
      else if (c.at != end) /* two in a row */
        break;
      c.at = after;
    }
  return end;
}

/* ---- what begins here
 * -------------------------------------------------------------------------------- */

/* "2024-05-01", "2024/5/1", "12:30", "12:30:05": @end after it. */
static gboolean
read_clock (FrStr text, gsize at, gsize *end, GArray *numbers)
{
  Cursor c = { text, at };
  gunichar mark = 0;
  gsize after, starts[4], ends[4];
  double values[4];
  guint n = 0;

  while (n < 4)
    {
      guint k = 0;

      starts[n] = c.at;
      for (values[n] = 0; k < 5 && is_digit (peek (&c, &after)); k++, c.at = after)
        values[n] = values[n] * 10 + (peek (&c, NULL) - '0');
      if (k == 0 || k > 4)
        return FALSE;
      ends[n++] = c.at;
      if (mark == 0)
        mark = peek (&c, &after);
      if (peek (&c, &after) != mark || (mark != '-' && mark != '/' && mark != ':' && mark != '.'))
        break;
      c.at = after;
      if (!is_digit (peek (&c, NULL)))
        return FALSE;
    }
  if (n < 2 || (n < 3 && mark != ':') || (mark == '.' && values[0] < 1900)
      || (mark != ':' && (values[0] > 2999 || values[1] > 12 || values[2] > 31))
      || is_latin (peek (&c, NULL)))
    return FALSE;
  for (guint i = 0; i < n; i++)
    add (numbers, values[i], starts[i], ends[i], TRUE, TRUE);
  *end = c.at;
  return TRUE;
}

/* A number and its unit. */
static gsize
read_amount (FrStr text, gsize at, TextKeepKind *kind, GArray *numbers, gboolean ordinal)
{
  Cursor c = { text, at };
  double value;
  gsize start = at, end;
  guint n = 0;
  gboolean arabic = is_digit (peek (&c, NULL)), unit = TRUE;

  for (guint i = 0; !arabic && !ordinal && no_numbers[i] != NULL; i++)
    {
      Cursor probe = c;

      if (skip_word (&probe, no_numbers[i]))
        return 0;
    }
  if (arabic ? !read_arabic (&c, &value) : !read_chinese (&c, &value, &n))
    return 0;
  end = c.at;
  *kind = TEXT_KEEP_NUMBER;
  if (after_blank (&c, money_after, arabic))
    *kind = TEXT_KEEP_PRICE;
  else if (after_blank (&c, dates, FALSE))
    *kind = TEXT_KEEP_DATE;
  else
    unit = after_blank (&c, units, arabic);
  if (!arabic && !unit && n < 2 && !ordinal)
    return 0;
  add (numbers, value, start, end, arabic || ordinal || (value >= 2 && (unit || n > 1)), arabic);
  return c.at - at;
}

gsize
text_number_at (FrStr text, gsize at, TextKeepKind *kind, GArray *numbers)
{
  Cursor c = { text, at };
  gsize after, end, used;
  gunichar first = peek (&c, &after);
  gboolean digits, letters, upper;

  *kind = TEXT_KEEP_NUMBER;
  /* Most characters begin nothing. */
  if (!is_digit (first) && !is_latin (first) && chinese_digit (first) < 0 && big_unit (first) == 0
      && first != 0x7b2c && first != 0x53cc && first != 0x767e && first != 0xa5 && first != 0xffe5
      && first != '$' && first != 0x20ac && first != 0xa3)
    return 0;
  if (is_digit (first) && read_clock (text, at, &end, numbers))
    {
      *kind = TEXT_KEEP_DATE;
      return end - at;
    }
  if (skip_any (&c, money_before) != NULL)
    {
      gsize start = c.at;
      double value;

      if (peek (&c, &after) == ' ')
        c.at = start = after;
      if (read_arabic (&c, &value))
        {
          *kind = TEXT_KEEP_PRICE;
          add (numbers, value, start, c.at, TRUE, TRUE);
          after_blank (&c, money_after, FALSE);
          return c.at - at;
        }
      c.at = at;
    }
  if (is_latin (first))
    {
      end = word_end (text, at, &digits, &letters, &upper);
      if (digits)
        {
          add_digits (text, at, end, numbers);
          return end - at;
        }
      /* "iPhone 15": a name and its number. */
      c.at = end;
      if (upper && peek (&c, &after) == ' ')
        {
          c.at = after;
          if (is_digit (peek (&c, NULL)))
            {
              end = word_end (text, after, &digits, &letters, &upper);
              add_digits (text, after, end, numbers);
              return end - at;
            }
        }
      return 0;
    }
  if (first == 0x7b2c /* 第 */ && skip_word (&c, "第"))
    {
      used = read_amount (text, c.at, kind, numbers, TRUE);
      return used > 0 ? c.at - at + used : 0;
    }
  if (first == 0x53cc /* 双 */ && (skip_word (&c, "双11") || skip_word (&c, "双12")))
    {
      *kind = TEXT_KEEP_DATE;
      add_digits (text, at, c.at, numbers);
      return c.at - at;
    }
  if (skip_word (&c, "双十一") || skip_word (&c, "双十二"))
    {
      *kind = TEXT_KEEP_DATE;
      return c.at - at;
    }
  if (skip_word (&c, "百分之"))
    {
      used = read_amount (text, c.at, kind, numbers, TRUE);
      return used > 0 ? c.at - at + used : 0;
    }
  if (is_digit (first))
    {
      guint before = numbers != NULL ? numbers->len : 0;

      used = read_amount (text, at, kind, numbers, FALSE);
      c.at = at + used;
      /* Letters that are no unit: 5G, 3D, 4K, 3.1.4. */
      end = word_end (text, at, &digits, &letters, &upper);
      if (end > at + used)
        {
          if (numbers != NULL)
            g_array_set_size (numbers, before);
          add_digits (text, at, end, numbers);
          *kind = TEXT_KEEP_NUMBER;
          return end - at;
        }
      return used;
    }
  return read_amount (text, at, kind, numbers, FALSE);
}
