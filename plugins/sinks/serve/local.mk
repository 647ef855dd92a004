# plugins/sinks/serve: a model that answers over HTTP.  Its parts have makefiles of their own: feedback.mk, page/local.mk.
SERVE_HTTP = \
	plugins/sinks/serve/http-private.h \
	plugins/sinks/serve/http-reply.c \
	plugins/sinks/serve/http-request.c \
	plugins/sinks/serve/http-routes.c \
	plugins/sinks/serve/http-tls.c \
	plugins/sinks/serve/http.c \
	plugins/sinks/serve/http.h

# What a request asks for: it knows no HTTP.
SERVE_QUESTION = \
	plugins/sinks/serve/ask.c \
	plugins/sinks/serve/ask.h \
	plugins/sinks/serve/fields.c \
	plugins/sinks/serve/format.c \
	plugins/sinks/serve/generate.h \
	plugins/sinks/serve/messages.c \
	plugins/sinks/serve/serve.h

# How it is answered.
SERVE_ANSWER = \
	plugins/sinks/serve/admin-routes.c \
	plugins/sinks/serve/admin-routes.h \
	plugins/sinks/serve/details.h \
	plugins/sinks/serve/details-operations.h \
	plugins/sinks/serve/generate.c \
	plugins/sinks/serve/hooks.c \
	plugins/sinks/serve/openai.c \
	plugins/sinks/serve/openai.h \
	plugins/sinks/serve/platforms.c \
	plugins/sinks/serve/platforms.h \
	plugins/sinks/serve/reply.c \
	plugins/sinks/serve/schemas.c \
	plugins/sinks/serve/serve.c \
	plugins/sinks/serve/shadows.c \
	plugins/sinks/serve/shadows.h \
	plugins/sinks/serve/site.c \
	plugins/sinks/serve/watch.c \
	plugins/sinks/serve/watch.h

if HAVE_SERVE
plugin_LTLIBRARIES += plugins/sink-serve.la
plugins_sink_serve_la_SOURCES = $(SERVE_HTTP) $(SERVE_QUESTION) $(SERVE_ANSWER) $(SERVE_FEEDBACK) $(SERVE_PAGE)
nodist_plugins_sink_serve_la_SOURCES = $(SERVE_PAGE_RESOURCES)
plugins_sink_serve_la_CFLAGS = $(AM_CFLAGS) $(MICROHTTPD_CFLAGS) $(TEXT_CFLAGS)
plugins_sink_serve_la_LDFLAGS = $(MODULE_FLAGS)
plugins_sink_serve_la_LIBADD = plugins/sinks/serve/liboperations.la plugins/libflowrun-lm.la $(TEXT_MODULE_LIBS) $(MICROHTTPD_LIBS) -lm

check_PROGRAMS += \
	plugins/sinks/serve/make-model \
	plugins/sinks/serve/test-ask \
	plugins/sinks/serve/test-http
plugins_sinks_serve_test_ask_SOURCES = plugins/sinks/serve/test-ask.c plugins/sinks/serve/test-asker.h $(SERVE_QUESTION)
plugins_sinks_serve_test_ask_LDADD = plugins/libflowrun-lm.la core/libflowrun-test.la $(TEXT_MODULE_LIBS)
plugins_sinks_serve_make_model_SOURCES = plugins/sinks/serve/make-model.c plugins/lm/chat/test-model.h
plugins_sinks_serve_make_model_LDADD = $(LM_MODULE_LIBS)
plugins_sinks_serve_test_http_SOURCES = plugins/sinks/serve/test-http.c $(SERVE_HTTP)
plugins_sinks_serve_test_http_CFLAGS = $(AM_CFLAGS) $(MICROHTTPD_CFLAGS)
plugins_sinks_serve_test_http_LDADD = $(MICROHTTPD_LIBS) $(TEST_LIBS)
TESTS += plugins/sinks/serve/test-ask plugins/sinks/serve/test-http
dist_check_SCRIPTS += plugins/sinks/serve/test-hostile.py plugins/sinks/serve/test-serve.py plugins/sinks/serve/test-tls.py
TESTS += plugins/sinks/serve/test-hostile.py plugins/sinks/serve/test-serve.py plugins/sinks/serve/test-tls.py
endif
EXTRA_DIST += plugins/sinks/serve/serve.md
