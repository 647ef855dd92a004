# plugins/trainers/tune
if HAVE_LM
plugin_LTLIBRARIES += plugins/trainer-tune.la
TUNE_PARTS = plugins/trainers/tune/checkpoint.c plugins/trainers/tune/checkpoint.h \
	plugins/trainers/tune/schedule.c plugins/trainers/tune/schedule.h
TUNE_SOURCES = plugins/trainers/tune/tune.c plugins/trainers/tune/tune.h \
	plugins/trainers/tune/manual.h plugins/trainers/tune/loop.c plugins/trainers/tune/plan.c \
	plugins/trainers/tune/read.c plugins/trainers/tune/report.c plugins/trainers/tune/state.c \
	plugins/trainers/tune/views.c $(TUNE_PARTS)
plugins_trainer_tune_la_SOURCES = $(TUNE_SOURCES)
plugins_trainer_tune_la_LDFLAGS = $(MODULE_FLAGS)
plugins_trainer_tune_la_LIBADD = $(LM_MODULE_LIBS)

check_PROGRAMS += plugins/trainers/tune/test-parts
plugins_trainers_tune_test_parts_SOURCES = plugins/trainers/tune/test-parts.c $(TUNE_PARTS)
plugins_trainers_tune_test_parts_CFLAGS = $(AM_CFLAGS)
plugins_trainers_tune_test_parts_LDADD = core/libflowrun.la $(CORE_LIBS) -lm
TESTS += plugins/trainers/tune/test-parts

check_PROGRAMS += plugins/trainers/tune/test-tune plugins/trainers/tune/make-tiny
plugins_trainers_tune_test_tune_SOURCES = plugins/trainers/tune/test-tune.c plugins/trainers/tune/tiny.c \
	plugins/trainers/tune/tiny.h $(TUNE_SOURCES)
plugins_trainers_tune_test_tune_CFLAGS = $(AM_CFLAGS)
plugins_trainers_tune_test_tune_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
plugins_trainers_tune_make_tiny_SOURCES = plugins/trainers/tune/make-tiny.c plugins/trainers/tune/tiny.c \
	plugins/trainers/tune/tiny.h
plugins_trainers_tune_make_tiny_CFLAGS = $(AM_CFLAGS)
plugins_trainers_tune_make_tiny_LDADD = $(LM_MODULE_LIBS)
TESTS += plugins/trainers/tune/test-tune
endif
EXTRA_DIST += plugins/trainers/tune/full.md plugins/trainers/tune/lora.md
