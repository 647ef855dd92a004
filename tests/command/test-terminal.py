#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-terminal.py: what is seen on a terminal: tables, colour, the live display.

Runs the command on a pseudo-terminal and plays its output into a small screen
of rows and columns (CSI A, J, K, m and ?25 are all that flowrun uses), so that
what a person would see is what is tested.
"""
import fcntl, os, pty, re, select, signal, struct, sys, tempfile, termios, time, unicodedata

FLOWRUN = os.environ["FLOWRUN"]
n = 0


def ok(good, name, detail=""):
    global n
    n += 1
    print(f"{'ok' if good else 'not ok'} {n} - {name}")
    if not good:
        for line in str(detail).split("\n")[:40]:
            print("# " + line)


def width(text):
    total = 0
    for c in text:
        if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me", "Cf"):
            continue
        total += 2 if unicodedata.east_asian_width(c) in "WF" else 1
    return total


class Screen:
    def __init__(self):
        self.lines, self.row = [""], 0
        self.widest, self.unknown = 0, []

    def feed(self, text):
        for token in re.findall(r"\x1b\[[?0-9;]*[A-Za-z]|[^\x1b]", text):
            if token == "\n":
                self.row += 1
                if self.row == len(self.lines):
                    self.lines.append("")
                self.col = 0
            elif token == "\r":
                self.col = 0
            elif token.startswith("\x1b"):
                self.escape(token)
            else:
                self.put(token)

    col = 0

    def put(self, c):
        line = self.lines[self.row]
        self.lines[self.row] = line[: self.col].ljust(self.col) + c + line[self.col + 1 :]
        self.col += 1
        self.widest = max(self.widest, width(self.lines[self.row][: self.col]))

    def escape(self, token):
        kind, args = token[-1], token[2:-1]
        if kind == "A":
            self.row = max(0, self.row - int(args or 1))
        elif kind == "K":
            self.lines[self.row] = self.lines[self.row][: self.col]
        elif kind == "J":
            self.lines[self.row] = self.lines[self.row][: self.col]
            del self.lines[self.row + 1 :]
        elif kind not in "mhl":
            self.unknown.append(token)

    def text(self):
        return "\n".join(self.lines)


def run(args, columns=100, rows=30, env=None, watch=None, both=True):
    """Runs flowrun on a terminal; returns status, raw text, screen, and the screens seen on the way."""
    pid, fd = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # what runs the tests may ignore it
        os.environ.update({"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"})
        os.environ.pop("NO_COLOR", None)
        os.environ.update(env or {})
        if not both:  # standard output is a file, standard error the terminal
            out = os.open("stdout", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            os.dup2(out, 1)
        os.execv(FLOWRUN, [FLOWRUN] + args)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    raw, screen, seen = b"", Screen(), []
    deadline = time.time() + 60
    while time.time() < deadline:
        try:
            ready, _, _ = select.select([fd], [], [], 0.5)
            if not ready:
                continue
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        raw += data
        if raw.count(b"\n") and b"stage" in data:
            frame = Screen()
            frame.feed(raw.decode("utf-8", "replace").replace("\r\n", "\n"))
            seen.append(frame)
        if watch:
            watch(pid, fd, raw)
    _, status = os.waitpid(pid, 0)
    text = raw.decode("utf-8", "replace").replace("\r\n", "\n")
    screen.feed(text)
    return os.waitstatus_to_exitcode(status), text, screen, seen


def write(name, text):
    with open(name, "w") as f:
        f.write(text)


tmp = tempfile.TemporaryDirectory()
os.chdir(tmp.name)
write("goods.csv", 'id,名称,content\n1,蓝色茶杯,"a cup\nof tea, with a long description that does not fit anywhere at all"\n'
      "2,锅,\n3,e\u0301clair,\x01\ttab\n")
write("shop.json", '{"name": "shop", "stages": {'
      '"goods": {"use": "source.csv", "with": {"path": "goods.csv"}},'
      '"write": {"use": "sink.jsonl", "from": "goods", "with": {"path": "out.jsonl"}}}}')

# Tables.
for columns in (100, 60, 30):
    status, text, screen, _ = run(["head", "shop.json", "goods"], columns)
    ok(status == 0 and "蓝色茶杯" in screen.text(), f"head shows a table of {columns} columns", text)
    ok(screen.widest <= columns, f"no line is wider than {columns}", screen.text())
status, text, screen, _ = run(["head", "shop.json", "goods"])
lines = screen.text().split("\n")
ok("⏎" in lines[1] and len([l for l in lines if l]) == 4, "a line break in a cell is shown, not made", screen.text())
ok("…" in run(["head", "shop.json", "goods"], 60)[2].text(), "what does not fit is cut with an ellipsis")
ok("\x1b[2mnull" in text, "null is dim", repr(text))
ok("␁→tab" in screen.text(), "control characters are visible", screen.text())
starts = {width(l[: l.index(w)]) for l, w in zip(lines, ("content", "a cup", "null", "␁"))}
ok(len(starts) == 1, "columns line up beside wide and combining characters", (starts, screen.text()))
ok("\x1b" not in run(["head", "shop.json", "goods"], env={"NO_COLOR": "1"})[1], "NO_COLOR is honoured")
_, text, screen, _ = run(["head", "shop.json", "goods"], 60, env={"LC_ALL": "C"})
ok("\\n" in text and ".." in text and "⏎" not in text, "ASCII where the locale is not UTF-8", text)
status, text, screen, _ = run(["head", "shop.json", "goods", "--json"])
ok(text.startswith('{"id":1'), "--json gives JSON Lines on a terminal, too", text)

# Text of which parts are learned.
plugins = os.environ.get("FLOWRUN_PLUGIN_PATH", "")
models = {"FLOWRUN_PLUGIN_PATH": os.path.join(os.environ["top_builddir"], "tests/command/.libs") + ":" + plugins}
write("model.json", '{"name": "model", "stages": {'
      '"goods": {"use": "source.csv", "with": {"path": "goods.csv"}},'
      '"train": {"use": "trainer.counting", "from": "goods", "with": {"delay": 1500}}}}')
status, text, screen, _ = run(["head", "model.json", "train.tokens", "-n", "2"], env=models)
ok(status == 0 and "\nquestion\n\x1b[32manswer" in text, "what is learned is green", repr(text))
ok(text.count("question") == 2 and "\x1b]" not in text and "answer\x1b[0m\n" not in text,
   "and nothing in it reaches the terminal", repr(text))
_, text, screen, _ = run(["head", "model.json", "train.tokens"], env=dict(models, NO_COLOR="1"))
ok("question\n⟦answer" in text and "⟧\n" in text and "\x1b" not in text, "or in brackets", repr(text))
_, text, screen, _ = run(["head", "model.json", "train.tokens"], env=dict(models, NO_COLOR="1", LC_ALL="C"))
ok("[[answer" in text and "]]" in text, "in ASCII, too", repr(text))
status, text, screen, seen = run(["run", "model.json"], env=models)
ok(status == 0 and any("loss 2.31, 412 tok/s" in s.text() for s in seen), "what a trainer says of itself is shown live",
   "\n".join(s.text() for s in seen[-2:]))

# A display would wipe results away that go to the same terminal.
write("out.json", '{"name": "out", "stages": {'
      '"goods": {"use": "source.csv", "with": {"path": "goods.csv"}},'
      '"write": {"use": "sink.jsonl", "from": "goods", "with": {"path": "-"}}}}')
status, text, screen, _ = run(["run", "out.json", "--fresh"])
ok(status == 0 and screen.text().count('{"id":') == 3 and "\x1b" not in text, "results on the terminal stay", repr(text))

# Problems in colour.
write("bad.json", '{"name": "bad", "stages": {"goods": {"use": "source.csvv"}}}')
status, text, screen, _ = run(["check", "bad.json"])
ok(status == 2 and "\x1b[31merror:" in text, "problems are coloured", repr(text))
ok("bad.json:1:" in screen.text(), "and keep their form", screen.text())

# The live display.
with open("part.csv", "w") as f:
    f.write("id,text\n")
    for i in range(200000):
        f.write(f"{i},行 {i} some text to have something to write and to compress a little\n")
for i in range(12):
    os.link("part.csv", f"part-{i}.csv")
write("live.json", '{"name": "live", "stages": {'
      '"源头": {"use": "source.csv", "with": {"path": "part-*.csv"}},'
      '"a_stage_with_a_rather_long_name": {"use": "transform.select", "from": "源头", "with": {"columns": ["text", "id"]}},'
      '"write": {"use": "sink.jsonl", "from": "a_stage_with_a_rather_long_name", "with": {"path": "out.jsonl"}}}}')
for columns in (100, 60, 40):
    status, text, screen, seen = run(["run", "live.json", "--fresh"], columns)
    ok(status == 0, f"a run shown in {columns} columns", screen.text())
    # The summary's title stands at the margin, that of the display does not.
    frames = [s for s in seen if "源头" in s.text() and not re.search("^stage", s.text(), re.M)]
    live = [s.text() for s in frames]
    ok(len(live) > 0, f"the display of {columns} columns was seen", text[:500])
    ok(max(s.widest for s in frames) < columns, f"no line of it is as wide as {columns}", live[-1])
    ok(max(s.count("源头") for s in live) == 1, "it is redrawn in place", live[-1] if live else "")
    ok(not screen.unknown, "nothing else is sent to the terminal", screen.unknown)
    final = screen.text()
    ok(final.count("源头") == 1 and "done in" in final and "wrote " in final, "the summary takes its place", final)
    ok(text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l"), "the cursor is shown again")
ok(any(re.search(r"\d+ %", s.text()) for s in seen), "how far it is can be read", seen[-1].text())

status, text, screen, _ = run(["run", "live.json", "--fresh"], 80, rows=5)
ok(status == 0, "a very low window", screen.text())
status, text, screen, _ = run(["run", "live.json", "--fresh"], env={"TERM": "dumb"})
ok(status == 0 and "\x1b" not in text and "源头: done" in text, "plain lines on a dumb terminal", text)
write("stdout.json", open("live.json").read().replace("out.jsonl", "-"))
status, text, screen, _ = run(["run", "stdout.json", "--fresh"], both=False)
ok(status == 0 and b"\x1b" not in open("stdout", "rb").read(1000000), "rows on standard output stay clean beside the display")

# Interrupts from the keyboard.
sent = []


def interrupt(pid, fd, raw):
    if not sent and b"rows/s" in raw:
        sent.append(time.time())
        os.write(fd, b"\x03")


# A program that takes its time: the run cannot end before the key is pressed.
write("slow.json", '{"name": "slow", "stages": {'
      '"源头": {"use": "source.csv", "with": {"path": "part-0.csv"}},'
      '"slow": {"use": "transform.command", "from": "源头", "with": {'
      '"command": ["sh", "-c", "while read -r line; do sleep 0.01; echo \\"$line\\"; done"], "columns": {"id": "int64", "text": "utf8"}}},'
      '"write": {"use": "sink.jsonl", "from": "slow", "with": {"path": "out.jsonl"}}}}')
status, text, screen, _ = run(["run", "slow.json", "--fresh"], watch=interrupt)
took = time.time() - sent[0] if sent else 99
ok(status == 130, f"^C ends it with 130 (got {status})", screen.text())
ok(took < 3, f"soon ({took:.2f} s)")
ok("interrupted" in screen.text(), "and it is said", screen.text())
ok(text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l"), "the cursor is shown again")

print(f"1..{n}")
