#!/usr/bin/env python3
# test-rating-page.py: the rating page in a real browser (headless Chromium), by keyboard: what it
# shows, saves and keeps, hostile text, and that it asks the network for nothing.  Ends with flowrun
# reading the file that the browser saved.
import glob, json, os, re, subprocess, sys, tempfile, time

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests"))
import browser

program = browser.find()
if not program:
    print("1..0 # SKIP no Chromium; FLOWRUN_CHROMIUM names one")
    sys.exit(0)
plugins = os.path.join(os.environ["top_builddir"], "plugins", ".libs")
if not all(os.path.exists(f"{plugins}/{p}.so") for p in ("source-rows", "source-json", "evaluator-rating", "sink-csv", "sink-jsonl")):
    print("1..0 # SKIP plugins are not built")
    sys.exit(0)

n, bad = 0, 0


def ok(name, truth, why=""):
    global n, bad
    n += 1
    bad += not truth
    print(("ok" if truth else "not ok"), n, "-", name, flush=True)
    if not truth and why != "":
        print("#", str(why)[:1000].replace("\n", "\n# "), flush=True)


HOSTILE = ["<script>window.hit = 1</script>", "</script><script>window.hit = 2</script>", "<img src=x onerror='window.hit = 3'>",
           "\"'\\ \u2028\u2029 &lt;b&gt; ]]> <!-- {{x}}", "\u202etxet desrever\u202c and \u2067isolated\u2069", "w" * 4000,
           "https://example.invalid/x.png 行\n\n  列\ttab", "javascript:window.hit=4"]
rows = [{"input": f"Task {i}: {HOSTILE[-1 - i]}", "alpha": HOSTILE[i], "beta": f"文案 {i}。"} for i in range(len(HOSTILE))]

folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)


def flowrun(*words):
    return subprocess.run([os.environ["FLOWRUN"], *words, "--progress", "none"], stdin=subprocess.DEVNULL, capture_output=True, text=True)


json.dump({"name": "page", "seed": 3, "stages": {
    "rows": {"use": "source.rows", "with": {"rows": rows}},
    "page": {"use": "evaluator.rating", "from": "rows",
             "with": {"systems": ["alpha", "beta"], "path": "${run_dir}/rating.html", "repeat": 0.2, "fastest": "30s",
                      "title": "<b>Title</b>", "instructions": "<i>Be kind</i>"}}}}, open("page.json", "w"))
made = flowrun("page.json", "--run-dir", "run")
ok("the page is written", made.returncode == 0, made.stderr)
key = json.load(open("run/rating.key.json", encoding="utf8"))
items = {i["item"]: i for i in key["items"]}
total = len(items)
url = "file://" + os.path.abspath("run/rating.html")


def text(id):
    return f"document.getElementById('{id}').textContent"


def hidden(id):
    return f"document.getElementById('{id}').hidden"


def enter(page, name):
    page.run("document.getElementById('name').focus(); document.getElementById('name').select()")
    page.type(name)
    page.key("Enter")
    page.wait(f"!{hidden('work')} || !{hidden('end')}")


def again(page):
    """Opens the page anew."""
    page.open("data:text/html,elsewhere")
    page.open(url)


def saved(page, pattern):
    """The lines of the file that Ctrl+S gives."""
    for old in glob.glob(pattern):
        os.remove(old)
    page.key("s", 2)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for name in glob.glob(pattern):
            with open(name, encoding="utf8") as f:
                text = f.read()
            if text.endswith("\n"):  # the browser makes an empty file first
                return [json.loads(line) for line in text.splitlines()]
        time.sleep(0.05)
    raise TimeoutError("no file " + pattern)


with browser.Browser(program) as chromium:
    page = chromium.page()
    page.downloads(os.getcwd())
    page.size(1280, 900)
    page.call("Emulation.setLocaleOverride", locale="en-US")
    page.open(url)
    ok("the title is text", page.run(text("title")) == "<b>Title</b>" and page.run("document.title") == "<b>Title</b>")
    ok("so are the instructions", page.run(text("instructions")) == "<i>Be kind</i>")
    before = page.run("document.documentElement.lang")
    page.run("document.getElementById('language').click()")
    ok("the other language", page.run("document.documentElement.lang") != before and page.run(text("lead")) != "")
    other = page.run("document.documentElement.lang")
    again(page)
    ok("which is kept", page.run("document.documentElement.lang") == other, other)
    if other != "en":
        page.run("document.getElementById('language').click()")

    # By keyboard through the first: a rating for each criterion, and on.
    enter(page, "Anna  Lin")
    ok("the first of all", page.run(text("place")).startswith(f"1 / {total}"), page.run(text("place")))
    first = page.run(text("sample"))
    page.key("Enter")
    ok("nothing is left out by mistake", page.run(text("sample")) == first)
    page.keys(["4", "5", "3"])
    checked = "[...document.querySelectorAll('.crit')].map(c => [...c.querySelectorAll('button')].findIndex(b => b.getAttribute('aria-checked') === 'true') + 1).join('')"
    ok("4, 5 and 3 are there", page.run(checked) == "453", page.run(checked))
    ok("rated in no time: the page says so", "quick" in page.run(text("toast")), page.run(text("toast")))
    page.keys(["ArrowUp", "1"])
    ok("up and another rating", page.run(checked) == "451", page.run(checked))
    page.key("u")
    ok("taken back", page.run(checked) == "453", page.run(checked))
    page.key("Enter")
    ok("the second", page.run(text("place")).startswith("2 /") and page.run(text("sample")) is not None)

    # A remark is no shortcut; Escape leaves it.
    page.key("c")
    page.type("s5 好 \"quoted\" <b>")
    page.key("Escape")
    page.keys(["2", "2", "2", "Enter"])
    page.key("s")
    ok("one skipped", page.run(text("place")).startswith("4 /"))
    page.keys(["ArrowLeft"])
    ok("back at it", page.run(text("place")).startswith("3 /") and page.run("document.getElementById('skip').classList.contains('on')"))
    page.key("ArrowRight")
    lines = saved(page, "ratings-*.jsonl")
    ok("three lines", len(lines) == 3, lines)
    ok("as they were rated", [lines[0][c] for c in key["criteria"]] == [4, 5, 3] and lines[1]["comment"] == "s5 好 \"quoted\" <b>"
       and lines[2]["skipped"] is True and lines[2]["fluency"] is None, lines)
    ok("page, rater and known items", all(l["page"] == key["page"] and l["rater"] == "Anna Lin" and l["item"] in items for l in lines), lines)
    ok("nothing of the systems", not any(w in json.dumps(lines) for w in ("alpha", "beta")))

    # What was done is there again, on this machine and from the file on another.
    again(page)
    enter(page, "Anna Lin")
    ok("after a reload it goes on where it was", page.run(text("place")).startswith("4 /"), page.run(text("place")))
    # The browser writes its storage down when it likes: on a busy machine once is not always enough.
    for _ in range(5):
        page.run("localStorage.clear()")
        page.open("data:text/html,elsewhere")
        page.call("Storage.clearDataForOrigin", origin="file://", storageTypes="local_storage")
        page.open(url)
        if page.run("document.getElementById('name').value") == "":
            break
    ok("forgotten", page.run("document.getElementById('name').value") == "")
    node = page.call("DOM.getDocument")["root"]["nodeId"]
    node = page.call("DOM.querySelector", nodeId=node, selector="#file")["nodeId"]
    page.call("DOM.setFileInputFiles", nodeId=node, files=[os.path.abspath(glob.glob("ratings-*.jsonl")[0])])
    page.wait("!" + hidden("work"))
    ok("and there again from the file", page.run(text("place")).startswith("4 /"), page.run(text("place")))

    # The rest, each sample as it is in the key.
    shown = {}
    for i in range(4 * total):
        if not page.run(hidden("end")):
            break
        seen = page.run(text("sample"))
        shown[seen] = shown.get(seen, 0) + 1
        page.keys([str(1 + i % 5), "4", "5", "Enter"])
    texts = {key["prompts"][i["prompt"]]["texts"][i["system"]] for i in items.values()}
    ok("samples are shown as they are", set(shown) <= texts and len(shown) >= len(texts) - 3, set(shown) - texts)
    ok("no script of a text ran", page.run("window.hit") is None)
    ok("nothing became markup", page.run("document.querySelectorAll('main img, main script, main i:not(.dot):not(.bars i)').length") == 0)
    ok("a word of 4000 letters breaks", page.run("document.documentElement.scrollWidth") <= 1280)
    ok("thanks at the end", "Anna Lin" in page.run(text("thanks")), page.run(text("thanks")))
    lines = saved(page, "ratings-*.jsonl")
    ok("all of them", len(lines) == total and {l["item"] for l in lines} == set(items), len(lines))
    ok("in the order they were shown", [l["position"] for l in lines] == list(range(1, total + 1)))
    order = [l["item"] for l in lines]
    ok("what repeats is not next to what it repeats",
       all(abs(order.index(i) - order.index(items[i]["repeats"])) > 3 for i in items if items[i]["repeats"]))
    asked = [u for u in page.requests() if not u.startswith(("file://" + os.getcwd(), "blob:", "data:", "about:"))]
    ok("the network is asked for nothing", not asked, asked)
    ok("no script failed", not page.errors(), page.errors())

    # Another rater: another order, nothing of the first.
    again(page)
    page.size(400, 800, dark=True)
    enter(page, "林晓")
    ok("by night on a telephone", page.run("document.documentElement.dataset.theme") == "dark"
       and page.run("document.documentElement.scrollWidth") <= 400, page.run("document.documentElement.scrollWidth"))
    for i in range(total):
        page.keys(["2", "3", "4", "Enter"])
    os.rename(glob.glob("ratings-*.jsonl")[0], "one.jsonl")
    lines = saved(page, "ratings-*.jsonl")
    ok("another order", sorted(l["item"] for l in lines) == sorted(order) and [l["item"] for l in lines] != order)
    ok("under another name", {l["rater"] for l in lines} == {"林晓"} and "林晓" in glob.glob("ratings-*.jsonl")[0])
    os.rename(glob.glob("ratings-*.jsonl")[0], "two.jsonl")
    ok("still nothing of the network, and no failure", not page.errors()
       and not [u for u in page.requests() if re.match("(https?|wss?):", u)], page.errors())

# flowrun reads what the browser saved.
read = flowrun(os.path.join(os.environ["top_srcdir"], "pipelines/shop/ratings.json"), "--run-dir", "figures",
               "--var", "ratings=" + os.path.abspath("[ot][nw][eo].jsonl"), "--var", "key=" + os.path.abspath("run/rating.key.json"))
ok("flowrun reads the files", read.returncode == 0, read.stderr)
report = open("figures/report.json", encoding="utf8").read() if read.returncode == 0 else ""
ok("two raters, nothing rejected", '"Anna Lin"' in report and '"林晓"' in report and not os.path.exists("figures/rejects/figures.jsonl"), read.stderr)
print(f"1..{n}")
sys.exit(bad > 0)
