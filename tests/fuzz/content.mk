# Harnesses of plugins/text: the HTML tree and main content.
if HAVE_TEXT
check_PROGRAMS += tests/fuzz/fuzz-dom tests/fuzz/fuzz-content
tests_fuzz_fuzz_dom_SOURCES = tests/fuzz/fuzz-dom.c tests/fuzz/replay.c
tests_fuzz_fuzz_dom_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"dom\"
tests_fuzz_fuzz_dom_LDADD = $(TEXT_MODULE_LIBS)
tests_fuzz_fuzz_content_SOURCES = tests/fuzz/fuzz-content.c tests/fuzz/replay.c
tests_fuzz_fuzz_content_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"content\"
tests_fuzz_fuzz_content_LDADD = $(TEXT_MODULE_LIBS)
TESTS += tests/fuzz/fuzz-dom tests/fuzz/fuzz-content
endif
EXTRA_DIST += tests/fuzz/corpus/dom tests/fuzz/corpus/content
