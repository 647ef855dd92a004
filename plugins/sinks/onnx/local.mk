# plugins/sinks/onnx: models as ONNX; and what `flowrun inspect` says of such a file
EXTRA_DIST += plugins/sinks/onnx/onnx.md
if HAVE_LM
ONNX_READ = plugins/sinks/onnx/read.c plugins/sinks/onnx/read.h plugins/sinks/onnx/wire.c plugins/sinks/onnx/wire.h
ONNX_EXPORT = $(ONNX_READ) \
	plugins/sinks/onnx/decoder.c plugins/sinks/onnx/decoder.h \
	plugins/sinks/onnx/graph.c plugins/sinks/onnx/graph.h \
	plugins/sinks/onnx/tensors.c plugins/sinks/onnx/tensors.h \
	plugins/sinks/onnx/verify.c plugins/sinks/onnx/write.c plugins/sinks/onnx/export.h
plugin_LTLIBRARIES += plugins/sink-onnx.la
plugins_sink_onnx_la_SOURCES = plugins/sinks/onnx/onnx.c \
	plugins/sinks/onnx/companions.c plugins/sinks/onnx/companions.h $(ONNX_EXPORT)
plugins_sink_onnx_la_CFLAGS = $(AM_CFLAGS) $(LM_CFLAGS)
plugins_sink_onnx_la_LDFLAGS = $(MODULE_FLAGS)
plugins_sink_onnx_la_LIBADD = $(LM_MODULE_LIBS) $(LM_LIBS)
plugin_LTLIBRARIES += plugins/inspect-onnx.la
plugins_inspect_onnx_la_SOURCES = plugins/sinks/onnx/inspect.c $(ONNX_READ)
plugins_inspect_onnx_la_LDFLAGS = $(MODULE_FLAGS)
plugins_inspect_onnx_la_LIBADD = $(MODULE_LIBS)
check_PROGRAMS += plugins/sinks/onnx/test-onnx
plugins_sinks_onnx_test_onnx_SOURCES = plugins/sinks/onnx/test-onnx.c plugins/lm/weights/test-files.h plugins/lm/export/test-gate.h $(ONNX_EXPORT)
plugins_sinks_onnx_test_onnx_CFLAGS = $(AM_CFLAGS) $(LM_CFLAGS)
plugins_sinks_onnx_test_onnx_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS) $(LM_LIBS)
TESTS += plugins/sinks/onnx/test-onnx
endif
