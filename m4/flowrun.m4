# flowrun.m4: for the configure.ac of a plugin outside flowrun's tree.
#
#   FLOWRUN_PLUGIN([0.1])
#
# checks for flowrun of at least that version and sets, for Makefile.am,
#   FLOWRUN_CFLAGS, FLOWRUN_LIBS      to compile and link a plugin
#   FLOWRUN_TEST_CFLAGS, _LIBS        to compile and link its tests
#   FLOWRUN_PLUGIN_LDFLAGS            -module, no version, every symbol resolved, all but the entry hidden
#   flowrunplugindir                  where flowrun looks for plugins
#   FLOWRUN                           the command
AC_DEFUN([FLOWRUN_PLUGIN], [
  AC_REQUIRE([PKG_PROG_PKG_CONFIG])
  PKG_CHECK_MODULES([FLOWRUN], [flowrun >= $1])
  PKG_CHECK_MODULES([FLOWRUN_TEST], [flowrun-test >= $1])
  AC_SUBST([FLOWRUN_PLUGIN_LDFLAGS], ["-module -avoid-version -shared -Wl,-z,defs -export-symbols-regex ^flowrun_plugin\$\$"])
  AC_ARG_WITH([flowrunplugindir], [AS_HELP_STRING([--with-flowrunplugindir=DIR], [install plugins there])],
              [flowrunplugindir=$withval], [PKG_CHECK_VAR([flowrunplugindir], [flowrun], [plugindir])])
  AC_SUBST([flowrunplugindir])
  PKG_CHECK_VAR([FLOWRUN_BINDIR], [flowrun], [bindir])
  AC_PATH_PROG([FLOWRUN], [flowrun], [flowrun], [$FLOWRUN_BINDIR:$PATH])
])
