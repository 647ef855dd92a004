# core/command: the program flowrun.
bin_PROGRAMS += flowrun
flowrun_SOURCES = core/command/command.h core/command/progress-private.h core/command/rows.h \
	core/command/cmd-check.c core/command/cmd-head.c core/command/cmd-help.c \
	core/command/cmd-inspect.c core/command/cmd-list.c core/command/cmd-new.c \
	core/command/cmd-plugin-check.c core/command/cmd-run.c core/command/cmd-report.c core/command/cmd-schema.c \
	core/command/cmd-why.c core/command/complete.c core/command/elf.c \
	core/command/element-doc.c core/command/facts.c core/command/live.c core/command/load.c core/command/log.c \
	core/command/main.c core/command/options.c core/command/progress.c core/command/rows.c \
	core/command/signals.c core/command/summary.c core/command/table.c core/command/term.c
nodist_flowrun_SOURCES = core/command/resources.c
flowrun_LDADD = core/libflowrun-test.la core/libflowrun.la $(CORE_LIBS)

# Templates of `flowrun new` and the completion scripts, carried in the program.
TEMPLATE_FILES = \
	core/command/completion/flowrun.bash core/command/completion/_flowrun \
	core/command/templates/common/Makefile.am core/command/templates/common/README.md \
	core/command/templates/common/configure.ac core/command/templates/common/gitignore \
	core/command/templates/source/plugin.c core/command/templates/source/test.c \
	core/command/templates/source/example.json core/command/templates/source/example.txt \
	core/command/templates/transform/plugin.c core/command/templates/transform/test.c \
	core/command/templates/transform/example.json core/command/templates/transform/example.csv \
	core/command/templates/evaluator/plugin.c core/command/templates/evaluator/test.c \
	core/command/templates/evaluator/example.json core/command/templates/evaluator/example.csv \
	core/command/templates/sink/plugin.c core/command/templates/sink/test.c \
	core/command/templates/sink/example.json core/command/templates/sink/example.csv
EXTRA_DIST += $(TEMPLATE_FILES) core/command/templates.gresource.xml
CLEANFILES += core/command/resources.c

core/command/resources.c: core/command/templates.gresource.xml $(TEMPLATE_FILES)
	@$(MKDIR_P) core/command
	$(AM_V_GEN)$(GLIB_COMPILE_RESOURCES) --generate-source --c-name templates \
	  --sourcedir=$(srcdir)/core/command --target=$@ $(srcdir)/core/command/templates.gresource.xml

bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/site-functions
zshcompletion_DATA = core/command/completion/_flowrun
dist_man_MANS += core/command/flowrun.1

install-data-local:
	$(MKDIR_P) $(DESTDIR)$(bashcompletiondir)
	$(INSTALL_DATA) $(srcdir)/core/command/completion/flowrun.bash \
	  $(DESTDIR)$(bashcompletiondir)/flowrun

uninstall-local:
	rm -f $(DESTDIR)$(bashcompletiondir)/flowrun
