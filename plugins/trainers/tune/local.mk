# plugins/trainers/tune
if HAVE_LM
check_PROGRAMS += plugins/trainers/tune/test-parts
plugins_trainers_tune_test_parts_SOURCES = plugins/trainers/tune/test-parts.c plugins/trainers/tune/schedule.c \
	plugins/trainers/tune/schedule.h plugins/trainers/tune/dataset.c plugins/trainers/tune/dataset.h \
	plugins/trainers/tune/pack.c plugins/trainers/tune/pack.h plugins/trainers/tune/checkpoint.c \
	plugins/trainers/tune/checkpoint.h
plugins_trainers_tune_test_parts_LDADD = core/libflowrun.la $(CORE_LIBS) -lm
TESTS += plugins/trainers/tune/test-parts
endif
