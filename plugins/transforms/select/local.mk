# plugins/transforms/select
plugin_LTLIBRARIES += plugins/transform-select.la
plugins_transform_select_la_SOURCES = plugins/transforms/select/select.c plugins/transforms/select/parse.c \
	plugins/transforms/select/parse.h
plugins_transform_select_la_CFLAGS = $(AM_CFLAGS)
plugins_transform_select_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_select_la_LIBADD = $(MODULE_LIBS)
EXTRA_DIST += plugins/transforms/select/select.md
