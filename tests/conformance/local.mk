# tests/conformance: other people's programs against ours; each skips where its oracle is missing.
EXTRA_DIST += tests/conformance/oracles.py tests/conformance/make-r1.py
include tests/conformance/template.mk
include tests/conformance/weights.mk
include tests/conformance/decoder.mk
include tests/conformance/tokenizer.mk
include tests/conformance/train.mk
include tests/conformance/score.mk
include tests/conformance/segment.mk
include tests/conformance/serve.mk
include tests/conformance/gguf.mk
include tests/conformance/onnx.mk
include tests/conformance/evaluate.mk
include tests/conformance/warc.mk
include tests/conformance/documents.mk
