# tests/fuzz: one harness per parser; each replays its corpus in `make check`.
#
#   check_PROGRAMS += tests/fuzz/fuzz-NAME
#   tests_fuzz_fuzz_NAME_SOURCES = tests/fuzz/fuzz-NAME.c tests/fuzz/replay.c
#   tests_fuzz_fuzz_NAME_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"NAME\"
