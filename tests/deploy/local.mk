# tests/deploy: what contrib/ says, and what platforms ask for.
EXTRA_DIST += tests/deploy/installed.sh tests/deploy/manifests.py tests/deploy/server.sh
if HAVE_LM
if HAVE_NET
dist_check_SCRIPTS += tests/deploy/platforms.sh tests/deploy/test-entry.sh
TESTS += tests/deploy/platforms.sh tests/deploy/test-entry.sh
endif
endif
