/* SPDX-License-Identifier: Apache-2.0 */
/* content-names.c: what the names of classes and ids, and phrases of the text, say of a block.
 *
 * The idea of the name lists is Mozilla Readability's ("unlikely candidates", positive and negative
 * names); the words are our own, with the pinyin and English of Chinese content systems.
 * Readability looks for parts of words ("nav" in "navigate"); here a name is cut into words (at
 * '-', '_', digits and humps: "articleBody-2" is article, body), and words are looked up whole.
 */
#include "config.h"

#include <string.h>

#include "text/content-private.h"

typedef struct
{
  char word[16];
  guint32 hint;
} Word;

/* Sorted. */
static const Word words[] = {
  { "ad", HINT_AD },
  { "adbox", HINT_AD },
  { "ads", HINT_AD },
  { "adsbygoogle", HINT_AD },
  { "adv", HINT_AD },
  { "advert", HINT_AD },
  { "advertisement", HINT_AD },
  { "archives", HINT_ASIDE },
  { "artibody", HINT_GOOD },
  { "article", HINT_GOOD },
  { "aside", HINT_ASIDE },
  { "author", HINT_META },
  { "banner", HINT_FRAME },
  { "bdshare", HINT_SHARE },
  { "beian", HINT_FRAME },
  { "blog", HINT_GOOD },
  { "body", HINT_GOOD },
  { "bottom", HINT_FRAME },
  { "bottomlang", HINT_NAV },
  { "breadcrumb", HINT_NAV },
  { "breadcrumbs", HINT_NAV },
  { "bshare", HINT_SHARE },
  { "byline", HINT_META },
  { "comment", HINT_COMMENT },
  { "comments", HINT_COMMENT },
  { "content", HINT_GOOD },
  { "contents", HINT_GOOD },
  { "cookie", HINT_AD },
  { "cookies", HINT_AD },
  { "copyright", HINT_FRAME },
  { "crumb", HINT_NAV },
  { "crumbs", HINT_NAV },
  { "daohang", HINT_NAV },
  { "dateline", HINT_META },
  { "detail", HINT_GOOD },
  { "details", HINT_GOOD },
  { "disclaimer", HINT_FRAME },
  { "discuss", HINT_COMMENT },
  { "disqus", HINT_COMMENT },
  { "dropdown", HINT_NAV },
  { "dropdowns", HINT_NAV },
  { "editsection", HINT_NOTE },
  { "endtext", HINT_GOOD },
  { "entry", HINT_GOOD },
  { "erweima", HINT_SHARE },
  { "flink", HINT_FRAME },
  { "follow", HINT_SHARE },
  { "foot", HINT_FRAME },
  { "footer", HINT_FRAME },
  { "friendlink", HINT_FRAME },
  { "gdpr", HINT_AD },
  { "guanggao", HINT_AD },
  { "guestbook", HINT_COMMENT },
  { "head", HINT_HEADER },
  { "header", HINT_HEADER },
  { "headerlink", HINT_NOTE },
  { "hentry", HINT_GOOD },
  { "hot", HINT_ASIDE },
  { "hotnews", HINT_ASIDE },
  { "icp", HINT_FRAME },
  { "jiathis", HINT_SHARE },
  { "keywords", HINT_META },
  { "laiyuan", HINT_META },
  { "languages", HINT_NAV },
  { "legal", HINT_FRAME },
  { "login", HINT_AD },
  { "logo", HINT_FRAME },
  { "main", HINT_GOOD },
  { "masthead", HINT_FRAME },
  { "mbx", HINT_NAV },
  { "menu", HINT_NAV },
  { "menubar", HINT_NAV },
  { "menus", HINT_NAV },
  { "meta", HINT_META },
  { "mianbaoxie", HINT_NAV },
  { "modal", HINT_AD },
  { "nav", HINT_NAV },
  { "navbar", HINT_NAV },
  { "navi", HINT_NAV },
  { "navigation", HINT_NAV },
  { "neirong", HINT_GOOD },
  { "newsletter", HINT_AD },
  { "nextprev", HINT_NAV },
  { "pagenav", HINT_NAV },
  { "pager", HINT_NAV },
  { "pages", HINT_NAV },
  { "pagination", HINT_NAV },
  { "paging", HINT_NAV },
  { "paihang", HINT_ASIDE },
  { "path", HINT_NAV },
  { "permalink", HINT_NOTE },
  { "pinglun", HINT_COMMENT },
  { "popular", HINT_ASIDE },
  { "popup", HINT_AD },
  { "post", HINT_GOOD },
  { "prevnext", HINT_NAV },
  { "promo", HINT_AD },
  { "promotion", HINT_AD },
  { "pubtime", HINT_META },
  { "qrcode", HINT_SHARE },
  { "rail", HINT_ASIDE },
  { "rank", HINT_ASIDE },
  { "ranking", HINT_ASIDE },
  { "rating", HINT_SHARE },
  { "readmore", HINT_ASIDE },
  { "recommend", HINT_ASIDE },
  { "recommended", HINT_ASIDE },
  { "relate", HINT_ASIDE },
  { "related", HINT_ASIDE },
  { "replies", HINT_COMMENT },
  { "reply", HINT_COMMENT },
  { "respond", HINT_COMMENT },
  { "share", HINT_SHARE },
  { "sharing", HINT_SHARE },
  { "side", HINT_ASIDE },
  { "sidebar", HINT_ASIDE },
  { "sidenav", HINT_NAV },
  { "signup", HINT_AD },
  { "similar", HINT_ASIDE },
  { "skip", HINT_NAV },
  { "social", HINT_SHARE },
  { "source", HINT_META },
  { "sponsor", HINT_AD },
  { "sponsored", HINT_AD },
  { "story", HINT_GOOD },
  { "subscribe", HINT_AD },
  { "tags", HINT_META },
  { "text", HINT_GOOD },
  { "toc", HINT_NAV },
  { "toolbar", HINT_NAV },
  { "topbar", HINT_NAV },
  { "toplang", HINT_NAV },
  { "topnav", HINT_NAV },
  { "tuijian", HINT_ASIDE },
  { "weibo", HINT_SHARE },
  { "weizhi", HINT_NAV },
  { "wenzhang", HINT_GOOD },
  { "widget", HINT_ASIDE },
  { "xiangguan", HINT_ASIDE },
  { "youqing", HINT_FRAME },
  { "zhengwen", HINT_GOOD },
};

static guint32
look_up (const char *word)
{
  guint low = 0, high = G_N_ELEMENTS (words);

  while (low < high)
    {
      guint middle = (low + high) / 2;
      int order = strcmp (word, words[middle].word);

      if (order == 0)
        return words[middle].hint;
      if (order < 0)
        high = middle;
      else
        low = middle + 1;
    }
  return 0;
}

guint32
text_names_hints (FrStr names)
{
  char word[sizeof words[0].word];
  guint n = 0;
  guint32 hints = 0;

  for (gsize i = 0; i <= names.len; i++)
    {
      char c = i < names.len ? names.data[i] : ' ';
      gboolean hump = g_ascii_isupper (c) && i > 0 && g_ascii_islower (names.data[i - 1]);

      if (!g_ascii_isalpha (c) || hump)
        {
          if (n > 1 && n < sizeof word)
            {
              word[n] = 0;
              hints |= look_up (word);
            }
          n = 0;
        }
      if (!g_ascii_isalpha (c))
        continue;
      if (n < sizeof word)
        word[n] = g_ascii_tolower (c);
      n = MIN (n + 1, (guint) sizeof word);
    }
  return hints;
}

/* ---- phrases --------------------------------------------------------------- */

enum
{
  AT_START, /* the text begins with it; counts fully while the text is one line, half in longer ones
             */
  ANYWHERE  /* in a short text */
};

typedef struct
{
  const char *text; /* lower case */
  guint8 len, where;
  float strength;
} Phrase;

#define P(text, where, strength)                                                                   \
  {                                                                                                \
    text, sizeof text - 1, where, strength                                                         \
  }
static const Phrase phrases[] = {
  P ("责任编辑", ANYWHERE, 1),
  P ("责编：", AT_START, 1),
  P ("责编:", AT_START, 1),
  P ("编辑：", AT_START, 1),
  P ("编辑:", AT_START, 1),
  P ("（编辑", AT_START, 1),
  P ("(编辑", AT_START, 1),
  P ("（责任", AT_START, 1),
  P ("审核：", AT_START, 1),
  P ("作者：", ANYWHERE, .6f),
  P ("作者:", ANYWHERE, .6f),
  P ("记者：", ANYWHERE, .6f),
  P ("来源：", ANYWHERE, 1),
  P ("来源:", ANYWHERE, 1),
  P ("文章来源", AT_START, 1),
  P ("信息来源", AT_START, 1),
  P ("发布时间", ANYWHERE, 1),
  P ("发布日期", ANYWHERE, 1),
  P ("更新时间", ANYWHERE, 1),
  P ("发表于", AT_START, 1),
  P ("发布于", AT_START, 1),
  P ("浏览次数", ANYWHERE, 1),
  P ("阅读次数", ANYWHERE, 1),
  P ("点击次数", ANYWHERE, 1),
  P ("点击数", ANYWHERE, .8f),
  P ("阅读量", AT_START, .8f),
  P ("浏览量", AT_START, .8f),
  P ("字号：", ANYWHERE, 1),
  P ("字体大小", ANYWHERE, .8f),
  P ("扫码关注", ANYWHERE, 1),
  P ("扫一扫", ANYWHERE, .8f),
  P ("扫描二维码", ANYWHERE, 1),
  P ("长按二维码", ANYWHERE, 1),
  P ("关注我们", ANYWHERE, .8f),
  P ("微信公众号", ANYWHERE, .6f),
  P ("微信扫", ANYWHERE, 1),
  P ("点击关注", ANYWHERE, 1),
  P ("上一篇", ANYWHERE, 1),
  P ("下一篇", ANYWHERE, 1),
  P ("上一页", ANYWHERE, 1),
  P ("下一页", ANYWHERE, 1),
  P ("相关阅读", AT_START, 1),
  P ("相关新闻", AT_START, 1),
  P ("相关文章", AT_START, 1),
  P ("相关推荐", AT_START, 1),
  P ("相关链接", AT_START, .8f),
  P ("推荐阅读", AT_START, 1),
  P ("延伸阅读", AT_START, .8f),
  P ("猜你喜欢", AT_START, 1),
  P ("猜您喜欢", AT_START, 1),
  P ("热门推荐", AT_START, 1),
  P ("热门文章", AT_START, 1),
  P ("热点新闻", AT_START, 1),
  P ("最新文章", AT_START, 1),
  P ("更多精彩", ANYWHERE, .8f),
  P ("版权所有", ANYWHERE, 1),
  P ("版权声明", AT_START, 1),
  P ("版权归", ANYWHERE, .6f),
  P ("未经授权", ANYWHERE, .8f),
  P ("未经许可", ANYWHERE, .8f),
  P ("转载请注明", ANYWHERE, 1),
  P ("免责声明", AT_START, 1),
  P ("特别声明", AT_START, .8f),
  P ("icp备", ANYWHERE, 1),
  P ("icp证", ANYWHERE, 1),
  P ("公网安备", ANYWHERE, 1),
  P ("网安备", ANYWHERE, .8f),
  P ("许可证编号", ANYWHERE, 1),
  P ("不良信息举报", ANYWHERE, 1),
  P ("违法和不良", ANYWHERE, 1),
  P ("举报电话", ANYWHERE, .8f),
  P ("分享到", ANYWHERE, 1),
  P ("分享至", AT_START, 1),
  P ("返回顶部", ANYWHERE, 1),
  P ("返回首页", ANYWHERE, 1),
  P ("返回列表", ANYWHERE, 1),
  P ("回到顶部", ANYWHERE, 1),
  P ("当前位置", AT_START, 1),
  P ("您的位置", AT_START, 1),
  P ("您现在的位置", AT_START, 1),
  P ("您当前的位置", AT_START, 1),
  P ("你的位置", AT_START, 1),
  P ("所在位置", AT_START, 1),
  P ("首页 >", AT_START, 1),
  P ("首页>", AT_START, 1),
  P ("设为首页", ANYWHERE, 1),
  P ("加入收藏", ANYWHERE, 1),
  P ("收藏本站", ANYWHERE, 1),
  P ("打印本页", ANYWHERE, 1),
  P ("打印此页", ANYWHERE, 1),
  P ("关闭窗口", ANYWHERE, 1),
  P ("加载更多", AT_START, 1),
  P ("查看更多", AT_START, 1),
  P ("点击查看", AT_START, .6f),
  P ("阅读全文", AT_START, 1),
  P ("展开全文", AT_START, 1),
  P ("发表评论", ANYWHERE, 1),
  P ("网友评论", AT_START, 1),
  P ("全部评论", AT_START, 1),
  P ("登录后", AT_START, .8f),
  P ("请登录", ANYWHERE, .8f),
  P ("友情链接", AT_START, 1),
  P ("网站地图", AT_START, 1),
  P ("关于我们", AT_START, .8f),
  P ("联系我们", AT_START, .6f),
  P ("标签：", AT_START, 1),
  P ("标签:", AT_START, 1),
  P ("关键词：", AT_START, .6f),
  P ("可用语言", AT_START, 1),
  P ("可用語言", AT_START, 1),
  P ("下载app", ANYWHERE, .8f),
  P ("下载客户端", ANYWHERE, 1),
  P ("打开app", ANYWHERE, 1),
  P ("技术支持：", ANYWHERE, .8f),
  P ("責任編輯", ANYWHERE, 1),
  P ("版權所有", ANYWHERE, 1),
  P ("相關新聞", AT_START, 1),
  P ("延伸閱讀", AT_START, .8f),
  P ("上一則", ANYWHERE, 1),
  P ("下一則", ANYWHERE, 1),
  P ("copyright", AT_START, 1),
  P ("copyright ©", ANYWHERE, 1),
  P ("©", AT_START, 1),
  P ("(c) ", AT_START, .6f),
  P ("all rights reserved", ANYWHERE, 1),
  P ("powered by", AT_START, 1),
  P ("share this", AT_START, 1),
  P ("share on", AT_START, 1),
  P ("related articles", AT_START, 1),
  P ("related posts", AT_START, 1),
  P ("read more", AT_START, 1),
  P ("read also", AT_START, 1),
  P ("sign in", AT_START, 1),
  P ("log in", AT_START, 1),
  P ("sign up", AT_START, 1),
  P ("subscribe", AT_START, .8f),
  P ("advertisement", AT_START, 1),
  P ("skip to", AT_START, 1),
  P ("leave a comment", AT_START, 1),
  P ("leave a reply", AT_START, 1),
  P ("back to top", AT_START, 1),
  P ("previous post", AT_START, 1),
  P ("next post", AT_START, 1),
  P ("available languages", AT_START, 1),
  P ("privacy policy", ANYWHERE, .8f),
  P ("terms of use", ANYWHERE, .8f),
  P ("terms of service", ANYWHERE, .8f),
  P ("cookie policy", ANYWHERE, 1),
  P ("we use cookies", ANYWHERE, 1),
  P ("follow us", ANYWHERE, .8f),
  P ("last modified", AT_START, .8f),
  P ("posted by", AT_START, .8f),
  P ("posted on", AT_START, .8f),
  P ("filed under", AT_START, 1),
  P ("tags:", AT_START, 1),
  P ("更多", AT_START, .8f),
  P ("评论", AT_START, .8f),
  P ("热门", AT_START, .8f),
  P ("最新", AT_START, .6f),
  P ("时间：", ANYWHERE, .6f),
  P ("日期：", ANYWHERE, .6f),
  P ("時間：", ANYWHERE, .6f),
  P ("published", AT_START, .6f),
  P ("发表时间", ANYWHERE, 1),
};
#undef P

/* Half characters up to which a text is short: two lines of a newspaper column. */
#define SHORT_TEXT 100

/* Phrases by a hash of how they begin: two Han characters, or three letters. */
#define N_STARTS 1024
static gint16 starts[N_STARTS], next_phrase[G_N_ELEMENTS (phrases)];

static inline guint
low (char c)
{
  return (guint) (guchar) (c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Of the text at @p, of which there are @n bytes, 2 at least. */
static inline guint
start_hash (const char *p, gsize n)
{
  guint h = low (p[0]) * 37 + low (p[1]);

  if ((guchar) p[0] >= 0xe0 && n >= 6)
    return (h * 31 + (guchar) p[2] * 7 + low (p[3]) * 13 + low (p[4]) * 17 + low (p[5]) * 5)
           & (N_STARTS - 1);
  if ((guchar) p[0] < 0x80 && n >= 3)
    h += low (p[2]) * 5;
  return h & (N_STARTS - 1);
}

static void
fill_starts (void)
{
  static gsize done = 0;

  if (!g_once_init_enter (&done))
    return;
  memset (starts, 0xff, sizeof starts);
  for (guint i = G_N_ELEMENTS (phrases); i-- > 0;)
    {
      guint h = start_hash (phrases[i].text, phrases[i].len);

      next_phrase[i] = starts[h];
      starts[h] = (gint16) i;
    }
  g_once_init_leave (&done, 1);
}

float
text_phrase_is_boilerplate (FrStr text, guint wide)
{
  /* A long text is asked for its beginning alone; a very long one is no such line. */
  gsize end = wide <= SHORT_TEXT ? text.len : wide < 3 * SHORT_TEXT ? 1 : 0;
  float best = 0;

  fill_starts ();
  for (gsize i = 0; i < end && text.len - i >= 3; i++)
    {
      if (((guchar) text.data[i] & 0xc0) == 0x80)
        continue;
      for (gint16 k = starts[start_hash (text.data + i, text.len - i)]; k >= 0; k = next_phrase[k])
        {
          const Phrase *phrase = &phrases[k];
          float strength = wide <= SHORT_TEXT ? phrase->strength : phrase->strength / 2;

          if (text.len - i < phrase->len || strength <= best
              || (phrase->where == AT_START ? i > 0 : wide > SHORT_TEXT)
              || g_ascii_strncasecmp (text.data + i, phrase->text, phrase->len) != 0)
            continue;
          best = strength;
        }
    }
  return best;
}
