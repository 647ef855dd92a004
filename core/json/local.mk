# core/json
core_libflowrun_la_SOURCES += core/json/cell.c core/json/json-private.h core/json/reader.c \
	core/json/tree.c core/json/utf8.c core/json/write.c

check_PROGRAMS += core/json/test-json
core_json_test_json_SOURCES = core/json/test-json.c core/data/test-rows.h
core_json_test_json_LDADD = $(TEST_LIBS) -lm
TESTS += core/json/test-json
