# plugins/sources/documents
if HAVE_TEXT
DOCUMENTS_SOURCES = \
	plugins/sources/documents/unpack.c plugins/sources/documents/unpack.h \
	plugins/sources/documents/detect.c plugins/sources/documents/detect.h \
	plugins/sources/documents/tell.c plugins/sources/documents/tell.h \
	plugins/sources/documents/utf8.c plugins/sources/documents/utf8.h \
	plugins/sources/documents/mbox.c plugins/sources/documents/mbox.h \
	plugins/sources/documents/html.c plugins/sources/documents/html.h \
	plugins/sources/documents/markdown.c plugins/sources/documents/plain.c \
	plugins/sources/documents/readers.c plugins/sources/documents/readers.h
DOCUMENTS_XML_SOURCES = \
	plugins/sources/documents/xml.c plugins/sources/documents/xml.h \
	plugins/sources/documents/parts.c plugins/sources/documents/parts.h \
	plugins/sources/documents/docx.c plugins/sources/documents/xlsx.c \
	plugins/sources/documents/pptx.c plugins/sources/documents/odf.c
DOCUMENTS_CUT_SOURCES = \
	plugins/sources/documents/mailcut.c plugins/sources/documents/mailcut.h \
	plugins/sources/documents/mailhead.c plugins/sources/documents/mailhead.h
DOCUMENTS_CPPFLAGS =
DOCUMENTS_LIBS = -lm
if HAVE_XML
DOCUMENTS_SOURCES += $(DOCUMENTS_XML_SOURCES)
DOCUMENTS_CPPFLAGS += -DDOCUMENTS_XML
DOCUMENTS_LIBS += $(XML_LIBS)
endif
if HAVE_GMIME
DOCUMENTS_SOURCES += $(DOCUMENTS_CUT_SOURCES) plugins/sources/documents/mail.c
DOCUMENTS_CPPFLAGS += -DDOCUMENTS_MAIL
DOCUMENTS_LIBS += $(GMIME_LIBS)
endif

DOCUMENTS_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS) $(XML_CFLAGS) $(GMIME_CFLAGS)
DOCUMENTS_ALL_LIBS = $(TEXT_MODULE_LIBS) $(TEXT_LIBS) $(DOCUMENTS_LIBS)

plugin_LTLIBRARIES += plugins/source-documents.la
plugins_source_documents_la_SOURCES = plugins/sources/documents/documents.c \
	plugins/sources/documents/details.h \
	plugins/sources/documents/walk.c plugins/sources/documents/walk.h \
	$(DOCUMENTS_SOURCES)
plugins_source_documents_la_CPPFLAGS = $(AM_CPPFLAGS) $(DOCUMENTS_CPPFLAGS)
plugins_source_documents_la_CFLAGS = $(DOCUMENTS_CFLAGS)
plugins_source_documents_la_LDFLAGS = $(MODULE_FLAGS)
plugins_source_documents_la_LIBADD = $(DOCUMENTS_ALL_LIBS)

if HAVE_XML
if HAVE_GMIME
check_PROGRAMS += plugins/sources/documents/test-documents
plugins_sources_documents_test_documents_SOURCES = plugins/sources/documents/test-documents.c
plugins_sources_documents_test_documents_LDADD = core/libflowrun-test.la $(TEST_LIBS)
TESTS += plugins/sources/documents/test-documents
endif
endif

check_PROGRAMS += plugins/sources/documents/test-mailcut
plugins_sources_documents_test_mailcut_SOURCES = plugins/sources/documents/test-mailcut.c \
	$(DOCUMENTS_CUT_SOURCES) plugins/sources/documents/mbox.c plugins/sources/documents/mbox.h \
	plugins/sources/documents/utf8.c plugins/sources/documents/utf8.h
plugins_sources_documents_test_mailcut_LDADD = $(TEXT_MODULE_LIBS)
TESTS += plugins/sources/documents/test-mailcut

# What a reader out of tree is built with.
flowruninclude_HEADERS += plugins/text/document.h
endif
EXTRA_DIST += plugins/sources/documents/documents.md plugins/sources/documents/make-samples.py
