# plugins/sources/crawler
if HAVE_NET
CRAWLER_PARTS = \
	plugins/sources/crawler/commit.c \
	plugins/sources/crawler/crawl.c \
	plugins/sources/crawler/crawl.h \
	plugins/sources/crawler/fetch.c \
	plugins/sources/crawler/frontier.c \
	plugins/sources/crawler/frontier.h \
	plugins/sources/crawler/hosts.c \
	plugins/sources/crawler/hosts.h \
	plugins/sources/crawler/known.c \
	plugins/sources/crawler/known.h \
	plugins/sources/crawler/page.c \
	plugins/sources/crawler/page.h \
	plugins/sources/crawler/replay.c \
	plugins/sources/crawler/robots.c \
	plugins/sources/crawler/robots.h \
	plugins/sources/crawler/rows.c \
	plugins/sources/crawler/rows.h \
	plugins/sources/crawler/scope.c \
	plugins/sources/crawler/scope.h \
	plugins/sources/crawler/settings.h \
	plugins/sources/crawler/simhash.c \
	plugins/sources/crawler/simhash.h \
	plugins/sources/crawler/sitemap.c \
	plugins/sources/crawler/sitemap.h \
	plugins/sources/crawler/store.c \
	plugins/sources/crawler/store.h \
	plugins/sources/crawler/warc-read.c \
	plugins/sources/crawler/warc-write.c \
	plugins/sources/crawler/warc.h
plugin_LTLIBRARIES += plugins/source-crawler.la
plugins_source_crawler_la_SOURCES = plugins/sources/crawler/crawler.c plugins/sources/crawler/details.h $(CRAWLER_PARTS)
plugins_source_crawler_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_source_crawler_la_LDFLAGS = $(MODULE_FLAGS)
plugins_source_crawler_la_LIBADD = $(TEXT_LIBS) plugins/libflowrun-net.la $(TEXT_MODULE_LIBS)
endif
EXTRA_DIST += plugins/sources/crawler/crawler.md

if HAVE_NET
check_PROGRAMS += plugins/sources/crawler/test-parts plugins/sources/crawler/test-crawler
plugins_sources_crawler_test_parts_SOURCES = plugins/sources/crawler/test-parts.c $(CRAWLER_PARTS)
plugins_sources_crawler_test_parts_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_sources_crawler_test_parts_LDADD = core/libflowrun-test.la $(TEXT_LIBS) plugins/libflowrun-net.la $(TEXT_MODULE_LIBS)
plugins_sources_crawler_test_crawler_SOURCES = plugins/sources/crawler/test-crawler.c \
	plugins/net/test-server.c plugins/net/test-server.h
plugins_sources_crawler_test_crawler_LDADD = core/libflowrun-test.la plugins/libflowrun-net.la $(TEXT_MODULE_LIBS)
TESTS += plugins/sources/crawler/test-parts plugins/sources/crawler/test-crawler
endif
