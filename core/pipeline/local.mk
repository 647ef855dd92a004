# core/pipeline
core_libflowrun_la_SOURCES += \
	core/pipeline/bind.c \
	core/pipeline/connect.c \
	core/pipeline/load.c \
	core/pipeline/pipeline-private.h \
	core/pipeline/pipeline.h \
	core/pipeline/schema.c \
	core/pipeline/sets.c \
	core/pipeline/vars.c
