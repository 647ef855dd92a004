# plugins/lm/export: what sinks of models share
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/export/export-private.h \
	plugins/lm/export/card.c \
	plugins/lm/export/folder.c \
	plugins/lm/export/gate.c \
	plugins/lm/export/rows.c \
	plugins/lm/export/side.c \
	plugins/lm/export/verify.c

check_PROGRAMS += plugins/lm/export/test-export
plugins_lm_export_test_export_SOURCES = plugins/lm/export/test-export.c plugins/lm/weights/test-files.h
plugins_lm_export_test_export_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/lm/export/test-export

check_PROGRAMS += plugins/lm/export/test-verify
plugins_lm_export_test_verify_SOURCES = plugins/lm/export/test-verify.c plugins/lm/chat/test-model.h
plugins_lm_export_test_verify_LDADD = $(LM_MODULE_LIBS)
TESTS += plugins/lm/export/test-verify
endif
