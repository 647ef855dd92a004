# core/pipeline
core_libflowrun_la_SOURCES += \
	core/pipeline/bind.c \
	core/pipeline/connect.c \
	core/pipeline/heldout.c \
	core/pipeline/load.c \
	core/pipeline/pipeline-private.h \
	core/pipeline/pipeline.h \
	core/pipeline/schema.c \
	core/pipeline/sets.c \
	core/pipeline/vars.c

check_PROGRAMS += core/pipeline/test-pipeline
core_pipeline_test_pipeline_SOURCES = core/pipeline/test-pipeline.c core/pipeline/fake.h
core_pipeline_test_pipeline_LDADD = $(TEST_LIBS)
TESTS += core/pipeline/test-pipeline
