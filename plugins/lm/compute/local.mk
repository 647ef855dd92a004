# plugins/lm/compute: opening backends; the reference backend is in plugins/compute/reference
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += plugins/lm/compute/compute.c \
	plugins/lm/compute/level.c
endif
