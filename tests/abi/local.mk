# tests/abi: what plugins built yesterday rely on.
check_PROGRAMS += tests/abi/test-abi
tests_abi_test_abi_SOURCES = tests/abi/test-abi.c
tests_abi_test_abi_LDADD = $(TEST_LIBS)
TESTS += tests/abi/test-abi tests/abi/test-headers.sh
dist_check_SCRIPTS += tests/abi/test-headers.sh
EXTRA_DIST += tests/abi/sizes.tsv
AM_TESTS_ENVIRONMENT = FR_CC='$(CC)'; FR_CXX='$(CXX)'; export FR_CC FR_CXX;
