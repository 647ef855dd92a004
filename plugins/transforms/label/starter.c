/* SPDX-License-Identifier: Apache-2.0 */
/* starter.c: flowrun's own words of sentiment, audience and product features.
 *
 * Written for this program, for product texts, reviews and questions to the service; small, so that
 * a person can read it.  A company adds its own by parameter, or a large lexicon beside it.
 */
#include "config.h"

#include "rules.h"

const StarterList starter_sentiment[] = {
  /* ---- good ---- */
  { NULL, 2.0,
    "完美 惊艳 超赞 绝了 爱不释手 物超所值 无可挑剔 强烈推荐 五星好评 五星 令人叫绝 拍案叫绝 震撼 "
    "感动 杰作 经典之作 "
    "百看不厌 受益匪浅 受益良多 爱死 太棒了 非常满意 很满意 十分满意 赞不绝口 名不虚传 首选 "
    "excellent perfect awesome "
    "amazing wonderful fantastic" },
  { NULL, 1.2,
    "好看 漂亮 美观 好用 好吃 好喝 好闻 好玩 好听 好书 满意 喜欢 喜爱 爱看 推荐 值得 超值 实惠 "
    "划算 优惠 精致 精美 "
    "精彩 优秀 优质 优美 舒服 舒适 柔软 清晰 清楚 清新 流畅 方便 快捷 实用 耐用 结实 牢固 稳定 "
    "可靠 放心 贴心 周到 热情 "
    "耐心 细心 专业 负责 正品 不错 挺好 很好 真好 太好 超好 蛮好 最好 极好 更好 良好 友好 好评 "
    "点赞 给力 靠谱 惊喜 开心 高兴 "
    "愉快 享受 温馨 温暖 可爱 有趣 生动 幽默 深刻 感人 动人 启发 启迪 收获 有用 有益 有帮助 "
    "帮助很大 受益 受用 "
    "通俗易懂 浅显易懂 深入浅出 图文并茂 栩栩如生 引人入胜 爱了 回购 再来 还会来 还会买 支持 值了 "
    "物美价廉 "
    "性价比高 性价比很高 干净 整洁 安静 宽敞 美味 可口 新鲜 香 轻薄 轻便 小巧 时尚 大气 大方 高档 "
    "高端 强大 "
    "出色 卓越 一流 上乘 满足 欣赏 佩服 敬佩 钦佩 难忘 回味 流连忘返 安心 好极了 棒 赞 酷 帅 很值 "
    "真实 细腻 亲切 "
    "good great nice love like best happy recommend comfortable beautiful useful" },
  { NULL, 0.6,
    "好 便宜 还行 还可以 可以 快 很快 新 适合 合适 明白 丰富 全面 详细 简单 简洁 容易 轻松 安全 "
    "健康 环保 天然 充足 "
    "齐全 及时 准时 完整 独特 新颖 经典 幸福 快乐 美丽 美好 聪明 智慧 真诚 善良 成功 优势 优点 "
    "特色 魅力 值 收藏 "
    "合理 便利 难得 吸引 用心 很近 足够 爱 爽 便捷 期待 感谢 谢谢 感激 赏心悦目 耐看 合身 透气 "
    "保暖 省心 省电 静音" },
  /* ---- bad ---- */
  { NULL, -2.0,
    "垃圾 骗子 骗人 欺骗 上当 上当受骗 受骗 坑人 坑爹 坑 假货 假的 盗版 伪劣 差劲 极差 太差 很差 "
    "最差 差评 恶心 糟糕 糟透 烂 "
    "太烂 烂透 无耻 无语 气愤 愤怒 后悔 后悔死 投诉 退货 退款 骗钱 浪费钱 浪费 千万不要 千万别 "
    "千万别买 别买 不要买 再也不 "
    "一塌糊涂 不知所云 惨不忍睹 忍无可忍 粗制滥造 狗屁 废物 terrible awful worst rubbish fraud" },
  { NULL, -1.2,
    "不干净 不会再 再也不会 不怎么样 很一般 一般 一般般 霉 很脏 不好用 不好看 失望 差 难看 难用 "
    "难吃 难闻 难受 难懂 刺鼻 异味 臭 脏 破 破损 破旧 损坏 坏了 坏 坏掉 故障 毛病 瑕疵 缺陷 缺点 "
    "不好 不行 不值 不满 不满意 不爽 不舒服 不推荐 不喜欢 不敢恭维 不清楚 不清晰 不方便 不专业 "
    "不负责 不实用 不合适 不如 "
    "没用 没意思 没什么意思 没啥 没劲 没有用 无聊 乏味 枯燥 空洞 肤浅 啰嗦 罗嗦 拖沓 冗长 做作 "
    "矫情 "
    "牵强 混乱 凌乱 混淆 错误 错别字 错字 漏页 缺页 掉页 脱页 褪色 掉色 起球 变形 开裂 开线 断裂 "
    "漏水 漏电 发热 发烫 "
    "死机 黑屏 花屏 蓝屏 卡顿 卡 慢 太慢 很慢 吵 噪音 嘈杂 吵闹 粗糙 劣质 廉价 单薄 太贵 太小 太大 "
    "太薄 太硬 "
    "态度差 敷衍 推卸 冷漠 傲慢 恶劣 麻烦 繁琐 遗憾 可惜 郁闷 烦 烦人 讨厌 反感 生气 火大 心痛 "
    "忽悠 误导 夸大 炒作 "
    "吹捧 虚假 抄袭 拼凑 东拼西凑 雷同 老套 过时 陈旧 简陋 昏暗 潮湿 霉味 不值得 白花钱 冤枉 "
    "看不下去 读不下去 "
    "不忍卒读 bad poor disappointed disappointing broken slow useless" },
  { NULL, -0.6,
    "晕 没办法 半天 严重 不懂 还不如 贵 旧 小 普通 平淡 平平 平庸 不够 不足 欠缺 缺少 缺乏 问题 退 "
    "换 抱怨 怀疑 担心 害怕 累 痛 疼 乱 假 空 "
    "浅 薄 硬 重 暗 短 少 凑合 勉强 将就 而已 罢了 居然 竟然 根本 简直 到底 难道 凭什么 为什么 "
    "怎么会 失误 延误 拖延 "
    "小心 警告 拒绝 骂 扔" },
  { NULL, 0, NULL }
};

const StarterList starter_degrees[] = {
  { NULL, 1.6,
    "非常 极其 极为 极度 十分 万分 特别 超级 超 无比 异常 最 太 绝对 完全 totally extremely" },
  { NULL, 1.3,
    "很 挺 真 真的 真是 好生 相当 格外 分外 尤其 更 更加 越来越 实在 确实 的确 蛮 颇 颇为 so very "
    "really" },
  { NULL, 0.7,
    "比较 较 较为 还 还算 稍 稍微 略 略微 有点 有点儿 有些 一点 一点点 多少 somewhat slightly" },
  { NULL, 0, NULL }
};

const char starter_negations[] = "不 没 没有 无 未 别 勿 非 毫不 毫无 并不 并没有 并没 从不 从未 "
                                 "从没 决不 绝不 不是 不会 不能 不太 不怎么 不够 "
                                 "不算 不再 未能 未必 谈不上 算不上 称不上 缺乏 缺少 not no never "
                                 "don't doesn't isn't wasn't didn't without";

const char starter_contrast[]
    = "但是 但 可是 不过 然而 只是 就是 可惜 却 只不过 遗憾的是 美中不足 but however";

const char starter_concession[] = "虽然 虽说 虽 尽管 固然 although though";

const StarterList starter_audience[] = {
  { "children", 1,
    "儿童 孩子 小孩 宝宝 宝贝 婴儿 幼儿 婴幼儿 小朋友 童装 母婴 儿子 女儿 新生儿 kids children "
    "baby" },
  { "teenagers", 1, "青少年 中学生 初中生 高中生 少年 teenagers" },
  { "students", 1, "学生 大学生 考研 校园 宿舍 开学 同学 学习 作业 备考 students" },
  { "women", 1,
    "女士 女性 女生 女孩 女人 妈妈 母亲 孕妇 孕妈 少女 闺蜜 女朋友 女友 老婆 姐妹 女款 women "
    "ladies" },
  { "men", 1, "男士 男性 男生 男孩 男人 爸爸 父亲 男朋友 男友 老公 剃须 男款 men gentlemen" },
  { "elderly", 1, "老人 老年 老年人 中老年 长辈 爷爷 奶奶 父母 爸妈 老人家 银发 elderly seniors" },
  { "office", 1, "上班族 办公 办公室 职场 商务 白领 通勤 出差 会议 加班 office business" },
  { "outdoor", 1, "户外 登山 露营 徒步 骑行 旅行 旅游 运动 健身 跑步 瑜伽 钓鱼 outdoor travel" },
  { "families", 1, "家庭 家用 全家 居家 家人 一家人 厨房 客厅 families home" },
  { "pets", 1, "宠物 猫咪 狗狗 猫粮 狗粮 养猫 养狗 铲屎官 pets" },
  { "gamers", 1, "游戏玩家 电竞 游戏 玩家 手游 gamers gaming" },
  { NULL, 0, NULL }
};

const StarterList starter_features[]
    = { { "quality", 1, "质量 品质 做工 工艺 耐用 结实 牢固 质感 正品 假货 盗版 瑕疵 quality" },
        { "appearance", 1,
          "外观 外形 颜色 款式 样式 设计 造型 好看 漂亮 难看 颜值 封面 装帧 color design" },
        { "price", 1, "价格 价钱 性价比 便宜 太贵 贵 实惠 划算 优惠 折扣 降价 price" },
        { "delivery", 1, "快递 物流 发货 送货 配送 到货 收到货 delivery shipping" },
        { "service", 1, "客服 服务 态度 售后 退货 换货 退款 保修 前台 服务员 service" },
        { "packaging", 1, "包装 盒子 箱子 外包装 塑封 礼盒 packaging" },
        { "material", 1, "材质 面料 布料 材料 用料 纸质 纸张 手感 纯棉 不锈钢 实木 material" },
        { "size", 1, "尺寸 尺码 大小 合身 偏大 偏小 太大 太小 长度 宽度 重量 容量 size" },
        { "performance", 1,
          "性能 速度 运行 配置 反应 流畅 卡顿 死机 散热 发热 处理器 内存 硬盘 显卡 performance" },
        { "battery", 1, "电池 续航 充电 电量 耗电 battery" },
        { "screen", 1, "屏幕 分辨率 显示 亮度 画质 screen display" },
        { "sound", 1, "音质 声音 音箱 噪音 静音 音量 隔音 sound noise" },
        { "taste", 1, "味道 口感 好吃 难吃 美味 新鲜 口味 taste" },
        { "smell", 1, "气味 异味 香味 刺鼻 好闻 难闻 smell" },
        { "comfort", 1, "舒适 舒服 柔软 透气 保暖 comfort" },
        { "use", 1, "使用 操作 安装 功能 方便 好用 说明书 简单易用 usability" },
        { "content", 1, "内容 情节 故事 文笔 翻译 文字 作者 印刷 排版 错别字 content" },
        { "place", 1, "房间 酒店 位置 交通 环境 卫生 早餐 床 浴室 location" },
        { NULL, 0, NULL } };
