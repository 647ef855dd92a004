#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make-labelled.py > labelled.jsonl: sentences with personal data marked, for measuring transform.desensitize.

Half are sentences written by hand (labelled-hand.txt) into which values are put; the other half comes from the templates
below, whose parts are shuffled.  Every value is invented here from a fixed seed: checksums are right, nobody is meant.
Names were written down freely, not drawn from the surname and given-name tables of text/pii.
A line is {"half": "tune" | "report", "made": "hand" | "template", "text": "..."} with each value as ⟦type|value⟧;
the half is drawn by chance from the line's number, so that both halves have all kinds."""
import json, os, random, re, string
R = random.Random(20240513)
here = os.path.dirname(os.path.abspath(__file__))
def digits(n): return ''.join(R.choice('0123456789') for _ in range(n))
def mark(kind, value): return f'⟦{kind}|{value}⟧'

NAMES = '''王建国 李思雨 张可欣 刘子墨 陈嘉豪 杨雪梅 赵立新 黄志强 周晓彤 吴俊杰 徐婉清 孙浩然 胡一鸣 朱明月 高远航 林书瑶 何静怡
郭天佑 马文博 罗诗涵 梁秋实 宋佳音 郑伟 谢芳 韩磊 唐敏 冯涛 董洁茹 程璐 曹阳 袁野 邓超群 许诺言 沈从容 曾庆余 吕梦琪 苏打力
卢晓峰 蒋雯 蔡依静 贾平安 丁一 魏来 薛冰 叶知秋 阎王平 潘虹 杜鹃 戴维新 夏天 钟楚红梅 汪洋 田甜 任我行舟 姜文静 范冰心 石磊 姚远 谭咏 廖凡
邹静 熊大林 金善美 陆游天 郝建 孔令辉煌 白灵 崔健强 康熙明 毛不易行 邱实 秦岚 江一燕子 史密 顾长林 侯亮平 邵逸 孟非凡 龙飞 万茜茜 段誉 雷鸣 钱多多
汤唯一 尹力 黎明辉 易中 常乐 武松林 乔木 贺新郎 赖声 龚自强 文静 庞博 樊胜 兰草 殷桃 施工 陶然 洪水生 翟天 安然 颜回生 倪妮 严肃 牛犇 温如玉
芦笛 季风 俞飞鸿 章子涵 鲁豫 葛兰 毕胜 聂小倩 焦点 向阳 柳如烟 邢台山 岳云 齐白 梅兰 莫言午 庄周 辛弃 管彤 祝英 左岸 涂山 谷雨 祁连山 耿直 牟林森
欧阳修文 司马青衫 诸葛明亮 上官婉月 夏侯杰 令狐少冲 慕容雪 皇甫嵩 尉迟恭谦 阚清子 缪斯 宁静远 桂花 游鸿明 阳光 裴多菲 席慕 卫青山 查理 屈原野 鲍鱼'''.split()
# What reads as a word or as somebody famous is left out of the set again.
DROP = set('钟楚红梅 任我行舟 孔令辉煌 毛不易行 江一燕子 康熙明 苏打力 阎王平 施工 鲍鱼 桂花 阳光 查理 严肃 焦点 文静 夏天 向阳 谷雨 安然 倪妮 段誉 慕容雪 殷桃 季风 兰草 缪斯'.split())
NAMES = [n for n in NAMES if n not in DROP and 2 <= len(n) <= 4]
DOTTED = ['买买提·吐尔逊', '迪丽娜尔·艾合买提', '阿不都·热西提', '古丽娜·木拉提']
SURNAMES = list('王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶余潘杜戴夏钟汪田任姜范方石姚谭') + ['欧阳', '司马', '上官']
FIRST = 'James Emma Oliver Sophia William Grace Daniel Chloe Henry Amelia Lucas Harriet Peter Nina Carlos Ingrid Marcus Yuki Priya Tomas'.split()
LAST = 'Smith Johnson Carter Nguyen Garcia Mueller Okafor Tanaka Rossi Novak Andersen Walker Bennett Hughes Delgado Whitfield Ortega Lindqvist Brandt Mercer'.split()
SEG = '133 134 135 136 137 138 139 145 147 150 151 152 153 155 156 157 158 159 162 165 166 167 170 171 173 175 176 177 178 180 181 182 183 185 186 187 188 189 190 191 193 195 196 197 198 199'.split()
PLACES = '''浙江省杭州市西湖区文三路{n}号{b}|广东省深圳市南山区科技园南区{n}栋{r}室|北京市朝阳区建国路{n}号院{s}号楼{r}|上海市浦东新区张江路{n}弄{s}号{r}室|江苏省南京市鼓楼区中山北路{n}号
四川省成都市武侯区天府大道中段{n}号{s}单元{r}|湖北省武汉市洪山区珞喻路{n}号|山东省青岛市市南区香港中路{n}号{b}|福建省厦门市思明区湖滨南路{n}号{r}室|辽宁省大连市沙河口区中山路{n}号
陕西省西安市雁塔区小寨东路{n}号|重庆市渝北区龙溪街道新牌坊{s}路{n}号|天津市河西区友谊路{n}号{b}|湖南省长沙市岳麓区麓山南路{n}号|河南省郑州市金水区花园路{n}号{s}号楼{r}
安徽省合肥市蜀山区黄山路{n}号|江西省南昌市红谷滩区丰和中大道{n}号|云南省昆明市五华区人民中路{n}号|贵州省贵阳市云岩区中华北路{n}号|广西壮族自治区南宁市青秀区民族大道{n}号
黑龙江省哈尔滨市南岗区学府路{n}号|吉林省长春市朝阳区人民大街{n}号|河北省石家庄市长安区中山东路{n}号|山西省太原市小店区平阳路{n}号|内蒙古自治区呼和浩特市赛罕区大学西街{n}号
甘肃省兰州市城关区东岗西路{n}号|海南省海口市龙华区滨海大道{n}号|宁夏银川市兴庆区解放西街{n}号|青海省西宁市城西区五四大街{n}号|新疆乌鲁木齐市天山区新华北路{n}号
杭州市余杭区五常街道文一西路{n}号{s}幢{r}室|广州市天河区体育西路{n}号{b}|苏州市工业园区星湖街{n}号|宁波市鄞州区天童南路{n}号{s}号楼|浙江省金华市义乌市稠江街道城店南路{n}号
浙江省温州市苍南县龙港镇通港路{n}号|河北省保定市安新县大王镇北六村{n}号|西湖区翠苑街道翠苑一区{s}幢{u}单元{r}室|浦东新区世纪大道{n}号{b}|海淀区中关村大街{n}号
望京西园三区{s}号楼{u}单元{r}室|中山路{n}号{s}单元{r}室|解放大道{n}号|人民路{n}弄{s}号{r}室|幸福里小区{s}栋{u}单元{r}'''.replace('\n', '|').split('|')
BUILD = ['', '', '东方大厦%d楼' % 12, '国际广场A座1203室', '科技大厦3楼']
STREET = ['{n} Baker Street', '{n} Oak Avenue, Apt {u}B', '{n} Sunset Blvd, Springfield, IL {z}', '{n} Maple Drive', '{n} West Lake Road, Suite {r}', '{n} Hill Lane, Portland, OR {z}', '{n} Elm Court']
def luhn(body):
    s = 0
    for i, c in enumerate(reversed(body)):
        d = int(c)
        if i % 2 == 0: d = d * 2 - 9 * (d > 4)
        s += d
    return body + str(-s % 10)
def id18():
    area = R.choice('110101 110105 310104 310115 330106 330110 440103 440305 510107 420111 370202 320106 610113 210202 350203 500112 430104 450103 530102 130102'.split())
    body = area + '%04d%02d%02d' % (R.randint(1951, 2012), R.randint(1, 12), R.randint(1, 28)) + '%03d' % R.randint(0, 999)
    return body + '10X98765432'[sum(int(c) * w for c, w in zip(body, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])) % 11]
def id15(): return R.choice('110105 310104 330106 440103 510107 320106'.split()) + '%02d%02d%02d' % (R.randint(35, 79), R.randint(1, 12), R.randint(1, 28)) + digits(3)
def uscc():
    a = '0123456789ABCDEFGHJKLMNPQRTUWXY'
    body = '91' + R.choice('330106 110108 310115 440305 320505 510107'.split()) + 'MA' + ''.join(R.choice(a) for _ in range(7))
    return body + a[(31 - sum(a.index(c) * pow(3, i, 31) for i, c in enumerate(body)) % 31) % 31]
def card():
    kind = R.random()
    if kind < .6: return luhn(R.choice(['622202', '622848', '621483', '622588', '621700', '622700', '621226']) + digits(12))
    if kind < .75: return luhn(R.choice(['622588', '622575', '628288']) + digits(9))
    if kind < .9: return luhn('4' + digits(14))
    return luhn('5' + R.choice('12345') + digits(13))
def mobile(): return R.choice(SEG) + digits(8)
def full(s): return ''.join(chr(ord(c) + 0xfee0) for c in s)
def cn(s): return ''.join('零幺二三四五六七八九'[int(c)] for c in s)
def latin(n): return ''.join(R.choice(string.ascii_lowercase) for _ in range(n))
def address():
    return R.choice(PLACES).format(n=R.randint(1, 1999), s=R.randint(1, 28), u=R.randint(1, 4), r=R.randint(101, 2605), b=R.choice(BUILD))
def email():
    user = R.choice([latin(6), latin(3) + '.' + latin(5), latin(4) + digits(4), latin(4) + '_' + latin(3), digits(9), latin(5) + '+' + latin(3), latin(5).capitalize() + '.' + latin(4).capitalize()])
    return user + '@' + R.choice(['qq.com', '163.com', 'example.com', 'shop.test.cn', 'mail.example.com.cn', 'Example.COM', '126.com', 'foxmail.com'])
def plate():
    a = 'ABCDEFGHJKLMNPQRSTUVWXYZ'
    p = R.choice('京沪粤浙苏川鲁豫鄂皖闽湘') + R.choice('ABCDEFG')
    k = R.random()
    if k < .4: return p + R.choice(['', '·']) + R.choice(a) + digits(4)
    if k < .6: return p + R.choice(['', '·']) + digits(5)
    if k < .75: return p + digits(2) + R.choice(a) + digits(2)
    return p + R.choice(['', '·']) + R.choice('DF') + digits(5)
def alnum(n, chars=string.ascii_letters + string.digits):
    while True:
        s = ''.join(R.choice(chars) for _ in range(n))
        if any(c.isdigit() for c in s) and any(c.isalpha() for c in s): return s
def apikey():
    return R.choice([lambda: 'AKIA' + alnum(16, string.ascii_uppercase + '234567'), lambda: 'sk-' + alnum(40), lambda: 'ghp_' + alnum(36), lambda: 'LTAI5t' + alnum(18), lambda: alnum(32, '0123456789abcdef')])()
def wechat(): return R.choice([latin(4) + digits(4), latin(5) + '_' + digits(3), latin(3) + '-' + latin(4) + digits(2), 'wxid_' + alnum(14, string.ascii_lowercase + string.digits)])
def landline():
    area = R.choice('010 021 022 023 025 027 028 0571 0512 0755 0531 0591 0371'.split()); n = R.choice('23568') + digits(7 if len(area) == 3 or area in ('0571', '0512', '0755', '0531', '0591', '0371') else 6)
    return R.choice([f'{area}-{n}', f'{area}{n}', f'({area}){n}', f'{area} {n}', f'{area}-{n[:4]} {n[4:]}'])
def ip4(): return f"{R.choice(['10', '172', '192', '47', '116', '203', '8'])}.{R.randint(0, 255)}.{R.randint(10, 255)}.{R.randint(1, 254)}"
def hex_(n): return ''.join(R.choice('0123456789abcdef') for _ in range(n))
FILL = {
    'name': lambda: mark('name', R.choice(NAMES) if R.random() < .95 else R.choice(DOTTED)), 'surname': lambda: mark('name', R.choice(SURNAMES)),
    'name_en': lambda: mark('name', R.choice(FIRST) + ' ' + R.choice(LAST)), 'first_en': lambda: mark('name', R.choice(FIRST)), 'last_en': lambda: mark('name', R.choice(LAST)),
    'mobile': lambda: mark('mobile', mobile()), 'mobile_fw': lambda: mark('mobile', full(mobile())), 'mobile_cn': lambda: mark('mobile', cn(mobile())),
    'mobile_sp': lambda: mark('mobile', re.sub(r'(...)(....)(....)', r'\1 \2 \3', mobile())), 'mobile_hy': lambda: mark('mobile', re.sub(r'(...)(....)(....)', r'\1-\2-\3', mobile())),
    'mobile_plus': lambda: mark('mobile', '+86 ' + mobile()), 'intl': lambda: mark('mobile', R.choice(['+1 415 555 ' + digits(4), '+44 20 7946 ' + '0' + digits(3), '+65 6123 ' + digits(4)])),
    'us': lambda: mark('landline', f'(415) 555-{digits(4)}'), '400': lambda: mark('landline', R.choice([f'400-{R.randint(600, 899)}-{digits(4)}', f'400{R.randint(600, 899)}{digits(4)}', f'800-{R.randint(600, 899)}-{digits(4)}', f'400-{R.randint(6000, 8999)}-{digits(3)}'])),
    'landline_ext': lambda: mark('landline', landline() + '转8021'), 'landline': lambda: mark('landline', landline()), 'id': lambda: mark('id_card', id18()), 'id15': lambda: mark('id_card', id15()),
    'id_sp': lambda: mark('id_card', re.sub(r'(.{6})(.{4})(.{4})(.{4})', r'\1 \2 \3 \4', id18())), 'card': lambda: mark('bank_card', card()),
    'card_sp': lambda: mark('bank_card', re.sub(r'(.{4})(?=.)', r'\1 ', card())), 'card_hy': lambda: mark('bank_card', re.sub(r'(.{4})(?=.)', r'\1-', luhn('622588' + digits(9)))),
    'passport': lambda: mark('passport', R.choice(['E' + digits(8), 'G' + digits(8), 'E' + R.choice('ABCDEFGHJK') + digits(7)])), 'permit': lambda: mark('permit', R.choice(['C' + digits(8), 'H' + digits(8), 'L' + digits(8), 'M' + digits(8), R.choice('123456789') + digits(7)])),
    'uscc': lambda: mark('uscc', uscc()), 'plate': lambda: mark('plate', plate()), 'email': lambda: mark('email', email()), 'wechat': lambda: mark('wechat', wechat()),
    'qq': lambda: mark('qq', R.choice('123456789') + digits(R.randint(6, 9))), 'address': lambda: mark('address', address()),
    'address_en': lambda: mark('address', R.choice(STREET).format(n=R.randint(2, 999), u=R.randint(1, 9), r=R.randint(100, 900), z=digits(5))),
    'ip': lambda: mark('ip', ip4()), 'ip6': lambda: mark('ip', R.choice([f'240e:{hex_(4)}:{hex_(4)}::{hex_(3)}', ':'.join(R.choice('123456789') + hex_(3) for _ in range(8))])),
    'mac': lambda: mark('mac', R.choice([':', '-']).join(R.choice(['00', '3c', 'a4', '5E']) + '' if i == 0 else hex_(2) for i in range(6))),
    'url': lambda: f'https://shop.test/reset?{R.choice(["token", "access_token", "sign"])}=' + mark('url_token', alnum(24)) + '&lang=zh',
    'userpass': lambda: mark('url_token', latin(4) + ':' + alnum(10)), 'apikey': lambda: mark('api_key', apikey()), 'password': lambda: mark('api_key', alnum(R.randint(8, 12))),
}
def fill(line): return re.sub(r'\{(\w+)\}', lambda m: FILL[m[1]](), line).replace('\\n', '\n')

OPEN = ['', '', '您好，', '麻烦问一下，', '急！', '【工单】', '补充：', '备注：', '客户说', '转告一下，', 'ps. ', '> ']
CLOSE = ['', '。', '，谢谢', '，请尽快处理。', '！', '（已核实）', '，辛苦了', '…', ' 谢谢', '；']
PARTS = [['电话{mobile}', '手机：{mobile}', '打{mobile}', '联系方式{mobile_sp}', '联系电话 {mobile}', '手机号是{mobile}'], ['联系人{name}', '收件人：{name}', '{name}女士', '{surname}先生', '姓名：{name}', '{surname}经理'],
         ['邮箱{email}', '邮箱：{email}', '发到{email}', 'email {email}'], ['地址：{address}', '寄到{address}', '送到{address}', '住址 {address}'], ['身份证{id}', '身份证号：{id}', '证件号{id}'],
         ['卡号{card}', '银行卡：{card}', '打到{card}'], ['车牌{plate}', '车是{plate}'], ['微信{wechat}', 'QQ{qq}', '微信号：{wechat}', 'qq：{qq}'], ['座机{landline}', '固话：{landline}', '客服{400}'],
         ['护照{passport}', '护照号：{passport}', '港澳通行证{permit}'], ['税号{uscc}', '信用代码：{uscc}'], ['IP {ip}', '登录地址{ip}', 'MAC {mac}'], ['密码：{password}', 'key={apikey}', '{url}']]
TRAPS = ['订单号{d11}', '单号：{d12}', '货号{d11}', 'SKU {d11}', '图片/img/{d11}.jpg', '{d11}.png', '流水号{d18}', '¥{d11}', '价格{d5}元', '型号A-{d11}', '批次{d8}', '销量{d11}件', '编号：{d16}', '第{d5}期', '播放{d11}次', '条码69{d11}']
def template():
    n = R.choice([1, 1, 2, 2, 3])
    parts = [R.choice(p) for p in R.sample(PARTS, n)]
    if R.random() < .35: parts.insert(R.randrange(len(parts) + 1), R.choice(TRAPS))
    if R.random() < .12: parts = [R.choice(TRAPS), R.choice(TRAPS)]
    line = R.choice(OPEN) + R.choice(['，', '，', '；', ' ', '、', ' / ']).join(parts) + R.choice(CLOSE)
    line = re.sub(r'\{d(\d+)\}', lambda m: R.choice('1379') + digits(int(m[1]) - 1), line)
    return fill(line)
rows = []
for line in open(f'{here}/labelled-hand.txt', encoding='utf-8'):
    line = line.rstrip('\n')
    if line and not line.startswith('# '): rows.append(('hand', fill(line)))
rows += [('template', template()) for _ in range(420)]
S = random.Random(7)
for made, text in rows:
    print(json.dumps({'half': S.choice(['tune', 'report']), 'made': made, 'text': text}, ensure_ascii=False))
