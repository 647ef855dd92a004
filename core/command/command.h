/* SPDX-License-Identifier: Apache-2.0 */
/* command.h: the parts of the program `flowrun`.
 *
 * Two tables say everything about the command line: cmd_commands and
 * cmd_options (options.c).  Parsing, --help, the manual page and completion
 * are made from them, so a new option is one row.
 */
#ifndef FLOWRUN_COMMAND_H
#define FLOWRUN_COMMAND_H

#include <stdio.h>

#include "engine/engine.h"

G_BEGIN_DECLS

/* ---- the command line ------------------------------------------------------ */

typedef struct _CmdCommand CmdCommand;

/* A command line, taken apart. */
typedef struct
{
  const CmdCommand *command;
  char **args; /* what is neither command nor option */
  guint n_args;
  char *text; /* the whole line, for the manifest */

  char **sets, **vars, **plugin_paths;
  char *run_dir, *until, *progress, *deny, *table, *element, *with, *input, *columns, *language;
  gint64 count, workers, from, timeout;
  guint64 memory;
  gboolean fresh, no_forecast, json, markdown, help, version, child;
} CmdLine;

typedef enum
{
  CMD_RUN = 1 << 0,
  CMD_CHECK = 1 << 1,
  CMD_HEAD = 1 << 2,
  CMD_LIST = 1 << 3,
  CMD_HELP = 1 << 4,
  CMD_INSPECT = 1 << 5,
  CMD_WHY = 1 << 6,
  CMD_SCHEMA = 1 << 7,
  CMD_NEW = 1 << 8,
  CMD_PLUGIN_CHECK = 1 << 9,
  CMD_COMPLETION = 1 << 10,
  CMD_REPORT = 1 << 11,
  CMD_HIDDEN = 1 << 12
} CmdBit;

/* What completion offers for an argument. */
typedef enum
{
  CMD_WORD_NONE = 0,
  CMD_WORD_FILE,
  CMD_WORD_DIR,
  CMD_WORD_PIPELINE, /* files and installed names */
  CMD_WORD_STAGE,    /* stages of the pipeline named before */
  CMD_WORD_SET,      /* stage.key= of that pipeline */
  CMD_WORD_VAR,      /* NAME= of that pipeline */
  CMD_WORD_KIND,
  CMD_WORD_ELEMENT,
  CMD_WORD_TOPIC, /* elements and commands */
  CMD_WORD_SHELL
} CmdWord;

#define CMD_MAX_ARGS 3

struct _CmdCommand
{
  const char *name;
  CmdBit bit;
  const char *args;    /* as shown: "PIPELINE.json STAGE[.PORT]" */
  const char *summary; /* one line, no full stop */
  const char *details; /* a paragraph for --help and the manual */
  const char *example;
  guint min_args, max_args;
  CmdWord words[CMD_MAX_ARGS]; /* the last one repeats */
  int (*run) (const CmdLine *line);
};

typedef enum
{
  CMD_OPT_FLAG = 1, /* gboolean */
  CMD_OPT_TEXT,     /* char * */
  CMD_OPT_TEXTS,    /* char **, repeatable */
  CMD_OPT_INT,      /* gint64 >= 0 */
  CMD_OPT_SIZE,     /* guint64 bytes */
  CMD_OPT_CHOICE    /* char *, one of `choices` */
} CmdOptionType;

typedef struct
{
  const char *name;
  char letter; /* or 0 */
  CmdOptionType type;
  gsize offset;
  guint commands;         /* CmdBits */
  const char *arg;        /* "DIR"; NULL for flags */
  const char *help;       /* one line */
  const char *choices[6]; /* for CHOICE */
  CmdWord word;
} CmdOption;

extern const CmdCommand cmd_commands[]; /* ends with name NULL */
extern const CmdOption cmd_options[];   /* ends with name NULL */

/** cmd_parse: NULL with FR_ERROR_CONFIG. */
CmdLine *cmd_parse (int argc, char **argv, GError **error);
void cmd_line_free (CmdLine *line);
const CmdCommand *cmd_find_command (const char *name);
/** cmd_usage: "flowrun head [options] PIPELINE.json ..." with the options of a command, for --help.
 */
char *cmd_usage (const CmdCommand *command);
/** cmd_manual: commands and options as mdoc, for flowrun(1). */
char *cmd_manual (void);
/** cmd_complete: candidates for the last of @words, one a line; ":file" and ":dir" ask the shell
 * for files. */
char *cmd_complete (char **words);

/* ---- the commands ------------------------------------------------------------ */

int cmd_run (const CmdLine *line);
int cmd_check (const CmdLine *line);
int cmd_head (const CmdLine *line);
int cmd_list (const CmdLine *line);
int cmd_help (const CmdLine *line);
int cmd_inspect (const CmdLine *line);
int cmd_why (const CmdLine *line);
int cmd_report (const CmdLine *line);
int cmd_schema (const CmdLine *line);
int cmd_new (const CmdLine *line);
int cmd_plugin_check (const CmdLine *line);
int cmd_completion (const CmdLine *line);

/* ---- shared by commands -------------------------------------------------------- */

/** cmd_load: finds and reads the pipeline @name.  @problems is NULL when there is no such file,
 * which is then said; else the caller frees it. */
FriPipeline *cmd_load (const CmdLine *line, const char *name, gboolean dry, FrProblems **problems);
FriRegistry *cmd_registry (const CmdLine *line);
/** cmd_fail: prints a GError; returns the exit status that its code asks for. */
int cmd_fail (const GError *error);
/** cmd_print_problems: every problem, then how many. */
void cmd_print_problems (FrProblems *problems, FILE *out);
JsonNode *cmd_problems_json (FrProblems *problems);
/** cmd_print_json: @node (taken) on standard output, indented. */
int cmd_print_json (JsonNode *node);
/** cmd_flush: FALSE when standard output could not take what was printed (a closed pipe is no
 * failure). */
gboolean cmd_flush (void);

/** cmd_element_help / cmd_element_markdown: one element for a terminal, and as its NAME.md. */
void cmd_element_help (const FrElement *element, const char *file, FILE *out);
char *cmd_element_markdown (const FrElement *element);

/** cmd_banned_symbols: names that the shared object @path imports and must not (exit, abort, ...);
 * NULL on error. */
GPtrArray *cmd_banned_symbols (const char *path, GError **error);

/* ---- interruption ---------------------------------------------------------------- */

/**
 * cmd_signals_catch: the first SIGINT, SIGTERM or SIGHUP fires @cancellable,
 * the second ends the program at once with status 130.
 */
void cmd_signals_catch (GCancellable *cancellable);
/** cmd_signals_last_words: written to standard error by the second signal (restores the terminal);
 * static. */
void cmd_signals_last_words (const char *text);

/* ---- terminal ---------------------------------------------------------------------- */

gboolean term_is (int fd);
gboolean term_colour (int fd);
guint term_width (int fd);  /* 80 when it is no terminal */
guint term_height (int fd); /* 24 */
gboolean term_utf8 (void);

/** term_columns: how many columns @len bytes (-1: to NUL) of text take; wide characters two,
 * combining none. */
guint term_columns (const char *text, gssize len);
/** term_clean: @text on one line: newlines as ⏎, other control characters visible, bad UTF-8 as
 * U+FFFD. */
char *term_clean (const char *text, gsize len, gsize max_columns);
/** term_cut: at most @columns wide, with an ellipsis if something was cut. */
char *term_cut (const char *text, guint columns);

typedef enum
{
  STYLE_NONE,
  STYLE_BOLD,
  STYLE_DIM,
  STYLE_RED,
  STYLE_GREEN,
  STYLE_YELLOW,
  STYLE_CYAN
} Style;
/** term_style: the escape sequence that begins @style, or "" when @colour is off; term_plain() ends
 * it. */
const char *term_style (Style style, gboolean colour);
const char *term_plain (gboolean colour);

/** say: one line on standard error, beginning with a coloured "error", "warning" or nothing. */
void say_error (const char *format, ...) G_GNUC_PRINTF (1, 2);
void say_warning (const char *format, ...) G_GNUC_PRINTF (1, 2);
void say (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* numbers for people */
char *text_count (guint64 n);              /* 1,234,567 */
char *text_short (double n);               /* 12.3k, 4.5M */
char *text_bytes (guint64 n);              /* 3.2 MiB */
char *text_about (gint64 microseconds);    /* 25 s, 3:05 */
char *text_duration (gint64 microseconds); /* 0.42 s, 3:05, 2:13:05 */

/* ---- tables -------------------------------------------------------------------------- */

typedef struct _Table Table;

typedef enum
{
  TABLE_LEFT = 0,
  TABLE_RIGHT = 1 << 0,
  TABLE_KEEP = 1 << 1 /* never shrunk */
} TableFlags;

Table *table_new (void);
void table_free (Table *table);
void table_column (Table *table, const char *title, guint flags);
/** table_cell: the next cell of the row; a new row begins when all columns have one. */
void table_cell (Table *table, Style style, const char *text);
void table_cellf (Table *table, Style style, const char *format, ...) G_GNUC_PRINTF (3, 4);
/** table_print: fitted to @width columns (0: as wide as it is); what does not fit is cut or left
 * out and said. */
void table_print (Table *table, FILE *out, guint width, gboolean colour);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Table, table_free)

/* ---- facts ----------------------------------------------------------------------------- */

/** facts_print: what FrInspect.inspect or a forecast tells, below a line with @of and its title. */
void facts_print (JsonNode *facts, const char *of, FILE *out);

/* ---- progress -------------------------------------------------------------------------- */

typedef struct _Progress Progress;

typedef enum
{
  PROGRESS_NONE,
  PROGRESS_PLAIN,
  PROGRESS_LIVE,
  PROGRESS_JSON
} ProgressMode;

ProgressMode progress_mode (const char *word);
Progress *progress_new (ProgressMode mode);
void progress_free (Progress *progress);
void progress_event (const FriEvent *event, gpointer progress);
/** progress_end: takes the display away and prints the summary of the run; @run_dir is NULL when
 * nothing is left of it. */
void progress_end (Progress *progress, FriExit status, const GError *error, const char *run_dir);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Progress, progress_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CmdLine, cmd_line_free)

G_END_DECLS

#endif
