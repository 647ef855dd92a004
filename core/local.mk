# core: libflowrun, the command, the test kit.
lib_LTLIBRARIES += core/libflowrun.la
core_libflowrun_la_SOURCES =
core_libflowrun_la_LIBADD = $(CORE_LIBS) -lm
core_libflowrun_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 \
	-Wl,--version-script=$(top_srcdir)/core/libflowrun.map $(Z_DEFS)
core_libflowrun_la_DEPENDENCIES = core/libflowrun.map
EXTRA_DIST += core/libflowrun.map

flowrunincludedir = $(includedir)/flowrun
flowruninclude_HEADERS = \
	core/include/flowrun/arrow.h \
	core/include/flowrun/batch.h \
	core/include/flowrun/element.h \
	core/include/flowrun/error.h \
	core/include/flowrun/flowrun.h \
	core/include/flowrun/host.h \
	core/include/flowrun/json.h \
	core/include/flowrun/object.h \
	core/include/flowrun/param.h \
	core/include/flowrun/port.h \
	core/include/flowrun/schema.h \
	core/include/flowrun/service.h \
	core/include/flowrun/test.h \
	core/include/flowrun/view.h

# What a unit test in core/ or plugins/ links.
TEST_LIBS = core/libflowrun.la $(CORE_LIBS)

include core/data/local.mk
include core/json/local.mk
include core/param/local.mk
include core/plugin/local.mk
include core/pipeline/local.mk
include core/engine/local.mk
include core/report/local.mk
include core/run/local.mk
include core/command/local.mk
include core/testkit/local.mk
