#!/usr/bin/env python3
# test-serve-page.py: the page to write on in a real browser (headless Chromium): fields of the format
# template, streaming, stop, ratings, what it says when things go wrong, hostile text, keyboard alone, both
# languages, contrast; against a server that stands in for sink.serve (standin.py).
import json, os, sys, time

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests"))
import browser, standin

program = browser.find()
printer = os.path.join(os.environ["top_builddir"], "plugins/sinks/serve/page/print-page")
if not program:
    print("1..0 # SKIP no Chromium; FLOWRUN_CHROMIUM names one")
    sys.exit(0)
if not os.path.exists(printer):
    print("1..0 # SKIP print-page is not built; 'make check' builds it")
    sys.exit(0)

n, bad = 0, 0


def ok(name, truth, why=""):
    global n, bad
    n += 1
    bad += not truth
    print(("ok" if truth else "not ok"), n, "-", name, flush=True)
    if not truth and why != "":
        print("#", str(why)[:1500].replace("\n", "\n# "), flush=True)


HOSTILE = "<script>window.hit=1</script><img src=x onerror=window.hit=2>\"'\\ \u2028&lt;b&gt;\u202etxet\u202c {name} @SCRIPT@"
FIELDS = [{"name": "name", "required": True}, {"name": "attributes", "required": True, "multiline": True},
          {"name": "audience", "required": False, "default": "所有人"}, {"name": "tone", "required": False},
          {"name": "__proto__", "label": HOSTILE, "required": False}, {"name": "constructor", "label": {"zh": "构造", "en": "Construction"}}]
PIECES = ["清晨", "的第", "一杯", "茶，", "来自", "高山。"]


def text(id):
    return f"document.getElementById('{id}').textContent"


def hidden(id):
    return f"document.getElementById('{id}').hidden"


def shown(i, part=".text"):
    return f"(document.querySelectorAll('.variant')[{i}]?.querySelector('{part}')?.textContent || '')"


DONE = hidden("stop") + " && document.querySelectorAll('.variant').length > 0"
CONTRAST = """(() => {
  const channel = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = c => .2126 * channel(c[0]) + .7152 * channel(c[1]) + .0722 * channel(c[2]);
  const parse = s => { const m = s.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const behind = e => { const all = []; for (; e; e = e.parentElement) all.push(parse(getComputedStyle(e).backgroundColor));
    return all.reverse().reduce((b, a) => over(a, b), [255, 255, 255, 1]); };
  const low = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(c => c.nodeType === 3 && c.data.trim()) || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true })
        || e.closest('.toast, .away, .skip, kbd, script, style, noscript, option') || e.disabled) continue;
    const back = behind(e), fore = over(parse(getComputedStyle(e).color), back), a = light(fore), b = light(back);
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) low.push(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2) + ' ' + e.textContent.trim().slice(0, 30));
  }
  return low;
})()"""


def fill(page, values):
    for i, value in enumerate(values):
        if value is None:
            continue
        page.run(f"document.getElementById('field-{i}').focus(); document.getElementById('field-{i}').select()")
        if value:
            page.type(value)
        else:
            page.key("Backspace")


def write(page):
    page.key("Enter", 2)


def nameless(page):
    """Controls that a screen reader could not name."""
    tree = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = ("button", "textbox", "radio", "combobox", "checkbox", "link", "dialog", "group", "radiogroup", "article", "region")
    return [x["role"]["value"] for x in tree if not x.get("ignored") and x.get("role", {}).get("value") in roles
            and not x.get("name", {}).get("value", "").strip()]


with standin.StandIn(printer, FIELDS) as server, standin.StandIn(printer, None, "/copy") as plain, browser.Browser(program) as chromium:
    page = chromium.page()
    page.size(1280, 900)
    page.call("Emulation.setLocaleOverride", locale="en-US")
    page.call("Accessibility.enable")
    server.answers = [[("think", "先想想。"), ("think", HOSTILE)] + PIECES, [HOSTILE + "w" * 3000] + PIECES, ["short"] * 3, ["x"]]

    # The form is what the format template asks for.
    page.open(server.url)
    page.wait("document.getElementById('field-5') !== null")
    first = page.run("document.documentElement.lang")
    if first != "en":
        page.run("document.getElementById('language').click()")
    labels = page.run("[...document.querySelectorAll('#fields label')].map(l => l.firstChild.textContent)")
    ok("a field for each column, in order", labels == ["Name", "Features", "For whom", "Tone", HOSTILE, "Construction"], labels)
    ok("those that must be filled in say so", page.run("[...document.querySelectorAll('.mark-needed')].map(e => e.textContent)")
       == ["required", "required", "", "", "", ""])
    ok("a default shows what is left empty", "所有人" in page.run("document.getElementById('field-2').placeholder"))
    ok("one model needs no choice", page.run(hidden("model-row")) and page.run(text("who")) == "shop")
    page.run("document.getElementById('language').click()")
    zh = page.run("[...document.querySelectorAll('#fields label')].map(l => l.firstChild.textContent)")
    ok("in Chinese", zh[:4] == ["名称", "特点", "受众", "语气"] and zh[5] == "构造" and page.run("document.documentElement.lang") == "zh-Hans"
       and page.run("document.title") == "写文案", zh)
    page.open("about:blank#")
    page.open(server.url)
    page.wait("document.getElementById('field-5') !== null")
    ok("which is kept", page.run("document.documentElement.lang") == "zh-Hans")
    page.run("document.getElementById('language').click()")
    ok("every control has a name", not nameless(page), nameless(page))

    # What must be there is asked for before anything is sent.
    write(page)
    ok("nothing is sent half filled in", not server.asked and page.run("document.activeElement.id") == "field-0"
       and page.run("document.getElementById('wrong-0').textContent") == "Please fill this in."
       and page.run("document.getElementById('field-0').getAttribute('aria-describedby')") == "wrong-0")

    # Writing: pieces appear while others are still to come.
    fill(page, ["茶杯", "蓝色，手工\n第二行", "", "轻松", "p", "c"])
    server.gate.clear()
    write(page)
    page.wait(shown(1) + " !== ''")
    ok("the first piece is there before the last is written", page.run(shown(1)).startswith("<script>") and not page.run(hidden("stop")) and page.run(hidden("write")))
    ok("the text says that it is being written", page.run("document.querySelectorAll('.variant .text')[1].getAttribute('aria-busy')") == "true"
       and page.run("document.querySelectorAll('.variant .text')[1].getAttribute('aria-live')") == "polite")
    ok("one thinks", page.run(shown(0, ".badge")) == "Thinking…", page.run(shown(0, ".badge")))
    asked = server.asked[-1]
    ok("what was asked", asked["fields"] == {"name": "茶杯", "attributes": "蓝色，手工\n第二行", "tone": "轻松", "__proto__": "p", "constructor": "c"}
       and asked["n"] == 2 and asked["stream"] is True and asked["temperature"] == 0.7 and asked["max_tokens"] == 320 and asked["model"] == "shop", asked)
    server.gate.set()
    page.wait(DONE)
    ok("both are done", page.run(shown(0)) == "".join(PIECES) and page.run(shown(1)) == HOSTILE + "w" * 3000 + "".join(PIECES), page.run(shown(0)))
    ok("and it is said", page.run(text("state")) == "2 texts are done." and page.run("document.querySelector('.variant .text').getAttribute('aria-busy')") == "false")
    ok("the thought is folded away", page.run(shown(0, ".thought")) == "先想想。" + HOSTILE and not page.run("document.querySelector('.think').open")
       and page.run("document.querySelectorAll('.think')[1].hidden"))
    ok("no script of a text ran, nothing became markup", page.run("window.hit") is None and page.run("document.querySelectorAll('main img, main script').length") == 0)
    ok("a word of 3000 letters breaks", page.run("document.documentElement.scrollWidth") <= 1280)
    ok("contrast of 4.5 by day", not page.run(CONTRAST), page.run(CONTRAST))
    ok("every control still has a name", not nameless(page), nameless(page))

    # Ratings by keyboard: what is sent is where the arrows come to rest.
    page.run("document.querySelectorAll('.variant')[0].focus()")
    page.key("2")
    page.key("4")
    page.wait(shown(0, ".said") + ".includes('✓')")
    ok("one rating, with all that belongs to it", len(server.rated) == 1 and {k: server.rated[0][k] for k in
       ("answer", "variant", "rating", "comment", "corrected", "model", "revision", "fields", "output", "reasoning")} ==
       {"answer": "chatcmpl-1", "variant": 0, "rating": 4, "comment": None, "corrected": None, "model": "shop", "revision": "fp_1",
        "fields": asked["fields"], "output": "".join(PIECES), "reasoning": "先想想。" + HOSTILE}, server.rated)
    ok("and in words", "small touches" in page.run(shown(0, ".said")))
    page.key("r")
    page.type("r5 好 <b>")
    page.key("Enter", 2)
    page.wait("1")
    until = time.monotonic() + 10
    while len(server.rated) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    ok("a remark is no shortcut, and is kept with Ctrl+Enter", len(server.rated) == 2 and server.rated[1]["comment"] == "r5 好 <b>" and server.rated[1]["rating"] == 4
       and len(server.asked) == 1, server.rated[1:])
    page.run("document.querySelectorAll('.variant')[0].focus()")
    page.key("e")
    page.run("document.activeElement.select()")
    page.type("清晨第一杯茶。")
    server.rating_trouble = [507]
    page.key("Enter", 2)
    page.wait(shown(0, ".said") + ".includes('Not saved')")
    ok("no room: said, and not lost", "no room" in page.run(text("toast")) and len(server.rated) == 2, page.run(text("toast")))
    page.run("[...document.querySelectorAll('.variant')[0].querySelectorAll('.rate button')].find(b => b.textContent === 'Try again').click()")
    page.wait(shown(0, ".said") + ".includes('✓')")
    ok("a correction", server.rated[-1]["corrected"] == "清晨第一杯茶。" and server.rated[-1]["comment"] == "r5 好 <b>" and server.rated[-1]["output"] == "".join(PIECES), server.rated[-1])

    # Settings in words, several texts; stop leaves.
    page.run("document.querySelector('#boldness input[value=\"2\"]').click(); document.querySelector('#length input[value=\"0\"]').click(); document.querySelector('#count input[value=\"3\"]').click()")
    server.gate.clear()
    page.run("document.getElementById('field-0').focus()")
    write(page)
    page.wait("document.querySelectorAll('.variant').length === 4 && " + shown(3) + " !== ''")
    asked = server.asked[-1]
    ok("bold, short, four", (asked["temperature"], asked["n"]) == (1.0, 4) and asked["max_tokens"] == 96 + 1024, asked)  # it was seen to think
    page.key("Escape")
    page.wait(DONE)
    server.gate.set()
    ok("stopped at once, and what was written stays", page.run(text("state")).startswith("Stopped") and page.run(shown(3)) == "x" and page.run(shown(3, ".badge")) == "Stopped")
    until = time.monotonic() + 10
    while 2 not in server.left and time.monotonic() < until:
        time.sleep(0.02)
    ok("the server sees that the page left", server.left == [2], server.left)

    # When it is busy, it is tried again by itself.
    server.trouble = ["429:2", "503:1"]
    before = len(server.asked)
    page.run("document.querySelector('#count input[value=\"0\"]').click()")
    write(page)
    page.wait("!" + hidden("notice"))
    ok("busy: said with seconds", "tried again by itself in 2 s" in page.run(text("notice")), page.run(text("notice")))
    page.wait(DONE + " && " + shown(0) + " !== ''", 20)
    ok("and done in the end", len(server.asked) == before + 3 and page.run(hidden("notice")), len(server.asked) - before)

    # Errors in words; the server's own are shown as text.
    for trouble, part in (("400:context_length_exceeded:<b>too long</b>", "too long for the model"), ("404:model_not_found:gone", "no longer there"),
                          ("400:bad:<i>what</i>", "It says: <i>what</i>"), ("500:internal_error:oh", "wrong in the server"), ("413:too_large:x", "too long"),
                          ("403:forbidden:no", "may not do that"), ("504:deadline:x", "took too long")):
        server.trouble = [trouble]
        write(page)
        page.wait("!" + hidden("notice") + " && " + hidden("stop"))
        ok(trouble.split(":")[0] + " " + trouble.split(":")[1] + ": in words", part in page.run(text("notice")), page.run(text("notice")))
        page.run("document.getElementById('field-0').focus()")
    for trouble, part in (("break", "connection broke"), ("error", "wrong in the server")):
        server.trouble = [trouble]
        write(page)
        page.wait("!" + hidden("notice") + " && " + hidden("stop") + " && (document.querySelector('.badge')?.textContent || '') !== ''")
        ok(f"{trouble} in the middle: said, and what came stays", part in page.run(text("notice")) and page.run(shown(0, ".badge")) == "Broken off", page.run(text("notice")))
        page.run("document.getElementById('field-0').focus()")

    # One text has ended while another is being written: its rating waits until the server knows both.
    server.answers[0], long = ["one."], server.answers[0]
    server.delay = 0.25
    before = len(server.rated)
    page.run("document.querySelector('#count input[value=\"1\"]').click(); document.getElementById('field-0').focus()")
    server.ends = [0]
    write(page)
    page.wait("document.querySelectorAll('.rate').length === 2 && !document.querySelectorAll('.rate')[0].hidden && !" + hidden("stop"))
    page.run("document.querySelectorAll('.variant')[0].querySelectorAll('.stars input')[4].click()")
    time.sleep(0.8)
    early = (len(server.rated), page.run(hidden("stop")))
    page.wait(DONE)
    page.wait(shown(0, ".said") + ".includes('✓')")
    ok("a rating waits until all texts have ended", early == (before, False) and len(server.rated) == before + 1 and server.rated[-1]["output"] == "one.", (early, before))
    server.answers[0], server.delay, server.ends = long, 0.02, []
    page.run("document.querySelector('#count input[value=\"0\"]').click(); document.getElementById('field-0').focus()")

    # A text that is cut off says so.
    server.finish = ["length"]
    write(page)
    page.wait(DONE + " && " + hidden("notice"))
    ok("a text cut off says so", page.run(shown(0, ".badge")) == "Cut off: longest length", page.run(shown(0, ".badge")))
    server.finish = ["stop"]

    # Nothing but this server can be spoken with, and no text can become markup.
    ok("the policy keeps it to its server", page.run(f"fetch('{plain.url}format').then(() => 'went', () => 'refused')") == "refused")
    ok("and text from markup", page.run("(() => { try { document.createElement('p').innerHTML = '<b>x</b>'; return 'went'; } catch (e) { return 'refused'; } })()") == "refused")

    # What was asked before, in this tab alone.
    ok("earlier asks are listed", page.run("document.querySelectorAll('#past-list li').length") >= 4 and "★ 4" in page.run(text("past-list")), page.run(text("past-list")))
    page.run("document.querySelector('#past-list li:last-child button').click()")
    ok("the first comes back, with its rating, remark and fields", page.run(shown(0)) == "".join(PIECES) and page.run("document.querySelector('.variant input:checked').value") == "4"
       and page.run("document.querySelector('.variant .rate textarea').value") == "r5 好 <b>" and page.run("document.getElementById('field-3').value") == "轻松")
    count = page.run("document.querySelectorAll('#past-list li').length")
    page.call("Page.reload")
    page.wait(f"document.readyState === 'complete' && document.querySelectorAll('#past-list li').length === {count}")
    ok("all is there after a reload", page.run("document.querySelectorAll('.variant').length") > 0)
    other = chromium.page()
    other.open(server.url)
    other.wait("document.getElementById('field-5') !== null")
    ok("another tab has nothing of it", other.run(hidden("past")) and other.run("document.getElementById('field-0').value") == "")
    page.call("Page.bringToFront")
    page.run("document.getElementById('forget').click()")
    ok("forgotten", page.run(hidden("past")) and page.run("document.querySelectorAll('.variant').length") == 0 and page.run("sessionStorage.getItem('flowrun-serve:asks')") is None)

    # A key.
    server.key = "sk-1"
    page.run("document.getElementById('field-0').focus()")
    fill(page, ["茶", "叶"])
    write(page)
    page.wait("document.getElementById('lock').open")
    ok("a key is asked for", "asks for a key" in page.run(text("lock-why")) and page.run("document.activeElement.id") == "secret")
    page.type("wrong")
    page.key("Enter")
    page.wait("document.getElementById('lock').open && " + text("lock-why") + ".includes('does not take')")
    page.type("sk-1")
    page.key("Enter")
    page.wait(DONE + " && " + shown(0) + " !== ''")
    ok("with the right one it goes on", page.run("sessionStorage.getItem('flowrun-serve:key')") == "sk-1")
    ok("which lies in this tab alone", "sk-1" not in page.run("JSON.stringify(localStorage) + document.cookie + location.href"))
    page.run("document.querySelectorAll('.variant')[0].focus()")
    page.key("5")
    page.wait(shown(0, ".said") + ".includes('✓')")
    server.key = "sk-2"
    write(page)
    page.wait("document.getElementById('lock').open")
    page.key("Escape")
    page.wait(hidden("stop"))
    ok("it may be declined", page.run("!document.getElementById('lock').open"))
    server.key = None

    # Keyboard alone: everything can be reached.
    page.call("Page.reload")
    page.wait("document.readyState === 'complete' && document.querySelectorAll('.variant').length > 0 && document.getElementById('field-5') !== null")
    page.wait("document.activeElement.id === 'field-0'")
    page.run("document.querySelector('.skip').focus()")
    reached = ["skip"]
    for _ in range(60):
        page.key("Tab")
        reached.append(page.run("(e => e.id || e.name || e.className || e.tagName)(document.activeElement)"))
        if reached[-1] == "BODY" and len(reached) > 5:
            break
    wanted = {"skip", "language", "theme", "help", "field-0", "field-5", "boldness", "length", "count", "write", "sheet variant"}
    ok("Tab reaches all", wanted <= set(reached) and any(r.startswith("rating-") for r in reached), reached)
    page.run("document.getElementById('field-0').focus()")
    page.key("Escape")
    page.run("document.activeElement.blur()")
    page.key("?")
    ok("? lists the keys", page.run("document.getElementById('keys').open && document.querySelectorAll('#keylist dt').length === 8"))
    page.key("Escape")

    ok("nothing but this server was asked", not [u for u in page.requests() if not u.startswith((server.url, "data:", "about:"))
       and not u.startswith(plain.url)], page.requests())
    errors = [e for e in page.errors() if "Failed to load resource" not in e and "Content Security Policy" not in e and "Trusted" not in e and "Refused to connect" not in e
              and "violates" not in e]
    ok("no script failed", not errors, errors)

    # On a telephone by night, in Chinese; without a template, several models, below a prefix.
    plain.models = ["mini", "<b>大模型</b>"]
    plain.answers = [["w" * 2000], PIECES]
    phone = chromium.page()
    phone.size(390, 800, dark=True, scale=2)
    phone.call("Emulation.setLocaleOverride", locale="zh-CN")
    phone.call("Accessibility.enable")
    phone.open(plain.url)
    phone.wait("document.getElementById('field-0') !== null && !" + hidden("model-row"))
    if phone.run("document.documentElement.lang") == "en":
        phone.run("document.getElementById('language').click()")
    ok("by night", phone.run("document.documentElement.dataset.theme") == "dark")
    ok("one box without a template", phone.run("document.querySelectorAll('#fields .field').length") == 1 and phone.run("document.querySelector('#fields label').firstChild.textContent") == "要写什么？")
    ok("models by name, as text", phone.run("[...document.getElementById('model').options].map(o => o.textContent)") == plain.models)
    phone.run("document.getElementById('model').selectedIndex = 1; document.getElementById('model').dispatchEvent(new Event('change'))")
    fill(phone, ["写一条"])
    phone.run("document.getElementById('write').click()")
    phone.wait(DONE + " && " + text("state") + " !== ''")
    ok("input and model are sent", plain.asked[-1]["input"] == "写一条" and plain.asked[-1]["model"] == "<b>大模型</b>" and "fields" not in plain.asked[-1], plain.asked[-1])
    ok("said in Chinese", phone.run(text("state")) == "2 条都写好了。", phone.run(text("state")))
    ok("nothing is wider than the telephone", phone.run("document.documentElement.scrollWidth") <= 390, phone.run("document.documentElement.scrollWidth"))
    ok("contrast of 4.5 by night", not phone.run(CONTRAST), phone.run(CONTRAST))
    ok("fingers find their targets", phone.run("[...document.querySelectorAll('main button, .choices label, .stars label')].filter(e => e.checkVisibility()).every(e => e.getBoundingClientRect().height >= 40)"))
    phone.run("document.querySelectorAll('.variant')[1].querySelectorAll('.stars input')[2].click()")
    phone.wait(shown(1, ".said") + ".includes('已保存')")
    ok("the rating has the input", plain.rated[-1]["input"] == "写一条" and plain.rated[-1]["fields"] is None and plain.rated[-1]["variant"] == 1 and plain.rated[-1]["rating"] == 3)
    ok("no control without a name", not nameless(phone), nameless(phone))
    pictures = os.environ.get("FLOWRUN_PICTURES")
    if pictures:
        phone.picture(os.path.join(pictures, "phone-test.png"))
print(f"1..{n}")
sys.exit(bad > 0)
