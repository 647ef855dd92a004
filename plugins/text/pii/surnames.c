/* SPDX-License-Identifier: Apache-2.0 */
/* surnames.c: which characters begin a Chinese name, and which go on with it.
 *
 * Written down for this from general knowledge: the surnames that nearly all
 * bearers share, in two classes (a surname that is a common word too needs a
 * label or title and more care), compound surnames, and the characters that
 * given names are mostly made of.  No list of real people went in.
 */
#include "config.h"

#include <string.h>

#include "text/chars.h"
#include "text/pii/pii-private.h"

static const char common[]
    = "王李张刘陈杨赵黄周方吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾"
      "丁魏薛叶阎余潘杜戴夏钟汪田任姜范石姚"
      "谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜"
      "倪严牛温芦季俞章鲁葛伍韦申尤毕聂焦"
      "向柳邢路岳齐梅莫庄辛管祝左涂谷祁耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋"
      "植甘景薄单包司柏宁柯阮桂闵解强柴"
      "华车冉房边辜吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫来嵺苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏"
      "栾郁商蒙计喻揭窦迟宇敖糜鄢冷卓花仇"
      "艾蓝都巩稽井练仲乐虞卞封竺冼原官衣楚佟匡栗荆兴丛岑苌宗巫麦闫付肖战佘郦雍鞠丰蔺衡阚邝仝郗蒯亓"
      "缑逄骆卓展咸卜楼迟丘仉禹鄂幸巴麻冉乌巢红宗乜巴阿铁贝银邱卿墨钮粟谌侍荀闪肇惠昝訾匡区";
static const char rare[]
    = "和时应都公水空全单成平明位车房边来商计原官强华花司包项席古米木连乐兴井战付党国向";

static const char *const pairs
    = "欧阳|上官|司马|诸葛|司徒|东方|皇甫|尉迟|公孙|慕容|令狐|宇文|长孙|夏侯|轩辕|端木|百里|南宫|"
      "西门|独孤|闻人|"
      "东郭|公羊|澹台|淳于|单于|太史|申屠|钟离|鲜于|闾丘|呼延|赫连|纳兰|完颜|爱新觉罗";

static const char given[] = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂兰玉梅红春花建国华志文斌"
                            "辉波鹏飞凯浩然宇轩子涵欣怡梓睿雨泽晨佳琪思彤诗梦嘉雪琳"
                            "晓东海云林峰龙虎山川江河亮光荣福贵祥瑞康宁安乐喜庆丰盛昌盈永远长久恒达"
                            "成功立业德仁义礼智信忠孝廉毅诚勤俭学博才俊贤良善淑贞洁"
                            "清正直宏伟大卫彬炳炎焱森木火土金水鑫淼垚萍莉莲菊荷芬芝芸苗蓉蕾薇茜菲婷"
                            "婉媛娇嫣妍姗姝娅媚嫦珍珠玲珊琴瑶璇琼瑾璐琦琛瑜璟翠碧青蓝紫"
                            "白雅慧颖聪灵巧妙倩丹彩虹霜露冰寒暖阳旭日月星辰宸昊天晴朗晶莹晖曦煜烨炜"
                            "灿烁耀辉景锋锐铭钧钰铮锦钢铁银柱栋梁材松柏杨柳桐桦楠枫榕"
                            "骏驰腾跃翔翼鸿雁燕鹤凤鸣舟航帆程路远征振兴旺发财宝富裕余利顺畅达通世纪"
                            "元启新民生根本源泉湘汉沪京津豫鲁晋秦蜀渝黔滇粤闽浙苏皖赣"
                            "维克继承绍先祖宗家邦彦士君臣卿相公侯伯仲叔季孟少幼小老大二三四五六七八"
                            "九十一力刀弓兵战胜利和谐友爱心恩惠慈悲悦愉怀想念意情"
                            "可以若如似好妮娴姣媚雯霏霖震雷电雄健壮坚定稳固守卫保护佑助帮培养育教书"
                            "文章诗词歌赋画棋琴音乐韵律笛箫笙鼓钟磬昱昕旻晟晗景暄"
                            "冬夏秋萱芷若蕊芮苒茗茹荟莎菁萌葵蔓薰曼妤语谦谨诺许诚诗逸宁静致远弘扬扬"
                            "奕弈彧翰墨砚书航铎锴锟钊镇炫焕煊熠燊灏瀚澜涛滔淳清润泽沛汐"
                            "洛漪漫溪澄源琰珂珺珈玥瑄瑛瑗璞宜宛容寅寒宥寰岚岩峻嵘嵩巍川州帅希庭延廷"
                            "开弛彭彰征徽忆忻怀恺恬悠惟愷懿戈成扬承拓振捷攀敬敏斐昀"
                            "美实善恭谦让朴厚敦睦均衡越群优众真纯素简满庭妃姬娥婵姿娉袅莺娆烟雾竹筠"
                            "筱箐菀蓓蒲荔莓蘋芹薏茉藜苏芍"
                            "宽广博渊浚治理政廉匀协奋进取歌声响鹄鹰隼鸥鹭骅骥骐骊骋驹象狮豹麟鲲鲸乾"
                            "坤震巽艮兑甲乙丙丁庚辛壬癸"
                            "丑卯巳午申酉戌亥西南北中上台圆缘愿希盼迎逢遇识知晓悟觉幻影形品格命运禄"
                            "寿喜财莘莎曙署曜杏桃李梨橙柠柚枝叶根"
                            "强勇猛威武刚烈毅坚韧锋锐劲飒爽豪迈雄奇伟岸高远大森";

/* What cannot stand in a Chinese given name but often follows a name. */
static const char not_in_name[]
    = "的是在了和与及或您你我他她它们请已将把被说向到从对也都有没就还要需问很不再为给让叫做打吗呢吧"
      "啊哦先女电号手址身证件收发寄送付买卖下个位款"
      "单元岁月日号时点分性职住地址来去过回看着什么怎哪这那其之等但而且则因所以因于未联系称表提交申"
      "请签部门公司店铺账户卡银行微邮箱职务男您";

/* Character pairs in which the second is no surname: "感谢" + "高…". */
static const char *const joined
    = "感谢|多谢|答谢|致谢|谢谢|酬谢|由于|对于|关于|属于|等于|位于|终于|至于|大于|小于|基于|处于|"
      "用于|任何|如何|为何|几何|地方|对方|我方|甲方|乙方|丙方|官方|双方|多方|"
      "厂方|校方|警方|卖方|买方|完成|生成|达成|造成|组成|当时|及时|按时|准时|小时|同时|平时|提高|"
      "最高|新高|身高|很高|较高|中华|精华|长江|资金|现金|押金|定金|基金|"
      "奖金|租金|佣金|薪金|明白|空白|上周|本周|每周|一周|下周|两周|钻石|宝石|保温|体温|气温|非常|"
      "经常|日常|正常|异常|通常|方向|阶段|手段|路段|订单|下单|"
      "清单|账单|菜单|名单|检查|调查|审查|复查|厂商|客商|协商|电商|经销商|供应商|代理商|事项|款项|"
      "各项|多项|也许|允许|特许|其余|多余|承包|钱包|红包|面包|书包|"
      "工程|流程|课程|过程|日程|全程|行程|主管|不管|尽管|保管|住房|楼房|厨房|客房|汽车|货车|停车|"
      "上车|下车|开车|打车|火车|身边|旁边|周边|那边|这边|里边|外边|"
      "新任|主任|责任|担任|信任|历任|前任|下车|安全|健全|齐全|完全|支付|应付|已付|未付|代付|垫付|"
      "交付|预付|拨付|千万|百万|平安|治安|保安|公安|西安|延安|早安|晚安|"
      "公路|道路|马路|线路|铁路|网路|走路|一路|公关|有关|相关|机关|海关|无关|理解|了解|讲解|辩解|"
      "单位|职位|学位|部位|各位|座位|诸位|首位|加强|坚强|"
      "增强|勉强|牵强|原来|本来|从来|后来|未来|将来|回来|下来|起来|上来|过来|出来|进来|共计|预计|"
      "合计|总计|统计|设计|会计|审计|估计|生计|草原|高原|中原|太原|"
      "开花|鲜花|棉花|公司|官司|上司|打包|豆包|背包|气温|高温|低温|常温|手段|一段|左左|手游|旅游|"
      "出游|导游|网游|主席|首席|出席|缺席|太阳|朝阳|沈阳|洛阳|贵阳|阴阳|襄阳|"
      "蒙古|古古|大米|玉米|厘米|毫米|平方米|小米|香江|九江|镇江|浙江|黑龙江|丽江|历史|火龙|乌龙|"
      "水龙|海马|罗马|上马|斑马|羊毛|睫毛|眉毛|合金|黄金|百合金|水田|丹田|"
      "容易|交易|贸易|简易|轻易|快乐|音乐|娱乐|可乐|高兴|新兴|时兴|复兴|绍兴|嘉兴|油井|训练|教练|"
      "熟练|挑战|作战|抗战|丰丰|平平|公平|水平|和平|苹果|树木|积木|关连|大连|"
      "接连|流连|相连|文章|图章|印章|盖章|勋章|英文|中文|外文|论文|作文|正文|人文|天文|语文|作文|"
      "原文|全文|课文|发文|威武|玄武|洪武|四季|雨季|旺季|淡季|换季|蜗牛|公牛|黄牛|水牛|"
      "白白|黑白|蛋白|表白|坦白|春季|夏季|秋季|冬季|盛夏|华夏|宁夏|初夏|立夏|花费|消费|免费|运费|"
      "收费|付费|学费|话费|缴费|水费|电费|车费|邮费|房费|自费|公费|免费|年纪|世纪|"
      "经纪|违纪|茂盛|丰盛|强盛|儿童|孩童|牧童|神童|北欧|西欧|东欧|歌曲|作曲|戏曲|弯曲|扭曲|守卫|"
      "保卫|护卫|门卫|防卫|自卫|后卫|床单|被单|传单|保单|运单|快递单|回单|罚单|"
      "收件|来安|金安|求安|大安|东边|凉席|筵席|即席|草席|左中|右左|庆丰|年丰|海丰|尊严|威严|庄严|"
      "森严|山庄|村庄|农庄|饭庄|钱庄|端庄|秦艽|先秦|连云|青云|风云|白云|星云|多云|阿里云|华为云|"
      "腾讯云";

typedef struct
{
  guint8 *surname; /* by character below 0x10000: bits 1 common, 2 rare, 4 given, 8 not in name */
  GHashTable *pairs;
  GHashTable *joined;
} Table;

static void
mark (guint8 *table, const char *chars, guint8 bit)
{
  for (const char *p = chars; *p != '\0';)
    {
      guint32 c = text_next_char (&p);

      if (c < 0x10000)
        table[c] |= bit;
    }
}

/* The first two characters of every word. */
static GHashTable *
pair_set (const char *words, gboolean last_two)
{
  GHashTable *set = g_hash_table_new (NULL, NULL);
  g_auto (GStrv) list = g_strsplit (words, "|", -1);

  for (guint i = 0; list[i] != NULL; i++)
    {
      const char *p = list[i];
      guint32 a = text_next_char (&p), b = *p ? text_next_char (&p) : 0;

      while (last_two && *p != '\0')
        {
          a = b;
          b = text_next_char (&p);
        }
      if (a != b && a < 0x10000 && b != 0)
        g_hash_table_add (set, GUINT_TO_POINTER (a << 16 | b));
    }
  return set;
}

static const Table *
table (void)
{
  static Table *made;

  if (g_once_init_enter (&made))
    {
      Table *t = g_new0 (Table, 1);

      t->surname = g_malloc0 (0x10000);
      mark (t->surname, common, 1);
      mark (t->surname, rare, 2);
      mark (t->surname, given, 4);
      mark (t->surname, not_in_name, 8);
      t->pairs = pair_set (pairs, FALSE);
      t->joined = pair_set (joined, TRUE);
      g_once_init_leave (&made, t);
    }
  return made;
}

guint
pii_surname (guint32 c)
{
  guint8 bits = c < 0x10000 ? table ()->surname[c] : 0;

  return bits & 2 ? 1 : bits & 1 ? 2 : 0;
}

gboolean
pii_surname_pair (guint32 a, guint32 b)
{
  return a < 0x10000 && b < 0x10000
         && g_hash_table_contains (table ()->pairs, GUINT_TO_POINTER (a << 16 | b));
}

gboolean
pii_given (guint32 c)
{
  return c < 0x10000 && table ()->surname[c] & 4;
}

gboolean
pii_not_in_name (guint32 c)
{
  return c < 0x10000 && table ()->surname[c] & 8;
}

gboolean
pii_not_surname_after (guint32 before, guint32 c)
{
  return before < 0x10000 && c < 0x10000
         && g_hash_table_contains (table ()->joined, GUINT_TO_POINTER (before << 16 | c));
}
