# plugins/translators/libretranslate
if HAVE_NET
plugin_LTLIBRARIES += plugins/translator-libretranslate.la
plugins_translator_libretranslate_la_SOURCES = plugins/translators/libretranslate/libretranslate.c \
	plugins/translators/libretranslate/protocol.c plugins/translators/libretranslate/protocol.h \
	plugins/translators/remote.c
plugins_translator_libretranslate_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_translator_libretranslate_la_LDFLAGS = $(MODULE_FLAGS)
plugins_translator_libretranslate_la_LIBADD = $(NET_MODULE_LIBS) $(TEXT_MODULE_LIBS)
endif
