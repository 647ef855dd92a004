/* SPDX-License-Identifier: Apache-2.0 */
/* details.h: the manual's text, one string literal, for documents.c. */
"Reads documents."
