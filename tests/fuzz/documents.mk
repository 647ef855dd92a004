# tests/fuzz: source.documents
EXTRA_DIST += tests/fuzz/documents-fuzz.h
if HAVE_TEXT
check_PROGRAMS += tests/fuzz/fuzz-mailcut tests/fuzz/fuzz-pdfpages tests/fuzz/fuzz-markdown tests/fuzz/fuzz-unpack
tests_fuzz_fuzz_mailcut_SOURCES = tests/fuzz/fuzz-mailcut.c tests/fuzz/replay.c $(DOCUMENTS_CUT_SOURCES) \
	plugins/sources/documents/mbox.c plugins/sources/documents/utf8.c
tests_fuzz_fuzz_mailcut_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"mailcut\"
tests_fuzz_fuzz_mailcut_LDADD = $(TEXT_MODULE_LIBS)
tests_fuzz_fuzz_pdfpages_SOURCES = tests/fuzz/fuzz-pdfpages.c tests/fuzz/replay.c $(DOCUMENT_PDF_PAGES)
tests_fuzz_fuzz_pdfpages_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"pdfpages\"
tests_fuzz_fuzz_pdfpages_LDADD = $(TEXT_MODULE_LIBS) -lm
tests_fuzz_fuzz_markdown_SOURCES = tests/fuzz/fuzz-markdown.c tests/fuzz/replay.c $(DOCUMENTS_SOURCES)
tests_fuzz_fuzz_markdown_CPPFLAGS = $(AM_CPPFLAGS) $(DOCUMENTS_CPPFLAGS) -DFUZZ_NAME=\"markdown\"
tests_fuzz_fuzz_markdown_CFLAGS = $(DOCUMENTS_CFLAGS)
tests_fuzz_fuzz_markdown_LDADD = $(DOCUMENTS_ALL_LIBS)
tests_fuzz_fuzz_unpack_SOURCES = tests/fuzz/fuzz-unpack.c tests/fuzz/replay.c $(DOCUMENTS_SOURCES)
tests_fuzz_fuzz_unpack_CPPFLAGS = $(AM_CPPFLAGS) $(DOCUMENTS_CPPFLAGS) -DFUZZ_NAME=\"unpack\"
tests_fuzz_fuzz_unpack_CFLAGS = $(DOCUMENTS_CFLAGS)
tests_fuzz_fuzz_unpack_LDADD = $(DOCUMENTS_ALL_LIBS)
TESTS += tests/fuzz/fuzz-mailcut tests/fuzz/fuzz-pdfpages tests/fuzz/fuzz-markdown tests/fuzz/fuzz-unpack
if HAVE_XML
check_PROGRAMS += tests/fuzz/fuzz-office
tests_fuzz_fuzz_office_SOURCES = tests/fuzz/fuzz-office.c tests/fuzz/replay.c $(DOCUMENTS_SOURCES)
tests_fuzz_fuzz_office_CPPFLAGS = $(AM_CPPFLAGS) $(DOCUMENTS_CPPFLAGS) -DFUZZ_NAME=\"office\"
tests_fuzz_fuzz_office_CFLAGS = $(DOCUMENTS_CFLAGS)
tests_fuzz_fuzz_office_LDADD = $(DOCUMENTS_ALL_LIBS)
TESTS += tests/fuzz/fuzz-office
endif
if HAVE_GMIME
check_PROGRAMS += tests/fuzz/fuzz-mail
tests_fuzz_fuzz_mail_SOURCES = tests/fuzz/fuzz-mail.c tests/fuzz/replay.c $(DOCUMENTS_SOURCES)
tests_fuzz_fuzz_mail_CPPFLAGS = $(AM_CPPFLAGS) $(DOCUMENTS_CPPFLAGS) -DFUZZ_NAME=\"mail\"
tests_fuzz_fuzz_mail_CFLAGS = $(DOCUMENTS_CFLAGS)
tests_fuzz_fuzz_mail_LDADD = $(DOCUMENTS_ALL_LIBS)
TESTS += tests/fuzz/fuzz-mail
endif
endif
EXTRA_DIST += tests/fuzz/corpus/mailcut tests/fuzz/corpus/pdfpages tests/fuzz/corpus/markdown \
	tests/fuzz/corpus/unpack tests/fuzz/corpus/office tests/fuzz/corpus/mail
