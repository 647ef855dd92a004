# The template interpreter against transformers' own rendering.
dist_check_SCRIPTS += tests/conformance/test-template.py
if HAVE_LM
check_PROGRAMS += tests/conformance/render
tests_conformance_render_SOURCES = tests/conformance/render.c
tests_conformance_render_LDADD = $(LM_MODULE_LIBS)
TESTS += tests/conformance/test-template.py
endif
