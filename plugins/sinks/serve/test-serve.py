#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sink.serve as its clients see it, on a small random model: protocols, limits, bad input, the end.

Needs nothing but Python's standard library.  What its answers say has no sense; test-serve in
tests/conformance looks at a real model through OpenAI's own client.
"""
import atexit
import concurrent.futures
import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.environ["top_builddir"]
FLOWRUN = os.environ["FLOWRUN"]
TMP = tempfile.TemporaryDirectory(prefix="flowrun-serve-")
count = 0


def tell(good, name, detail=""):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    if not good:
        print("# " + str(detail)[:2000].replace("\n", "\n# "), flush=True)


def equal(found, expected, name):
    tell(found == expected, name, f"expected {expected!r}, found {found!r}")


def make_model(name, *words):
    path = os.path.join(TMP.name, name)
    subprocess.run([f"{BUILD}/plugins/sinks/serve/make-model", path, *words], check=True)
    return path


class Server:
    """flowrun serve with parameters of its own."""

    def __init__(self, model, **params):
        self.dir = tempfile.mkdtemp(dir=TMP.name)
        pipeline = {
            "name": "serve",
            "run": {"record": False},
            "stages": {
                "model": {"use": "source.model", "with": {"path": model}},
                "serve": {"use": "sink.serve", "from": {"model": "model"},
                          "with": {"port": 0, "type": "f32", "backend": "reference", **params}},
            },
        }
        path = os.path.join(self.dir, "serve.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(pipeline, file)
        self.log = os.path.join(self.dir, "log")
        self.process = subprocess.Popen([FLOWRUN, path, "--progress", "plain"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=open(self.log, "wb"))
        atexit.register(self.process.kill)  # a test that breaks off leaves none behind
        self.port = int(self.wait(r"listening on https?://[^ ]*:(\d+)"))

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait(self, pattern, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = re.search(pattern, self.text())
            if found:
                return found.group(1) if found.groups() else found.group(0)
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"no line like {pattern} in: {self.text()}")

    def ready(self):
        self.wait("answers on")
        return self

    def ask(self, method, path, body=None, headers=None, raw=False, timeout=60):
        """Status, headers, JSON (or text)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body, ensure_ascii=False).encode()
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if raw or not data.startswith((b"{", b"[")) or "event-stream" in answer.getheader("Content-Type", ""):
            return answer.status, answer.headers, data
        return answer.status, answer.headers, json.loads(data)

    def post(self, path, body, **more):
        return self.ask("POST", path, body, **more)

    def chat(self, text="你好", **more):
        return self.post("/v1/chat/completions", {"messages": [{"role": "user", "content": text}], **more})

    def events(self, path, body):
        status, headers, data = self.post(path, {**body, "stream": True}, raw=True)
        lines = [line[5:].strip() for line in data.decode().split("\n") if line.startswith("data:")]
        return status, headers, lines

    def figure(self, name):
        _, _, data = self.ask("GET", "/metrics", raw=True)
        return sum(float(m) for m in re.findall(rf"^{name}(?:\{{[^}}]*\}})? ([0-9.e+-]+)$", data.decode(), re.M))

    def stop(self, number=signal.SIGTERM, seconds=60):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait_end(seconds)

    def wait_end(self, seconds=60):
        """Its exit status; what it said, where that is none of a good end: sanitizers tell of themselves so."""
        status = self.process.wait(seconds)
        if status not in (0, 130):
            print("# " + self.text()[-100000:].replace("\n", "\n# "), flush=True)
        return status


# ---- protocols -----------------------------------------------------------------------------------

def test_chat(s):
    status, headers, body = s.chat(max_tokens=8, temperature=0)
    equal(status, 200, "chat: 200")
    equal(headers["Content-Type"], "application/json", "chat: JSON")
    equal(body["object"], "chat.completion", "chat: its object")
    equal(body["usage"]["completion_tokens"], 8, "chat: usage counts its tokens")
    equal(body["choices"][0]["finish_reason"], "length", "chat: cut by max_tokens")
    equal(headers["X-Flowrun-Cache"], "miss", "chat: greedy, so the cache was looked at")
    whole = body["choices"][0]["message"]["content"]
    status, headers, again = s.chat(max_tokens=8, temperature=0)
    equal((headers["X-Flowrun-Cache"], again), ("hit", body), "chat: the very same again")
    status, headers, _ = s.post("/v1/chat/completions",
                                {"messages": [{"role": "user", "content": "你好"}], "max_tokens": 8, "temperature": 0},
                                headers={"Cache-Control": "no-cache"})
    equal(headers["X-Flowrun-Cache"], "bypass", "chat: a fresh one when asked for")
    status, headers, lines = s.events("/v1/chat/completions", {
        "messages": [{"role": "user", "content": "你好"}], "max_tokens": 8, "temperature": 0,
        "stream_options": {"include_usage": True}})
    equal(headers["Content-Type"], "text/event-stream", "chat: a stream's type")
    equal(lines[-1], "[DONE]", "chat: a stream ends")
    chunks = [json.loads(line) for line in lines[:-1]]
    equal(chunks[0]["choices"][0]["delta"], {"role": "assistant", "content": ""}, "chat: the first delta")
    text = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
    equal(text, whole, "chat: the stream says what the whole answer says (out of the cache)")
    equal(chunks[-1]["usage"]["total_tokens"], body["usage"]["total_tokens"], "chat: the last chunk has usage")
    equal({c["id"] for c in chunks} == {chunks[0]["id"]}, True, "chat: one id")


def test_stream_equals_whole(s):
    for seed in range(3):
        ask = {"messages": [{"role": "user", "content": "一二三"}], "max_tokens": 40, "temperature": 1, "seed": seed}
        _, _, lines = s.events("/v1/chat/completions", ask)
        text = "".join(json.loads(line)["choices"][0]["delta"].get("content", "") for line in lines[:-1])
        _, _, body = s.post("/v1/chat/completions", ask, headers={"Cache-Control": "no-cache"})
        equal(text, body["choices"][0]["message"]["content"], f"stream and whole answer agree, seed {seed}")


def test_settings(s):
    ask = dict(max_tokens=12, temperature=1, seed=7)
    one = s.chat(**ask)[2]["choices"][0]["message"]["content"]
    many = s.chat(**ask, n=3)[2]["choices"]
    equal([c["index"] for c in many], [0, 1, 2], "n: three choices")
    equal(many[0]["message"]["content"], one, "n: the first is that of n = 1")
    tell(many[1]["message"]["content"] != one, "n: the others are drawn anew", many)
    body = s.chat(max_tokens=5, temperature=0, logprobs=True, top_logprobs=3)[2]
    content = body["choices"][0]["logprobs"]["content"]
    equal(len(content), 5, "logprobs: one a token")
    equal(len(content[0]["top_logprobs"]), 3, "logprobs: three alternatives")
    tell(content[0]["logprob"] == content[0]["top_logprobs"][0]["logprob"] <= 0, "logprobs: greedy takes the likeliest",
         content[0])
    text = s.chat(max_tokens=30, temperature=0)[2]["choices"][0]["message"]["content"]
    stop = text[4:6]
    cut = s.chat(max_tokens=30, temperature=0, stop=stop)[2]["choices"][0]
    equal((cut["message"]["content"], cut["finish_reason"]), (text[:text.index(stop)], "stop"), "stop: ends before the text")
    first = s.chat(max_tokens=1, temperature=0, logprobs=True)[2]["choices"][0]["logprobs"]["content"][0]["bytes"][0]
    biased = s.chat(max_tokens=1, temperature=0, logprobs=True, logit_bias={str(first): -100})
    tell(biased[2]["choices"][0]["logprobs"]["content"][0]["bytes"][0] != first, "logit_bias: forbids a token", biased[2])


def test_completions(s):
    status, _, body = s.post("/v1/completions", {"prompt": ["ab", [97, 98]], "max_tokens": 4, "temperature": 0})
    equal(status, 200, "completions: a list of text and ids")
    equal(body["choices"][0]["text"], body["choices"][1]["text"], "completions: the same prompt both ways")
    equal(body["usage"]["prompt_tokens"], 4, "completions: both prompts count")
    body = s.post("/v1/completions", {"prompt": "ab", "max_tokens": 4, "temperature": 0, "echo": True})[2]
    tell(body["choices"][0]["text"].startswith("ab"), "completions: echo", body)
    body = s.post("/v1/completions", {"prompt": "ab", "max_tokens": 4, "temperature": 0, "logprobs": 2})[2]
    equal({k: len(v) for k, v in body["choices"][0]["logprobs"].items()},
          {"tokens": 4, "token_logprobs": 4, "top_logprobs": 4, "text_offset": 4}, "completions: logprobs")


def test_models(s):
    status, _, body = s.ask("GET", "/v1/models")
    name = body["data"][0]["id"]
    equal(s.ask("GET", f"/v1/models/{name}")[2]["id"], name, "models: one of them")
    equal(s.ask("GET", "/v1/models/none")[0], 404, "models: none such")


def test_platforms(s):
    question = "写一句"
    wanted = s.chat(question, max_tokens=6, temperature=0)[2]["choices"][0]["message"]["content"]
    equal(s.ask("GET", "/ping")[0], 200, "SageMaker: ping")
    for path in ("/invocations", "/score"):
        body = s.post(path, {"inputs": question, "parameters": {"max_new_tokens": 6, "do_sample": False}})[2]
        equal(body, [{"generated_text": wanted}], f"{path}: inputs and parameters")
        body = s.post(path, {"messages": [{"role": "user", "content": question}], "max_tokens": 6, "temperature": 0})[2]
        equal(body["choices"][0]["message"]["content"], wanted, f"{path}: chat")
        equal(s.post(path, {"prompt": "x", "max_tokens": 1})[2]["object"], "text_completion", f"{path}: completion")
        body = s.post(path, {"input": question, "max_tokens": 6, "temperature": 0})[2]
        equal(body["output"], wanted, f"{path}: generate")
    _, _, lines = s.events("/invocations", {"inputs": question, "parameters": {"max_new_tokens": 6, "temperature": 0}})
    last = json.loads(lines[-1])
    equal((last["generated_text"], last["details"]["finish_reason"]), (wanted, "length"), "/invocations: a stream")
    name = s.ask("GET", "/v1/models")[2]["data"][0]["id"]
    equal(s.ask("GET", "/v2")[2]["name"], "flowrun", "OIP: the server")
    equal(s.ask("GET", "/v2/health/live")[2], {"live": True}, "OIP: live")
    equal(s.ask("GET", "/v2/health/ready")[2], {"ready": True}, "OIP: ready")
    equal(s.ask("GET", f"/v2/models/{name}/versions/1/ready")[2], {"name": name, "ready": True}, "OIP: a model is ready")
    equal(s.ask("GET", f"/v2/models/{name}")[2]["inputs"][0]["datatype"], "BYTES", "OIP: metadata")
    infer = {"id": "42", "inputs": [{"name": "text_input", "shape": [2], "datatype": "BYTES", "data": [question, "b"]}],
             "parameters": {"max_tokens": 6, "temperature": 0}}
    status, _, body = s.post(f"/v2/models/{name}/infer", infer)
    equal((status, body["id"], body["outputs"][0]["data"][0], body["outputs"][0]["shape"]), (200, "42", wanted, [2]),
          "OIP: infer")
    infer["inputs"][0]["datatype"] = "FP32"
    status, _, body = s.post(f"/v2/models/{name}/infer", infer)
    tell(status == 400 and isinstance(body["error"], str), "OIP: its own shape of errors", body)
    body = s.post(f"/v2/models/{name}/generate", {"text_input": question, "parameters": {"max_tokens": 6, "temperature": 0}})[2]
    equal(body["text_output"], wanted, "Triton: generate")
    _, _, lines = s.events(f"/v2/models/{name}/generate_stream",
                           {"text_input": question, "parameters": {"max_tokens": 6, "temperature": 0}}) \
        if False else s.ask("POST", f"/v2/models/{name}/generate_stream",
                            {"text_input": question, "parameters": {"max_tokens": 6, "temperature": 0}}, raw=True)
    text = "".join(json.loads(line[6:])["text_output"] for line in lines.decode().split("\n") if line.startswith("data: "))
    equal(text, wanted, "Triton: generate_stream")
    equal(s.ask("GET", "/v2/models/none")[0], 404, "OIP: an unknown model")


def test_site(s):
    equal(s.ask("GET", "/healthz")[:1] + s.ask("GET", "/readyz")[:1] + s.ask("GET", "/health")[:1], (200, 200, 200), "health")
    status, headers, data = s.ask("GET", "/", raw=True)
    tell(status == 200 and data.startswith(b"<!") and "Content-Security-Policy" in headers, "the page", headers)
    document = s.ask("GET", "/openapi.json")[2]
    tell("/v1/chat/completions" in document["paths"], "openapi: paths", document.keys())
    names = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document)))
    equal(names - set(document["components"]["schemas"]), set(), "openapi: all schemas are there")
    tell(b"flowrun_requests_total" in s.ask("GET", "/metrics", raw=True)[2], "metrics")


# ---- what bad input gets -------------------------------------------------------------------------

def test_bad_bodies(s):
    good = {"messages": [{"role": "user", "content": "x"}]}
    chat, completions, generate = "/v1/chat/completions", "/v1/completions", "/generate"
    cases = [
        (chat, b"", 400, "no_body"), (chat, b"{", 400, "invalid_json"), (chat, b"[]", 400, "invalid_type"),
        (chat, b'{"messages": "\xff"}', 400, "invalid_json"), (chat, b'{"a": 1, "a": 2}', 400, "invalid_json"),
        (chat, b'{"messages": [{"role": "user", "content": "\\ud800"}]}', 400, "invalid_json"),
        (chat, b"[" * 100000, 400, "invalid_json"),
        (chat, {}, 400, "missing_field"), (chat, {"messages": []}, 400, "invalid_type"),
        (chat, {"messages": "x"}, 400, "invalid_type"), (chat, {"messages": [1]}, 400, "invalid_type"),
        (chat, {"messages": [{"role": "boss", "content": "x"}]}, 400, "invalid_value"),
        (chat, {"messages": [{"role": "user"}]}, 400, "missing_field"),
        (chat, {"messages": [{"role": "user", "content": 1}]}, 400, "invalid_type"),
        (chat, {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, 400,
         "unsupported_value"),
        (chat, {**good, "temperatur": 1}, 400, "unknown_field"), (chat, {**good, "temperature": "hot"}, 400, "invalid_type"),
        (chat, {**good, "temperature": 3}, 400, "out_of_range"), (chat, {**good, "top_p": -1}, 400, "out_of_range"),
        (chat, {**good, "n": 0}, 400, "out_of_range"), (chat, {**good, "n": 1.5}, 400, "invalid_type"),
        (chat, {**good, "n": 4000}, 400, "out_of_range"), (chat, {**good, "max_tokens": 0}, 400, "out_of_range"),
        (chat, {**good, "max_tokens": 3, "max_completion_tokens": 4}, 400, "invalid_value"),
        (chat, {**good, "stop": ""}, 400, "invalid_value"), (chat, {**good, "stop": ["x"] * 99}, 400, "out_of_range"),
        (chat, {**good, "logit_bias": {"99999": 1}}, 400, "invalid_value"),
        (chat, {**good, "top_logprobs": 2}, 400, "invalid_value"),
        (chat, {**good, "response_format": {"type": "json_object"}}, 400, "unsupported_value"),
        (chat, {**good, "tool_choice": "required"}, 400, "unsupported_value"),
        (chat, {**good, "functions": []}, 400, "unsupported_field"), (chat, {**good, "stream": "yes"}, 400, "invalid_type"),
        (chat, {**good, "stream_options": {"include_usage": True}}, 400, "invalid_value"),
        (chat, {**good, "model": "none"}, 404, "model_not_found"), (chat, {**good, "model": 1}, 400, "invalid_type"),
        (completions, {}, 400, "missing_field"), (completions, {"prompt": [[300]]}, 400, "invalid_token"),
        (completions, {"prompt": ["x"] * 99}, 400, "out_of_range"), (completions, {"prompt": ""}, 400, "empty_prompt"),
        (completions, {"prompt": "x", "suffix": "y"}, 400, "unsupported_field"),
        (completions, {"prompt": "x" * 600}, 400, "context_length_exceeded"),
        (generate, {}, 400, "missing_field"), (generate, {"input": 1}, 400, "invalid_type"),
        (generate, {"input": "x", "colour": "red"}, 400, "unknown_field"),
        ("/invocations", {"inputs": "x", "parameters": {"watermark": True}}, 400, "unknown_field"),
    ]
    for path, body, status, code in cases:
        found, _, answer = s.post(path, body)
        error = answer.get("error", {}) if isinstance(answer, dict) else {}
        tell((found, error.get("code")) == (status, code) and error["message"],
             f"{path} with {str(body)[:60]}: {status} {code}", (found, answer))
    found = s.post(completions, {"prompt": "x" * 600})[2]["error"]["message"]
    tell("600" in found and "512" in found, "a prompt that is too long: both numbers are said", found)
    answer = s.chat(max_tokens=4, temperature=None, stop=None)
    equal(answer[0], 200, "null is no field")


def test_null_fields(s):
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}],
            "max_completion_tokens": 3, "temperature": 0, "user": "u", "store": False, "metadata": {}, "service_tier": "auto",
            "modalities": ["text"], "parallel_tool_calls": True, "response_format": {"type": "text"}, "logit_bias": None}
    equal(s.post("/v1/chat/completions", body)[0], 200, "fields that change nothing are taken")


def test_bodies(s):
    connection = http.client.HTTPConnection("127.0.0.1", s.port, timeout=60)
    connection.putrequest("POST", "/v1/chat/completions")
    connection.putheader("Content-Length", str(100 << 20))
    connection.endheaders()
    block = b" " * (1 << 20)
    for _ in range(100):
        connection.send(block)
    answer = connection.getresponse()
    equal((answer.status, json.loads(answer.read())["error"]["code"]), (413, "body_too_large"), "a body of 100 MB: 413")
    connection.close()


# ---- many, and those that leave ------------------------------------------------------------------

def test_many(s):
    """1 000 connections at once; each gets its answer or a clear no."""
    results = []
    lock = threading.Lock()
    sockets = []
    body = json.dumps({"messages": [{"role": "user", "content": "x"}], "max_tokens": 2}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    for _ in range(1000):
        one = socket.create_connection(("127.0.0.1", s.port), timeout=120)
        sockets.append(one)
    for one in sockets:
        one.sendall(head + body)

    def read(one):
        data = b""
        while True:
            part = one.recv(65536)
            if not part:
                break
            data += part
        with lock:
            results.append(data.split(b" ", 2)[1] if data else b"")

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        list(pool.map(read, sockets))
    for one in sockets:
        one.close()
    tell(set(results) <= {b"200", b"429"} and results.count(b"200") >= 200, "1 000 connections: 200 or 429",
         {r: results.count(r) for r in set(results)})
    status, headers, body = s.chat(max_tokens=1)
    equal(status, 200, "and the next one is answered")


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_leaves(s):
    body = json.dumps({"messages": [{"role": "user", "content": "x"}], "max_tokens": 400, "ignore_eos": True,
                       "stream": True}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    clients = []
    for _ in range(2):
        one = socket.create_connection(("127.0.0.1", s.port), timeout=60)
        one.sendall(head + body)
        clients.append(one)
    for one in clients:
        tell(one.recv(100).startswith(b"HTTP/1.1 200"), "a long stream begins")
        one.close()
    tell(wait_until(lambda: s.figure("flowrun_requests_running") == 0), "its place is free when its client has left",
         s.ask("GET", "/metrics", raw=True)[2])
    whole = json.dumps({"messages": [{"role": "user", "content": "x"}], "max_tokens": 400, "ignore_eos": True,
                        "temperature": 1}).encode()
    one = socket.create_connection(("127.0.0.1", s.port), timeout=60)
    one.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(whole) + whole)
    one.close()
    tell(wait_until(lambda: s.figure("flowrun_requests_running") == 0), "also of one that waits for a whole answer")


def test_full(model):
    s = Server(model, running=1, waiting=2, cache="off").ready()
    body = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 400, "ignore_eos": True, "temperature": 1}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: s.post("/v1/chat/completions", body), range(8)))
    statuses = sorted(a[0] for a in answers)
    busy = [a for a in answers if a[0] == 429]
    tell(set(statuses) == {200, 429}, "a full queue: some are answered, others told so", statuses)
    tell(busy and all(int(a[1]["Retry-After"]) >= 1 and a[2]["error"]["code"] == "queue_full" for a in busy),
         "a full queue: 429 with Retry-After", busy[:1])
    equal(s.stop(), 0, "SIGTERM is its normal end")


def test_few_files(model):
    """Fewer connections than asked for, where the process may not open so many files: that is said."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        s = Server(model).ready()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    tell("connections: 192 at once, not 1024" in s.text(), "few files: it says so", s.text())
    equal(s.chat(max_tokens=1)[0], 200, "few files: and answers")
    equal(s.stop(), 0, "few files: a good end")


def test_deadline(model):
    s = Server(model, deadline="1ms", cache="off").ready()
    status, _, body = s.chat(max_tokens=400, ignore_eos=True)
    equal((status, body["error"]["code"]), (504, "deadline_exceeded"), "a deadline: 504")
    s.stop()


# ---- parameters ----------------------------------------------------------------------------------

def test_format(model):
    s = Server(model, format={"input": "为{name}写一句[[，给{audience}]]。", "system": "语气：{tone|平实}",
                              "fields": {"name": {"label": "品名", "multiline": False}}}).ready()
    fields = s.ask("GET", "/format")[2]
    equal([(f["name"], f["required"], f.get("label"), f.get("default")) for f in fields["fields"]],
          [("name", True, "品名", None), ("audience", False, None, None), ("tone", False, None, "平实")], "format: fields")
    ask = {"max_tokens": 6, "temperature": 0}
    wanted = s.post("/v1/chat/completions", {**ask, "messages": [
        {"role": "system", "content": "语气：平实"}, {"role": "user", "content": "为茶杯写一句，给学生。"}]})[2]
    body = s.post("/generate", {**ask, "fields": {"name": "茶杯", "audience": "学生"}})[2]
    equal(body["output"], wanted["choices"][0]["message"]["content"], "format: the question of columns is that of training")
    equal(body["usage"]["prompt_tokens"], wanted["usage"]["prompt_tokens"], "format: token for token")
    equal(s.post("/generate", {**ask, "name": "茶杯", "audience": "学生"})[2]["output"], body["output"],
          "format: columns at the top level")
    status, _, answer = s.post("/generate", {**ask, "fields": {"audience": "学生"}})
    equal((status, answer["error"]["param"]), (400, "name"), "format: a column that is needed")
    status, _, answer = s.post("/generate", {**ask, "fields": {"name": "x", "colour": "red"}})
    equal((status, answer["error"]["code"]), (400, "unknown_field"), "format: a column that is none")
    _, _, lines = s.events("/generate", {**ask, "fields": {"name": "茶杯", "audience": "学生"}, "variants": 2})
    text = "".join(c["delta"].get("content", "") for line in lines[:-1] for c in json.loads(line)["choices"] if c["index"] == 0)
    equal(text, body["output"], "format: a stream of variants")
    s.stop()


def test_thinking(model):
    s = Server(make_model("think", "think"), cache="off").ready()
    ask = dict(max_tokens=30, temperature=1, seed=3, ignore_eos=True)
    message = s.chat(**ask)[2]["choices"][0]["message"]
    tell(message["content"] == "" and message["reasoning_content"], "reasoning that does not end is no answer", message)
    message = s.chat(**ask, include_reasoning=False)[2]["choices"][0]["message"]
    tell(message["content"] and "reasoning_content" not in message, "reasoning: in one piece when asked for", message)
    usage = s.chat(**ask)[2]["usage"]
    equal(usage["completion_tokens_details"]["reasoning_tokens"], 30, "reasoning: its tokens are counted")
    s.stop()


def test_keys(model):
    path = os.path.join(TMP.name, "keys")
    import hashlib
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"sha256:{hashlib.sha256(b'secret').hexdigest()} web rpm=2\n")
    s = Server(model, keys=path, access_log=os.path.join(TMP.name, "access.jsonl")).ready()
    status, headers, body = s.chat(max_tokens=1)
    equal((status, body["error"]["code"], headers["WWW-Authenticate"][:6]), (401, "no_api_key", "Bearer"), "keys: none given")
    ask = {"messages": [{"role": "user", "content": "秘密的话"}], "max_tokens": 1}
    for name, value in (("Authorization", "Bearer secret"), ("X-Api-Key", "secret")):
        equal(s.post("/v1/chat/completions", ask, headers={name: value})[0], 200, f"keys: {name}")
    status, headers, body = s.post("/v1/chat/completions", ask, headers={"Authorization": "Bearer secret"})
    equal((status, body["error"]["code"]), (429, "rate_limit_exceeded"), "keys: the rate")
    equal(s.post("/v1/chat/completions", ask, headers={"Authorization": "Bearer wrong"})[2]["error"]["code"], "invalid_api_key",
          "keys: a wrong one")
    equal(s.ask("GET", "/readyz")[0], 200, "keys: health needs none")
    s.stop()
    with open(os.path.join(TMP.name, "access.jsonl"), encoding="utf-8") as file:
        text = file.read()
    lines = [json.loads(line) for line in text.splitlines()]
    tell(len(lines) >= 5 and "秘密" not in text and "secret" not in text, "access log: a line each, nothing of what was asked",
         text)


# ---- the end -------------------------------------------------------------------------------------

def test_drain(_):
    s = Server(make_model("long", "chatml", "8192"), drain="50s", running=1).ready()
    body = json.dumps({"messages": [{"role": "user", "content": "x"}], "max_tokens": 3000, "ignore_eos": True, "n": 4,
                       "temperature": 1, "stream": True}).encode()
    one = socket.create_connection(("127.0.0.1", s.port), timeout=60)
    one.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    data = one.recv(4096)
    s.process.send_signal(signal.SIGTERM)
    statuses = []

    def probe():
        try:
            ready = s.ask("GET", "/readyz")[0]
            if ready == 503:  # before that, a question would be taken, and wait for its turn
                statuses.append((ready, s.chat(max_tokens=1)[0]))
        except OSError:
            return True
        return ready == 503

    wait_until(probe)
    while True:
        part = one.recv(65536)
        if not part:
            break
        data += part
    tell(b"[DONE]" in data, "drain: a stream that runs is finished", data[-300:])
    equal(s.wait_end(), 0, "drain: and the run ends well")
    tell((503, 503) in statuses, "drain: not ready, and nothing new is taken", statuses)


def test_second_signal(_):
    """It cuts off what would go on for minutes."""
    s = Server(make_model("endless", "chatml", "8192"), drain="5m").ready()
    one = socket.create_connection(("127.0.0.1", s.port), timeout=60)
    body = b'{"messages":[{"role":"user","content":"x"}],"max_tokens":8000,"ignore_eos":true,"n":8,"stream":true}'
    one.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    one.recv(100)
    s.process.send_signal(signal.SIGTERM)
    s.wait("draining")
    s.process.send_signal(signal.SIGTERM)
    equal(s.process.wait(30), 130, "a second signal ends it at once")


def main():
    model = make_model("model")
    s = Server(model).ready()
    for test in (test_chat, test_stream_equals_whole, test_settings, test_completions, test_models, test_platforms, test_site,
                 test_bad_bodies, test_null_fields, test_bodies, test_leaves, test_many):
        test(s)
    tell(s.process.poll() is None, "the server is still there", s.text())
    equal(s.stop(), 0, "and ends well")
    tell("keys and values:" in s.text(), "it says what its memory means", s.text())
    for test in (test_full, test_few_files, test_deadline, test_format, test_thinking, test_keys, test_drain, test_second_signal):
        test(model)
    print(f"1..{count}")


if __name__ == "__main__":
    main()
