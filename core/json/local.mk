# core/json
core_libflowrun_la_SOURCES += core/json/cell.c core/json/json-private.h core/json/reader.c \
	core/json/tree.c core/json/utf8.c core/json/write.c
