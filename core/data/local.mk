# core/data
core_libflowrun_la_SOURCES += core/data/arrow.c core/data/batch.c core/data/builder.c \
	core/data/column.c core/data/data-private.h core/data/error.c core/data/object.c \
	core/data/rowjson.c core/data/schema.c core/data/timestamp.c core/data/validate.c

check_PROGRAMS += core/data/test-schema core/data/test-batch core/data/test-arrow
core_data_test_arrow_SOURCES = core/data/test-arrow.c core/data/test-rows.h
core_data_test_arrow_LDADD = $(TEST_LIBS)
core_data_test_schema_SOURCES = core/data/test-schema.c
core_data_test_schema_LDADD = $(TEST_LIBS)
core_data_test_batch_SOURCES = core/data/test-batch.c core/data/test-rows.h
core_data_test_batch_LDADD = $(TEST_LIBS)
TESTS += core/data/test-schema core/data/test-batch core/data/test-arrow

TESTS += core/data/test-arrow.py
dist_check_SCRIPTS += core/data/test-arrow.py
