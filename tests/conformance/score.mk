# Scores against sacreBLEU, rouge-score, rouge-chinese and NLTK.
dist_check_SCRIPTS += tests/conformance/test-score.py
if HAVE_TEXT
check_PROGRAMS += tests/conformance/score
tests_conformance_score_SOURCES = tests/conformance/score.c
tests_conformance_score_LDADD = $(TEXT_MODULE_LIBS)
TESTS += tests/conformance/test-score.py
endif
