# plugins/sinks/gguf
if HAVE_LM
plugin_LTLIBRARIES += plugins/sink-gguf.la
plugins_sink_gguf_la_SOURCES = plugins/sinks/gguf/gguf.c plugins/sinks/gguf/keys.c \
	plugins/sinks/gguf/manual.h plugins/sinks/gguf/plan.c plugins/sinks/gguf/sink-gguf.h
plugins_sink_gguf_la_LDFLAGS = $(MODULE_FLAGS)
plugins_sink_gguf_la_LIBADD = $(LM_MODULE_LIBS)
check_PROGRAMS += plugins/sinks/gguf/test-gguf
plugins_sinks_gguf_test_gguf_SOURCES = plugins/sinks/gguf/test-gguf.c plugins/lm/chat/test-model.h plugins/lm/export/test-gate.h
plugins_sinks_gguf_test_gguf_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/sinks/gguf/test-gguf
endif
EXTRA_DIST += plugins/sinks/gguf/gguf.md
