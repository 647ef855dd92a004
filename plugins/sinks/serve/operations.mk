# plugins/sinks/serve: what runs a server: models by name, cache, figures, keys, logs; knows no HTTP
OPERATIONS_SOURCES = \
	plugins/sinks/serve/accesslog.c \
	plugins/sinks/serve/accesslog.h \
	plugins/sinks/serve/admin.c \
	plugins/sinks/serve/admin.h \
	plugins/sinks/serve/cache.c \
	plugins/sinks/serve/cache.h \
	plugins/sinks/serve/keys.c \
	plugins/sinks/serve/keys-file.c \
	plugins/sinks/serve/keys.h \
	plugins/sinks/serve/keys-private.h \
	plugins/sinks/serve/lines.c \
	plugins/sinks/serve/lines.h \
	plugins/sinks/serve/load.c \
	plugins/sinks/serve/metrics.c \
	plugins/sinks/serve/metrics.h \
	plugins/sinks/serve/metrics-private.h \
	plugins/sinks/serve/metrics-table.c \
	plugins/sinks/serve/models.c \
	plugins/sinks/serve/models.h \
	plugins/sinks/serve/models-private.h \
	plugins/sinks/serve/process.c \
	plugins/sinks/serve/record.c \
	plugins/sinks/serve/record.h \
	plugins/sinks/serve/routes.c \
	plugins/sinks/serve/shadow.c \
	plugins/sinks/serve/window.c

if HAVE_LM
noinst_LTLIBRARIES += plugins/sinks/serve/liboperations.la
plugins_sinks_serve_liboperations_la_SOURCES = $(OPERATIONS_SOURCES)
plugins_sinks_serve_liboperations_la_CFLAGS = $(AM_CFLAGS)
OPERATIONS_LIBS = plugins/sinks/serve/liboperations.la $(LM_MODULE_LIBS)

OPERATIONS_TESTS = \
	plugins/sinks/serve/test-admin \
	plugins/sinks/serve/test-cache \
	plugins/sinks/serve/test-keys \
	plugins/sinks/serve/test-lines \
	plugins/sinks/serve/test-metrics \
	plugins/sinks/serve/test-models
check_PROGRAMS += $(OPERATIONS_TESTS)
TESTS += $(OPERATIONS_TESTS)
plugins_sinks_serve_test_admin_SOURCES = plugins/sinks/serve/test-admin.c plugins/sinks/serve/test-adapters.h
plugins_sinks_serve_test_admin_LDADD = $(OPERATIONS_LIBS)
plugins_sinks_serve_test_cache_SOURCES = plugins/sinks/serve/test-cache.c
plugins_sinks_serve_test_cache_LDADD = $(OPERATIONS_LIBS)
plugins_sinks_serve_test_keys_SOURCES = plugins/sinks/serve/test-keys.c plugins/sinks/serve/test-teller.h
plugins_sinks_serve_test_keys_LDADD = $(OPERATIONS_LIBS)
plugins_sinks_serve_test_lines_SOURCES = plugins/sinks/serve/test-lines.c plugins/sinks/serve/test-teller.h
plugins_sinks_serve_test_lines_LDADD = $(OPERATIONS_LIBS)
plugins_sinks_serve_test_metrics_SOURCES = plugins/sinks/serve/test-metrics.c
plugins_sinks_serve_test_metrics_LDADD = $(OPERATIONS_LIBS)
plugins_sinks_serve_test_models_SOURCES = plugins/sinks/serve/test-models.c plugins/sinks/serve/test-adapters.h \
	plugins/sinks/serve/test-teller.h
plugins_sinks_serve_test_models_LDADD = $(OPERATIONS_LIBS)
endif

# Those that count threads, under ThreadSanitizer: their objects come before the library's.
if HAVE_LM
if HAVE_TSAN
OPERATIONS_TSAN_TESTS = \
	plugins/sinks/serve/test-cache-tsan \
	plugins/sinks/serve/test-lines-tsan \
	plugins/sinks/serve/test-models-tsan
check_PROGRAMS += $(OPERATIONS_TSAN_TESTS)
TESTS += $(OPERATIONS_TSAN_TESTS)
OPERATIONS_TSAN_SOURCES = $(OPERATIONS_SOURCES) tests/tsan/locks.c
plugins_sinks_serve_test_cache_tsan_SOURCES = plugins/sinks/serve/test-cache.c $(OPERATIONS_TSAN_SOURCES)
plugins_sinks_serve_test_cache_tsan_CFLAGS = $(AM_CFLAGS) -fsanitize=thread
plugins_sinks_serve_test_cache_tsan_LDFLAGS = $(AM_LDFLAGS) -fsanitize=thread
plugins_sinks_serve_test_cache_tsan_LDADD = $(LM_MODULE_LIBS)
plugins_sinks_serve_test_lines_tsan_SOURCES = plugins/sinks/serve/test-lines.c plugins/sinks/serve/test-teller.h $(OPERATIONS_TSAN_SOURCES)
plugins_sinks_serve_test_lines_tsan_CFLAGS = $(AM_CFLAGS) -fsanitize=thread
plugins_sinks_serve_test_lines_tsan_LDFLAGS = $(AM_LDFLAGS) -fsanitize=thread
plugins_sinks_serve_test_lines_tsan_LDADD = $(LM_MODULE_LIBS)
plugins_sinks_serve_test_models_tsan_SOURCES = plugins/sinks/serve/test-models.c plugins/sinks/serve/test-adapters.h \
	plugins/sinks/serve/test-teller.h $(OPERATIONS_TSAN_SOURCES)
plugins_sinks_serve_test_models_tsan_CFLAGS = $(AM_CFLAGS) -fsanitize=thread
plugins_sinks_serve_test_models_tsan_LDFLAGS = $(AM_LDFLAGS) -fsanitize=thread
plugins_sinks_serve_test_models_tsan_LDADD = $(LM_MODULE_LIBS)
endif
endif

if HAVE_SERVE
dist_check_SCRIPTS += plugins/sinks/serve/test-operations.py
TESTS += plugins/sinks/serve/test-operations.py
endif
