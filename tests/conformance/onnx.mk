# tests/conformance: sink.onnx against onnx, ONNX Runtime, onnxruntime-genai and Transformers.js.
EXTRA_DIST += tests/conformance/test-onnx.py tests/conformance/generate-js.mjs
if HAVE_LM
TESTS += tests/conformance/test-onnx.py
endif
