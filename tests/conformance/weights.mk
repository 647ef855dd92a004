# Weight files against safetensors, transformers, PEFT and gguf.
dist_check_SCRIPTS += tests/conformance/test-weights.py
if HAVE_LM
TESTS += tests/conformance/test-weights.py
endif
