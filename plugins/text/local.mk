# plugins/text: libflowrun-text, what several text elements share.
if HAVE_TEXT
pkglib_LTLIBRARIES += plugins/libflowrun-text.la
plugins_libflowrun_text_la_SOURCES = \
	plugins/text/augment-family.c \
	plugins/text/augment-keep.c \
	plugins/text/augment-numbers.c \
	plugins/text/augment-private.h \
	plugins/text/augment.h \
	plugins/text/cell.c \
	plugins/text/cell.h \
	plugins/text/charset.c \
	plugins/text/charset.h \
	plugins/text/chars.c \
	plugins/text/chars.h \
	plugins/text/dictionary-private.h \
	plugins/text/dictionary.c \
	plugins/text/entities.c \
	plugins/text/grams.c \
	plugins/text/grams.h \
	plugins/text/html-private.h \
	plugins/text/html-tags.c \
	plugins/text/html.c \
	plugins/text/html.h \
	plugins/text/input.c \
	plugins/text/input.h \
	plugins/text/labeler.h \
	plugins/text/leak.c \
	plugins/text/leak.h \
	plugins/text/near.c \
	plugins/text/near.h \
	plugins/text/normal.c \
	plugins/text/normal.h \
	plugins/text/output.c \
	plugins/text/output.h \
	plugins/text/route.c \
	plugins/text/rowkey.c \
	plugins/text/rowkey.h \
	plugins/text/runs.c \
	plugins/text/runs.h \
	plugins/text/score.h \
	plugins/text/score/bleu.c \
	plugins/text/score/chrf.c \
	plugins/text/score/cut.c \
	plugins/text/score/grams.c \
	plugins/text/score/lcs.c \
	plugins/text/score/porter.c \
	plugins/text/score/rouge.c \
	plugins/text/score/score-private.h \
	plugins/text/score/scorer.c \
	plugins/text/score/ter.c \
	plugins/text/score/units.c \
	plugins/text/score/western.c \
	plugins/text/segment.c \
	plugins/text/segment.h \
	plugins/text/template.c \
	plugins/text/template.h \
	plugins/text/trie.c \
	plugins/text/trie.h \
	plugins/text/utf8.c
EXTRA_DIST += plugins/text/template.md plugins/text/make-entities.py
plugins_libflowrun_text_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_libflowrun_text_la_LDFLAGS = $(AM_LDFLAGS) -avoid-version $(Z_DEFS) -export-symbols-regex '^text_'
plugins_libflowrun_text_la_LIBADD = core/libflowrun.la $(TEXT_LIBS) $(CORE_LIBS) -lm
TEXT_MODULE_LIBS = plugins/libflowrun-text.la core/libflowrun.la $(CORE_LIBS)

check_PROGRAMS += plugins/text/test-normal
plugins_text_test_normal_SOURCES = plugins/text/test-normal.c
plugins_text_test_normal_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_text_test_normal_LDADD = $(TEXT_MODULE_LIBS) $(TEXT_LIBS)
TESTS += plugins/text/test-normal

check_PROGRAMS += plugins/text/test-score
plugins_text_test_score_SOURCES = plugins/text/test-score.c
plugins_text_test_score_LDADD = $(TEXT_MODULE_LIBS) -lm
TESTS += plugins/text/test-score

check_PROGRAMS += plugins/text/test-segment
plugins_text_test_segment_SOURCES = plugins/text/test-segment.c
plugins_text_test_segment_LDADD = $(TEXT_MODULE_LIBS) -lm
TESTS += plugins/text/test-segment

check_PROGRAMS += plugins/text/test-augment
plugins_text_test_augment_SOURCES = plugins/text/test-augment.c
plugins_text_test_augment_LDADD = $(TEXT_MODULE_LIBS)
TESTS += plugins/text/test-augment

check_PROGRAMS += plugins/text/test-near
plugins_text_test_near_SOURCES = plugins/text/test-near.c
plugins_text_test_near_LDADD = $(TEXT_MODULE_LIBS)
TESTS += plugins/text/test-near

check_PROGRAMS += plugins/text/test-template
plugins_text_test_template_SOURCES = plugins/text/test-template.c
plugins_text_test_template_LDADD = $(TEXT_MODULE_LIBS)
TESTS += plugins/text/test-template

check_PROGRAMS += plugins/text/test-html
plugins_text_test_html_SOURCES = plugins/text/test-html.c
plugins_text_test_html_LDADD = $(TEXT_MODULE_LIBS)
TESTS += plugins/text/test-html
endif
if HAVE_TEXT
TEXT_TEST_LIBS = plugins/libflowrun-text.la core/libflowrun.la $(TEXT_LIBS) $(CORE_LIBS)
check_PROGRAMS += plugins/text/test-charset plugins/text/test-input plugins/text/test-output
plugins_text_test_charset_SOURCES = plugins/text/test-charset.c
plugins_text_test_charset_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_text_test_charset_LDADD = $(TEXT_TEST_LIBS)
plugins_text_test_input_SOURCES = plugins/text/test-input.c
plugins_text_test_input_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_text_test_input_LDADD = $(TEXT_TEST_LIBS)
plugins_text_test_output_SOURCES = plugins/text/test-output.c
plugins_text_test_output_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_text_test_output_LDADD = $(TEXT_TEST_LIBS)
TESTS += plugins/text/test-charset plugins/text/test-input plugins/text/test-output
endif
