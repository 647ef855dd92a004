# core/engine
core_libflowrun_la_SOURCES += \
	core/engine/edge.c \
	core/engine/engine-private.h \
	core/engine/engine.c \
	core/engine/engine.h \
	core/engine/forecast.c \
	core/engine/graph.c \
	core/engine/host.c \
	core/engine/object.c \
	core/engine/plan.c \
	core/engine/pool.c \
	core/engine/record.c \
	core/engine/samples.c \
	core/engine/spool.c \
	core/engine/stage.c \
	core/engine/state.c \
	core/engine/summary.c

check_PROGRAMS += core/engine/test-engine
core_engine_test_engine_SOURCES = core/engine/test-engine.c core/engine/test-elements.h
core_engine_test_engine_LDADD = $(TEST_LIBS)
TESTS += core/engine/test-engine

check_PROGRAMS += core/engine/bench-engine
core_engine_bench_engine_SOURCES = core/engine/bench-engine.c core/engine/test-elements.h
core_engine_bench_engine_LDADD = $(TEST_LIBS)

