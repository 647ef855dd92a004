# source.documents on documents that python-docx, openpyxl, python-pptx, reportlab and fpdf2 write.
dist_check_SCRIPTS += tests/conformance/test-documents.py
if HAVE_TEXT
if HAVE_XML
TESTS += tests/conformance/test-documents.py
endif
endif
