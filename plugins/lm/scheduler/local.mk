# plugins/lm/scheduler: continuous batching
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/scheduler/prefix.c \
	plugins/lm/scheduler/scheduler-private.h \
	plugins/lm/scheduler/scheduler.c \
	plugins/lm/scheduler/step.c \
	plugins/lm/scheduler/task.c \
	plugins/lm/scheduler/waiting.c

check_PROGRAMS += plugins/lm/scheduler/test-scheduler
plugins_lm_scheduler_test_scheduler_SOURCES = plugins/lm/scheduler/test-scheduler.c plugins/lm/chat/test-model.h
plugins_lm_scheduler_test_scheduler_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/lm/scheduler/test-scheduler
endif

# The same with what the scheduler does between threads under ThreadSanitizer: its objects here come before the library's.
if HAVE_LM
if HAVE_TSAN
check_PROGRAMS += plugins/lm/scheduler/test-scheduler-tsan
plugins_lm_scheduler_test_scheduler_tsan_SOURCES = plugins/lm/scheduler/test-scheduler.c \
	plugins/lm/chat/test-model.h \
	plugins/lm/scheduler/prefix.c \
	plugins/lm/scheduler/scheduler.c \
	plugins/lm/scheduler/step.c \
	plugins/lm/scheduler/task.c \
	tests/tsan/locks.c \
	plugins/lm/scheduler/waiting.c
plugins_lm_scheduler_test_scheduler_tsan_CFLAGS = $(AM_CFLAGS) -fsanitize=thread
plugins_lm_scheduler_test_scheduler_tsan_LDFLAGS = $(AM_LDFLAGS) -fsanitize=thread
plugins_lm_scheduler_test_scheduler_tsan_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/lm/scheduler/test-scheduler-tsan
endif
endif
