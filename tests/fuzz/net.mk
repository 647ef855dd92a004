# Harnesses of plugins/net, plugins/sources/crawler and plugins/evaluators/load.
if HAVE_NET
check_PROGRAMS += tests/fuzz/fuzz-url tests/fuzz/fuzz-httpreply tests/fuzz/fuzz-robots tests/fuzz/fuzz-sitemap \
	tests/fuzz/fuzz-warc
tests_fuzz_fuzz_url_SOURCES = tests/fuzz/fuzz-url.c tests/fuzz/replay.c
tests_fuzz_fuzz_url_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"url\"
tests_fuzz_fuzz_url_LDADD = $(NET_MODULE_LIBS)
tests_fuzz_fuzz_httpreply_SOURCES = tests/fuzz/fuzz-httpreply.c tests/fuzz/replay.c
tests_fuzz_fuzz_httpreply_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"httpreply\"
tests_fuzz_fuzz_httpreply_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
tests_fuzz_fuzz_httpreply_LDADD = $(NET_MODULE_LIBS)
tests_fuzz_fuzz_robots_SOURCES = tests/fuzz/fuzz-robots.c tests/fuzz/replay.c plugins/sources/crawler/robots.c
tests_fuzz_fuzz_robots_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"robots\"
tests_fuzz_fuzz_robots_LDADD = $(TEST_LIBS)
tests_fuzz_fuzz_sitemap_SOURCES = tests/fuzz/fuzz-sitemap.c tests/fuzz/replay.c plugins/sources/crawler/sitemap.c
tests_fuzz_fuzz_sitemap_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"sitemap\"
tests_fuzz_fuzz_sitemap_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
tests_fuzz_fuzz_sitemap_LDADD = $(TEXT_LIBS) $(TEXT_MODULE_LIBS)
tests_fuzz_fuzz_warc_SOURCES = tests/fuzz/fuzz-warc.c tests/fuzz/replay.c plugins/sources/crawler/warc-read.c \
	plugins/sources/crawler/store.c
tests_fuzz_fuzz_warc_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"warc\"
tests_fuzz_fuzz_warc_LDADD = $(TEXT_MODULE_LIBS)
TESTS += tests/fuzz/fuzz-url tests/fuzz/fuzz-httpreply tests/fuzz/fuzz-robots tests/fuzz/fuzz-sitemap tests/fuzz/fuzz-warc
check_PROGRAMS += tests/fuzz/fuzz-loadanswer
tests_fuzz_fuzz_loadanswer_SOURCES = tests/fuzz/fuzz-loadanswer.c tests/fuzz/replay.c \
	plugins/evaluators/load/answer.c
tests_fuzz_fuzz_loadanswer_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"loadanswer\"
tests_fuzz_fuzz_loadanswer_LDADD = $(TEST_LIBS)
TESTS += tests/fuzz/fuzz-loadanswer
endif
EXTRA_DIST += tests/fuzz/corpus/loadanswer
EXTRA_DIST += tests/fuzz/corpus/url tests/fuzz/corpus/httpreply tests/fuzz/corpus/robots tests/fuzz/corpus/sitemap \
	tests/fuzz/corpus/warc
