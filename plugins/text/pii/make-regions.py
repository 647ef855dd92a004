#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make-regions.py FOLDER > regions.c: the tables of regions.c from a list of the administrative divisions.

FOLDER holds provinces.csv, cities.csv and areas.csv (code,name,...), as the statistics bureau numbers them by GB/T 2260.
Facts only are taken over: which county numbers exist under which prefecture, and what provinces and prefectures are called."""
import csv, sys, collections
folder = sys.argv[1]
def rows(name): return list(csv.DictReader(open(f'{folder}/{name}.csv', encoding='utf-8')))
counties = collections.defaultdict(set)
for row in rows('areas'):
    counties[int(row['code'][:4])].add(int(row['code'][4:6]))
names = []
def add(name):
    if len(name) > 1 and name not in names: names.append(name)
provinces = [r['name'] for r in rows('provinces')] + ['香港特别行政区', '澳门特别行政区', '台湾省']
for name in provinces:
    add(name)
    short = name
    for tail in ('维吾尔自治区', '壮族自治区', '回族自治区', '特别行政区', '自治区', '省', '市'):
        if short.endswith(tail): short = short[:-len(tail)]; break
    add(short)
    if name.endswith('自治区'): add(short + '自治区')
for row in rows('cities'):
    name = row['name']
    if name in ('市辖区', '县', '省直辖县级行政区划', '自治区直辖县级行政区划'): continue
    add(name)
    for tail in ('市', '地区', '盟'):
        if name.endswith(tail): add(name[:-len(tail)]); break
out = []
out.append('''/* SPDX-License-Identifier: Apache-2.0 */
/* regions.c: administrative divisions by GB/T 2260.  Made by make-regions.py.
 *
 * County numbers as one 100-bit set a prefecture, two words; names of provinces
 * and prefectures, long and short.  Divisions of today: a card keeps the number
 * of a county that is gone, so that a number which is not here is no proof.
 */
#include "config.h"

#include "text/pii/pii-private.h"

typedef struct
{
  guint16 prefecture;
  guint64 low;  /* counties 00 to 63 */
  guint64 high; /* counties 64 to 99 */
} Prefecture;

static const Prefecture prefectures[] = {''')
line = ' '
for code in sorted(counties):
    low = sum(1 << n for n in counties[code] if n < 64)
    high = sum(1 << (n - 64) for n in counties[code] if n >= 64)
    item = f' {{ {code}, {low:#x}, {high:#x} }},'
    if len(line) + len(item) > 98:
        out.append(line); line = ' '
    line += item
out.append(line)
out.append('''};

gboolean
pii_county_known (guint code)
{
  guint low = 0, high = G_N_ELEMENTS (prefectures), county = code % 100;

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (prefectures[middle].prefecture < code / 100)
        low = middle + 1;
      else
        high = middle;
    }
  if (low == G_N_ELEMENTS (prefectures) || prefectures[low].prefecture != code / 100)
    return FALSE;
  return county < 64 ? prefectures[low].low >> county & 1 : prefectures[low].high >> (county - 64) & 1;
}

const char pii_regions[]''')
line, first = '', True
lines = []
for name in names:
    if sum(2 for _ in line) + 2 * len(name) > 84:
        lines.append(line); line = ''
    line += name + '|'
lines.append(line.rstrip('|'))
out.append('    = ' + '\n      '.join(f'"{l}"' for l in lines) + ';')
print('\n'.join(out))
