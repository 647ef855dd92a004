/* SPDX-License-Identifier: Apache-2.0 */
/* shadows.h: the second answer, which nobody waits for.
 *
 * A route's shadow (models.h) is asked the first choice of a request again, with the same prompt,
 * settings and seed, when the request itself has been taken and nobody waits for a place in the
 * batch.  It takes a row of each pass like any answer; when others wait and find no place, shadows
 * are cut off, so that they hold up nobody for longer than a pass.  Both answers go to the shadow
 * log.
 */
#ifndef FLOWRUN_SERVE_SHADOWS_H
#define FLOWRUN_SERVE_SHADOWS_H

#include "lm/scheduler.h"
#include "models.h"

G_BEGIN_DECLS

typedef struct _ServeShadows ServeShadows;

ServeShadows *serve_shadows_new (void);
/** serve_shadows_free: all of them have ended. */
void serve_shadows_free (ServeShadows *shadows);

/**
 * serve_shadows_ask: any thread.
 * @like: what the scheduler was given for the first choice; borrowed
 * @parts: reasoning is told from the answer; @opened: the prompt ends in an opened <think>
 * @id: of the answer; @prompt: rendered, for the log; or NULL
 * Returns what the other answer goes to (serve_pair_answer()), once, whatever becomes of it; NULL:
 * there is no shadow.
 */
ServePair *serve_shadows_ask (ServeShadows *shadows, ServeModels *models, LmScheduler *scheduler,
                              const ServePick *pick, const LmRequest *like, gboolean parts,
                              gboolean opened, const char *id, const char *prompt);
/** serve_shadows_text: an answer as logs have it: reasoning, if any, in <think>; a NUL that a model
 * wrote is U+FFFD; g_free(). */
char *serve_shadows_text (const GString *reasoning, const GString *content);

/** serve_shadows_pass: after each pass of the scheduler, on its thread: makes way for who waits. */
void serve_shadows_pass (ServeShadows *shadows, LmScheduler *scheduler);

G_END_DECLS

#endif
