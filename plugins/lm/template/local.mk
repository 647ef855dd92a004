# plugins/lm/template: chat templates
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/template/eval.c \
	plugins/lm/template/filters.c \
	plugins/lm/template/format.c \
	plugins/lm/template/jinja-private.h \
	plugins/lm/template/lexer.c \
	plugins/lm/template/methods.c \
	plugins/lm/template/parser.c \
	plugins/lm/template/scope.c \
	plugins/lm/template/template.c \
	plugins/lm/template/value.c
endif

if HAVE_LM
check_PROGRAMS += plugins/lm/template/test-jinja
plugins_lm_template_test_jinja_SOURCES = plugins/lm/template/test-jinja.c
plugins_lm_template_test_jinja_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/lm/template/test-jinja
endif
