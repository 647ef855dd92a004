/* SPDX-License-Identifier: Apache-2.0 */
/* cells.c: see cells.h. */
#include "config.h"

#include "cells.h"

#include <string.h>

#include "text/chars.h"
#include "text/normal.h"

/* A longer cell has sentences of its own and needs no column's name before it. */
#define LABELLED_BYTES 256

/* Three are seen in texts made to need them. */
#define MAX_ROUNDS 6

Cells *
cells_new (const Rules *rules, guint n_columns, gboolean findings)
{
  Cells *cells = g_new0 (Cells, 1);

  cells->rules = rules;
  cells->scan = text_pii_scan_new (rules->pii);
  cells->audit = audit_new (n_columns, text_pii_n_types (rules->pii));
  cells->out = g_string_new (NULL);
  cells->next = g_string_new (NULL);
  cells->labelled = g_string_new (NULL);
  cells->hits = g_array_new (FALSE, FALSE, sizeof (TextPiiHit));
  cells->findings = findings ? g_array_new (FALSE, TRUE, sizeof (Finding)) : NULL;
  return cells;
}

void
cells_free (Cells *cells)
{
  if (cells == NULL)
    return;
  text_pii_scan_free (cells->scan);
  audit_free (cells->audit);
  g_string_free (cells->out, TRUE);
  g_string_free (cells->next, TRUE);
  g_string_free (cells->labelled, TRUE);
  g_array_unref (cells->hits);
  if (cells->findings != NULL)
    g_array_unref (cells->findings);
  g_free (cells);
}

void
cells_begin_row (Cells *cells)
{
  cells->changed = cells->drop = cells->unsure = FALSE;
  memset (cells->residual, 0, sizeof cells->residual);
  if (cells->findings != NULL)
    g_array_set_size (cells->findings, 0);
}

void
cells_row_stays (Cells *cells)
{
  cells->audit->changed += cells->changed;
  for (guint t = 0; t < cells->audit->n_types; t++)
    cells->audit->residual[t] += cells->residual[t];
}

gboolean
cells_wanted (const FrField *field)
{
  switch (fr_field_type (field))
    {
    case FR_TYPE_UTF8:
    case FR_TYPE_LARGE_UTF8:
    case FR_TYPE_INT64:
      return TRUE;
    case FR_TYPE_LIST:
    case FR_TYPE_STRUCT:
      for (guint i = 0; i < fr_field_n_children (field); i++)
        if (cells_wanted (fr_field_child (field, i)))
          return TRUE;
      return FALSE;
    default:
      return FALSE;
    }
}

/* ---- what is in a text ------------------------------------------------------- */

static int
by_start (gconstpointer a, gconstpointer b)
{
  const TextPiiHit *x = a, *y = b;

  return x->start < y->start ? -1 : x->start > y->start;
}

static gboolean
is_hidden (const Rules *rules, const TextPiiHit *hit)
{
  return action_hides (&rules->actions[hit->type])
         && (hit->check != TEXT_PII_CHECK_WRONG || rules->hide_doubts);
}

/* Keeps of @hits those that lie behind the label, moved to where they stand in the cell.
 * @again: a later round, in which only what is to be hidden is news. */
static void
take_hits (Cells *cells, const TextPiiHit *hits, guint n, gsize label, gboolean again, guint at)
{
  const Rules *rules = cells->rules;

  for (guint i = 0; i < n; i++)
    {
      TextPiiHit hit = hits[i];
      Tally *tally;

      if (hit.start < label || rules->actions[hit.type].off || (again && !is_hidden (rules, &hit)))
        continue;
      hit.start -= (guint32) label;
      hit.end -= (guint32) label;
      tally = audit_at (cells->audit, at, hit.type);
      if (hit.check == TEXT_PII_CHECK_WRONG)
        tally->doubtful++;
      else
        {
          tally->found++;
          audit_rule (cells->audit, hit.rule, 1);
        }
      g_array_append_val (cells->hits, hit);
    }
}

/* Fills cells->hits from @text. */
static void
find_hits (Cells *cells, const Column *column, guint at, FrStr text, gboolean again)
{
  const Rules *rules = cells->rules;
  gsize label = 0;
  FrStr scanned = text;

  g_array_set_size (cells->hits, 0);
  if (column->whole >= 0)
    {
      TextPiiHit hit = {
        .type = (guint8) column->whole, .score = 100, .end = (guint32) text.len, .rule = "column"
      };

      if (!again)
        take_hits (cells, &hit, text.len > 0, 0, FALSE, at);
      return;
    }
  if (column->label != NULL && text.len <= LABELLED_BYTES && !again)
    {
      g_string_assign (cells->labelled, column->label);
      label = cells->labelled->len;
      g_string_append_len (cells->labelled, text.data, (gssize) text.len);
      scanned = (FrStr){ cells->labelled->str, cells->labelled->len };
    }
  if (scanned.len > G_MAXINT32)
    {
      cells->unsure = TRUE; /* more than a scan can address */
      return;
    }
  if (!text_pii_scan (cells->scan, scanned, rules->min_score))
    cells->unsure = TRUE;
  take_hits (cells, text_pii_hits (cells->scan), text_pii_n_hits (cells->scan), label, again, at);
  take_hits (cells, text_pii_doubts (cells->scan), text_pii_n_doubts (cells->scan), label, again,
             at);
  if (text_pii_n_doubts (cells->scan) > 0)
    g_array_sort (cells->hits, by_start);
}

static gboolean
has_han (FrStr text)
{
  const char *p = text.data, *end = p + text.len;

  while (p < end)
    if (text_char_flags (text_next_char (&p)) & TEXT_CH_HAN)
      return TRUE;
  return FALSE;
}

static void
note_finding (Cells *cells, guint at, FrStr text, const TextPiiHit *hit, gboolean hidden)
{
  Finding finding = { .column = at, .hit = *hit, .hidden = hidden };
  const Rules *rules = cells->rules;
  FrStr value = { text.data + hit->start, hit->end - hit->start };

  finding.start = (gint64) text_n_chars ((FrStr){ text.data, hit->start });
  finding.length = (gint64) text_n_chars (value);
  if (rules->key != NULL)
    {
      g_autoptr (GString) hash = g_string_new (NULL);

      text_pii_append_hash (rules->pii, rules->key, hit->type, value, 16, hash);
      g_strlcpy (finding.hash, hash->str, sizeof finding.hash);
    }
  g_array_append_val (cells->findings, finding);
}

/* ---- one text ---------------------------------------------------------------- */

/* Writes @text with cells->hits hidden to @out; FALSE: there was nothing to hide. */
static gboolean
write_hidden (Cells *cells, guint at, FrStr text, gboolean chinese, GString *out)
{
  const Rules *rules = cells->rules;
  gsize from = 0;
  gboolean changed = FALSE;

  g_string_truncate (out, 0);
  for (guint i = 0; i < cells->hits->len; i++)
    {
      const TextPiiHit *hit = &g_array_index (cells->hits, TextPiiHit, i);
      const Action *action = &rules->actions[hit->type];
      gboolean hidden = is_hidden (rules, hit);
      TextPiiHide hide = action->hide;

      if (cells->findings != NULL)
        note_finding (cells, at, text, hit, hidden);
      if (!hidden)
        continue;
      audit_at (cells->audit, at, hit->type)->hidden++;
      cells->drop |= action->drop;
      hide.chinese = chinese;
      g_string_append_len (out, text.data + from, (gssize) (hit->start - from));
      text_pii_append_hidden (rules->pii, rules->key, hit->type,
                              (FrStr){ text.data + hit->start, hit->end - hit->start }, &hide, out);
      from = hit->end;
      changed = TRUE;
    }
  if (changed)
    g_string_append_len (out, text.data + from, (gssize) (text.len - from));
  return changed;
}

/* What the plain rules of residual.c see in a text that goes out, and @left of the others. */
static void
check_text (Cells *cells, FrStr text, const guint64 *left)
{
  guint64 plain[TEXT_PII_BUILTIN] = { 0 };

  text_pii_residual (cells->scan, text, cells->rules->residual_types & TEXT_PII_ALL, plain);
  for (guint t = 0; t < cells->audit->n_types; t++)
    cells->residual[t] += MAX (t < TEXT_PII_BUILTIN ? plain[t] : 0, left[t]);
}

/* @text hidden, in cells->out; FALSE: as it was.
 *
 * What is hidden may have stood in the way of something else ("a@b.com13800138000" is no
 * telephone number until the address is a tag), so that the text is looked at again until
 * nothing is to be hidden any more. */
static gboolean
hide_text (Cells *cells, const Column *column, guint at, FrStr text)
{
  const Rules *rules = cells->rules;
  guint64 left[TEXT_PII_MAX] = { 0 };
  gboolean changed = FALSE;
  gboolean chinese = rules->auto_language ? has_han (text) : rules->chinese;

  for (guint round = 0;; round++)
    {
      GString *swap;

      find_hits (cells, column, at, text, round > 0);
      if (round == MAX_ROUNDS)
        {
          for (guint i = 0; i < cells->hits->len; i++)
            left[g_array_index (cells->hits, TextPiiHit, i).type]++;
          break;
        }
      if (!write_hidden (cells, at, text, chinese, cells->next))
        break;
      changed = TRUE;
      swap = cells->out;
      cells->out = cells->next;
      cells->next = swap;
      text = (FrStr){ cells->out->str, cells->out->len };
    }
  cells->changed |= changed;
  if (rules->check && !cells->drop && column->whole < 0)
    check_text (cells, text, left);
  return changed;
}

/* ---- a cell of any type ------------------------------------------------------ */

/* A whole number is what it says: 13800138000 from a file without quotes.  What
 * hides it is not a number, so that the cell becomes null. */
static void
append_number (Cells *cells, const Column *column, guint at, const FrView *view, gsize row,
               FrCells *to)
{
  char text[24];
  gint64 value = fr_view_int (view, row);

  /* Nothing shorter than a local number is looked at. */
  if (fr_view_is_null (view, row) || (column->whole < 0 && value < 1000000))
    {
      fr_cells_append_from (to, view, row);
      return;
    }
  g_snprintf (text, sizeof text, "%" G_GINT64_FORMAT, value);
  if (hide_text (cells, column, at, (FrStr){ text, strlen (text) }))
    fr_cells_append_null (to);
  else
    fr_cells_append_from (to, view, row);
}

void
cells_append (Cells *cells, const Column *column, guint at, const FrView *view, FrField *field,
              gsize row, FrCells *to)
{
  gsize start, n;
  FrStr text;

  switch (fr_field_type (field))
    {
    case FR_TYPE_UTF8:
    case FR_TYPE_LARGE_UTF8:
      text = fr_view_str (view, row);
      if (text.len > 0 && hide_text (cells, column, at, text))
        fr_cells_append_str (to, cells->out->str, cells->out->len);
      else
        fr_cells_append_str (to, text.data, text.len);
      break;
    case FR_TYPE_INT64:
      append_number (cells, column, at, view, row, to);
      break;
    case FR_TYPE_LIST:
      {
        FrView items = fr_view_child (view, 0);

        if (fr_view_is_null (view, row))
          {
            fr_cells_append_null (to);
            break;
          }
        n = fr_view_list (view, row, &start);
        for (gsize i = 0; i < n; i++)
          cells_append (cells, column, at, &items, fr_field_child (field, 0), start + i,
                        fr_cells_child (to, 0));
        fr_cells_end (to);
      }
      break;
    case FR_TYPE_STRUCT:
      if (fr_view_is_null (view, row))
        {
          fr_cells_append_null (to);
          break;
        }
      for (guint i = 0; i < fr_field_n_children (field); i++)
        {
          FrView member = fr_view_child (view, i);

          cells_append (cells, column, at, &member, fr_field_child (field, i), row,
                        fr_cells_child (to, i));
        }
      fr_cells_end (to);
      break;
    default:
      fr_cells_append_from (to, view, row);
    }
}
