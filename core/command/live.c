/* SPDX-License-Identifier: Apache-2.0 */
/* live.c: the display on a terminal: one line per stage, redrawn in place.
 *
 * The size of the terminal is asked at every draw, so that a resized window
 * (SIGWINCH) is right a tenth of a second later.  No line is ever as wide as
 * the terminal: a wrapped line could not be counted when it is drawn over.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "command/progress-private.h"

#define SHOW_CURSOR "\x1b[?25h"
#define HIDE_CURSOR "\x1b[?25l"

/* Which columns there is room for. */
typedef struct
{
  guint id, bytes, rejects, state;
  gboolean rate;
} Layout;

static const char *
glyph (const Progress *p, FriStageState state)
{
  static const char *const spin[] = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" };
  static const char *const ascii_spin[] = { "|", "/", "-", "\\" };
  gboolean utf8 = term_utf8 ();

  switch (state)
    {
    case FRI_STAGE_RUNNING:
      return utf8 ? spin[p->frame % G_N_ELEMENTS (spin)]
                  : ascii_spin[p->frame % G_N_ELEMENTS (ascii_spin)];
    case FRI_STAGE_BLOCKED_INPUT:
      return utf8 ? "◁" : "<";
    case FRI_STAGE_BLOCKED_OUTPUT:
      return utf8 ? "▷" : ">";
    case FRI_STAGE_REUSED:
      return utf8 ? "↺" : "=";
    case FRI_STAGE_DONE:
      return utf8 ? "✓" : "+";
    case FRI_STAGE_FAILED:
      return utf8 ? "✗" : "x";
    case FRI_STAGE_CANCELLED:
      return utf8 ? "■" : "#";
    case FRI_STAGE_WAITING:
    default:
      return utf8 ? "·" : ".";
    }
}

static Style
state_style (FriStageState state)
{
  if (state == FRI_STAGE_DONE || state == FRI_STAGE_REUSED)
    return STYLE_GREEN;
  if (state == FRI_STAGE_FAILED)
    return STYLE_RED;
  if (state == FRI_STAGE_CANCELLED)
    return STYLE_YELLOW;
  return state == FRI_STAGE_RUNNING ? STYLE_CYAN : STYLE_DIM;
}

static const char *
state_text (FriStageState state)
{
  switch (state)
    {
    case FRI_STAGE_RUNNING:
      return "works";
    case FRI_STAGE_BLOCKED_INPUT:
      return "waits for rows";
    case FRI_STAGE_BLOCKED_OUTPUT:
      return "waits for the next stage";
    case FRI_STAGE_REUSED:
      return "kept from before";
    default:
      return fri_stage_state_name (state);
    }
}

/* The last column: how far, how long still, or what it waits for. */
static char *
status_text (const ProgressStage *stage, gint64 time_us)
{
  const FriStageStats *s = &stage->now;
  gint64 left = progress_left (stage, time_us);
  g_autofree char *left_text = left >= 0 ? text_about (left) : NULL;
  GString *out = g_string_new (NULL);

  if (s->state >= FRI_STAGE_REUSED)
    g_string_append (out, state_text (s->state));
  else if (s->total > 0 && s->done <= s->total)
    g_string_append_printf (out, "%d %%", (int) (100.0 * (double) s->done / (double) s->total));
  else
    g_string_append (out, state_text (s->state));
  /* What the element says of itself is better than what can be guessed. */
  if (s->status != NULL && s->state == FRI_STAGE_RUNNING)
    {
      g_autofree char *status = term_clean (s->status, strlen (s->status), 1000);

      g_string_append_printf (out, ", %s", status);
    }
  else if (left_text != NULL && s->state < FRI_STAGE_REUSED)
    g_string_append_printf (out, ", %s left", left_text);
  if (s->queued_batches > 0 && s->state < FRI_STAGE_REUSED)
    g_string_append_printf (out, ", %u queued", s->queued_batches);
  return g_string_free (out, FALSE);
}

/* Gives up columns as the window narrows: bytes, then the rate, then rejects
 * (sooner when there are none). */
static Layout
layout_for (const Progress *p, guint width)
{
  Layout l = { .id = 5, .bytes = 9, .rejects = 9, .rate = TRUE };
  guint fixed, id_max = MAX (width / 4, 10);
  guint64 rejects = 0;

  for (guint i = 0; i < p->stages->len; i++)
    {
      const ProgressStage *stage = &g_array_index (p->stages, ProgressStage, i);

      l.id = MAX (l.id, term_columns (stage->id, -1));
      rejects += stage->now.rejects;
    }
  l.id = MIN (l.id, id_max);
  if (rejects == 0 && width < 70)
    l.rejects = 0;
  fixed = 2 + l.id + 13; /* glyph, id, rows */
  if (width < fixed + l.bytes + 9 + l.rejects + 18)
    l.bytes = 0;
  if (width < fixed + l.bytes + 9 + l.rejects + 14)
    l.rate = FALSE;
  if (width < fixed + l.bytes + (l.rate ? 9 : 0) + l.rejects + 10)
    l.rejects = 0;
  fixed += l.bytes + (l.rate ? 9 : 0) + l.rejects + 2;
  l.state = width > fixed + 1 ? width - fixed - 1 : 0;
  return l;
}

static void
append_padded (GString *out, const char *text, guint width)
{
  guint w = term_columns (text, -1);

  g_string_append_printf (out, "%s%*s", text, (int) (w < width ? width - w : 0), "");
}

static void
append_title (GString *out, const Layout *l, gboolean colour)
{
  g_string_append (out, term_style (STYLE_DIM, colour));
  g_string_append (out, "  ");
  append_padded (out, "stage", l->id);
  g_string_append_printf (out, "%13s", "rows");
  if (l->rate)
    g_string_append_printf (out, "%9s", "rows/s");
  if (l->bytes)
    g_string_append_printf (out, "%*s", (int) l->bytes, "size");
  if (l->rejects)
    g_string_append_printf (out, "%*s", (int) l->rejects, "rejects");
  g_string_append_printf (out, "%s\x1b[K\n", term_plain (colour));
}

static void
append_stage (const Progress *p, const ProgressStage *stage, const Layout *l, gint64 time_us,
              GString *out, gboolean colour)
{
  const FriStageStats *s = &stage->now;
  g_autofree char *id = term_cut (stage->id, l->id);
  g_autofree char *rows = text_count (progress_rows (s));
  g_autofree char *status = status_text (stage, time_us);
  g_autofree char *status_cut = term_cut (status, l->state);

  g_string_append_printf (out, "%s%s%s ", term_style (state_style (s->state), colour),
                          glyph (p, s->state), term_plain (colour));
  append_padded (out, id, l->id);
  g_string_append_printf (out, "%13s", rows);
  if (l->rate)
    {
      /* Of a stage that is done, the mean over its life. */
      double rate = stage->ended_us > stage->started_us
                        ? (double) progress_rows (s) * G_USEC_PER_SEC
                              / (double) (stage->ended_us - stage->started_us)
                        : stage->rate;
      g_autofree char *text = text_short (rate);

      g_string_append_printf (out, "%9s", rate > 0 ? text : "");
    }
  if (l->bytes)
    {
      g_autofree char *text = text_bytes (s->rows_out > 0 ? s->bytes_out : s->bytes_in);

      g_string_append_printf (out, "%*s", (int) l->bytes, text);
    }
  if (l->rejects)
    {
      g_autofree char *text = text_count (s->rejects);

      g_string_append_printf (out, "%s%*s%s",
                              term_style (s->rejects ? STYLE_YELLOW : STYLE_DIM, colour),
                              (int) l->rejects, text, term_plain (colour));
    }
  g_string_append_printf (out, "  %s%s%s\x1b[K\n", term_style (STYLE_DIM, colour), status_cut,
                          term_plain (colour));
}

static gboolean
is_active (const ProgressStage *stage)
{
  return stage->now.state > FRI_STAGE_WAITING && stage->now.state < FRI_STAGE_REUSED;
}

/* A window that is too low shows the stages at work first. */
static guint
append_stages (Progress *p, const Layout *l, gint64 time_us, guint room, GString *out,
               gboolean colour)
{
  guint n = p->stages->len, shown = 0, active = 0, idle_room;

  for (guint i = 0; i < n; i++)
    active += is_active (&g_array_index (p->stages, ProgressStage, i));
  idle_room = n <= room ? n : (room > active ? room - active : 0);
  for (guint i = 0; i < n && shown < room; i++)
    {
      const ProgressStage *stage = &g_array_index (p->stages, ProgressStage, i);

      if (!is_active (stage) && idle_room == 0)
        continue;
      if (!is_active (stage))
        idle_room--;
      append_stage (p, stage, l, time_us, out, colour);
      shown++;
    }
  return shown;
}

/* How many lines of the window the last drawing takes: a terminal that became
 * narrower has broken the longer ones. */
static guint
lines_now (const Progress *p, guint width)
{
  guint n = 0;

  for (guint i = 0; i < p->drawn->len; i++)
    n += MAX (1, (g_array_index (p->drawn, guint, i) + width - 1) / width);
  return n;
}

/* Notes how wide each line of @text is, escape sequences aside. */
static void
note_lines (Progress *p, const char *text)
{
  guint width = 0;

  g_array_set_size (p->drawn, 0);
  for (; *text != '\0'; text = g_utf8_next_char (text))
    if (*text == '\x1b')
      text += strcspn (text, "ABCDEFGHJKhlm");
    else if (*text == '\n')
      {
        g_array_append_val (p->drawn, width);
        width = 0;
      }
    else if (*text != '\r')
      width += term_columns (text, g_utf8_next_char (text) - text);
}

void
progress_live_clear (Progress *p)
{
  guint lines = lines_now (p, term_width (STDERR_FILENO));

  if (lines == 0)
    return;
  fprintf (stderr, "\x1b[%uA\r\x1b[J" SHOW_CURSOR, lines);
  fflush (stderr);
  cmd_signals_last_words ("");
  g_array_set_size (p->drawn, 0);
}

void
progress_live_draw (Progress *p, gint64 time_us)
{
  guint width = term_width (STDERR_FILENO), height = term_height (STDERR_FILENO);
  gboolean colour = term_colour (STDERR_FILENO);
  Layout l = layout_for (p, width);
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *elapsed = text_duration (time_us);
  guint shown, lines = lines_now (p, width);

  if (p->stages->len == 0 || height < 4)
    return;
  p->frame++;
  if (lines > 0)
    g_string_append_printf (out, "\x1b[%uA\r", MIN (lines, height - 1));
  else
    g_string_append (out, HIDE_CURSOR);
  append_title (out, &l, colour);
  shown = append_stages (p, &l, time_us, height - 3, out, colour);
  g_string_append_printf (out, "%s  %s", term_style (STYLE_DIM, colour), elapsed);
  if (shown < p->stages->len)
    g_string_append_printf (out, ", %u more stages", p->stages->len - shown);
  g_string_append_printf (out, "%s\x1b[K\n\x1b[J", term_plain (colour));
  cmd_signals_last_words (SHOW_CURSOR);
  fwrite (out->str, 1, out->len, stderr);
  fflush (stderr);
  note_lines (p, out->str);
}
