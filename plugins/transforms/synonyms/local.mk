# plugins/transforms/synonyms
if HAVE_TEXT
SYNONYMS_LEXICON = plugins/transforms/synonyms/domain.c plugins/transforms/synonyms/lexicon.c \
	plugins/transforms/synonyms/lexicon.h
plugin_LTLIBRARIES += plugins/transform-synonyms.la
plugins_transform_synonyms_la_SOURCES = plugins/transforms/synonyms/synonyms.c \
	plugins/transforms/synonyms/details.h $(SYNONYMS_LEXICON)
plugins_transform_synonyms_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_transform_synonyms_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_synonyms_la_LIBADD = $(TEXT_MODULE_LIBS) -lm

check_PROGRAMS += plugins/transforms/synonyms/test-synonyms
plugins_transforms_synonyms_test_synonyms_SOURCES = plugins/transforms/synonyms/test-synonyms.c $(SYNONYMS_LEXICON)
plugins_transforms_synonyms_test_synonyms_LDADD = core/libflowrun-test.la $(TEXT_MODULE_LIBS)
TESTS += plugins/transforms/synonyms/test-synonyms
endif
EXTRA_DIST += plugins/transforms/synonyms/synonyms.md
