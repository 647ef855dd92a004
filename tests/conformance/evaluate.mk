# tests/conformance: evaluators against sacreBLEU, rouge-score and transformers.
EXTRA_DIST += tests/conformance/test-evaluate.py
if HAVE_LM
if HAVE_TEXT
TESTS += tests/conformance/test-evaluate.py
endif
endif
