# plugins/sources/sqlite
if HAVE_SQLITE
plugin_LTLIBRARIES += plugins/source-sqlite.la
plugins_source_sqlite_la_SOURCES = plugins/sources/sqlite/sqlite.c \
	plugins/sources/sqlite/database.c plugins/sources/sqlite/database.h \
	plugins/sources/sqlite/types.c plugins/sources/sqlite/types.h
plugins_source_sqlite_la_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
plugins_source_sqlite_la_LDFLAGS = $(MODULE_FLAGS)
plugins_source_sqlite_la_LIBADD = $(SQLITE_LIBS) $(MODULE_LIBS) -lm
endif
EXTRA_DIST += plugins/sources/sqlite/sqlite.md
