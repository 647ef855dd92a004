#!/usr/bin/env python3
# test-serve-writes.py: the page and sink.serve itself: fields of the format, streaming, stop, a rating that is on the
# disk and that flowrun reads, keys; on a small random model, whose texts have no sense.
import json, os, re, signal, subprocess, sys, tempfile, time, urllib.error, urllib.request

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests"))
import browser

program = browser.find()
build, flowrun = os.environ["top_builddir"], os.environ["FLOWRUN"]
maker = os.path.join(build, "plugins/sinks/serve/make-model")
if not program:
    print("1..0 # SKIP no Chromium; FLOWRUN_CHROMIUM names one")
    sys.exit(0)
if not os.path.exists(os.path.join(build, "plugins/.libs/sink-serve.so")) or not os.path.exists(maker):
    print("1..0 # SKIP sink-serve is not built")
    sys.exit(0)

n, bad = 0, 0


def ok(name, truth, why=""):
    global n, bad
    n += 1
    bad += not truth
    print(("ok" if truth else "not ok"), n, "-", name, flush=True)
    if not truth and why != "":
        print("#", str(why)[:1500].replace("\n", "\n# "), flush=True)


folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
subprocess.run([maker, "model", "chatml", "2048"], check=True)
FORMAT = {"input": "写：{name}[[，给{audience}]]，{tone|平实}", "fields": {"name": {"label": "<b>品名</b>", "example": "茶杯"}}}


class Server:
    def __init__(self, **params):
        json.dump({"name": "serve", "run": {"record": False}, "stages": {
            "model": {"use": "source.model", "with": {"path": "model"}},
            "serve": {"use": "sink.serve", "from": {"model": "model"},
                      "with": {"port": 0, "type": "f32", "backend": "reference", "format": FORMAT, "feedback": "feedback.jsonl", **params}}}},
            open("serve.json", "w"))
        self.process = subprocess.Popen([flowrun, "serve.json", "--progress", "plain"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=open("log", "wb"))
        self.url = self.wait(r"listening on (http://[^ ]*:\d+)") + "/"
        self.wait("answers on")

    def wait(self, pattern):
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            found = re.search(pattern, open("log", encoding="utf8", errors="replace").read())
            if found:
                return found.group(found.re.groups)
            time.sleep(0.02)
        raise RuntimeError(open("log", encoding="utf8", errors="replace").read())

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def get(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read().decode()


def post(url, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"})) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as e:
        return e.code, json.loads(e.read())


def lines():
    with open("feedback.jsonl", encoding="utf8") as f:
        return [json.loads(line) for line in f]


def text(id):
    return f"document.getElementById('{id}').textContent"


def hidden(id):
    return f"document.getElementById('{id}').hidden"


DONE = hidden("stop") + " && " + text("state") + " !== ''"
TEXTS = "[...document.querySelectorAll('.variant .text')].map(e => e.textContent)"

server = Server()
status, head, html = get(server.url)
ok("the page", status == 200 and head["Content-Type"] == "text/html; charset=utf-8" and "<script>" in html, head)
ok("with its policy", "connect-src 'self'" in head["Content-Security-Policy"] and "frame-ancestors 'none'" in head["Content-Security-Policy"])
status, again, body = get(server.url, **{"If-None-Match": head["ETag"]})
ok("not sent again to who has it", status == 304 and body == "", status)
fields = json.loads(get(server.url + "format")[2])
ok("the format's fields", [(f["name"], f["required"]) for f in fields["fields"]] == [("name", True), ("audience", False), ("tone", False)] and fields["feedback"] is True, fields)

with browser.Browser(program) as chromium:
    page = chromium.page()
    page.size(1280, 900)
    page.open(server.url)
    page.run("localStorage.setItem('flowrun-serve:language', 'zh')")
    page.call("Page.reload")
    page.wait("document.readyState === 'complete' && document.getElementById('field-2') !== null")
    labels = page.run("[...document.querySelectorAll('#fields label')].map(l => l.firstChild.textContent)")
    ok("stand on the page, a label as text", labels == ["<b>品名</b>", "受众", "语气"], labels)
    ok("a default", "平实" in page.run("document.getElementById('field-2').placeholder"))
    page.run("document.getElementById('field-0').focus()")
    page.type("茶杯")
    page.run("""document.querySelector('#length input[value="0"]').click(); document.getElementById('field-0').focus()""")
    page.key("Enter", 2)
    page.wait(DONE, 60)
    ok("two texts are written", page.run(text("state")) in ("2 条都写好了。",), page.run(text("state")) + page.run(text("notice")))
    texts = page.run(TEXTS)
    thoughts = page.run("[...document.querySelectorAll('.variant .thought')].map(e => e.textContent)")
    ok("and shown", len(texts) == 2 and all(a or b for a, b in zip(texts, thoughts)), texts)
    page.run("document.querySelectorAll('.variant')[1].focus()")
    if page.run("document.querySelectorAll('.rate')[1].hidden"):  # what says nothing cannot be rated
        ok("a text of nothing cannot be rated", texts[1] == "")
    else:
        page.key("4")
        page.wait("document.querySelectorAll('.said')[1].textContent.includes('已保存')")
        said = lines()
        ok("the rating is in the file", len(said) == 1 and said[0]["rating"] == 4 and said[0]["variant"] == 1, said)
        ok("with what the server itself said", said[0]["verified"] is True and said[0]["output"].strip() == texts[1].replace("\0", "\ufffd").strip(), (said[0], texts))
        ok("and the question as training has it", said[0]["input"] == "写：茶杯，平实" and said[0]["fields"] == {"name": "茶杯"} and said[0]["revision"], said[0])
    page.run("""document.querySelector('#length input[value="2"]').click(); document.getElementById('field-0').focus()""")
    page.key("Enter", 2)
    page.wait("!" + hidden("stop") + " || " + DONE)
    page.key("Escape")
    page.wait(hidden("stop"))
    ok("stopped", page.run(text("state")) != "" or page.run(hidden("variants")))
    until = time.monotonic() + 20
    while time.monotonic() < until and "flowrun_requests_running 0" not in get(server.url + "metrics")[2]:
        time.sleep(0.1)
    ok("no script failed", not [e for e in page.errors() if "Failed to load resource" not in e], page.errors())
    ok("only the server was asked", not [u for u in page.requests() if not u.startswith((server.url, "data:", "about:"))], page.requests())

    # POST feedback by hand.
    before = len(lines())
    status, reply = post(server.url + "feedback", {"rating": 5, "input": "问", "output": "答", "comment": "好"})
    ok("a rating of an answer that the server does not know is marked", status == 201 and reply["verified"] is False and lines()[-1]["verified"] is False, reply)
    for body, code in ((b"{", "invalid_json"), ({"rating": 9}, "invalid_value"), ({"rating": 5}, "unknown_answer"), ({"rating": 5, "x": 1}, "unknown_member")):
        status, reply = post(server.url + "feedback", body)
        ok(f"{code}: 400 in OpenAI's shape", status == 400 and reply["error"]["code"] == code and reply["error"]["message"], reply)
    status, reply = post(server.url + "feedback", b" " * (1536 << 10))
    ok("too large: 413", status == 413, (status, reply))
    ok("nothing of that was stored", len(lines()) == before + 1)
    answer = post(server.url + "generate", {"fields": {"name": "锅", "audience": "厨师"}, "max_tokens": 8, "temperature": 0})[1]
    status, reply = post(server.url + "feedback", {"answer": answer["id"], "rating": 2, "corrected": "铸铁锅，越用越好。", "output": "claimed"})
    ok("a whole answer is known by its id", status == 201 and reply["verified"] is True and lines()[-1]["output"] == answer["output"]
       and lines()[-1]["input"] == "写：锅，给厨师，平实" and lines()[-1]["corrected"] == "铸铁锅，越用越好。", lines()[-1])
    vocabulary = json.load(open("model/tokenizer.json"))["model"]["vocab"]
    answer = post(server.url + "v1/chat/completions", {"model": "model", "messages": [{"role": "user", "content": "问"}], "max_tokens": 3,
                                                       "temperature": 0, "logit_bias": {str(vocabulary["\u0100"]): 100}})[1]  # byte-level BPE's name of byte 0
    ok("a model may write NUL", answer["choices"][0]["message"]["content"] == "\0\0\0", answer)
    status, reply = post(server.url + "feedback", {"answer": answer["id"], "rating": 1})
    ok("which a rating has as U+FFFD, and nothing is cut off", status == 201 and lines()[-1]["output"] == "\ufffd" * 3, (reply, lines()[-1]))
    ok("SIGTERM ends it well", server.end() == 0, open("log").read())

    # flowrun reads what was stored: the way into next month's records.
    read = subprocess.run([flowrun, "head", "monthly", "private", "--var", "model=model", "--var", "feedback=feedback.jsonl"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    rows = [json.loads(line) for line in read.stdout.splitlines()]
    ok("monthly reads the file", read.returncode == 0 and {"system": None, "input": "写：锅，给厨师，平实", "output": "铸铁锅，越用越好。"} in rows, read.stderr + read.stdout)
    ok("and leaves out what the server did not know", not any(r["input"] == "问" for r in rows), rows)
print(f"1..{n}")
sys.exit(bad > 0)
