# plugins/transforms/desensitize
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/transform-desensitize.la
plugins_transform_desensitize_la_SOURCES = plugins/transforms/desensitize/desensitize.c \
	plugins/transforms/desensitize/actions.c plugins/transforms/desensitize/actions.h \
	plugins/transforms/desensitize/audit.c plugins/transforms/desensitize/audit.h \
	plugins/transforms/desensitize/cells.c plugins/transforms/desensitize/cells.h \
	plugins/transforms/desensitize/own.c plugins/transforms/desensitize/own.h \
	plugins/transforms/desensitize/details.h
plugins_transform_desensitize_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_transform_desensitize_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_desensitize_la_LIBADD = $(TEXT_MODULE_LIBS)
endif
EXTRA_DIST += plugins/transforms/desensitize/desensitize.md
