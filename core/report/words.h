/* SPDX-License-Identifier: Apache-2.0 */
/* words.h: every word of the page, in each of its languages (internal).
 *
 * These are the page's own words; what elements say, they say in the languages
 * they know (view.h), and files and rows are shown as they are.  Another
 * language is another column.
 */
#ifndef FLOWRUN_WORDS_H
#define FLOWRUN_WORDS_H

#include <glib.h>

G_BEGIN_DECLS

/* Names, English, Chinese.  A %s stands for a number or text that is ready to be shown. */
#define FRI_WORDS(X)                                                                              \
  X (SUCCESS, "Success", "成功")                                                                  \
  X (SUCCESS_LONG, "All stages ran to their end, and no limit was passed.",                       \
     "所有阶段均已完成，未超出任何限制。")                                                        \
  X (LIMIT, "Limit passed", "超出限制")                                                           \
  X (LIMIT_LONG, "All stages ran to their end, but a limit that the pipeline sets was passed:",   \
     "所有阶段均已完成，但超出了流水线设定的限制：")                                              \
  X (FAILED, "Failed", "失败")                                                                    \
  X (FAILED_LONG, "The run failed. What is shown below is as far as it came.",                    \
     "运行失败。以下是失败前的情况。")                                                            \
  X (INTERRUPTED, "Interrupted", "已中断")                                                        \
  X (INTERRUPTED_LONG,                                                                            \
     "The run was interrupted; run it again to go on. What is shown below is as far as it came.", \
     "运行被中断，重新运行即可继续。以下是中断前的情况。")                                        \
  X (BEFORE_STANDS,                                                                               \
     "What an earlier run (%s) left, manifest.json among it, still stands.",                      \
     "较早一次运行（%s）的结果（包括 manifest.json）仍然有效。")                                  \
  X (NO_NAME, "Run", "运行")                                                                      \
  X (STARTED, "started", "开始时间")                                                              \
  X (TOOK, "took", "用时")                                                                        \
  X (ROWS_READ, "rows from sources", "数据源行数")                                                \
  X (REJECTED, "rejected", "被拒绝行数")                                                          \
  X (WARNED, "warnings", "警告")                                                                  \
  X (SCORES, "Scores", "评分")                                                                    \
  X (WHAT_RAN, "What ran", "运行过程")                                                            \
  X (GRAPH, "Stages and the rows between them", "各阶段及其间的数据行")                           \
  X (STAGES, "Stages", "阶段")                                                                    \
  X (STAGE, "stage", "阶段")                                                                      \
  X (ELEMENT, "element", "元件")                                                                  \
  X (ROWS_IN, "rows in", "输入行数")                                                              \
  X (ROWS_OUT, "rows out", "输出行数")                                                            \
  X (ASIDE, "set aside", "另置")                                                                  \
  X (REJECTS, "rejects", "拒绝")                                                                  \
  X (WORKING, "working", "工作")                                                                  \
  X (WAITING, "waiting", "等待")                                                                  \
  X (STATE, "state", "状态")                                                                      \
  X (DONE, "done", "完成")                                                                        \
  X (KEPT, "kept", "沿用")                                                                        \
  X (KEPT_FROM, "kept from the run of %s", "沿用 %s 的运行结果")                                  \
  X (CANCELLED, "stopped", "已停止")                                                          \
  X (NOT_REACHED, "not reached", "未执行")                                                        \
  X (RAN_SO_FAR, "not finished", "未完成")                                                        \
  X (TRAINING, "Training", "训练")                                                                \
  X (SEE_TOP, "What it shows is at the top of this page.", "其结果见页首。")                     \
  X (WARNINGS, "Warnings", "警告")                                                                \
  X (MORE_WARNINGS, "%s more are in log.jsonl.", "另有 %s 条，见 log.jsonl。")                    \
  X (COUNTERS, "Counters", "计数")                                                                \
  X (DROPPED, "Rejected, by rule", "被拒绝的行（按规则）")                                        \
  X (ROWS_TITLE, "Rows before and after", "处理前后的行")                                         \
  X (ROWS_OUT_TITLE, "Rows", "数据行")                                                            \
  X (FIRST_ROWS, "first %s of %s rows", "前 %s 行，共 %s 行")                                     \
  X (FIRST_CHANGES, "the first %s of the rows that it changed, among %s", "前 %s 处改动，共 %s 行")          \
  X (FIRST_ROWS_ALIKE, "the first %s of %s rows, as they came in",                            \
     "前 %s 行，共 %s 行，均与输入相同")                                                    \
  X (SHOW_ROWS, "show them", "显示")                                                              \
  X (MORE_EXAMPLES, "more examples", "更多示例")                                                  \
  X (BEFORE, "before", "之前")                                                                    \
  X (AFTER, "after", "之后")                                                                      \
  X (UNCHANGED, "as it came in", "与输入相同")                                                    \
  X (KEPT_COLUMNS, "columns as they came in: %u", "与输入相同的列：%u")                           \
  X (NEW, "new", "新增")                                                                          \
  X (LEFT_OUT, "left out", "去除")                                                                \
  X (EMPTY, "empty", "空")                                                                        \
  X (LENGTHS, "Lengths of texts", "文本长度")                                                     \
  X (LENGTHS_NOTE, "least %s, mean %s, most %s; the first %s rows.",                               \
     "最短 %s，平均 %s，最长 %s；前 %s 行。")                                                     \
  X (NULLS_NOTE, " %s have no text.", "其中 %s 行无文本。")                                       \
  X (BEFORE_NOTE, " The outline is the same column before this stage.",                           \
     "轮廓线为该列在本阶段之前的分布。")                                                          \
  X (MORE_CHARTS, "%s more columns are in samples.json.", "另有 %s 列，见 samples.json。")        \
  X (ROWS, "rows", "行数")                                                                        \
  X (CHARACTERS, "characters", "字符")                                                            \
  X (REPORTED, "times reported", "报告次数")                                                      \
  X (MORE_ROWS, "%s more rows are in report.json.", "另有 %s 行，见 report.json。")               \
  X (VIEW_LEFT_OUT, "A view is left out, for it does not follow the convention",                  \
     "一个视图不符合约定，未显示")                                                                \
  X (NO_ROWS, "No rows are shown: this run was told not to (\"samples\": 0).",                    \
     "按设置（\"samples\": 0）不显示数据行。")                                                    \
  X (PARAMETERS, "Parameters", "参数")                                                            \
  X (PROVENANCE, "Where it comes from", "来源与环境")                                             \
  X (INPUTS, "What was read", "读取的文件")                                                       \
  X (OUTPUTS, "What was written", "写出的文件")                                                   \
  X (PATH, "path", "路径")                                                                        \
  X (SIZE, "size", "大小")                                                                        \
  X (HASH, "hash", "哈希")                                                                        \
  X (ENVIRONMENT, "Environment", "环境")                                                          \
  X (COMMAND, "command", "命令")                                                                  \
  X (SEED, "seed", "随机种子")                                                                    \
  X (WORKERS, "workers", "工作线程")                                                              \
  X (MEMORY_BUDGET, "memory budget", "内存预算")                                                  \
  X (MEMORY_PEAK, "most memory in use", "内存峰值")                                               \
  X (PROCESSOR, "processor", "处理器")                                                            \
  X (MEMORY, "memory", "内存")                                                                    \
  X (SYSTEM, "system", "系统")                                                                    \
  X (PLUGIN, "plugin", "插件")                                                                    \
  X (FINGERPRINT, "fingerprint", "指纹")                                                          \
  X (PIPELINE, "pipeline", "流水线")                                                              \
  X (FOOTER,                                                                                      \
     "Made from manifest.json, report.json and samples.json beside it; \"flowrun report\" makes " \
     "it again.",                                                                                 \
     "由同目录下的 manifest.json、report.json 和 samples.json 生成；可用“flowrun report”重新生成。")

typedef enum
{
#define FRI_WORD_KEY(key, en, zh) FRI_WORD_##key,
  FRI_WORDS (FRI_WORD_KEY)
#undef FRI_WORD_KEY
      FRI_N_WORDS
} FriWord;

typedef struct
{
  const char *language; /* of the page's lang attribute */
  const char *text[FRI_N_WORDS];
} FriWords;

/** FRI_W: a word by its name, where `words` is at hand. */
#define FRI_W(key) ((words)->text[FRI_WORD_##key])

/** fri_words: those of @language ("zh…"; anything else: English). */
const FriWords *fri_words (const char *language);
/** fri_word_of_state: what a stage's state in report.json is called. */
const char *fri_word_of_state (const FriWords *words, const char *state);

G_END_DECLS

#endif
