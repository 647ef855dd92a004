#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ratio.sh ROW OURS RIVAL: files of "best median bytes", a round a line: best and medians beside each other.
awk -v row="$1" '
  FNR == 1 { who++ }
  { n[who]++; if ($1 > best[who]) best[who] = $1; middle[who, n[who]] = $2; if ($3 > bytes[who]) bytes[who] = $3 }
  function median (w,   i, j, t, a) {
    for (i = 1; i <= n[w]; i++) a[i] = middle[w, i]
    for (i = 1; i <= n[w]; i++) for (j = i + 1; j <= n[w]; j++) if (a[j] < a[i]) { t = a[i]; a[i] = a[j]; a[j] = t }
    return a[int ((n[w] + 1) / 2)]
  }
  END {
    if (!n[1] || !n[2] || best[1] == 0 || best[2] == 0) { print row ": no result"; exit 1 }
    printf "%s: best %.1f against %.1f tok/s, %.2f times; median %.1f against %.1f, %.2f times; %.2f GiB", row,
      best[1], best[2], best[1] / best[2], median(1), median(2), median(1) / median(2), bytes[1] / 1073741824
    if (bytes[2] > 0) printf " against %.2f", bytes[2] / 1073741824
    printf "\n"
  }' "$2" "$3"
