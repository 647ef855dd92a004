# tests/conformance: training against PEFT and transformers.
EXTRA_DIST += tests/conformance/test-train.py
if HAVE_LM
TESTS += tests/conformance/test-train.py
endif
