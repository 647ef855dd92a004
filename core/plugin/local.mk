# core/plugin
core_libflowrun_la_SOURCES += \
	core/plugin/check.c \
	core/plugin/copy.c \
	core/plugin/describe.c \
	core/plugin/plugin-private.h \
	core/plugin/ports.c \
	core/plugin/registry.c \
	core/plugin/registry.h \
	core/plugin/service.c

check_PROGRAMS += core/plugin/test-registry
core_plugin_test_registry_SOURCES = core/plugin/test-registry.c
core_plugin_test_registry_LDADD = $(TEST_LIBS)
TESTS += core/plugin/test-registry

# Plugins for test-registry: sound ones, and one for each way not to be.  One
# of them lacks a symbol on purpose, so none may insist on having all.
TEST_MODULE_FLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
check_LTLIBRARIES += core/plugin/modules/good/transform-good.la
core_plugin_modules_good_transform_good_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_good_transform_good_la_CPPFLAGS = $(AM_CPPFLAGS)
core_plugin_modules_good_transform_good_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_good_transform_good_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/good/transform-later.la
core_plugin_modules_good_transform_later_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_good_transform_later_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_LATER -DNAME=\"transform.later\"
core_plugin_modules_good_transform_later_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_good_transform_later_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/good/transform-earlier.la
core_plugin_modules_good_transform_earlier_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_good_transform_earlier_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_EARLIER -DNAME=\"transform.earlier\"
core_plugin_modules_good_transform_earlier_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_good_transform_earlier_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/good/oddly-named.la
core_plugin_modules_good_oddly_named_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_good_oddly_named_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_SERVICE -DNAME=\"transform.odd\"
core_plugin_modules_good_oddly_named_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_good_oddly_named_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/bad/transform-major.la
core_plugin_modules_bad_transform_major_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_bad_transform_major_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_MAJOR -DNAME=\"transform.major\"
core_plugin_modules_bad_transform_major_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_bad_transform_major_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/bad/transform-minor.la
core_plugin_modules_bad_transform_minor_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_bad_transform_minor_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_MINOR -DNAME=\"transform.minor\"
core_plugin_modules_bad_transform_minor_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_bad_transform_minor_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/bad/transform-entry.la
core_plugin_modules_bad_transform_entry_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_bad_transform_entry_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_ENTRY -DNAME=\"transform.entry\"
core_plugin_modules_bad_transform_entry_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_bad_transform_entry_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/bad/transform-null.la
core_plugin_modules_bad_transform_null_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_bad_transform_null_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_NULL -DNAME=\"transform.null\"
core_plugin_modules_bad_transform_null_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_bad_transform_null_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/bad/transform-nothing.la
core_plugin_modules_bad_transform_nothing_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_bad_transform_nothing_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_NOTHING -DNAME=\"transform.nothing\"
core_plugin_modules_bad_transform_nothing_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_bad_transform_nothing_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/bad/transform-both.la
core_plugin_modules_bad_transform_both_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_bad_transform_both_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_BOTH -DNAME=\"transform.both\"
core_plugin_modules_bad_transform_both_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_bad_transform_both_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/bad/transform-kind.la
core_plugin_modules_bad_transform_kind_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_bad_transform_kind_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_KIND -DNAME=\"transform.kind\"
core_plugin_modules_bad_transform_kind_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_bad_transform_kind_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/bad/transform-short.la
core_plugin_modules_bad_transform_short_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_bad_transform_short_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_SHORT -DNAME=\"transform.short\"
core_plugin_modules_bad_transform_short_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_bad_transform_short_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/bad/transform-undefined.la
core_plugin_modules_bad_transform_undefined_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_bad_transform_undefined_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_UNDEFINED -DNAME=\"transform.undefined\"
core_plugin_modules_bad_transform_undefined_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_bad_transform_undefined_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/bad/transform-crash.la
core_plugin_modules_bad_transform_crash_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_bad_transform_crash_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_CRASH -DNAME=\"transform.crash\"
core_plugin_modules_bad_transform_crash_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_bad_transform_crash_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/bad/transform-hang.la
core_plugin_modules_bad_transform_hang_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_bad_transform_hang_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_HANG -DNAME=\"transform.hang\"
core_plugin_modules_bad_transform_hang_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_bad_transform_hang_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/bad/transform-print.la
core_plugin_modules_bad_transform_print_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_bad_transform_print_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_PRINT -DNAME=\"transform.print\"
core_plugin_modules_bad_transform_print_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_bad_transform_print_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/bad/transform-exit.la
core_plugin_modules_bad_transform_exit_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_bad_transform_exit_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_EXIT -DNAME=\"transform.exit\"
core_plugin_modules_bad_transform_exit_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_bad_transform_exit_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/services/thing-fast.la
core_plugin_modules_services_thing_fast_la_SOURCES = core/plugin/modules/service.c
core_plugin_modules_services_thing_fast_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME=\"fast\"
core_plugin_modules_services_thing_fast_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_services_thing_fast_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/services/thing-also.la
core_plugin_modules_services_thing_also_la_SOURCES = core/plugin/modules/service.c
core_plugin_modules_services_thing_also_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME=\"also\"
core_plugin_modules_services_thing_also_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_services_thing_also_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/services/thing-none.la
core_plugin_modules_services_thing_none_la_SOURCES = core/plugin/modules/service.c
core_plugin_modules_services_thing_none_la_CPPFLAGS = $(AM_CPPFLAGS) -DSCORE=0 -DNAME=\"none\"
core_plugin_modules_services_thing_none_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_services_thing_none_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/services/thing-old.la
core_plugin_modules_services_thing_old_la_SOURCES = core/plugin/modules/service.c
core_plugin_modules_services_thing_old_la_CPPFLAGS = $(AM_CPPFLAGS) -DVERSION_=2 -DSCORE=99 -DNAME=\"old\"
core_plugin_modules_services_thing_old_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_services_thing_old_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += core/plugin/modules/services/thing-broken.la
core_plugin_modules_services_thing_broken_la_SOURCES = core/plugin/modules/module.c
core_plugin_modules_services_thing_broken_la_CPPFLAGS = $(AM_CPPFLAGS) -DMODULE_UNDEFINED -DNAME=\"transform.broken\"
core_plugin_modules_services_thing_broken_la_LDFLAGS = $(TEST_MODULE_FLAGS)
core_plugin_modules_services_thing_broken_la_LIBADD = $(MODULE_LIBS)
