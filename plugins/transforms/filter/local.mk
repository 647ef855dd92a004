# plugins/transforms/filter: without PCRE2, matches() is an error that says so.
FILTER_EXPR = plugins/transforms/filter/expr.h plugins/transforms/filter/expr-private.h \
	plugins/transforms/filter/expr-parse.c plugins/transforms/filter/expr-bind.c \
	plugins/transforms/filter/expr-run.c
plugin_LTLIBRARIES += plugins/transform-filter.la
plugins_transform_filter_la_SOURCES = plugins/transforms/filter/filter.c $(FILTER_EXPR)
plugins_transform_filter_la_CFLAGS = $(AM_CFLAGS) $(PCRE2_CFLAGS)
plugins_transform_filter_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_filter_la_LIBADD = $(MODULE_LIBS) $(PCRE2_LIBS)
EXTRA_DIST += plugins/transforms/filter/filter.md

check_PROGRAMS += plugins/transforms/filter/test-expr
plugins_transforms_filter_test_expr_SOURCES = plugins/transforms/filter/test-expr.c $(FILTER_EXPR)
plugins_transforms_filter_test_expr_CFLAGS = $(AM_CFLAGS) $(PCRE2_CFLAGS)
plugins_transforms_filter_test_expr_LDADD = $(TEST_LIBS) $(PCRE2_LIBS)
TESTS += plugins/transforms/filter/test-expr

check_PROGRAMS += plugins/transforms/filter/test-filter
plugins_transforms_filter_test_filter_SOURCES = plugins/transforms/filter/test-filter.c
plugins_transforms_filter_test_filter_LDADD = core/libflowrun-test.la $(TEST_LIBS)
TESTS += plugins/transforms/filter/test-filter
