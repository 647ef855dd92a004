#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# test-report.py: report.html of whole runs: rows that try to break it, a run that failed, one that
# was interrupted, rows switched off; read by an XML parser, an HTML parser and, where there is one,
# by headless Chromium, which must ask for nothing and complain of nothing.
import glob
import html.parser
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET

FLOWRUN = os.environ["FLOWRUN"]
PLUGINS = os.path.join(os.environ["top_builddir"], "plugins", ".libs")
XHTML = "{http://www.w3.org/1999/xhtml}"
for plugin in ("source-csv", "transform-clean", "transform-split", "sink-jsonl"):
    if not os.path.exists(f"{PLUGINS}/{plugin}.so"):
        print(f"1..0 # SKIP {plugin} is not built")
        sys.exit(0)
tmp = tempfile.mkdtemp()
os.chdir(tmp)
n = 0


def ok(truth, name, why=""):
    global n
    n += 1
    print(f"{'ok' if truth else 'not ok'} {n} - {name}" + (f"\n# {why}" if why and not truth else ""))
    return truth


def skip(name, why):
    global n
    n += 1
    print(f"ok {n} - {name} # SKIP {why}")


def run(*args, **env):
    return subprocess.run([FLOWRUN, *args], capture_output=True, stdin=subprocess.DEVNULL, env={**os.environ, **env})


HOSTILE = [
    "<script>document.title = 'broken'; fetch('http://192.0.2.1/')</script>",
    "]]><!-- --><![CDATA[ <img src=x onerror=alert(1)>",
    "\"' onmouseover='alert(1)' style=\"position:fixed",
    "&lt;already&gt; &amp; &#60;b&#62; &nbsp;",
    "\x01\x02\x1b[31mred\x7f \u0085 \ufffe \ufdd0 \u202eright to left",
    "</td></tr></table></body></html><style>*{display:none}</style>",
    "茶杯 " * 4000,
    "{{7*7}} ${base} %s %n",
    "a\u0301\U0001f9cb\u200d\u200b",
]


class Balanced(html.parser.HTMLParser):
    """Tags in pairs, and none that could do anything."""

    VOID = {"meta", "link", "line", "rect", "circle", "path", "br"}

    def __init__(self):
        super().__init__()
        self.open, self.faults, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "iframe", "object", "embed", "img", "form", "base"):
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name in ("src", "srcset", "action", "xlink:href"):
                self.faults.append(f"{tag} {name}")
            if name == "href" and not (value.startswith("#") or value == "data:,"):
                self.faults.append(f"href {value}")
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.text.append(data)


def sound(path, name):
    """An XML parser and an HTML parser read the same text; returns it."""
    raw = open(path, "rb").read()
    try:
        tree = ET.fromstring(raw)
    except ET.ParseError as error:
        ok(False, f"{name}: an XML parser reads it", str(error))
        return ""
    ok(True, f"{name}: an XML parser reads it")
    page = Balanced()
    page.feed(raw.decode("utf-8"))
    page.close()
    ok(not page.faults and not page.open, f"{name}: an HTML parser finds pairs of harmless tags",
       f"{page.faults[:5]} {page.open[:5]}")
    text = "".join(tree.itertext())
    ok("".join(page.text).strip() == text.strip(), f"{name}: both read the same text")
    policy = [m.get("content") for m in tree.iter(XHTML + "meta") if m.get("http-equiv")]
    ok(policy and policy[0].startswith("default-src 'none'"), f"{name}: a policy forbids to load anything")
    return text


def shown(text):
    """As the page shows it."""
    text = re.sub(r"[\x00-\x08\x0b-\x1f]", lambda m: chr(0x2400 + ord(m[0])), text).replace("\x7f", "␡")
    return re.sub(r"[\x80-\x9f\ufdd0-\ufdef\ufffe\uffff]", "\ufffd", text)


with open("goods.csv", "wb") as f:
    f.write(b"id,text,kind\n")
    for i, text in enumerate(HOSTILE):
        f.write(f"{i},\"{text.replace(chr(34), chr(34) * 2)}\",<k>\n".encode("utf-8"))
    f.write(b"77,\"broken \xff\xfe utf-8 \x00\",x\n")
    for i in range(300):
        f.write(f"{100 + i},<p>row {i} of the rest</p>,k{i % 3}\n".encode())
PIPELINE = {
    "name": "hostile <b>name",
    "description": "</title><script>alert(2)</script> & more",
    "run": {"samples": 20},
    "stages": {
        "goods": {"use": "source.csv", "with": {"path": "goods.csv"}},
        "茶": {"use": "transform.clean", "from": "goods", "with": {"columns": "text", "min_chars": 3}},
        "split": {"use": "transform.split", "from": "茶", "with": {"validation": 0.2}},
        "a": {"use": "sink.jsonl", "from": "split.train", "with": {"path": "a\"<b>.jsonl"}},
        "b": {"use": "sink.jsonl", "from": "split.validation", "with": {"path": "b.jsonl"}},
    },
}


def write(pipeline, name="p.json"):
    with open(name, "w", encoding="utf-8") as f:
        json.dump(pipeline, f)
    return name


done = run(write(PIPELINE), "--run-dir", "one", "--workers", "1")
if not ok(done.returncode == 0, "the run is a success", done.stderr.decode(errors="replace")[-600:]):
    print(f"1..{n}")
    sys.exit(0)
ok(b"report: one/report.html" in done.stderr, "the end of the run names the page")
text = sound("one/report.html", "hostile rows")
for row in HOSTILE[:6] + HOSTILE[7:]:
    ok(shown(row)[:150] in text, f"shown as text: {ascii(row[:40])}")
ok("\ufffd" in text, "what is no UTF-8 is shown as U+FFFD")
ok(len(text) < 2_000_000, "long texts are cut", len(text))
page = open("one/report.html", "rb").read()

# The same bytes from the same files; the same samples for any number of workers.
again = run("report", "one")
ok(again.returncode == 0 and again.stdout == b"one/report.html\n", "flowrun report makes it again")
ok(open("one/report.html", "rb").read() == page, "flowrun report: the same bytes")
os.remove("one/report.html")
run("report", "one")
ok(open("one/report.html", "rb").read() == page, "made from nothing: the same bytes")
run("p.json", "--run-dir", "four", "--workers", "4", "--fresh")
ok(json.load(open("one/samples.json")) == json.load(open("four/samples.json")), "one worker and four take the same samples")
ok(not glob.glob("one/*.tmp*") and not glob.glob("one/tmp-*"), "no temporary file is left")

# Languages.
run("report", "one", "--language", "zh")
ok("运行过程" in sound("one/report.html", "in Chinese"), "in Chinese")
run("p.json", "--run-dir", "zh", LC_ALL="zh_CN.UTF-8", LANGUAGE="zh_CN")
ok("运行过程" in open("zh/report.html", encoding="utf-8").read(), "the language is the locale's")
run("report", "one")
ok(run("report", "nowhere").returncode == 2, "no such directory: 2")
os.mkdir("empty")
refused = run("report", "empty")
ok(refused.returncode == 2 and b"manifest.json" in refused.stderr, "no run directory: 2, and why", refused.stderr)

# Nothing to do: the page stands; rows switched off: they go, from files too.
before = os.stat("one/report.html").st_mtime_ns
ok(run("p.json", "--run-dir", "one").returncode == 0 and os.stat("one/report.html").st_mtime_ns == before, "nothing to do: the page stays as it is")
PIPELINE["run"]["samples"] = 0
run(write(PIPELINE), "--run-dir", "one")
text = sound("one/report.html", "samples: 0")
kept = open("one/samples.json", encoding="utf-8").read()
ok("document.title" not in text and "row 1 of" not in text, "samples: 0: no row on the page")
ok("document.title" not in kept and "row 1 of" not in kept, "samples: 0: none in samples.json either")
ok("No rows are shown" in text, "samples: 0: the page says so")

# What elements show speaks the page's language; names and rows are the same in both.
ROWS = [
    {"文本": f"第{i}号茶杯，蓝色陶瓷，容量{i}毫升，把手圆润，适合每天早晨喝茶。电话 1380013{8000 + i}。",
     "参考": f"清晨的第{i}口茶，刚刚好。", "新": f"清晨第{i}口茶，刚好。", "旧": "rows and loss", "类别": "茶" if i % 2 else "杯"}
    for i in range(60)
]
ROWS += ROWS[:8]
ROWS += [dict(row, 文本=row["文本"].replace("蓝色", "白色")) for row in ROWS[8:14]]
ROWS.append({"文本": "茶" * 30, "参考": "好", "新": "坏", "旧": "好", "类别": None})
STAGES = {
    "甲": {"use": "source.rows", "with": {"rows": ROWS}},
    "乙": {"use": "transform.quality", "from": "甲", "with": {"columns": "文本"}},
    "丙": {"use": "transform.dedup", "from": "乙", "with": {"columns": "文本"}},
    "丁": {"use": "transform.desensitize", "from": "丙", "with": {"columns": "文本"}},
    "戊": {"use": "transform.split", "from": "丁", "with": {"validation": 0.3}},
    "己": {"use": "evaluator.text", "from": {"in": "戊.validation", "train": "戊.train"},
          "with": {"reference": "参考", "candidate": "新", "baseline": "旧", "by": "类别"}},
    "庚": {"use": "evaluator.rating", "from": "戊.validation", "with": {"systems": ["旧", "新"], "path": "${run_dir}/r.html"}},
    "辛": {"use": "sink.jsonl", "from": "己.out", "with": {"path": "${run_dir}/out.jsonl"}},
}
# Names, which are the same in every language: of scores, and of parameters, which stand behind their Chinese.
NAMES = re.compile(r"chrF(\+\+)?|Lsum|Distinct-\d|（\w+）|\([\w ,.-]+\)|report\.json|\bleak\b")


def said(language):
    """Titles, heads, names, labels and notes of what elements show, and all texts of the page."""
    made = run("report", "spoken", "--language", language)
    if not ok(made.returncode == 0, f"the page in {language}", made.stderr[-600:]):
        return [], ""
    tree = ET.parse("spoken/report.html")
    texts = []
    for view in (f for f in tree.iter(XHTML + "figure") if "small" not in f.get("class", "")):
        for part in view.iter():
            name = part.tag.split("}")[1]
            kind = part.get("class") or ""
            if name in ("h4", "h5", "th", "dt") or kind in ("note", "axis") or name == "text" and kind == "name":
                texts.append("".join(part.itertext()).strip())
    return texts, "".join(tree.getroot().itertext())


missing = [p for p in ("source-rows", "transform-quality", "transform-dedup", "transform-desensitize", "evaluator-rating",
                       "evaluator-text") if not os.path.exists(f"{PLUGINS}/{p}.so")]
if missing:
    skip("what elements show, in both languages", f"{missing[0]} is not built")
else:
    done = run(write({"name": "报告", "seed": 1, "stages": STAGES}, "spoken.json"), "--run-dir", "spoken", "--progress", "none")
    ok(done.returncode == 0, "a run that shows much", done.stderr.decode(errors="replace")[-600:])
    chinese, page = said("zh")
    english, other = said("en")
    left = [text for text in chinese if re.search("[a-z]{2}", NAMES.sub("", text))]
    ok(len(chinese) > 100, "elements show much", len(chinese))
    ok(not left, "no English is left on the Chinese page", left[:8])
    own = re.compile("文本|参考|新|旧|类别|[甲乙丙丁戊己庚]")
    left = [text for text in english if re.search("[\u4e00-\u9fff]", own.sub("", text))]
    ok(not left, "no Chinese is on the English one", left[:8])
    ok(len(chinese) == len(english), "both say as much", f"{len(chinese)} {len(english)}")
    for text in ("重复行", "仅此规则", "相对基线的提升", "按 类别"):
        ok(text in page and text not in other, f"the Chinese page says {text}")
    ok("rows and loss" in page, "rows are as they are")

# A run that fails half-way, in a directory that holds a good one.
PIPELINE["run"]["samples"] = 5
write(PIPELINE)
run("p.json", "--run-dir", "bad")
PIPELINE["stages"]["a"]["with"]["path"] = "goods.csv/no/such.jsonl"
failed = run(write(PIPELINE), "--run-dir", "bad")
ok(failed.returncode == 1, "a sink that cannot write: 1", failed.stderr)
text = sound("bad/report.html", "a failed run")
ok("Failed" in text and "goods.csv/no" in text, "a failed run: the page says what went wrong")
ok("still stands" in text, "a failed run: and that the earlier results stand")
ok(json.load(open("bad/manifest.json"))["status"] == "ok", "a failed run: the manifest is the earlier one")
bytes_failed = open("bad/report.html", "rb").read()
run("report", "bad")
ok(open("bad/report.html", "rb").read() == bytes_failed, "a failed run: flowrun report makes the same")
PIPELINE["stages"]["a"]["with"]["path"] = "a.jsonl"
run(write(PIPELINE), "--run-dir", "bad")
ok(not os.path.exists("bad/failed.json") and "Success" in open("bad/report.html", encoding="utf-8").read(), "the next success takes its place")

# A run that is interrupted.
if os.path.exists(f"{PLUGINS}/transform-command.so"):
    PIPELINE["stages"]["slow"] = {
        "use": "transform.command",
        "from": "茶",
        "with": {"command": ["sh", "-c", "while read -r line; do sleep 0.05; echo \"$line\"; done"], "columns": {"id": "int64", "text": "utf8", "kind": "utf8"}},
    }
    PIPELINE["stages"]["split"]["from"] = "slow"
    process = subprocess.Popen([FLOWRUN, write(PIPELINE), "--run-dir", "stopped", "--progress", "plain"], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    ok(process.returncode == 130, "interrupted: 130", process.returncode)
    ok("Interrupted" in sound("stopped/report.html", "an interrupted run"), "an interrupted run has its page")
else:
    skip("an interrupted run", "transform.command is not built")


# As people see it: Chromium asks for nothing and complains of nothing.
chromium = next((c for c in ("chromium", "chromium-browser", "google-chrome") if shutil.which(c)), None)
if chromium is None:
    skip("Chromium loads nothing and says nothing", "no Chromium here")
else:
    def look(path, name):
        """What Chromium says on its console, and what it asks for (its own errands aside), of a page."""
        log = f"{tmp}/{name}-net.json"
        seen = subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp}/profile", "--enable-logging=stderr",
                               f"--log-net-log={log}", "--disable-background-networking", "--disable-component-update", "--timeout=3000", "--dump-dom",
                               f"file://{path}"], capture_output=True, timeout=180,
                              env={**os.environ, "HOME": f"{tmp}/home", "XDG_CONFIG_HOME": f"{tmp}/home", "XDG_DATA_HOME": f"{tmp}/home", "XDG_CACHE_HOME": f"{tmp}/home"})
        console = [line for line in seen.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
        asked = set(re.findall(r'"url":"(\w+://[^"]+)"', open(log, encoding="utf-8").read()))
        own = re.compile(r"https?://([\w-]+\.)*(google\.com|googleapis\.com|gvt1\.com|gstatic\.com)/")
        return seen.stdout, console, sorted(u for u in asked if not own.match(u))

    # A page that does both shows that it would be seen.
    with open("control.html", "w", encoding="utf-8") as f:
        f.write("<h1>x</h1><img src='http://192.0.2.1/x.png'><script>console.log('hi')</script>")
    _, console, asked = look(f"{tmp}/control.html", "control")
    ok(console and asked, "a page that loads and says something is seen to", f"{console} {asked}")
    for directory in ("four", "bad"):
        dom, console, asked = look(f"{tmp}/{directory}/report.html", directory)
        ok(b"<h1" in dom and b"<title>hostile" in dom, f"Chromium shows {directory}", dom[:200])
        ok(not console, f"Chromium has nothing to say of {directory}", console[:3])
        ok(not asked, f"Chromium asks for nothing of {directory}", asked[:5])

print(f"1..{n}")
shutil.rmtree(tmp)
