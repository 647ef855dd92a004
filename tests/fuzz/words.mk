# Harnesses of dictionaries, word lists and segmentation.
if HAVE_TEXT
check_PROGRAMS += tests/fuzz/fuzz-segment tests/fuzz/fuzz-lexicon tests/fuzz/fuzz-review
tests_fuzz_fuzz_segment_SOURCES = tests/fuzz/fuzz-segment.c tests/fuzz/replay.c
tests_fuzz_fuzz_segment_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"segment\"
tests_fuzz_fuzz_segment_LDADD = $(TEXT_MODULE_LIBS)
tests_fuzz_fuzz_lexicon_SOURCES = tests/fuzz/fuzz-lexicon.c tests/fuzz/replay.c $(SYNONYMS_LEXICON)
tests_fuzz_fuzz_lexicon_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"lexicon\"
tests_fuzz_fuzz_lexicon_LDADD = $(TEXT_MODULE_LIBS)
tests_fuzz_fuzz_review_SOURCES = tests/fuzz/fuzz-review.c tests/fuzz/replay.c $(LABEL_RULES)
tests_fuzz_fuzz_review_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"review\"
tests_fuzz_fuzz_review_LDADD = $(TEXT_MODULE_LIBS) -lm
TESTS += tests/fuzz/fuzz-segment tests/fuzz/fuzz-lexicon tests/fuzz/fuzz-review
endif
EXTRA_DIST += tests/fuzz/corpus/segment tests/fuzz/corpus/lexicon tests/fuzz/corpus/review
