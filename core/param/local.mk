# core/param
core_libflowrun_la_SOURCES += \
	core/param/describe.c \
	core/param/fill.c \
	core/param/json-check.c \
	core/param/param-private.h \
	core/param/problems.c \
	core/param/problems.h \
	core/param/quantity.c \
	core/param/values.c
