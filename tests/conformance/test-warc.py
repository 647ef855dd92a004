#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-warc.py: an archive that source.crawler writes, read by warcio (the reader of pywb and of many archives): every
record is read, every digest is right, a gzip member a record; and an archive that warcio writes, read by us.
Prints TAP.  $FLOWRUN_VENV is a virtual environment with warcio.
"""
import io
import json
import os
import subprocess
import sys
import tempfile

import oracles

oracles.enter()
os.environ.pop("MALLOC_PERTURB_", None)
try:
    from warcio.archiveiterator import ArchiveIterator
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter
except ImportError as e:
    oracles.skip_all("%s: set FLOWRUN_VENV to an environment with warcio" % e)

build = os.environ.get("top_builddir", ".")
flowrun, serve = os.environ["FLOWRUN"], os.path.join(build, "plugins/net/test-serve")
if not os.path.exists(os.path.join(build, "plugins/.libs/source-crawler.so")) or not os.path.exists(serve):
    oracles.skip_all("no source.crawler, or no test-serve")
n = bad = 0


def ok(good, what, *more):
    global n, bad
    n += 1
    bad += not good
    print("%s %d - %s" % ("ok" if good else "not ok", n, what))
    for m in more if not good else ():
        print("# %r" % (m,))


def run(stages, where):
    path = os.path.join(where, "p.json")
    with open(path, "w") as f:
        json.dump({"stages": stages}, f)
    r = subprocess.run([flowrun, path, "--run-dir", os.path.join(where, "run"), "--fresh", "--progress", "none"],
                       capture_output=True, text=True)
    if r.returncode:
        print("# " + r.stderr.replace("\n", "\n# "))
    return r.returncode == 0


with tempfile.TemporaryDirectory() as dir:
    site = os.path.join(dir, "site")
    os.mkdir(site)
    prose = "".join("<p>第 %d 段文字说明这一页讲的是什么，为什么值得收进档案。</p>" % i for i in range(9))
    with open(site + "/index.html", "w") as f:
        f.write("<!doctype html><title>一</title>" + prose + '<a href="a.html">a</a><a href="b.html">b</a><a href="no.html">c</a>')
    for name in "a", "b":  # the same bytes: a revisit record
        with open(site + "/%s.html" % name, "w") as f:
            f.write("<!doctype html><title>二</title>" + prose + "<p>另一页</p>")
    server = subprocess.Popen([serve, site], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = server.stdout.readline().strip()
    for name in "x.warc", "x.warc.gz":
        path = os.path.join(dir, name)
        done = run({"site": {"use": "source.crawler", "with": {
            "start": "http://127.0.0.1:%s/" % port, "allow_private": True, "min_delay": 0, "delay_factor": 0, "archive": path}}}, dir)
        got, wrong = [], []
        if done:
            with open(path, "rb") as f:
                for r in ArchiveIterator(f, check_digests=True):
                    body = r.content_stream().read()
                    status = r.http_headers.get_statuscode() if r.http_headers else "-"
                    got.append((r.rec_type, status, len(body) > 0))
                    if r.digest_checker and r.digest_checker.passed is False:
                        wrong.append(r.digest_checker.problems)
        kinds = [g[0] for g in got]
        # robots.txt (404), three pages, one of them a copy, and one that is missing, the same 404; each with its metadata.
        ok(done and kinds[0] == "warcinfo" and kinds.count("response") == 3 and kinds.count("revisit") == 2
           and kinds.count("metadata") == 5, "%s: warcio reads every record" % name, got)
        ok(done and not wrong, "%s: warcio finds every digest right" % name, wrong)
    server.stdin.close()
    server.wait()

    theirs = os.path.join(dir, "theirs.warc.gz")
    page = ("<!doctype html><html lang=zh><title>别人的档案</title>" + prose).encode("gb18030")
    with open(theirs, "wb") as f:
        w = WARCWriter(f, gzip=True)
        w.write_record(w.create_warcinfo_record("theirs.warc.gz", {"software": "warcio"}))
        w.write_record(w.create_warc_record("http://example.com/", "response", payload=io.BytesIO(page), http_headers=StatusAndHeaders(
            "200 OK", [("Content-Type", "text/html; charset=gb2312")], protocol="HTTP/1.1")))
    done = run({"site": {"use": "source.crawler", "with": {"warc": theirs}},
                "out": {"use": "sink.jsonl", "from": "site", "with": {"path": os.path.join(dir, "out.jsonl")}}}, dir)
    rows = [json.loads(line) for line in open(os.path.join(dir, "out.jsonl"), encoding="utf8")] if done else []
    ok(len(rows) == 1 and rows[0]["title"] == "别人的档案" and rows[0]["charset"] == "gb18030" and "第 8 段" in rows[0]["text"],
       "an archive of warcio's is read", rows)

print("1..%d" % n)
sys.exit(bad > 0)
