# plugins/sources/documents/pdf: the document reader "pdf" and its worker.
#
# The plugin links no poppler; the worker does, and is under the GPL.
if HAVE_TEXT
DOCUMENT_PDF_PAGES = plugins/sources/documents/pdf/pages.c plugins/sources/documents/pdf/pages.h \
	plugins/sources/documents/pdf/protocol.h \
	plugins/sources/documents/pdf/tables.c plugins/sources/documents/pdf/tables.h
if HAVE_POPPLER
plugin_LTLIBRARIES += plugins/document-pdf.la
plugins_document_pdf_la_SOURCES = plugins/sources/documents/pdf/pdf.c $(DOCUMENT_PDF_PAGES)
plugins_document_pdf_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_document_pdf_la_LDFLAGS = $(MODULE_FLAGS)
plugins_document_pdf_la_LIBADD = $(TEXT_MODULE_LIBS) -ldl -lm

plugin_PROGRAMS = plugins/document-pdf-worker
EXTRA_DIST += plugins/sources/documents/pdf/COPYING
plugins_document_pdf_worker_SOURCES = plugins/sources/documents/pdf/worker.c \
	plugins/sources/documents/pdf/protocol.h
plugins_document_pdf_worker_CFLAGS = $(AM_CFLAGS) $(POPPLER_CFLAGS)
plugins_document_pdf_worker_LDADD = $(POPPLER_LIBS) $(CORE_LIBS)

check_PROGRAMS += plugins/sources/documents/pdf/test-worker
plugins_sources_documents_pdf_test_worker_SOURCES = plugins/sources/documents/pdf/test-worker.c
plugins_sources_documents_pdf_test_worker_LDADD = $(CORE_LIBS)
TESTS += plugins/sources/documents/pdf/test-worker
endif

check_PROGRAMS += plugins/sources/documents/pdf/test-pages
plugins_sources_documents_pdf_test_pages_SOURCES = plugins/sources/documents/pdf/test-pages.c \
	$(DOCUMENT_PDF_PAGES)
plugins_sources_documents_pdf_test_pages_LDADD = $(TEXT_MODULE_LIBS) -lm
TESTS += plugins/sources/documents/pdf/test-pages
endif
