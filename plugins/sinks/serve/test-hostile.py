#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sink.serve among people who mean it no good: each kind of bad input while a neighbour is being answered, who must not
notice; then everything at once (streams, clients that leave, adapters that come and go, canaries, shadows, ratings,
keys and logs that change, nonsense) until a SIGTERM in the middle of it.

Each kind, and where more is proved of it: nonsense in bodies, wrong types, unknown models, invalid UTF-8, prompts longer
than the context (test-serve.py: test_bad_bodies; test-ask; tests/fuzz: ask, serveadmin, feedback); 100 MB (test-http: huge-body); half-sent
requests (test-http: half-sent); slow readers (test-http: slow-reader); floods of headers and lines that are no request
(test-http: header-flood); 1 000 connections (test-serve.py: test_many, test-http: many-connections); clients that leave
(test-serve.py: test_leaves, test-http: leaves-waiting, leaves-stream); a model replaced or overwritten (test-operations.py:
test_files); a full disk (test-feedback: full, test-lines).

FLOWRUN_HOSTILE_SECONDS: how long everything at once goes on (6).  It is what to run under ThreadSanitizer and
AddressSanitizer, whose exit status makes it fail.  Needs nothing but Python's standard library.
"""
import collections
import contextlib
import importlib.util
import json
import os
import random
import resource
import shutil
import signal
import socket
import struct
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("operations", os.path.join(HERE, "test-operations.py"))
operations = importlib.util.module_from_spec(spec)
spec.loader.exec_module(operations)
serve = operations.serve
tell, equal, wait_until, TMP = serve.tell, serve.equal, serve.wait_until, serve.TMP
ADMIN, WEB, make_adapter, write_keys = operations.ADMIN, operations.WEB, operations.make_adapter, operations.write_keys

SECONDS = float(os.environ.get("FLOWRUN_HOSTILE_SECONDS", "6"))
QUESTION = "写一句关于茶杯的话"
READ = 3  # seconds that a request may take to come in


class Hosted(operations.Operated):
    def connect(self, receive=0):
        one = socket.socket()
        if receive:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        one.settimeout(60)
        one.connect(("127.0.0.1", self.port))
        return one

    def greedy(self, tokens=48):
        """What the model says to one question, computed anew."""
        status, _, body = self.chat_as("文案", text=QUESTION, tokens=tokens, ignore_eos=True,
                                       headers={**WEB, "Cache-Control": "no-cache"})
        return body["choices"][0]["message"]["content"] if status == 200 else (status, body)

    def streamed(self, tokens=48):
        """The same, as a stream."""
        with self.connect() as c:
            c.sendall(request("/v1/chat/completions", {
                "model": "文案", "messages": [{"role": "user", "content": QUESTION}], "max_tokens": tokens, "temperature": 0,
                "ignore_eos": True, "stream": True}, "Cache-Control: no-cache\r\nConnection: close\r\n"))
            data = read_all(c)
        lines = [line[6:] for line in data.decode().split("\n") if line.startswith("data: ")]
        if not lines or lines[-1] != "[DONE]":
            return data[-400:]
        return "".join(json.loads(line)["choices"][0]["delta"].get("content", "") for line in lines[:-1])

    def rejected(self, reason):
        return self.figure("flowrun_rejected_total") if reason is None else figure_of(self, "flowrun_rejected_total", reason)


def figure_of(s, name, label):
    """One cell of a figure with one label."""
    text = s.ask("GET", "/metrics", raw=True)[2].decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + "{") and f'"{label}"' in line)


def request(path, body, more=""):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer web-key\r\n{more}"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def read_all(c):
    data = b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while part := c.recv(65536):
            data += part
    return data


def send_all(c, data):
    """The other side may have had enough."""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        c.sendall(data)
        return True
    return False


def reset(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()


@contextlib.contextmanager
def unharmed(s, name):
    """While what is inside goes on, a neighbour streams an answer again and again; then another asks."""
    done, wrong, n = threading.Event(), [], [0]

    def neighbour():
        while True:
            text = s.streamed()
            n[0] += 1
            if text != s.reference:
                wrong.append(text)
            if done.is_set():
                return

    thread = threading.Thread(target=neighbour)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    tell(not wrong and n[0] > 0, f"{name}: {n[0]} streams beside it are what they are without", wrong[:2])
    equal(s.greedy(), s.reference, f"{name}: and so is the next answer")


# ---- one kind at a time ----------------------------------------------------------------------------

def test_bodies(s):
    """Nonsense in the body; test-serve.py has the whole list of what each is told."""
    good = {"messages": [{"role": "user", "content": "x"}]}
    cases = [(b"{", 400, "invalid_json"), (b'{"messages": "\xff\xfe"}', 400, "invalid_json"), (b"[" * 200000, 400, "invalid_json"),
             (b"\0" * 1000, 400, "invalid_json"), ({**good, "temperature": "hot"}, 400, "invalid_type"),
             ({**good, "model": "没有"}, 404, "model_not_found"),
             ({"messages": [{"role": "user", "content": "长" * 5000}]}, 400, "context_length_exceeded"),
             ({**good, "response_format": {"type": "json_object"}}, 400, "unsupported_value"),
             ({**good, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}}, 400, "unsupported_value"),
             ({**good, "tool_choice": "required"}, 400, "unsupported_value"), (b" " * (2 << 20) + b" ", 413, "body_too_large")]
    with unharmed(s, "bodies of nonsense"):
        for _ in range(5):
            for body, status, code in cases:
                found, _, answer = s.post("/v1/chat/completions", body, headers=WEB)
                if (found, answer["error"]["code"]) != (status, code):
                    tell(False, f"{str(body)[:50]}: {status} {code}", (found, answer))
    tell(True, f"bodies of nonsense: {len(cases)} kinds, each told what it is")


def test_huge(s):
    """100 MB, without asking first, from four at once; with a length and in chunks."""
    replies = []

    def send(chunked):
        block = b" " * (1 << 20)
        with s.connect() as c:
            head = "Transfer-Encoding: chunked\r\n" if chunked else f"Content-Length: {100 << 20}\r\n"
            c.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer web-key\r\n{head}\r\n".encode())
            for _ in range(100):
                if not send_all(c, b"100000\r\n" + block + b"\r\n" if chunked else block):
                    break
            else:
                send_all(c, b"0\r\n\r\n" if chunked else b"")
            c.shutdown(socket.SHUT_WR)
            replies.append(read_all(c).split(b" ", 2)[1:2])

    with unharmed(s, "100 MB"):
        threads = [threading.Thread(target=send, args=(i % 2 == 1,)) for i in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    equal(replies, [[b"413"]] * 4, "100 MB: 413, four times")


def test_half_sent(s):
    """Half a header, half a body, a byte now and then: 408 when their time is over, not before others are answered."""
    before = s.rejected("request_timeout")
    halves = [b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n", b"GET / HT", b"G",
              request("/v1/chat/completions", b'{"messages": [' + b" " * 100)[:-90], request("/generate", b"x" * 5000)[:-100]]
    with unharmed(s, "half-sent"):
        clients = [(half, s.connect()) for half in halves * 8]
        for half, c in clients:
            c.sendall(half)
        for _ in range(10):
            time.sleep(0.1)
            for half, c in clients[::2]:
                send_all(c, b"x")
        begun = time.monotonic()
        replies = collections.Counter(read_all(c).split(b" ", 2)[1:2] == [b"408"] for half, c in clients if len(half) > 10)
        waited = time.monotonic() - begun
        for _, c in clients:
            c.close()
    equal(replies, {True: 24}, "half-sent: 408")
    tell(waited < READ + 15, f"half-sent: within the time for it ({waited:.1f} s)")
    tell(s.rejected("request_timeout") >= before + 24, "half-sent: counted", (before, s.rejected("request_timeout")))


def test_slow_readers(s):
    """They ask for much and read none of it."""
    with unharmed(s, "slow readers"):
        clients = []
        for _ in range(3):
            c = s.connect(receive=4096)
            c.sendall(request("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}], "max_tokens": 1900, "n": 8,
                                                       "ignore_eos": True, "stream": True, "logprobs": True, "top_logprobs": 20,
                                                       "temperature": 1, "user": "慢" * 20}))
            clients.append(c)
        ended = wait_until(lambda: figure_of(s, "flowrun_errors_total", "slow_reader") >= 3, 120)
        for c in clients:
            c.close()
    tell(ended, "slow readers: ended, and counted by that name", s.ask("GET", "/metrics", raw=True)[2][:3000])


def test_headers(s):
    """Lines and headers that are too long, by a little and without an end."""
    def ask(data):
        with s.connect() as c:
            send_all(c, data)
            return read_all(c)

    start = b"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer web-key\r\nConnection: close\r\n"
    before = {reason: s.rejected(reason) for reason in ("headers_too_large", "target_too_long", "bad_request", "bad_version")}
    with unharmed(s, "floods of headers"):
        for data, status, code in ((start + b"X-Long: " + b"x" * 20000 + b"\r\n\r\n", b"431", "headers_too_large"),
                                   (start + b"".join(b"X-%d: %s\r\n" % (i, b"y" * 900) for i in range(20)) + b"\r\n", b"431",
                                    "headers_too_large"),
                                   (b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"414",
                                    "target_too_long")):
            answer = ask(data)
            head, _, body = answer.partition(b"\r\n\r\n")
            error = json.loads(body)["error"] if body.startswith(b"{") else {}
            tell((head.split(b" ", 2)[1], error.get("code")) == (status, code) and "16384" in error.get("message", ""),
                 f"{status.decode()}: in JSON, with the limit", answer[:1000])
        answer = ask(start + b"X-Long: " + b"x" * 15000 + b"\r\n\r\n")
        tell(answer.startswith(b"HTTP/1.1 200"), "what is within the limit is let in", answer[:300])
        for data, status in ((start + b"X-Long: " + b"x" * 100000 + b"\r\n\r\n", b"431"),
                             (start + b"".join(b"X-%d: y\r\n" % i for i in range(5000)) + b"\r\n", b"431"),
                             (b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414")):
            answer = ask(data)
            # A reset may take the answer along: there is more to read than anybody wants.
            tell(not answer or answer.split(b" ", 2)[1] == status, f"{status.decode()} far beyond, or the end of the connection",
                 answer[:300])
        with s.connect() as c:  # it never ends
            sent = 0
            c.sendall(start + b"X-Endless: ")
            while sent < 64 << 20 and send_all(c, b"x" * 65536):
                sent += 65536
        tell(sent < 64 << 20, f"an endless header is cut off (after {sent >> 10} KiB)")
    gained = {reason: s.rejected(reason) - n for reason, n in before.items()}
    tell(gained["headers_too_large"] >= 5 and gained["target_too_long"] >= 2, "floods of headers: all are counted", gained)


def test_lines(s):
    """What is no request, or two at once, or one that proxies may read another way (RFC 9112, section 11.2)."""
    body = b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": 1}'
    key = b"Authorization: Bearer web-key\r\n"
    post = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + key
    cases = [b"nonsense\r\n\r\n", b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / FTP/1.1\r\n\r\n", b"\x00" * 200,
             b"\xff\xfe\xfd\r\n\r\n", "获取 / HTTP/1.1\r\n\r\n".encode(), b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n",
             b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"GET http:// HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
             b"GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
             post + b"Content-Length: -1\r\n\r\n", post + b"Content-Length: 1e3\r\n\r\n", post + b"Content-Length: 99999999999999999999\r\n\r\n",
             post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", post + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n",
             post + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n",
             post + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"]
    with unharmed(s, "what is no request"):
        for case in cases:
            with s.connect() as c:
                send_all(c, case)
                c.shutdown(socket.SHUT_WR)
                answer = read_all(c)
            statuses = [line.split(b" ")[1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.")]
            tell(all(status[:1] == b"4" or status in (b"501", b"505") for status in statuses) and len(statuses) <= 2,
                 f"{case[:44]!r}: refused", answer[:500])
        with s.connect() as c:  # many on one connection, sent at once
            c.sendall((post + b"Content-Length: %d\r\n\r\n" % len(body) + body) * 30 +
                      b"GET /v1/models HTTP/1.1\r\nHost: x\r\n" + key + b"Connection: close\r\n\r\n")
            answer = read_all(c)
        equal(answer.count(b"HTTP/1.1 200"), 31, "31 requests sent at once: 31 answers, in order")


def test_connections(s):
    """1 000 that are open and say nothing, then 200 more than there may be."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 1500:
        print("# too few files may be open here: left out")
        return
    with unharmed(s, "1 000 connections"):
        clients = [s.connect() for _ in range(1000)]
        n = s.figure("flowrun_connections")
        for c in clients[::2]:
            c.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        good = sum(c.recv(4096).startswith(b"HTTP/1.1 200") for c in clients[::2])
        equal((n >= 1000, good), (True, 500), "1 000 connections: open, and answered")
    more = []
    for _ in range(200):
        with contextlib.suppress(OSError):
            more.append(s.connect())
    for c in clients + more:
        c.close()
    equal(s.greedy(), s.reference, "beyond the limit: when they have gone all is as before")


def test_leaves(s):
    """In the middle of a stream, of a whole answer, of the question; by an end and by a reset."""
    with unharmed(s, "clients that leave"):
        for i in range(40):
            c = s.connect()
            data = request("/v1/chat/completions", {"messages": [{"role": "user", "content": f"走{i}"}], "max_tokens": 1500, "ignore_eos": True,
                                                    "stream": i % 3 > 0, "temperature": 1})
            c.sendall(data if i % 5 else data[:-10])
            if i % 3 and i % 5:
                c.recv(200)
            if i % 2:
                reset(c)
            else:
                c.close()
    tell(wait_until(lambda: s.figure("flowrun_requests_running") + s.figure("flowrun_requests_waiting") == 0, 30),
         "clients that leave: nothing goes on for them")


def test_full_disk(s, feedback):
    """No room for ratings (a limit on the size of files stands for it): 507, no half line, and again when there is."""
    def rate(comment):
        return s.post("/feedback", {"rating": 4, "input": "问", "output": "答", "comment": comment}, headers=WEB)

    def grown():  # well above the other files of the server
        others = [one.path for one in os.scandir(TMP.name) if one.is_file() and one.path != feedback]
        return os.path.exists(feedback) and os.path.getsize(feedback) > 300000 + 2 * max(os.path.getsize(other) for other in others)

    while not grown():
        if rate("满" * 1300)[0] != 201:
            tell(False, "a rating is taken", rate("满"))
            break
    before = os.path.getsize(feedback)
    with unharmed(s, "a full disk"):
        limits = resource.prlimit(s.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(s.process.pid, resource.RLIMIT_FSIZE, (before + 20, limits[1]))
        refused = [rate(f"第{i}条") for i in range(10)]
        resource.prlimit(s.process.pid, resource.RLIMIT_FSIZE, limits)
    equal({(status, body["error"]["code"]) for status, _, body in refused}, {(507, "disk_full")}, "a full disk: 507")
    equal(os.path.getsize(feedback), before, "a full disk: no half line")
    equal(rate("又有地方了")[0], 201, "a full disk: and again when there is room")
    with open(feedback, encoding="utf-8") as file:
        tell(all(json.loads(line)["rating"] == 4 for line in file), "a full disk: every line is whole")


def test_replaced(s, model):
    """The model's directory is moved away, another stands in its place, then none."""
    with unharmed(s, "a model's directory replaced"):
        os.rename(model, model + ".old")
        shutil.copytree(model + ".old", model)
        with open(os.path.join(model, "model.safetensors"), "r+b") as file:
            file.seek(4096)
            file.write(bytes(4096))
        s.wait("is another file now", 30)
        shutil.rmtree(model)
        shutil.rmtree(model + ".old")
        time.sleep(1.2)
    status, body = s.load("换", make_adapter("replaced", 5))
    equal(status, 200, "a model's directory gone: adapters load over what is in memory")
    shutil.rmtree(os.path.join(TMP.name, "replaced"))
    equal(s.revision("换"), "换@1", "an adapter's directory gone: it answers")
    s.admin("DELETE", "/adapters/%E6%8D%A2")


# ---- everything at once ----------------------------------------------------------------------------

class Crowd:
    """Workers, each a function called again and again until the end; what they saw."""

    def __init__(self, s, feedback, keys, log):
        self.s, self.feedback, self.keys, self.log = s, feedback, keys, log
        self.stop, self.ending = threading.Event(), threading.Event()
        self.lock = threading.Lock()
        self.seen, self.wrong, self.ids, self.rated = collections.Counter(), [], collections.deque(maxlen=50), 0
        self.adapters = [make_adapter(f"crowd-{i}", 500 + i) for i in range(6)]
        self.turn = 0

    def note(self, kind, status, good, detail=""):
        with self.lock:
            self.seen[f"{kind} {status}"] += 1
            if not (status in good or self.ending.is_set() and status in (503, 0)) and len(self.wrong) < 20:
                self.wrong.append((kind, status, detail))

    def run(self, work, pause):
        numbers = random.Random(str(work) + str(time.time()))
        while not self.stop.is_set():
            try:
                work(numbers)
            except OSError as error:  # the server may go while they are at it
                if not self.ending.is_set():
                    with self.lock:
                        self.wrong.append((work.__name__, repr(error)))
                if self.s.process.poll() is not None:
                    return
            self.stop.wait(numbers.uniform(0, 2 * pause))

    # The kinds of them.

    def whole(self, numbers):
        """Often the same question, so that some come out of the cache and some wait for one another."""
        model = numbers.choice(["文案", "鞋", "影", None])
        status, headers, body = self.s.chat_as(model, f"u{numbers.randrange(9)}", f"问{numbers.randrange(6)}", tokens=numbers.choice([1, 6, 30]),
                                               n=numbers.choice([1, 1, 3]), logprobs=numbers.random() < 0.3)
        self.note("whole", status, (200, 404, 429), body)
        if status == 200:
            self.ids.append(body["id"])
            self.note("cache " + headers["X-Flowrun-Cache"], "", ("",))

    def stream(self, numbers):
        chat = numbers.random() < 0.7
        with self.s.connect() as c:
            c.sendall(request("/v1/chat/completions" if chat else "/generate", {
                "messages": [{"role": "user", "content": f"流{numbers.random()}"}], "max_tokens": numbers.randrange(1, 300), "stream": True,
                "temperature": numbers.choice([0, 1]), "user": f"u{numbers.randrange(9)}", "model": numbers.choice(["文案", "鞋"])}
                if chat else {"fields": {"name": f"流{numbers.randrange(4)}"}, "max_tokens": 40, "stream": True, "temperature": 0},
                "Connection: close\r\n"))
            data = read_all(c)
        status = int(data.split(b" ", 2)[1]) if data.startswith(b"HTTP") else 0
        self.note("stream", status, (200, 404, 429), data[-300:])

    def leaver(self, numbers):
        with self.s.connect() as c:
            c.sendall(request("/v1/chat/completions", {"messages": [{"role": "user", "content": f"走{numbers.randrange(5)}"}], "max_tokens": 400,
                                                       "ignore_eos": True, "stream": numbers.random() < 0.6, "temperature": 0}))
            if numbers.random() < 0.7:
                c.settimeout(numbers.uniform(0.001, 0.1))
                with contextlib.suppress(TimeoutError):
                    c.recv(100)
            if numbers.random() < 0.5:
                reset(c)
        self.note("left", "", ("",))

    def neighbour(self, _):
        text = self.s.streamed()
        good = text == self.s.reference
        self.note("neighbour", "as ever" if good else 0 if self.ending.is_set() else "other", ("as ever",), text)

    def operator(self, numbers):
        self.turn += 1
        what = self.turn % 7
        if what in (0, 1, 2, 3):
            status, body = self.s.load("鞋", numbers.choice(self.adapters), percent=numbers.choice([5, 50, 100]))
        elif what == 4:
            status, body = self.s.admin("POST", "/rollback", {"name": "鞋"})
        elif what == 5:
            status, body = self.s.admin("POST", "/cache/clear")
        else:
            names = [r["revision"] for r in self.s.admin("GET", "/models")[1].get("revisions", [])]
            old = [n for n in names if n.startswith("鞋@")]
            status, body = self.s.admin("DELETE", "/adapters/" + "".join(f"%{b:02X}" for b in numbers.choice(old or ["鞋@1"]).encode()))
        self.note(f"operator {what}", status, (200, 400, 404, 409), body)

    def rater(self, numbers):
        answer = self.ids[numbers.randrange(len(self.ids))] if self.ids and numbers.random() < 0.8 else None
        body = {"answer": answer, "rating": numbers.randrange(1, 6)} if answer else {"rating": 3, "input": "问", "output": "答"}
        status, _, reply = self.s.post("/feedback", body, headers=WEB)
        self.note("rating", status, (201, 400), reply)
        if status == 201:
            with self.lock:
                self.rated += 1

    def keeper(self, numbers):
        """Keys and logs change while they are in use."""
        more = [(f"key-{i}", f"client{i} rpm=5") for i in range(numbers.randrange(4))]
        write_keys(self.keys, [("管理", "运营 admin"), ("web-key", "web")] + more)
        if os.path.exists(self.log) and numbers.random() < 0.5:
            os.rename(self.log, f"{self.log}.{time.monotonic_ns()}")
        status, _, body = self.s.chat_as(None, headers={"Authorization": "Bearer key-1"}, text="钥匙", tokens=1)
        self.note("other key", status, (200, 401, 429), body)

    def scraper(self, numbers):
        path = numbers.choice(["/metrics", "/metrics", "/openapi.json", "/v1/models", "/", "/healthz", "/readyz", "/format", "/v2"])
        status, _, _ = self.s.ask("GET", path, headers=WEB, raw=True)
        self.note("GET " + path, status, (200, 404))

    def vandal(self, numbers):
        data = numbers.choice([numbers.randbytes(numbers.randrange(1, 4000)), b"GET / HTTP/1.1\r\nHost: x\r\n", b"x" * 40000,
                               request("/v1/chat/completions", b'{"messages": [' + numbers.randbytes(200)),
                               request("/v1/chat/completions", b"x" * 300)[:-50], request("/feedback", numbers.randbytes(3000))])
        with self.s.connect() as c:
            send_all(c, data)
            c.settimeout(numbers.uniform(0.001, 0.2))
            with contextlib.suppress(TimeoutError, ConnectionError):
                c.recv(1000)
        self.note("vandal", "", ("",))

    def go(self, seconds):
        workers = [(self.whole, 0.001, 3), (self.stream, 0.001, 3), (self.leaver, 0.01, 2), (self.neighbour, 0.01, 1), (self.operator, 0.05, 1),
                   (self.rater, 0.01, 2), (self.keeper, 0.5, 1), (self.scraper, 0.02, 2), (self.vandal, 0.02, 2)]
        threads = [threading.Thread(target=self.run, args=(work, pause)) for work, pause, n in workers for _ in range(n)]
        for t in threads:
            t.start()
        time.sleep(seconds)
        self.ending.set()
        self.s.process.send_signal(signal.SIGTERM)  # in the middle of it
        try:
            return self.s.wait_end(120)
        finally:
            self.stop.set()
            for t in threads:
                t.join()


def test_crowd(s, feedback, keys, log):
    s.load("鞋", make_adapter("shoe", 41))
    s.load("影", make_adapter("light", 42))
    s.load("暗", make_adapter("dark", 43))
    s.admin("POST", "/routes", {"name": "影", "targets": {"影@1": 1}, "shadow": "暗"})
    before = len(open(feedback, encoding="utf-8").readlines())
    crowd = Crowd(s, feedback, keys, log)
    status = crowd.go(SECONDS)
    print("#", ", ".join(f"{kind}: {n}" for kind, n in sorted(crowd.seen.items())))
    equal(status, 0, "everything at once, and SIGTERM in the middle: a good end")
    equal(crowd.wrong, [], "everything at once: nobody got what they should not")
    for kind in ("whole 200", "stream 200", "neighbour as ever", "cache hit ", "rating 201", "operator 0 200", "left "):
        if crowd.seen[kind] == 0:
            tell(False, f"everything at once: there was {kind}", crowd.seen)
    with open(feedback, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    tell(crowd.rated <= len(lines) - before <= crowd.rated + 2, "everything at once: what was acknowledged is on the disk",
         (crowd.rated, len(lines) - before))  # one on its way when the server went may be there without a word
    n = 0
    for name in os.listdir(TMP.name):
        if name.startswith(os.path.basename(log)):
            with open(os.path.join(TMP.name, name), encoding="utf-8") as file:
                for line in file:
                    json.loads(line)
                    n += 1
    tell(n > 50, f"everything at once: {n} whole lines in the access logs", n)


def holdings(s):
    """Threads and open files of the server."""
    folder, files = f"/proc/{s.process.pid}/", []
    for one in os.listdir(folder + "fd"):
        with contextlib.suppress(OSError):
            files.append(os.readlink(folder + "fd/" + one))
    return len(os.listdir(folder + "task")), sorted(files)


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))  # the server's too, which is started from here
    model = serve.make_model("model", "chatml", "2048")
    keys, log, feedback, shadow = (os.path.join(TMP.name, n) for n in ("keys", "access.jsonl", "feedback.jsonl", "shadow.jsonl"))
    write_keys(keys, [("管理", "运营 admin"), ("web-key", "web")])
    s = Hosted(model, name="文案", keys=keys, access_log=log, shadow_log=shadow, feedback=feedback, feedback_sync=False, max_adapters=64,
               read_timeout=f"{READ}s", idle_timeout="10s", stream_buffer="64KiB", waiting=64, format={"input": "写：{name}"}).ready()
    s.reference = s.greedy()
    tell(isinstance(s.reference, str) and s.streamed() == s.reference, "one answer, whole and as a stream", s.reference)
    test_bodies(s)
    s.post("/feedback", {"rating": 4, "input": "问", "output": "答"}, headers=WEB)  # what opens its file when it is needed has
    s.load("先", make_adapter("first", 3))
    wait_until(lambda: os.path.exists(log) and os.path.exists(feedback))
    before = holdings(s)
    for test, *more in ((test_huge,), (test_half_sent,), (test_slow_readers,), (test_headers,), (test_lines,), (test_leaves,),
                        (test_connections,), (test_full_disk, feedback), (test_replaced, model)):
        begun = time.monotonic()
        test(s, *more)
        print(f"# {test.__name__}: {time.monotonic() - begun:.1f} s, then {len(holdings(s)[1])} files", flush=True)
    as_before = wait_until(lambda: all(len(now) <= len(then) for now, then in zip(holdings(s)[1:], before[1:]))
                           and holdings(s)[0] <= before[0], 30)
    tell(as_before, f"threads ({before[0]}) and open files ({len(before[1])}) are as before", (before, holdings(s)))
    test_crowd(s, feedback, keys, log)
    print(f"1..{serve.count}")


if __name__ == "__main__":
    main()
