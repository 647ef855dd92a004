/* SPDX-License-Identifier: Apache-2.0 */
/* dictionary-private.h: a dictionary laid open for the segmenter (libflowrun-text). */
#ifndef FLOWRUN_TEXT_DICTIONARY_PRIVATE_H
#define FLOWRUN_TEXT_DICTIONARY_PRIVATE_H

#include "text/segment.h"
#include "text/trie.h"

typedef struct
{
  guint64 frequency;
  guint16 pos; /* index into pos_names */
} TextWordInfo;

struct _TextDictionary
{
  int refs;
  TextTrie *trie;        /* a node's weight: ln (frequency / total) */
  double unknown;        /* the same of frequency 1 */
  double total;          /* of all frequencies */
  guint8 *joins;         /* by code: stands in a word of several characters */
  guint16 *pos_of_node;  /* index into pos_names */
  guint32 *info_of_node; /* index into infos */
  TextWordInfo *infos;
  GPtrArray *pos_names; /* interned text; 0: "" */
  GHashTable *pos_ids;  /* name to id */
  gsize n_words;
  char *version;
};

/**
 * text_route_block: cuts @n characters with the codes @codes into the most probable words.
 * @scores, @ends, @nodes: room for @n + 1 numbers; on return a word that begins at character i ends
 *                         before character ends[i], and nodes[i] is its node or 0 when it is none
 */
void text_route_block (const TextDictionary *dictionary, const guint16 *codes, gsize n,
                       double *scores, guint32 *ends, guint32 *nodes);

#endif
