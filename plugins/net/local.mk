# plugins/net: libflowrun-net, HTTP and web addresses.
if HAVE_NET
pkglib_LTLIBRARIES += plugins/libflowrun-net.la
plugins_libflowrun_net_la_SOURCES = \
	plugins/net/address.c \
	plugins/net/address.h \
	plugins/net/client.c \
	plugins/net/display.c \
	plugins/net/host.c \
	plugins/net/http-private.h \
	plugins/net/http.h \
	plugins/net/reply.c \
	plugins/net/send.c \
	plugins/net/url-private.h \
	plugins/net/url.c \
	plugins/net/url.h
plugins_libflowrun_net_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(TEXT_CFLAGS) $(PSL_CFLAGS)
plugins_libflowrun_net_la_LDFLAGS = $(AM_LDFLAGS) -avoid-version $(Z_DEFS) -export-symbols-regex '^net_'
plugins_libflowrun_net_la_LIBADD = core/libflowrun.la $(CURL_LIBS) $(TEXT_LIBS) $(PSL_LIBS) $(CORE_LIBS)
NET_MODULE_LIBS = plugins/libflowrun-net.la core/libflowrun.la $(CORE_LIBS)

check_PROGRAMS += plugins/net/test-url plugins/net/test-http plugins/net/test-serve
plugins_net_test_url_SOURCES = plugins/net/test-url.c
plugins_net_test_url_LDADD = $(NET_MODULE_LIBS)
plugins_net_test_http_SOURCES = plugins/net/test-http.c plugins/net/test-server.c plugins/net/test-server.h
plugins_net_test_http_LDADD = $(NET_MODULE_LIBS)
plugins_net_test_serve_SOURCES = plugins/net/test-serve.c plugins/net/test-server.c plugins/net/test-server.h
plugins_net_test_serve_LDADD = $(CORE_LIBS)
TESTS += plugins/net/test-url plugins/net/test-http
endif
