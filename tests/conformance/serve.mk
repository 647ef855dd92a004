# tests/conformance: sink.serve through OpenAI's own client.
EXTRA_DIST += tests/conformance/test-serve.py
if HAVE_SERVE
TESTS += tests/conformance/test-serve.py
endif
