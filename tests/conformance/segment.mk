# Cuts by a dictionary against jieba.
dist_check_SCRIPTS += tests/conformance/test-segment.py
if HAVE_TEXT
check_PROGRAMS += tests/conformance/segment
tests_conformance_segment_SOURCES = tests/conformance/segment.c
tests_conformance_segment_LDADD = $(TEXT_MODULE_LIBS)
TESTS += tests/conformance/test-segment.py
endif
