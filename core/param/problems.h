/* SPDX-License-Identifier: Apache-2.0 */
/* problems.h: every problem of a pipeline file (internal).
 *
 * A problem is an error or a warning with a message and a JSON Pointer.  Where
 * that pointer stands in the text is asked of a locator, so that this part
 * knows neither files nor JSON.
 */
#ifndef FLOWRUN_PROBLEMS_H
#define FLOWRUN_PROBLEMS_H

#include <flowrun/error.h>

G_BEGIN_DECLS

typedef struct
{
  gboolean warning;
  char *file;         /* or, for what the command line said, "--set clean.min=5" */
  guint line, column; /* from 1; 0: not known */
  char *pointer;      /* JSON Pointer in the pipeline file */
  char *stage;        /* or NULL */
  char *message;
} FriProblem;

FrProblems *fri_problems_new (const char *file);
void fri_problems_free (FrProblems *problems);
guint fri_problems_n_errors (const FrProblems *problems);
/** fri_problems_list: FriProblem *, in order of line and column; owned. */
GPtrArray *fri_problems_list (FrProblems *problems);
/** fri_problems_text: as compilers print them, "file:line:column: error: message
 * (/stages/x/with/y)". */
char *fri_problems_text (FrProblems *problems);
/** fri_problems_add_at: with a pointer into the file; positions are looked up in the tree the file
 * was read into. */
void fri_problems_add_at (FrProblems *problems, gboolean warning, const char *stage,
                          const char *pointer, const char *format, ...) G_GNUC_PRINTF (5, 6);
/** fri_problems_add_key: the same for a problem with the key itself rather than its value: an
 * unknown key. */
void fri_problems_add_key (FrProblems *problems, gboolean warning, const char *stage,
                           const char *pointer, const char *format, ...) G_GNUC_PRINTF (5, 6);
/** fri_problems_add_here: at a place that no pointer names, such as a syntax error or a second key
 * of one name. */
void fri_problems_add_here (FrProblems *problems, guint line, guint column, const char *pointer,
                            const char *format, ...) G_GNUC_PRINTF (5, 6);
/** fri_problems_add_given: with what the command line said, as in "--var n=x". */
void fri_problems_add_given (FrProblems *problems, const char *given, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
/** fri_problems_set_scope: what fr_problems_add() pointers are relative to ("/stages/x/with") and
 * whose they are; NULL to end. */
void fri_problems_set_scope (FrProblems *problems, const char *stage, const char *prefix);
/** fri_problems_add_in_scope: fr_problems_add() for warnings and for keys. */
void fri_problems_add_in_scope (FrProblems *problems, gboolean warning, gboolean key,
                                const char *pointer, const char *format, ...) G_GNUC_PRINTF (5, 6);

/** FriLocate: where @pointer (its key, or its value) stands; FALSE when the file has no such place.
 */
typedef gboolean (*FriLocate) (gpointer data, const char *pointer, gboolean key, guint *line,
                               guint *column);
/** fri_problems_set_locator: asked for every problem added from now on; @data is released with
 * @free_data. */
void fri_problems_set_locator (FrProblems *problems, FriLocate locate, gpointer data,
                               GDestroyNotify free_data);
gboolean fri_problems_has_locator (const FrProblems *problems);
/** fri_problems_set_origin: the value at @pointer was not read from the file but given as @origin.
 */
void fri_problems_set_origin (FrProblems *problems, const char *pointer, const char *origin);

/** fri_problems_mute: what is wrong at exactly @pointer has been said; errors added there later
 * would only be its echo. */
void fri_problems_mute (FrProblems *problems, const char *pointer);

/** fri_pointer: "BASE/TOKEN" with ~ and / of the token escaped (RFC 6901); g_free(). */
char *fri_pointer (const char *base, const char *token);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FrProblems, fri_problems_free)

G_END_DECLS

#endif
