/* SPDX-License-Identifier: Apache-2.0 */
/* mailcut.h: a mail's own words, without the thread below and the signature.
 *
 * Line rules, in Chinese and English alike, for what mail programs write:
 *
 *   quotes        lines that begin with '>'; everything from a separator on
 *                 ("-----Original Message-----", "-----原始邮件-----", QQ's
 *                 "------------------ 原始邮件 ------------------"), or from a
 *                 block of header lines (From:/Sent:/To:/Subject:,
 *                 发件人：/发送时间：/收件人：/主题：)
 *   attributions  "On …, X wrote:", "在 …，X 写道：", "X 于…写道：" where a quote
 *                 or nothing but the history follows
 *   signatures    from a line "-- " (RFC 3676, section 4.3) on; "Sent from my
 *                 …", "发自我的…" as the last line; a confidentiality notice as
 *                 the last paragraph
 *
 * Answers between quoted lines stay.  A forwarded mail with no words of its own
 * keeps what it forwards.  What a person wrote is never searched for names or
 * phrases to guess a signature from: rather a signature too many than a
 * sentence too few.
 */
#ifndef DOCUMENTS_MAILCUT_H
#define DOCUMENTS_MAILCUT_H

#include <flowrun/batch.h>
#include <glib.h>

G_BEGIN_DECLS

/** MailCuts: lines cut; added to. */
typedef struct
{
  guint64 quoted, signature, notice;
} MailCuts;

/** mail_cut: appends what is left of @text (valid UTF-8, LF), linear in its length. */
void mail_cut (FrStr text, GString *out, MailCuts *cuts);

/** mail_unflow: format=flowed (RFC 3676): joins lines that end in a blank; @delsp: the blank goes.
 */
void mail_unflow (FrStr text, gboolean delsp, GString *out);

G_END_DECLS

#endif
