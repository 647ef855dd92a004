# plugins/sources/mariadb
if HAVE_MARIADB
plugin_LTLIBRARIES += plugins/source-mariadb.la
plugins_source_mariadb_la_SOURCES = plugins/sources/mariadb/mariadb.c \
	plugins/sources/mariadb/link.c plugins/sources/mariadb/link.h \
	plugins/sources/mariadb/result.c plugins/sources/mariadb/result.h
plugins_source_mariadb_la_CFLAGS = $(AM_CFLAGS) $(MARIADB_CFLAGS)
plugins_source_mariadb_la_LDFLAGS = $(MODULE_FLAGS)
plugins_source_mariadb_la_LIBADD = $(SQL_MODULE_LIBS) $(MARIADB_LIBS)
dist_check_SCRIPTS += plugins/sources/mariadb/test-mariadb.sh
TESTS += plugins/sources/mariadb/test-mariadb.sh
endif
EXTRA_DIST += plugins/sources/mariadb/mariadb.md
