# tests/tsan: everything under ThreadSanitizer (configure --enable-sanitizers=thread).
EXTRA_DIST += tests/tsan/locks.c tests/tsan/run.sh tests/tsan/tsan.supp
if THREAD_SANITIZER
# FR_SANITIZE_LINK names it in all that is linked.
tests/tsan/locks.$(OBJEXT): tests/tsan/locks.c config.h
	@$(MKDIR_P) tests/tsan
	$(AM_V_CC)$(COMPILE) -fPIC -c -o $@ $(srcdir)/tests/tsan/locks.c
$(PROGRAMS) $(LTLIBRARIES): tests/tsan/locks.$(OBJEXT)
CLEANFILES += tests/tsan/locks.$(OBJEXT)
endif
