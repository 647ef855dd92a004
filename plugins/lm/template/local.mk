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
	plugins/lm/template/template.c \
	plugins/lm/template/value.c
endif
