#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# content.sh: main content of HTML pages beside resiliparse, trafilatura and readability-lxml in the
# same run: precision, recall and F against sources of the pages, and pages a second, one process
# each.  Fails where flowrun's F or speed is behind.
# Needs $CONTENT_VENV (Python with resiliparse, trafilatura, readability-lxml, lxml_html_clean),
# $FLOWRUN_DATA, and bench-content in an optimised build ($top_builddir: make tests/bench/bench-content).
# With Debian's libreoffice-help-zh-cn installed, its pages are read too.
set -eu
python=${CONTENT_VENV:-/nonexistent}/bin/python
data=${FLOWRUN_DATA:-}
bench=${top_builddir:-build}/tests/bench/bench-content
help=/usr/share/libreoffice/help/zh-CN
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -x "$python" ] || ! "$python" -c 'import resiliparse, trafilatura, readability' 2>/dev/null; then
  echo "SKIP: CONTENT_VENV names no Python with resiliparse, trafilatura and readability-lxml"
  exit 77
fi
if [ ! -d "$data/html-httpd-zh" ]; then
  echo "SKIP: no html-httpd-zh in FLOWRUN_DATA"
  exit 77
fi
if [ ! -x "$bench" ]; then
  echo "SKIP: no $bench (make tests/bench/bench-content)"
  exit 77
fi
[ -d "$help" ] || help=
exec "$python" "$here/content.py" "$bench" "$data" ${help:+"$help"}
