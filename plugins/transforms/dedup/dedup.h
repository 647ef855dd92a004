/* SPDX-License-Identifier: Apache-2.0 */
/* dedup.h: what the methods of transform.dedup share.
 *
 *   dedup.c   the element: parameters, ports, which method
 *   exact.c   rows that are equal after normalisation
 *   near.c    rows that are nearly equal (text/cluster.h)
 *   send.c    which of two rows is better, and where rows go
 *   census.c  the report
 */
#ifndef FLOWRUN_DEDUP_H
#define FLOWRUN_DEDUP_H

#include <flowrun/flowrun.h>

#include "text/cluster.h"
#include "text/rowkey.h"

enum
{
  METHOD_EXACT,
  METHOD_MINHASH,
  METHOD_SIMHASH
};
enum
{
  KEEP_FIRST,
  KEEP_LONGEST,
  KEEP_MOST,
  KEEP_LEAST
};
enum
{
  LINK_KEPT,
  LINK_CHAIN
};

typedef struct
{
  char **columns;
  char **normalize;
  int method;
  double threshold;
  int grams; /* TextGramUnit */
  gint64 characters, words;
  gint64 hashes;
  double recall;
  gint64 distance;
  int link;
  int keep;
  char *keep_by;
  char *cluster;
} Config;

/** Dedup: a stage at work; the methods keep their own beside it. */
typedef struct
{
  const Config *config;
  FrHost *host;
  TextRowKey *key;
  int keep_by; /* column; -1: none */
  guint64 n_rows, n_duplicates, n_near;
  guint64 similarities[101]; /* of the duplicates that are not equal, by hundredths */
  GString *id;
} Dedup;

FrFlow dedup_exact (Dedup *d, GError **error);
FrFlow dedup_near (Dedup *d, GError **error);

/* ---- send.c ---------------------------------------------------------------- */

/** dedup_score: of a row by `keep`; the larger one stays. */
gint64 dedup_score (Dedup *d, TextRowKey *key, const FrBatch *batch, gsize row);

/** Sender: where the rows of one batch go. */
typedef struct
{
  Dedup *d;
  FrBatch *batch;
  guint8 *keep;
  FrBuilder *of_out;        /* cluster; NULL when nobody wants it */
  FrBuilder *of_duplicates; /* duplicate_of, similarity, cluster */
} Sender;

void dedup_sender_init (Sender *sender, Dedup *d, FrBatch *batch);
void dedup_sender_clear (Sender *sender);
/** dedup_sender_keep: the next row of the batch stays. */
void dedup_sender_keep (Sender *sender, gsize row, FrRowId cluster);
/** dedup_sender_drop: the next row of the batch goes. */
void dedup_sender_drop (Sender *sender, gsize row, FrRowId kept, double similarity,
                        FrRowId cluster);
/** dedup_sender_send: all rows of the batch, once each of them was said something of. */
FrFlow dedup_sender_send (Sender *sender, GError **error);

/* ---- census.c -------------------------------------------------------------- */

#define CENSUS_LARGEST 10
#define CENSUS_SIZES 6

/** Census: clusters of two rows or more. */
typedef struct
{
  guint64 clusters;
  guint64 sizes[CENSUS_SIZES];
  struct
  {
    FrRowId first;
    guint64 count;
  } largest[CENSUS_LARGEST];
  guint n_largest;
} Census;

void dedup_census_add (Census *census, FrRowId first, guint64 count);
/** dedup_report: @counts: of a method that looks for near pairs; else NULL. */
void dedup_report (Dedup *d, const Census *census, const TextClusterCounts *counts);

#endif
