# plugins/translators/openai
if HAVE_NET
plugin_LTLIBRARIES += plugins/translator-openai.la
plugins_translator_openai_la_SOURCES = plugins/translators/openai/openai.c \
	plugins/translators/openai/protocol.c plugins/translators/openai/protocol.h \
	plugins/translators/remote.c
plugins_translator_openai_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_translator_openai_la_LDFLAGS = $(MODULE_FLAGS)
plugins_translator_openai_la_LIBADD = $(NET_MODULE_LIBS) $(TEXT_MODULE_LIBS)
endif
