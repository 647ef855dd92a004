# core/data
core_libflowrun_la_SOURCES += core/data/error.c
