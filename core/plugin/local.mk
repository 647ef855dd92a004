# core/plugin
core_libflowrun_la_SOURCES += \
	core/plugin/check.c \
	core/plugin/copy.c \
	core/plugin/describe.c \
	core/plugin/plugin-private.h \
	core/plugin/ports.c \
	core/plugin/registry.c \
	core/plugin/registry.h
