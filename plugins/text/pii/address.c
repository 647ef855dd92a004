/* SPDX-License-Identifier: Apache-2.0 */
/* address.c: postal addresses down to a door.
 *
 * The nucleus of a Chinese address is a number between what names a place and
 * what counts doors: 文三路 90 号, 小区 3 栋.  From it the address goes left over
 * place names to the province or to a word that cannot be in one, and right over
 * further numbers and buildings.  Points are given for a region, a label, a road
 * with a number, a second number; a lone "2号楼" or "3楼" has too few.  Behind an
 * address label, a region with a road is enough.  English: "12 Main Street".
 */
#include "config.h"

#include <string.h>
#include <wchar.h>

#include "text/pii/pii-private.h"

#define MOST_LEFT 48
#define MOST_RIGHT 60

static gboolean
is_han (const Scan *scan, gssize i)
{
  return (pii_cls (scan, i) & C_HAN) != 0;
}

static gboolean
one_of (guint32 c, const wchar_t *set)
{
  for (; *set != 0; set++)
    if ((guint32) *set == c)
      return TRUE;
  return FALSE;
}

/* What names of places end in. */
static const wchar_t place_tails[]
    = L"路街道巷弄里村园区城苑庄寓厦场楼座栋幢号元层同镇乡组院府湾坊屯营庭墅居邸馆段桥门社队舍心期";
/* What roads end in, beside 大道 and 胡同. */
static const wchar_t road_tails[] = L"路街巷弄";
/* What stands before another place name, with or without a blank. */
static const wchar_t region_tails[] = L"省市区县旗州盟镇乡村道路街";
/* What counts doors. */
static const wchar_t counters[] = L"号弄栋幢座室单楼层组巷户门院房";
/* Of them those inside an estate. */
static const wchar_t inner[] = L"栋幢座室单楼";
/* What is in no place name. */
static const wchar_t stops[] = L"在到是址的寄往了我你他她们请去从离搬把给您这那某每各向对第共有";
/* What makes 号 something else: 2号线, 3号文件. */
static const wchar_t not_after[] = L"线文公告令机色字码船电汽夹口窗桌会";

/* ---- to the right ------------------------------------------------------------ */

/* A counter at @p: "号", "号楼", "单元", "室"; 0: none. */
static gsize
counter_at (const Scan *scan, gsize p)
{
  guint32 c = pii_at (scan, (gssize) p), d = pii_at (scan, (gssize) p + 1);

  if (c == '#')
    return 1;
  if (!one_of (c, counters))
    return 0;
  if (c == L'号')
    {
      if (d == L'楼' || d == L'院' || d == L'门' || d == L'弄' || d == L'房')
        return 2;
      return one_of (d, not_after) ? 0 : 1;
    }
  if (c == L'单')
    return d == L'元' ? 2 : 0;
  if (c == L'房' && d == L'间')
    return 2;
  return 1;
}

/* A number: digits or numerals, letters and hyphens in it; 0: none. */
static gsize
number_at (const Scan *scan, gsize p)
{
  gsize i = p, digits = 0;

  while (i - p < 12)
    {
      guint8 c = pii_cls (scan, (gssize) i);

      if (c & (C_DIGIT | C_CNNUM))
        digits++;
      else if (!(c & C_ALPHA && i - p < 3) && !(pii_at (scan, (gssize) i) == '-' && i > p))
        break;
      i++;
    }
  while (i > p && scan->ch[i - 1] == '-')
    i--;
  return digits > 0 || (i > p && i - p <= 2) ? i - p : 0;
}

/* A building's or village's name from @p that ends in what buildings end in; 0: none. */
static gsize
building_at (const Scan *scan, gsize p)
{
  /* 区园厦场寓苑城心舍府庭楼村馆院店厂 */
  static const wchar_t tails[] = L"区园厦场寓苑城心舍府庭楼村馆院厢厂";
  gsize best = 0;

  for (gsize i = p; i - p < 14 && is_han (scan, (gssize) i); i++)
    {
      if (one_of (scan->ch[i], stops))
        break;
      if (i - p >= 2 && one_of (scan->ch[i], tails))
        best = i + 1 - p;
    }
  return best;
}

/* On from @p; @numbers counts further numbers. */
static gsize
go_right (const Scan *scan, gsize p, guint *numbers, gboolean *inside)
{
  gsize from = p;

  while (p < scan->n && p - from < MOST_RIGHT)
    {
      gsize n, at = p;

      /* "90号 3幢", "90号，3幢" is two things; a blank is none. */
      if (pii_cls (scan, (gssize) at) & C_SPACE || pii_at (scan, (gssize) at) == '-'
          || pii_at (scan, (gssize) at) == '(')
        at++;
      n = number_at (scan, at);
      if (n > 0)
        {
          gsize c = counter_at (scan, at + n);

          if (c > 0)
            {
              *inside |= one_of (scan->ch[at + n], inner) || c == 2;
              ++*numbers;
              p = at + n + c;
              continue;
            }
          /* "3栋501": the room without its word. */
          if (*inside && n >= 2 && n <= 5 && at == p
              && !(pii_cls (scan, (gssize) (at + n)) & C_ALNUM)
              && pii_cls (scan, (gssize) at) & C_DIGIT && !is_han (scan, (gssize) (at + n)))
            {
              ++*numbers;
              p = at + n;
            }
          return p;
        }
      n = building_at (scan, at);
      if (n == 0)
        return p;
      /* A building goes with the address only when a number or an end follows. */
      if (number_at (scan, at + n) == 0 && is_han (scan, (gssize) (at + n)))
        return p;
      p = at + n;
    }
  return p;
}

/* ---- to the left ------------------------------------------------------------- */

/* As far left of @s as place names could reach. */
static gsize
go_left (const Scan *scan, gsize s)
{
  gsize i = s;

  while (i > 0 && s - i < MOST_LEFT)
    {
      guint32 c = scan->ch[i - 1];

      if (scan->cls[i - 1] & C_HAN)
        {
          if (one_of (c, stops))
            break;
          /* 于 of 位于, 坐落于; 住 of 住在, not of 住宅 */
          if (c == L'于' && i > 1
              && (scan->ch[i - 2] == L'位' || scan->ch[i - 2] == L'落' || scan->ch[i - 2] == L'住'))
            break;
          if (c == L'住' && scan->ch[i] != L'宅' && scan->ch[i] != L'房' && scan->ch[i] != L'院')
            break;
        }
      else if (scan->cls[i - 1] & C_SPACE)
        {
          if (i < 2 || !one_of (scan->ch[i - 2], region_tails))
            break;
        }
      else if (!(scan->cls[i - 1] & C_ALNUM) && c != '-' && c != '#')
        break;
      i--;
    }
  while (i < s && scan->cls[i] & C_SPACE)
    i++;
  return i;
}

/* Without a region to begin with: the last place name, and those directly before it. */
static gsize
last_names (const Scan *scan, gsize lo, gsize s)
{
  gsize end = s, start = s;

  while (end > lo)
    {
      gsize most = 4;

      start = end;
      /* 大道 小区 广场 花园 公寓 大厦 新村 胡同: two characters of tail */
      if (end >= lo + 2
          && (scan->ch[end - 2] == L'大' || scan->ch[end - 2] == L'小' || scan->ch[end - 2] == L'广'
              || scan->ch[end - 2] == L'花' || scan->ch[end - 2] == L'公'
              || scan->ch[end - 2] == L'新' || scan->ch[end - 2] == L'胡'
              || scan->ch[end - 2] == L'街'))
        most = 6;
      while (start > lo && end - start < most && is_han (scan, (gssize) start - 1)
             && !(end - start >= 2 && one_of (scan->ch[start - 1], region_tails)))
        start--;
      if (start > lo && end - start >= 2 && one_of (scan->ch[start - 1], region_tails))
        {
          end = start;
          continue;
        }
      break;
    }
  return start;
}

/* Events from @lo to @s: the last label's end and the first region behind it. */
static void
look_for_start (const Scan *scan, gsize lo, gsize s, gsize *start, gboolean *region,
                const Word **label)
{
  gsize at = lo, first = s;
  guint last = pii_events_before (scan, s);

  *region = FALSE;
  *label = NULL;
  for (guint i = last; i > 0 && *label == NULL; i--)
    {
      const Event *event = &g_array_index (scan->events, Event, i - 1);
      const Word *word = pii_words_get (scan->pii->words, event->word);
      gboolean colon;
      gsize e;

      if (event->end + 8 < lo)
        break;
      if (!(word->kinds & K_ADDRESS))
        continue;
      e = pii_skip_label (scan, event->end, 6, &colon);
      if (e >= lo)
        {
          *label = word;
          at = MAX (lo, MIN (e, s));
        }
    }
  for (guint i = last; i > 0; i--)
    {
      const Event *event = &g_array_index (scan->events, Event, i - 1);

      if (event->end <= at)
        break;
      if (event->start >= at && pii_words_get (scan->pii->words, event->word)->kinds & K_REGION)
        first = MIN (first, event->start);
    }
  *region = first < s;
  *start = first < s ? first : at;
}

static gboolean
generic_road (const Scan *scan, gsize s, gsize e)
{
  /* 公马铁道线网走一电思半出高赶弯 before 路, 一 before 街 */
  static const wchar_t before[] = L"公马铁道线网走电思半出赶弯问过";

  return e - s < 2 || one_of (scan->ch[e - 2], before);
}

/* ---- the rules --------------------------------------------------------------- */

void
pii_address_number (Scan *scan, gsize s, gsize e)
{
  gsize c, left = s, lo, start = s, end;
  guint numbers = 0, score = 25;
  gboolean region = FALSE, inside, road, named;
  const Word *label = NULL;
  guint32 tail;

  if (!pii_wants (scan, TEXT_PII_ADDRESS) || e - s > 6)
    return;
  if (pii_cls (scan, (gssize) e) & C_ALPHA && !(pii_cls (scan, (gssize) e + 1) & C_ALNUM))
    e++; /* 12A号 */
  c = counter_at (scan, e);
  if (c == 0)
    return;
  /* "12-3号", "B1203室", "附3号", "甲33号", "14、16号" */
  while (left > 0 && s - left < 8
         && (scan->cls[left - 1] & C_ALNUM || scan->ch[left - 1] == '-'
             || one_of (scan->ch[left - 1], L"附甲乙丙丁、")))
    left--;
  if (left > 1 && scan->cls[left - 1] & C_SPACE)
    left--;
  if (left == 0 || !is_han (scan, (gssize) left - 1))
    return;
  tail = scan->ch[left - 1];
  named = one_of (tail, place_tails);
  /* Anything may be the name of a place once a district was named: 海淀区北蜂窝8号. */
  if (!named && (scan->ch[e] != L'号' || one_of (tail, L"月年第周")))
    return;
  lo = go_left (scan, left);
  if (lo >= left)
    return;
  look_for_start (scan, lo, left, &start, &region, &label);
  if (!region && label == NULL)
    start = last_names (scan, lo, left);
  if (start + 1 >= left)
    return;
  inside = one_of (scan->ch[e], inner) || c == 2;
  road = one_of (tail, road_tails) || (tail == L'道' && scan->ch[left - 2] == L'大')
         || (tail == L'同' && scan->ch[left - 2] == L'胡') || (tail == L'段' && left - start >= 3);
  if (road && generic_road (scan, start, left))
    return;
  end = go_right (scan, e + c, &numbers, &inside);
  if (!named)
    {
      gsize district = start;

      while (district < left && scan->ch[district] != L'区' && scan->ch[district] != L'县')
        district++;
      if (!region || district + 2 >= left || left - district > 10
          || (label == NULL && is_han (scan, (gssize) end)))
        return;
      road = TRUE;
    }
  if (region)
    score += 30;
  if (label != NULL)
    score += 30;
  if (road && scan->ch[e] != L'楼' && scan->ch[e] != L'层')
    score += 25;
  if (!road && inside)
    score += 15;
  if (numbers > 0)
    score += 25;
  pii_add (scan, TEXT_PII_ADDRESS, start, end, score, TEXT_PII_CHECK_NONE,
           region ? "address.region"
           : road ? "address.road"
                  : "address.estate",
           label ? label->text : NULL);
}

/* "地址：浙江省杭州市西湖区文三路": no number, but a region and a road. */
static void
after_label (Scan *scan, const Event *event, const Word *word)
{
  gboolean colon, deep = FALSE;
  gsize s = pii_skip_label (scan, event->end, 6, &colon), i, reach;
  guint tails = 0;

  if (pii_word_at (scan, s, K_REGION, &reach) == NULL)
    return;
  for (i = s; i < scan->n && i - s < 64; i++)
    {
      guint32 c = scan->ch[i];

      if (scan->cls[i] & C_SPACE)
        {
          if (!one_of (scan->ch[i - 1], region_tails) || !is_han (scan, (gssize) i + 1))
            break;
          continue;
        }
      if (!(scan->cls[i] & (C_HAN | C_ALNUM)) && c != '-' && c != '#')
        break;
      if (i >= reach
          && (one_of (c, stops)
              || pii_word_at (
                     scan, i,
                     K_MOBILE | K_LANDLINE | K_NAME_LABEL | K_ID | K_CARD | K_WECHAT | K_QQ, NULL)
                     != NULL))
        break;
      if (i >= reach && one_of (c, place_tails) && c != L'区') /* 区 is not deep */
        deep = TRUE;
      if (one_of (c, region_tails))
        tails++;
    }
  while (i > s && scan->cls[i - 1] & C_SPACE)
    i--;
  /* Cut what goes on behind the last place name: "…文三路的门店". */
  while (i > s && !one_of (scan->ch[i - 1], place_tails) && !(scan->cls[i - 1] & C_DIGIT))
    i--;
  if (deep && tails >= 2 && i - s >= 6)
    pii_add (scan, TEXT_PII_ADDRESS, s, i, colon ? 65 : 55, TEXT_PII_CHECK_NONE, "address.label",
             word->text);
}

/* "221 Baker Street, Apt 4B, Springfield, IL 62704" */
static void
street (Scan *scan, const Event *event, const Word *word)
{
  gsize s = event->start, e = event->end, i, words = 0;

  if (!(scan->ch[event->start] >= 'A' && scan->ch[event->start] <= 'Z'))
    return;
  while (words < 4)
    {
      i = s;
      if (i == 0 || scan->ch[i - 1] != ' ')
        return;
      i--;
      s = i;
      while (i > 0
             && (scan->cls[i - 1] & C_ALNUM || scan->ch[i - 1] == '.' || scan->ch[i - 1] == '\''))
        i--;
      if (i == s)
        return;
      if (scan->cls[i] & C_DIGIT && words > 0)
        {
          /* The number: "12", "12B". */
          if (s - i > 6
              || (i > 0
                  && (scan->cls[i - 1] & C_ALNUM || scan->ch[i - 1] == '$' || scan->ch[i - 1] == '-'
                      || scan->ch[i - 1] == '/')))
            return;
          s = i;
          break;
        }
      if (!(scan->ch[i] >= 'A' && scan->ch[i] <= 'Z') && !(scan->cls[i] & C_DIGIT))
        return;
      s = i;
      words++;
    }
  if (words == 0 || words >= 4 || !(scan->cls[s] & C_DIGIT))
    return;
  if (pii_at (scan, (gssize) e) == '.')
    e++;
  /* ", Apt 4B", ", Springfield", ", IL 62704" */
  for (guint parts = 0; parts < 4; parts++)
    {
      gsize p = e, from;

      if (pii_at (scan, (gssize) p) == ',')
        p++;
      while (pii_cls (scan, (gssize) p) & C_SPACE && p < e + 3)
        p++;
      if (p == e)
        break;
      from = p;
      if (scan->ch[p] == '#' || (scan->ch[p] >= 'A' && scan->ch[p] <= 'Z')
          || (scan->cls[p] & C_DIGIT && parts > 0))
        while (p < scan->n
               && (scan->cls[p] & C_ALNUM || scan->ch[p] == '#'
                   || (scan->ch[p] == ' '
                       && (pii_cls (scan, (gssize) p + 1) & C_DIGIT
                           || (scan->ch[p + 1] >= 'A' && scan->ch[p + 1] <= 'Z')))))
          p++;
      if (p == from || p - from > 32 || pii_at (scan, (gssize) e) != ',')
        break;
      e = p;
    }
  while (e > event->end && (scan->ch[e - 1] == ' ' || scan->ch[e - 1] == ','))
    e--;
  pii_add (scan, TEXT_PII_ADDRESS, s, e, 70, TEXT_PII_CHECK_NONE, "address.street_en", word->text);
}

void
pii_address_event (Scan *scan, const Event *event, const Word *word)
{
  if (word->kinds & K_ADDRESS)
    after_label (scan, event, word);
  if (word->kinds & K_STREET_EN)
    street (scan, event, word);
}
