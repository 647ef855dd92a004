# plugins/sources/postgres
if HAVE_LIBPQ
plugin_LTLIBRARIES += plugins/source-postgres.la
plugins_source_postgres_la_SOURCES = plugins/sources/postgres/postgres.c \
	plugins/sources/postgres/link.c plugins/sources/postgres/link.h \
	plugins/sources/postgres/types.c plugins/sources/postgres/types.h
plugins_source_postgres_la_CFLAGS = $(AM_CFLAGS) $(LIBPQ_CFLAGS)
plugins_source_postgres_la_LDFLAGS = $(MODULE_FLAGS)
plugins_source_postgres_la_LIBADD = $(SQL_MODULE_LIBS) $(LIBPQ_LIBS)
dist_check_SCRIPTS += plugins/sources/postgres/test-postgres.sh
TESTS += plugins/sources/postgres/test-postgres.sh
endif
EXTRA_DIST += plugins/sources/postgres/postgres.md
