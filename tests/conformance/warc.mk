# tests/conformance: archives of source.crawler against warcio.
EXTRA_DIST += tests/conformance/test-warc.py
if HAVE_NET
TESTS += tests/conformance/test-warc.py
endif
