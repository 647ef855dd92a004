# core/command: the program flowrun.
bin_PROGRAMS += flowrun
flowrun_SOURCES = core/command/command.h core/command/progress-private.h core/command/rows.h \
	core/command/cmd-check.c core/command/cmd-head.c core/command/cmd-help.c \
	core/command/cmd-list.c core/command/cmd-plugin-check.c core/command/cmd-run.c \
	core/command/cmd-schema.c core/command/cmd-why.c core/command/elf.c \
	core/command/element-doc.c core/command/live.c core/command/load.c core/command/log.c \
	core/command/main.c core/command/options.c core/command/progress.c core/command/rows.c \
	core/command/signals.c core/command/summary.c core/command/table.c core/command/term.c
flowrun_LDADD = core/libflowrun-test.la core/libflowrun.la $(CORE_LIBS)
