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
	plugins/text/chars.c \
	plugins/text/chars.h \
	plugins/text/charset.c \
	plugins/text/charset.h \
	plugins/text/cluster-choose.c \
	plugins/text/cluster-join.c \
	plugins/text/cluster-private.h \
	plugins/text/cluster.c \
	plugins/text/cluster.h \
	plugins/text/content-blocks.c \
	plugins/text/content-charset.c \
	plugins/text/content-date.c \
	plugins/text/content-finish.c \
	plugins/text/content-json.c \
	plugins/text/content-links.c \
	plugins/text/content-meta.c \
	plugins/text/content-meta.h \
	plugins/text/content-names.c \
	plugins/text/content-private.h \
	plugins/text/content-score.c \
	plugins/text/content-text.c \
	plugins/text/content.c \
	plugins/text/content.h \
	plugins/text/dictionary-private.h \
	plugins/text/dictionary.c \
	plugins/text/dom.c \
	plugins/text/dom.h \
	plugins/text/entities.c \
	plugins/text/grams.c \
	plugins/text/grams.h \
	plugins/text/html-lex.c \
	plugins/text/html-lex.h \
	plugins/text/html-names.h \
	plugins/text/html-private.h \
	plugins/text/html-reference.c \
	plugins/text/html-tags.c \
	plugins/text/html.c \
	plugins/text/html.h \
	plugins/text/input.c \
	plugins/text/input.h \
	plugins/text/labeler.h \
	plugins/text/language-private.h \
	plugins/text/language-table.c \
	plugins/text/language.c \
	plugins/text/language.h \
	plugins/text/leak.c \
	plugins/text/leak.h \
	plugins/text/minhash.c \
	plugins/text/minhash.h \
	plugins/text/near.c \
	plugins/text/near.h \
	plugins/text/normal.c \
	plugins/text/normal.h \
	plugins/text/output.c \
	plugins/text/output.h \
	plugins/text/pii.h \
	plugins/text/pii/account.c \
	plugins/text/pii/address.c \
	plugins/text/pii/cards.c \
	plugins/text/pii/checks.c \
	plugins/text/pii/context.c \
	plugins/text/pii/custom.c \
	plugins/text/pii/digits.c \
	plugins/text/pii/digits.h \
	plugins/text/pii/email.c \
	plugins/text/pii/fold.c \
	plugins/text/pii/hide.c \
	plugins/text/pii/name.c \
	plugins/text/pii/net.c \
	plugins/text/pii/pii-private.h \
	plugins/text/pii/plate.c \
	plugins/text/pii/regions.c \
	plugins/text/pii/residual.c \
	plugins/text/pii/rules.c \
	plugins/text/pii/scan.c \
	plugins/text/pii/surnames.c \
	plugins/text/pii/tables.c \
	plugins/text/pii/telephone.c \
	plugins/text/pii/token.c \
	plugins/text/pii/url.c \
	plugins/text/pii/words.c \
	plugins/text/quality.c \
	plugins/text/quality.h \
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
	plugins/text/store.c \
	plugins/text/store.h \
	plugins/text/team.c \
	plugins/text/team.h \
	plugins/text/template.c \
	plugins/text/template.h \
	plugins/text/turns.c \
	plugins/text/turns.h \
	plugins/text/trie.c \
	plugins/text/trie.h \
	plugins/text/utf8-scope.h \
	plugins/text/utf8.c \
	plugins/text/variants.h
EXTRA_DIST += plugins/text/template.md plugins/text/make-entities.py plugins/text/make-language.py plugins/text/pii/make-regions.py
plugins_libflowrun_text_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS) $(PCRE2_CFLAGS)
plugins_libflowrun_text_la_LDFLAGS = $(AM_LDFLAGS) -avoid-version $(Z_DEFS) -export-symbols-regex '^(text|translator)_'
plugins_libflowrun_text_la_LIBADD = core/libflowrun.la $(TEXT_LIBS) $(PCRE2_LIBS) $(CORE_LIBS) -lm
TEXT_MODULE_LIBS = plugins/libflowrun-text.la core/libflowrun.la $(CORE_LIBS)

# What flowrun's pages for people share.
TEXT_WEBPAGE = \
	plugins/text/webpage/base.css \
	plugins/text/webpage/base.js \
	plugins/text/webpage/webpage.gresource.xml
EXTRA_DIST += $(TEXT_WEBPAGE)
plugins_libflowrun_text_la_SOURCES += \
	plugins/text/webpage/webpage.c \
	plugins/text/webpage/webpage.h
nodist_plugins_libflowrun_text_la_SOURCES = plugins/text/webpage/resources.c
CLEANFILES += plugins/text/webpage/resources.c
plugins/text/webpage/resources.c: $(TEXT_WEBPAGE)
	@$(MKDIR_P) plugins/text/webpage
	$(AM_V_GEN)$(GLIB_COMPILE_RESOURCES) --generate-source --c-name text_webpage \
	  --sourcedir=$(srcdir)/plugins/text/webpage --target=$@ $(srcdir)/plugins/text/webpage/webpage.gresource.xml

plugins_libflowrun_text_la_SOURCES += \
	plugins/text/translator.c \
	plugins/text/translator.h \
	plugins/text/translator-cache.c \
	plugins/text/translator-cache.h

check_PROGRAMS += plugins/text/test-translator
plugins_text_test_translator_SOURCES = plugins/text/test-translator.c
plugins_text_test_translator_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_text_test_translator_LDADD = $(TEXT_MODULE_LIBS) $(TEXT_LIBS)
TESTS += plugins/text/test-translator

check_PROGRAMS += plugins/text/test-normal
plugins_text_test_normal_SOURCES = plugins/text/test-normal.c
plugins_text_test_normal_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_text_test_normal_LDADD = $(TEXT_MODULE_LIBS) $(TEXT_LIBS)
TESTS += plugins/text/test-normal

check_PROGRAMS += plugins/text/test-score
plugins_text_test_score_SOURCES = plugins/text/test-score.c
plugins_text_test_score_LDADD = $(TEXT_MODULE_LIBS) -lm
TESTS += plugins/text/test-score

check_PROGRAMS += plugins/text/test-cluster
plugins_text_test_cluster_SOURCES = plugins/text/test-cluster.c
plugins_text_test_cluster_LDADD = $(TEXT_MODULE_LIBS) -lm
TESTS += plugins/text/test-cluster

check_PROGRAMS += plugins/text/test-language
plugins_text_test_language_SOURCES = plugins/text/test-language.c
plugins_text_test_language_CFLAGS = $(AM_CFLAGS) $(OPENCC_CFLAGS)
plugins_text_test_language_LDADD = $(TEXT_MODULE_LIBS) $(OPENCC_LIBS)
TESTS += plugins/text/test-language
check_PROGRAMS += plugins/text/test-segment
plugins_text_test_segment_SOURCES = plugins/text/test-segment.c
plugins_text_test_segment_LDADD = $(TEXT_MODULE_LIBS) -lm
TESTS += plugins/text/test-segment

check_PROGRAMS += plugins/text/test-augment
plugins_text_test_augment_SOURCES = plugins/text/test-augment.c
plugins_text_test_augment_LDADD = $(TEXT_MODULE_LIBS)
TESTS += plugins/text/test-augment

check_PROGRAMS += plugins/text/test-quality
plugins_text_test_quality_SOURCES = plugins/text/test-quality.c
plugins_text_test_quality_LDADD = $(TEXT_MODULE_LIBS) -lm
TESTS += plugins/text/test-quality

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

check_PROGRAMS += plugins/text/test-dom plugins/text/test-content
plugins_text_test_dom_SOURCES = plugins/text/test-dom.c
plugins_text_test_dom_LDADD = $(TEXT_MODULE_LIBS)
plugins_text_test_content_SOURCES = plugins/text/test-content.c
plugins_text_test_content_LDADD = $(TEXT_MODULE_LIBS)
TESTS += plugins/text/test-dom plugins/text/test-content
EXTRA_DIST += plugins/text/test-pages
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

if HAVE_TEXT
check_PROGRAMS += plugins/text/test-pii
plugins_text_test_pii_SOURCES = plugins/text/test-pii.c
plugins_text_test_pii_LDADD = $(TEXT_MODULE_LIBS)
TESTS += plugins/text/test-pii
endif
