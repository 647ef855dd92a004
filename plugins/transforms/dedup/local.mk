# plugins/transforms/dedup
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/transform-dedup.la
plugins_transform_dedup_la_SOURCES = plugins/transforms/dedup/dedup.c
plugins_transform_dedup_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_transform_dedup_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_dedup_la_LIBADD = $(TEXT_MODULE_LIBS)
endif
EXTRA_DIST += plugins/transforms/dedup/dedup.md
