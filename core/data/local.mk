# core/data
core_libflowrun_la_SOURCES += core/data/batch.c core/data/builder.c core/data/column.c \
	core/data/data-private.h core/data/error.c core/data/rowjson.c core/data/schema.c \
	core/data/timestamp.c core/data/validate.c
