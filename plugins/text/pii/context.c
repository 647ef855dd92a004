/* SPDX-License-Identifier: Apache-2.0 */
/* context.c: the words that tell what stands beside them, in Chinese and English.
 *
 * Written down for this from general knowledge.  A word speaks for or against
 * the kinds of its row; what comes of it is the rules' business.
 */
#include "config.h"

#include "text/pii/pii-private.h"

static const struct
{
  guint32 kinds;
  const char *words;
} builtin[] = {
  { K_MOBILE, "手机|手机号|手机号码|移动电话|联系方式|电话号码|号码|拨打|致电|来电|回电|打给|"
              "打电话|短信|微信同号|同微信|电联|联系|"
              "mobile|cell|cellphone|cell phone|sms|whatsapp|call|text me|mob|手機" },
  { K_MOBILE | K_LANDLINE, "电话|联系电话|客服电话|tel|phone|telephone|热线|客服热线|電話|contact "
                           "number|phone number|call us" },
  { K_LANDLINE, "座机|固话|固定电话|传真|总机|分机|办公电话|公司电话|家庭电话|宅电|fax|landline|"
                "office phone|hotline|前台" },
  { K_ID, "身份证|身份证号|身份证号码|身份证件|证件号|证件号码|公民身份号码|公民身份证|身份号码|"
          "居住证|id card|id number|id no|identity card|"
          "identity number|identity no|national id|身份證|resident id|sfz" },
  { K_CARD,
    "银行卡|银行卡号|卡号|信用卡|储蓄卡|借记卡|账号|帐号|银行账户|账户|收款账户|工资卡|公务卡|打款|"
    "card number|card no|card|credit card|debit card|"
    "bank account|account number|account no|银联|visa|mastercard|unionpay|amex|开户行|银行卡號" },
  { K_PASSPORT, "护照|护照号|护照号码|passport|passport no|passport number|護照" },
  { K_PERMIT, "通行证|港澳通行证|往来港澳通行证|往来台湾通行证|台湾通行证|大陆通行证|内地通行证|"
              "回乡证|台胞证|台湾居民来往大陆通行证|港澳居民来往内地通行证|"
              "travel permit|home return permit|mainland travel permit|permit no|permit "
              "number|entry permit" },
  { K_USCC, "信用代码|统一社会信用代码|社会信用代码|信用代码证|纳税人识别号|税号|纳税识别号|"
            "税务登记号|机构代码|营业执照|执照号|uscc|credit code|"
            "unified social credit|taxpayer id|tax id|tax no" },
  { K_PLATE, "车牌|车牌号|牌照|号牌|车辆|plate|license plate|licence plate|挪车" },
  { K_WECHAT, "微信|微信号|微信id|微信账号|weixin|wechat|wechat "
              "id|wxid|vx|v信|薇信|威信号|加v|加微|wx|wx号|vx号" },
  { K_QQ, "qq|qq号|qq号码|扣扣|扣扣号|企鹅号|q号|qq账号|qq群|qq群号|qq number|加q" },
  { K_NAME_LABEL,
    "收件人|收货人|联系人|寄件人|发件人|收款人|付款人|汇款人|经办人|经手人|负责人|申请人|签收人|"
    "投保人|被保险人|受益人|法定代表人|法人代表|"
    "法人|持卡人|户主|户名|开户名|开户人|开户姓名|账户名|业主|租客|承租人|出租人|房东|当事人|原告|"
    "被告|委托人|代理人|证人|监护人|家长|患者|病人|患儿|主治医生|主治医师|"
    "乘客|旅客|乘车人|司机|骑手|快递员|投诉人|报修人|订票人|入住人|客户姓名|姓名|学生姓名|患者姓名|"
    "真实姓名|收件人姓名|收货人姓名|联系人姓名|预约人|购买人|下单人|"
    "审批人|审核人|填表人|制表人|记录人|报告人|推荐人|介绍人|担保人|借款人|紧急联系人|对接人|"
    "接待人|指导教师|指导老师|班主任|本人|我叫|名叫|叫做|姓名为|姓名是|"
    "员工|学员|考生|应聘者|候选人|当事人|死者|伤者|嫌疑人|被告人|甲方代表|乙方代表|收件方|寄件方" },
  { K_NAME_COLON, "客户|用户|买家|卖家|会员|联络人|作者|编辑|记者|主持人|甲方|乙方|发信人|致|寄|"
                  "抄送|签名|签字|署名|落款|经理|店长|客服|导购|顾问|名字|称呼|昵称|收|"
                  "领取人|取件人|签约人|代表|值班|值班员|操作员|管理员" },
  { K_NAME_TITLE,
    "先生|女士|小姐|太太|夫人|经理|总经理|副经理|老师|教授|医生|大夫|护士|主任|副主任|师傅|律师|"
    "同学|同志|总监|主管|局长|处长|科长|院长|校长|所长|部长|"
    "董事长|总裁|阿姨|叔叔|工程师|会计|店长|警官|法官|教练|博士|总|工|哥|姐|书记|导师|班长|队长|"
    "厂长|站长|组长|秘书|助理|顾问|房东|房东|老板|老板娘|女士们|先生们" },
  { K_NAME_TITLE_EN, "mr|mrs|ms|miss|dr|prof|professor|mr.|mrs.|ms.|dr.|prof.|madam|sir" },
  { K_NAME_LABEL_EN,
    "name|full name|customer name|contact name|contact|contact "
    "person|recipient|consignee|receiver|sender|attn|attention|customer|buyer|"
    "cardholder|card holder|account holder|account name|applicant|patient|passenger|guest|guest "
    "name|employee|signed by|beneficiary|dear|my name is|name is|"
    "sincerely|regards|best regards|kind regards|yours sincerely|yours "
    "truly|payee|payer|tenant|landlord|driver|emergency contact|billed to|bill to|ship to" },
  { K_ADDRESS, "地址|住址|收货地址|收件地址|寄件地址|家庭住址|家庭地址|通讯地址|通信地址|联系地址|"
               "公司地址|办公地址|户籍地址|户籍所在地|户籍地|现住址|详细地址|"
               "居住地|居住地址|住所|住所地|注册地址|经营地址|住在|家住|现住|居住在|暂住|坐落于|"
               "坐落在|座落于|位于|送到|寄到|寄往|送至|邮寄至|寄至|配送至|搬到|门牌|地点|开户地址|"
               "上门地址|发货地址|退货地址|服务地址|安装地址|address|addr|home address|shipping "
               "address|住|送货到|发往|送往" },
  { K_STREET_EN, "street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|way|court|ct|place|"
                 "pl|square|sq|terrace|crescent|highway|parkway" },
  { K_KEY, "key|api_key|apikey|api-key|api key|api密钥|secret|secret_key|secretkey|secret "
           "key|secret_id|app_secret|appsecret|app secret|access_key|accesskey|access key|"
           "access_key_id|access_key_secret|accesskeyid|accesskeysecret|client_secret|clientsecret|"
           "private_key|token|access_token|accesstoken|refresh_token|auth_token|"
           "bearer|authorization|密钥|秘钥|私钥|令牌|口令|签名密钥|授权码|x-api-key|session_token|"
           "encrypt_key|aes_key|signing_key|webhook_secret" },
  { K_PASSWORD, "密码|登录密码|初始密码|支付密码|password|passwd|pwd|passcode|passphrase|密码是|"
                "密码为|pass|提取码|wifi密码" },
  { K_VERSION, "版本|版本号|version|ver|v|固件|内核|release|章节|第|v.|build|升级到|sdk|driver "
               "version|firmware" },
  { K_NUMBER, "订单|订单号|单号|订单编号|编号|流水|流水号|货号|sku|条码|条形码|型号|批号|批次|"
              "序列号|运单|运单号|快递单号|物流单号|物流|isbn|imei|合同号|合同编号|发票号|"
              "发票号码|发票代码|工单|工单号|案号|文号|商品编码|编码|商品id|产品编号|图片|文件名|"
              "时间戳|timestamp|order|order no|order number|order id|invoice|invoice no|tracking|"
              "tracking no|tracking number|serial|serial no|serial number|part no|part number|item "
              "no|item|model|batch|lot|barcode|upc|ean|gtin|id|product id|交易号|交易单号|支付单号|"
              "凭证号|回执|回执号|取件码|验证码|资产编号|设备号|设备编号|房源编号|学号|工号|备案号|"
              "许可证号|专利号|注册号|期刊号|价格|金额|总价|合计|销量|库存|数量|阅读量|播放量|浏览|"
              "reference|ref|ref no|ticket|case no|case|transaction|transaction "
              "id|sn|s/"
              "n|po|合同|凭证|采购单|退货单|出库单|入库单|快递|追踪号|房号|座位号|航班|批准文号|"
              "国药准字|点击量|粉丝|市值|营收|成交额" },
  { K_NOT_NAME,
    "高级|高端|高清|高质量|高品质|高效|安全|安心|平台|平时|平均|金额|金融|金属|金牌|"
    "单价|单位|单号|单独|方便|方式|方法|方案|成功|成本|成都|成员|温度|温馨|"
    "白色|白天|黄色|黄金|黄山|黄河|明天|明白|明确|常见|常用|常规|万元|万达|时间|时候|"
    "时尚|全部|全国|全新|全体|任何|任务|任意|包装|包邮|包括|包含|花费|花园|"
    "应该|应付|应用|国家|国内|国际|关注|关于|关系|管理|管家|程序|程度|严格|严重|通知|"
    "通过|项目|房间|房屋|房产|房东|房租|车辆|车站|车间|路线|路上|水果|水平|云南|云端|"
    "石油|石材|江苏|江西|江南|海南|海外|海鲜|湖南|湖北|广州|广东|广告|广大|贵州|贵阳|"
    "贵公司|贵司|贵宾|华为|华北|华东|华南|余额|余下|许多|许可|和平|和谐|和我|"
    "连接|连续|连锁|文件|文化|文章|古代|古典|古镇|米饭|米线|计划|计算|相关|相同|相机|"
    "司机|司法|空调|空间|空气|查询|查看|查收|党员|党委|于是|于此|边上|"
    "那么|那个|钟点|牛奶|牛肉|羊肉|马上|马路|马桶|毛巾|毛衣|雷达|雷电|龙头|龙虾|熊猫|"
    "丁香|叶子|田园|田地|林业|林区|沈阳|苏州|苏打|宁波|宁夏|"
    "甘肃|甘蔗|黑色|蓝色|蓝牙|红色|紫色|银行|金卡|向上|向前|项链|危险|危机|武汉|武器|"
    "武术|强烈|强大|強|解决|解释|解放|解除|阳光|阳台|"
    "胡同|胡椒|万一|史上|历史|孔雀|易用|易碎|席位|温泉|和睦|滑雪|郑州|郑重|梅花|梁柱|"
    "孙子|周末|周年|周边|周到|周一|周二|周三|周四|周五|周六|周日|"
    "李子|张开|张贴|王牌|王国|王者|王府井|陈列|陈述|陈旧|杨树|杨梅|赵州|吴江|徐州|徐徐|"
    "朱红|朱砂|柳州|高考|高中|高铁|高速|高速公路|高峰|曾经|萧条|"
    "谢谢|谢绝|谢意|宋体|宋代|唐代|唐装|董事|董事会|程式|曹操|邓州|付款|付费|付清|付出|"
    "冯唐|余杭|汪汪|戴上|戴口罩|袁大头|钱包|钱款|贺卡|侯马|顾客|顾问|"
    "尹始|段落|段位|雷锋|黎明|贺岁|孟买|秦皇岛|秦岭|江湖|尚未|葛根|齐全|康复|康养|安装|"
    "安排|安徽|安康|祝福|祝您|祝贺|祝你|左右|左边|纪念|纪录|舒适|舒服|"
    "屈服|项下|童装|童年|景区|景点|路由|路由器|路口|路费|季度|季节|盛大|凌晨|霍乱|田径|"
    "樊城|管道|卢布|莫名|莫非|柯达|白酒|白菜|柴油|华侨|元旦|元宵|元素|"
    "支付|支持|支出|支行|习惯|别墅|别人|水费|水电|池塘|汤圆|空中|武装|商业|卫生|公安|陆军|海军|"
    "空军|康师傅|蒙哥|金工|国防|商务|国务|全科|单身|平民|古人|施工|毕业|毕业班|安哥拉|"
    "高工|史上|任课|代课|向导" },
  { K_POSTFIX, "先生|女士|小姐|同志|同学|老师|经理|医生|手机|电话|身份证|联系|微信|地址|收|已|已经|"
               "现|将|于|在|是|的|与|和|及|以及|说|表示|提出|因|因为|从|向|对|把|被|等|"
               "性别|男|女|年龄|生于|出生|住|家住|签收|签字|名下|称|反映|来|到|去|要|需|需要|昨天|"
               "今天|明天|上午|下午|您好|你好|本人|号码|银行|账号|卡号|护照|车牌|邮箱|qq|职务|部门|"
               "请|提交|申请|办理|为|或|也|都|就|还|有|没|没有|预约|预订|购买|下单|付款|退款|投诉|"
               "咨询|代收|自提|名字|工号|学号|岁|之|以|并|正|刚|打|发|寄|给" },
};

void
pii_words_add_builtin (Words *words)
{
  g_auto (GStrv) regions = g_strsplit (pii_regions, "|", -1);

  for (guint i = 0; i < G_N_ELEMENTS (builtin); i++)
    {
      g_auto (GStrv) list = g_strsplit (builtin[i].words, "|", -1);

      for (guint j = 0; list[j] != NULL; j++)
        pii_words_add (words, list[j], builtin[i].kinds, 0, NULL);
    }
  for (guint i = 0; regions[i] != NULL; i++)
    pii_words_add (words, regions[i], K_REGION, 0, NULL);
}
