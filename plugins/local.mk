# plugins: one folder an element or family, one line here.
#
# All plugins are linked into plugins/ of the build tree, so that one directory
# is the search path of an uninstalled flowrun.
include plugins/text/local.mk
include plugins/lm/local.mk
include plugins/compute/local.mk
include plugins/sources/csv/local.mk
include plugins/sources/json/local.mk
include plugins/sources/sqlite/local.mk
include plugins/sources/sqldump/local.mk
include plugins/sources/model/local.mk
include plugins/sources/rows/local.mk
include plugins/transforms/clean/local.mk
include plugins/transforms/dedup/local.mk
include plugins/transforms/format/local.mk
include plugins/transforms/filter/local.mk
include plugins/transforms/select/local.mk
include plugins/transforms/split/local.mk
include plugins/transforms/command/local.mk
include plugins/transforms/generate/local.mk
include plugins/transforms/synonyms/local.mk
include plugins/transforms/label/local.mk
include plugins/trainers/tune/local.mk
include plugins/evaluators/stats/local.mk
include plugins/evaluators/rating/local.mk
include plugins/evaluators/loss/local.mk
include plugins/evaluators/text/local.mk
include plugins/sinks/jsonl/local.mk
include plugins/sinks/csv/local.mk
include plugins/sinks/text/local.mk
include plugins/sinks/sqlite/local.mk
include plugins/sinks/safetensors/local.mk
include plugins/sinks/gguf/local.mk
include plugins/sinks/onnx/local.mk
