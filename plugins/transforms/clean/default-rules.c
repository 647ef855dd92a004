/* SPDX-License-Identifier: Apache-2.0 */
/* default-rules.c: the advertising that shops and reposts leave in Chinese and
 * English text, written for flowrun in the line form of rule files.
 *
 * Phrases here must be wrong almost nowhere: a whole sentence goes when one
 * stands in it.  What can also be said honestly ("free shipping" as a fact of
 * the offer is none of it) is a pattern that wants a second sign. */
#include "config.h"

#include "rules.h"

const char *
rules_default (void)
{
  return "[follow_zh]\n"
         "扫码关注\n扫一扫关注\n扫描二维码\n扫下方二维码\n长按二维码\n长按识别\n识别二维码\n关注公"
         "众号\n关注我们的公众号\n"
         "关注微信公众号\n关注店铺\n收藏店铺\n收藏本店\n关注本店\n关注我们的微信\n点击关注\n关注并"
         "转发\n转发抽奖\n"
         "一键三连\n记得点赞\n"
         "[contact_zh]\n"
         "加微信\n加v信\n加威信\n加薇信\n微信联系\n微信咨询\n添加微信\n添加客服\n加客服\n加我微信\n"
         "私信我\n私聊我\n进群领\n加群领\n"
         "入群领\n抢购群\n扫码进群\n扫码加群\n加qq群\n联系客服领\n咨询在线客服\n"
         "?微信\n?vx\n?v信\n?wx\n?qq\n?电话\n?热线\n?手机\n?致电\n?来电\n?咨询\n?客服\n?订购\n?400-"
         "\n?400 \n?联系\n"
#ifdef HAVE_PCRE2
         "/(?:微信|v信|vx|wx|qq)(?:号|群|号码)?\\s*(?:[:：是为]|同号)*\\s*[a-z0-9_-]{5,}/\n"
         "/(?:电话|热线|手机|致电|来电|客服|订购|联系|咨询)[^\\n。！？]{0,8}?(?:\\+?86[- "
         "]?)?(?:1[3-9]\\d[- ]?\\d{4}[- ]?\\d{4}|"
         "0\\d{2,3}[- ]?\\d{7,8}|[48]00[- ]?\\d{3,4}[- ]?\\d{3,4})/\n"
#endif
         "[buy_zh]\n"
         "点击购买\n点击下单\n点击链接\n点击下方链接\n点击进店\n戳链接\n立即抢购\n马上抢购\n立即下"
         "单\n速来抢购\n"
         "限时抢购\n限时秒杀\n秒杀价\n手慢无\n手慢则无\n抢完即止\n售完即止\n数量有限\n欲"
         "购从速\n领券下单\n领券立减\n"
         "领取优惠券\n点击领券\n全网最低\n全网底价\n史上最低\n跳楼价\n清仓大甩卖\n拍下立减\n"
         "拍下即送\n下单立减\n"
         "下单即送\n好评返现\n晒图返现\n五星好评返\n收藏加购\n加购收藏\n"
         "[shipping_zh]\n"
         "全国包邮\n全场包邮\n包邮到家\n江浙沪包邮\n偏远地区不包邮\n偏远地区除外\n支持货到付款\n"
         "[agency_zh]\n"
         "招代理\n诚招代理\n招募代理\n一件代发\n厂家直销\n欢迎加盟\n诚邀加盟\n"
         "[follow_en]\n"
         "follow us on\nlike and share\nlike us on facebook\nscan the qr code\nscan our qr "
         "code\nsubscribe to our\n"
         "subscribe now\nsign up for our newsletter\njoin our newsletter\njoin our telegram\njoin "
         "our whatsapp\n"
         "[contact_en]\n"
         "call now\ncall us today\ncall us now\ncall today\ncontact us today\nadd us on "
         "wechat\nadd our wechat\nadd me on wechat\n"
         "whatsapp us\ndm us\ntext us at\n"
         "?call\n?phone\n?whatsapp\n?wechat\n?hotline\n?contact\n?toll\n?text\n"
#ifdef HAVE_PCRE2
         "/(?:call|phone|whatsapp|hotline|toll[- "
         "]free|text|contact)[^\\n.!?]{0,24}?(?:\\+?\\d{1,3}[ .-]?)?(?:\\(\\d{3}\\)|\\b\\d{3})"
         "[ .-]?\\d{3,4}[ .-]?\\d{4}\\b/\n"
         "/wechat(?: id)?\\s*[:：]\\s*[a-z0-9_-]{5,}/\n"
#endif
         "[buy_en]\n"
         "click the link\nclick below\nlink in bio\nbuy now\nshop now\norder "
         "now\norder today\nact now\n"
         "limited time offer\nlimited-time offer\nwhile supplies last\nwhile stocks last\ndon't "
         "miss out\n"
         "money back guarantee\nmoney-back guarantee\nuse coupon\nuse promo code\nflash "
         "sale\nlowest price guaranteed\n"
         "[shipping_en]\n"
         "free shipping worldwide\nfree worldwide shipping\nfree shipping on all\nfree shipping on "
         "orders\n";
}
