# plugins/translators/dictionary
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/translator-dictionary.la
plugins_translator_dictionary_la_SOURCES = plugins/translators/dictionary/dictionary.c \
	plugins/translators/dictionary/words.c plugins/translators/dictionary/words.h
plugins_translator_dictionary_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_translator_dictionary_la_LDFLAGS = $(MODULE_FLAGS)
plugins_translator_dictionary_la_LIBADD = $(TEXT_MODULE_LIBS) $(TEXT_LIBS)

check_PROGRAMS += plugins/translators/dictionary/test-words
plugins_translators_dictionary_test_words_SOURCES = plugins/translators/dictionary/test-words.c \
	plugins/translators/dictionary/words.c
plugins_translators_dictionary_test_words_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_translators_dictionary_test_words_LDADD = $(TEXT_MODULE_LIBS) $(TEXT_LIBS)
TESTS += plugins/translators/dictionary/test-words
endif
