# The page to write on, as a part of sink.serve; print-page shows it to tests.
SERVE_PAGE_FILES = \
	plugins/sinks/serve/page/page.css \
	plugins/sinks/serve/page/page.gresource.xml \
	plugins/sinks/serve/page/page.html \
	plugins/sinks/serve/page/page.js
EXTRA_DIST += $(SERVE_PAGE_FILES)

if HAVE_TEXT
SERVE_PAGE = \
	plugins/sinks/serve/details-page.h \
	plugins/sinks/serve/page/page.c \
	plugins/sinks/serve/page/page.h
SERVE_PAGE_RESOURCES = plugins/sinks/serve/page/resources.c
CLEANFILES += $(SERVE_PAGE_RESOURCES)
plugins/sinks/serve/page/resources.c: $(SERVE_PAGE_FILES)
	@$(MKDIR_P) plugins/sinks/serve/page
	$(AM_V_GEN)$(GLIB_COMPILE_RESOURCES) --generate-source --c-name serve_page \
	  --sourcedir=$(srcdir)/plugins/sinks/serve/page --target=$@ $(srcdir)/plugins/sinks/serve/page/page.gresource.xml

check_PROGRAMS += \
	plugins/sinks/serve/page/print-page \
	plugins/sinks/serve/page/test-page
plugins_sinks_serve_page_print_page_SOURCES = plugins/sinks/serve/page/print-page.c $(SERVE_PAGE)
nodist_plugins_sinks_serve_page_print_page_SOURCES = $(SERVE_PAGE_RESOURCES)
plugins_sinks_serve_page_print_page_LDADD = $(TEXT_MODULE_LIBS)
plugins_sinks_serve_page_test_page_SOURCES = plugins/sinks/serve/page/test-page.c $(SERVE_PAGE)
nodist_plugins_sinks_serve_page_test_page_SOURCES = $(SERVE_PAGE_RESOURCES)
plugins_sinks_serve_page_test_page_LDADD = $(TEXT_MODULE_LIBS)
TESTS += plugins/sinks/serve/page/test-page
endif
