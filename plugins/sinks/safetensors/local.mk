# plugins/sinks/safetensors
if HAVE_LM
plugin_LTLIBRARIES += plugins/sink-safetensors.la
plugins_sink_safetensors_la_SOURCES = plugins/sinks/safetensors/safetensors.c \
	plugins/sinks/safetensors/tensors.c plugins/sinks/safetensors/export.h
plugins_sink_safetensors_la_LDFLAGS = $(MODULE_FLAGS)
plugins_sink_safetensors_la_LIBADD = $(LM_MODULE_LIBS)
check_PROGRAMS += plugins/sinks/safetensors/test-safetensors
plugins_sinks_safetensors_test_safetensors_SOURCES = plugins/sinks/safetensors/test-safetensors.c plugins/lm/export/test-gate.h \
	plugins/lm/weights/test-files.h
plugins_sinks_safetensors_test_safetensors_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/sinks/safetensors/test-safetensors
endif
EXTRA_DIST += plugins/sinks/safetensors/safetensors.md
