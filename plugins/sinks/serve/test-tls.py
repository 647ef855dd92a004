#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sink.serve by HTTPS and over IPv6: what its clients see, and what it says at the start of files that are wrong.

Certificates are made by the openssl command as it goes; clients are Python's ssl and curl, which are none of ours.
"""
import atexit
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("serve", os.path.join(HERE, "test-serve.py"))
serve = importlib.util.module_from_spec(spec)
spec.loader.exec_module(serve)
tell, equal, TMP = serve.tell, serve.equal, serve.TMP
CURL = shutil.which("curl")


def path(name):
    return os.path.join(TMP.name, name)


def openssl(*words):
    done = subprocess.run(["openssl", *words], cwd=TMP.name, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(words)}: {done.stderr}")


NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
SELF = ["req", "-x509", "-nodes", "-utf8", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-addext", NAMES]


def make_certificates():
    """good, soon (it ends in a few days), past, future; key files beside them; chains of a root and what it signed."""
    openssl(*SELF, "-days", "400", "-subj", "/CN=茶店", "-keyout", "good.key", "-out", "good.pem")
    openssl(*SELF, "-days", "3", "-subj", "/CN=soon", "-keyout", "soon.key", "-out", "soon.pem")
    with open(path("ca.conf"), "w", encoding="utf-8") as file:
        file.write("[ca]\ndefault_ca = d\n[d]\ndatabase = index\nserial = serial\nnew_certs_dir = .\ndefault_md = sha256\n"
                   "unique_subject = no\nrand_serial = yes\npolicy = p\n[p]\ncommonName = supplied\n")
    open(path("index"), "w", encoding="utf-8").close()
    openssl("req", "-new", "-key", "good.key", "-subj", "/CN=shop.example", "-out", "good.csr")
    for name, first, last in (("past", "20200101000000Z", "20210203000000Z"), ("future", "20980101000000Z", "20990203000000Z")):
        openssl("ca", "-config", "ca.conf", "-batch", "-notext", "-selfsign", "-keyfile", "good.key", "-in", "good.csr",
                "-startdate", first, "-enddate", last, "-out", f"{name}.pem")
    openssl(*SELF, "-days", "400", "-subj", "/CN=root", "-keyout", "root.key", "-out", "root.pem")
    with open(path("names"), "w", encoding="utf-8") as file:
        file.write(NAMES)
    openssl("x509", "-req", "-in", "good.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "100",
            "-extfile", "names", "-out", "leaf.pem")
    openssl("pkey", "-in", "good.key", "-aes256", "-passout", "pass:x", "-out", "locked.key")
    for name, parts in (("chain.pem", ("leaf.pem", "root.pem")), ("reversed.pem", ("root.pem", "leaf.pem"))):
        with open(path(name), "w", encoding="utf-8") as file:
            for part in parts:
                file.write(open(path(part), encoding="utf-8").read())
    with open(path("nonsense.pem"), "w", encoding="utf-8") as file:
        file.write("-----BEGIN CERTIFICATE-----\n不是证书\n-----END CERTIFICATE-----\n")
    os.mkdir(path("folder.pem"))


class Secure(serve.Server):
    """A server by HTTPS, asked as somebody would who trusts @ca."""

    ca, host = "good.pem", "localhost"

    def context(self):
        return ssl.create_default_context(cafile=path(self.ca))

    def open(self, request, timeout=60):
        return urllib.request.urlopen(request, timeout=timeout, context=self.context())

    def ask(self, method, where, body=None, headers=None, raw=False, timeout=60):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
        url = f"https://{self.host}:{self.port}{where}"
        try:
            answer = self.open(urllib.request.Request(url, body, {"Content-Type": "application/json", **(headers or {})},
                                                      method=method), timeout)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            data = answer.read()
            if raw or not data.startswith((b"{", b"[")):
                return answer.status, answer.headers, data
            return answer.status, answer.headers, json.loads(data)

    def connect(self):
        """A connection of its own; not wrapped twice in layers that hide what came."""
        return self.context().wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=60),
                                          server_hostname="localhost")


def request_of(body, more=""):
    body = json.dumps(body).encode()
    return (f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n{more}Content-Length: {len(body)}\r\n\r\n").encode() + body


LONG = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 400, "ignore_eos": True, "stream": True, "temperature": 1}


# ---- HTTPS ---------------------------------------------------------------------------------------

def test_answers(s):
    tell(f"listening on https://127.0.0.1:{s.port}" in s.text(), "the address is told with its scheme", s.text())
    status, headers, body = s.chat(max_tokens=8, temperature=0)
    equal((status, body["usage"]["completion_tokens"]), (200, 8), "an answer")
    whole = body["choices"][0]["message"]["content"]
    status, headers, lines = s.events("/v1/chat/completions", {"messages": [{"role": "user", "content": "你好"}], "max_tokens": 8,
                                                               "temperature": 0})
    text = "".join(json.loads(line)["choices"][0]["delta"].get("content", "") for line in lines[:-1])
    equal((headers["Content-Type"], text, lines[-1]), ("text/event-stream", whole, "[DONE]"), "a stream")
    with s.connect() as c:
        tell(c.version() in ("TLSv1.3", "TLSv1.2"), f"by {c.version()}")
        times = []
        c.sendall(request_of(LONG))
        data = b""
        while not data.endswith(b"\r\n0\r\n\r\n"):
            part = c.recv(65536)
            if not part:
                break
            data += part
            times.append(time.monotonic())
        tell(len(times) > 20 and times[-1] > times[0], "its pieces come one by one", (len(times), data[-200:]))
        c.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        tell(c.recv(65536).startswith(b"HTTP/1.1 200"), "and the connection goes on")
    status, _, body = s.ask("POST", "/v1/chat/completions", b" " * (3 << 20))
    equal((status, body["error"]["code"]), (413, "body_too_large"), "a body that is too large")
    equal(s.ask("GET", "/", raw=True)[0], 200, "the page")


def test_curl(s):
    if CURL is None:
        print("# curl is missing: left out")
        return
    base = [CURL, "-sS", "--cacert", path("good.pem")]
    body = json.dumps({"messages": [{"role": "user", "content": "你好"}], "max_tokens": 8, "temperature": 0, "stream": True})
    done = subprocess.run([*base, "-N", f"https://localhost:{s.port}/v1/chat/completions", "-d", body], capture_output=True, text=True)
    tell(done.returncode == 0 and done.stdout.rstrip().endswith("data: [DONE]"), "curl: a stream", done)
    done = subprocess.run([CURL, "-sS", f"https://localhost:{s.port}/healthz"], capture_output=True, text=True)
    equal(done.returncode, 60, "curl: who does not trust the certificate is not talked into it")
    done = subprocess.run([*base, "--tls-max", "1.1", f"https://localhost:{s.port}/healthz"], capture_output=True, text=True)
    tell(done.returncode != 0, "curl: no TLS older than 1.2", done)


def test_plain(s):
    """What is no TLS on its port, and what stops in the middle of it, while a stream is at work."""
    with s.connect() as c:
        c.sendall(request_of(LONG))
        data = c.recv(65536)
        for sent in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff\xff" + bytes(2000), b"\x80" * 100, bytes(5)):
            with socket.create_connection(("127.0.0.1", s.port), timeout=20) as plain:
                answer = b""
                try:
                    plain.sendall(sent)
                    plain.shutdown(socket.SHUT_WR)
                    while part := plain.recv(4096):
                        answer += part
                except OSError:  # it is cut off
                    pass
            tell(b"HTTP" not in answer, f"no HTTP for who begins with {sent[:5]!r}", answer)
        silent = [socket.create_connection(("127.0.0.1", s.port), timeout=20) for _ in range(50)]
        equal(s.chat(max_tokens=2)[0], 200, "others are answered beside 50 that say nothing")
        while b"[DONE]" not in data:
            part = c.recv(65536)
            if not part:
                break
            data += part
        tell(b"[DONE]" in data, "a stream that was at work all the while is whole", data[-200:])
        for one in silent:
            one.close()
    tell(serve.wait_until(lambda: s.figure(r'flowrun_rejected_total') >= 1), "what is no TLS is counted",
         s.ask("GET", "/metrics", raw=True)[2])
    tell(b'flowrun_rejected_total{reason="tls_handshake"}' in s.ask("GET", "/metrics", raw=True)[2], "by its reason")


def test_leaves(s):
    """Clients that go in the middle of a stream, by an end and by a reset."""
    for reset in (False, True):
        c = s.connect()
        c.sendall(request_of(LONG))
        c.recv(100)
        if reset:
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.close()
    tell(serve.wait_until(lambda: s.figure("flowrun_requests_running") == 0), "who leaves frees the place")
    equal(s.chat(max_tokens=1)[0], 200, "and the next is answered")


def test_drain(s):
    with s.connect() as c:
        c.sendall(request_of(LONG))
        data = c.recv(65536)
        s.process.send_signal(signal.SIGTERM)
        while True:
            part = c.recv(65536)
            if not part:
                break
            data += part
    tell(b"[DONE]" in data, "SIGTERM: a stream that runs is finished", data[-200:])
    equal(s.wait_end(), 0, "SIGTERM: a good end")


def test_chain(model):
    s = Secure(model, certificate=path("chain.pem"), key=path("good.key"))
    s.ca = "root.pem"
    s.ready()
    equal(s.ask("GET", "/healthz")[0], 200, "a certificate and who signed it, in one file")
    equal(s.stop(), 0, "and ends well")
    s = Secure(model, certificate=path("soon.pem"), key=path("soon.key"))
    s.ca = "soon.pem"
    s.ready()
    tell(re.search(r"the certificate ends on 2\d\d\d-\d\d-\d\d, in [23] days", s.text()), "one that ends soon is told of", s.text())
    equal(s.ask("GET", "/healthz")[0], 200, "and serves until then")
    s.stop()


# ---- what is wrong is said at the start ------------------------------------------------------------

def try_start(model, status, *expected, name, **params):
    pipeline = {"name": "serve", "run": {"record": False}, "stages": {
        "model": {"use": "source.model", "with": {"path": model}},
        "serve": {"use": "sink.serve", "from": {"model": "model"},
                  "with": {"port": 0, "type": "f32", "backend": "reference", **params}}}}
    with open(path("try.json"), "w", encoding="utf-8") as file:
        json.dump(pipeline, file)
    done = subprocess.run([serve.FLOWRUN, path("try.json"), "--progress", "plain"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)
    text = done.stdout + done.stderr
    tell(done.returncode == status and all(e in text for e in expected) and "listening" not in text, name,
         (done.returncode, text, expected))


def test_refused(model):
    good, key = path("good.pem"), path("good.key")
    # What an operator gets wrong, and what each of the messages must have.
    cases = [
        ("a certificate without a key", 2, dict(certificate=good), ["private key go together", "/key"]),
        ("a key without a certificate", 2, dict(key=key), ["private key go together", "/certificate"]),
        ("no such certificate", 2, dict(certificate=path("none.pem"), key=key), ["the certificate cannot be read", "none.pem"]),
        ("no such key", 2, dict(certificate=good, key=path("none.key")), ["the private key cannot be read", "none.key"]),
        ("a directory", 2, dict(certificate=path("folder.pem"), key=key), ["the certificate cannot be read", "folder.pem"]),
        ("the two swapped", 2, dict(certificate=key, key=good), ["swapped"]),
        ("a certificate for a key", 2, dict(certificate=good, key=good), ["swapped"]),
        ("the key of another", 2, dict(certificate=good, key=path("root.key")), ["is not that of the certificate", "CN=茶店"]),
        ("the wrong order", 2, dict(certificate=path("reversed.pem"), key=key), ["is number 2 in", "reversed.pem"]),
        ("a passphrase", 2, dict(certificate=good, key=path("locked.key")), ["has a passphrase", "openssl pkey"]),
        ("nonsense", 2, dict(certificate=path("nonsense.pem"), key=key), ["holds no certificate in PEM"]),
        ("no file of keys", 2, dict(certificate=good, key=path("ca.conf")), ["holds no private key in PEM"]),
        ("one that has ended", 2, dict(certificate=path("past.pem"), key=key), ["ended on 2021-02-03", "CN=shop.example", "renew it"]),
        ("one that has not begun", 2, dict(certificate=path("future.pem"), key=key), ["begins on 2098-01-01", "CN=shop.example"]),
    ]
    if os.geteuid() != 0:
        shutil.copy(key, path("shut.key"))
        os.chmod(path("shut.key"), 0)
        cases.append(("a key that may not be read", 2, dict(certificate=good, key=path("shut.key")),
                      ["the private key cannot be read", "shut.key"]))
    for name, status, params, expected in cases:
        try_start(model, status, *expected, name=f"refused: {name}", **params)


# ---- IPv6 ------------------------------------------------------------------------------------------

def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
        return True
    except OSError:
        return False


def get(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        return answer.status


def addresses(log, n):
    serve.wait_until(lambda: os.path.exists(log) and len(open(log, encoding="utf-8").readlines()) >= n)
    return [json.loads(line)["address"] for line in open(log, encoding="utf-8")]


def test_ipv6(model):
    if not has_ipv6():
        print("# there is no IPv6 here: left out")
        return
    for host in ("::1", "[::1]"):
        log = path(f"access-{len(host)}.jsonl")
        s = serve.Server(model, host=host, access_log=log, access_log_address=True)
        url = s.wait(r"listening on (\S+)")
        s.ready()
        equal(url, f"http://[::1]:{s.port}", f"{host}: its address as a URL has it")
        equal(get(url + "/v1/models"), 200, f"{host}: which works")
        equal(get(url + "/v1/models", Origin=url), 200, f"{host}: for its own page too")
        equal(addresses(log, 2), ["::1", "::1"], f"{host}: the access log has the client's address")
        equal(s.stop(), 0, f"{host}: a good end")
    log = path("access-both.jsonl")
    s = serve.Server(model, host="::", access_log=log, access_log_address=True)
    url = s.wait(r"listening on (\S+)")
    s.ready()
    equal(url, f"http://[::]:{s.port}", ":: as a URL has it")
    for where in (url, f"http://[::1]:{s.port}", f"http://127.0.0.1:{s.port}"):
        equal(get(where + "/v1/models"), 200, f":: answers at {where[:-6]}")
    equal(addresses(log, 3), ["::1", "::1", "127.0.0.1"], ":: has clients of both families, each by its own address")
    s.stop()
    try_start(model, 1, "cannot listen on 2001:db8::1 port 0", name="an address that this machine has not", host="2001:db8::1")


def test_command(model):
    """flowrun serve, by its variables."""
    six = has_ipv6()
    log = path("command.log")
    host, shown = ("::1", "[::1]") if six else ("127.0.0.1", "127.0.0.1")
    with open(log, "wb") as out:
        process = subprocess.Popen([serve.FLOWRUN, "serve", "--var", f"model={model}", "--var", f"host={host}", "--var", "port=0",
                                    "--var", f"certificate={path('good.pem')}", "--var", f"key={path('good.key')}",
                                    "--set", "serve.backend=reference", "--set", "serve.type=f32", "--progress", "plain"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=out)
    atexit.register(process.kill)

    def read():
        return open(log, encoding="utf-8", errors="replace").read()

    serve.wait_until(lambda: "answers on" in read() or process.poll() is not None, 60)
    found = re.search(r"listening on (https://(\S+):\d+)", read())
    tell(found and found.group(2) == shown, "flowrun serve --var certificate --var key: its address", read())
    if found:
        context = ssl.create_default_context(cafile=path("good.pem"))
        with urllib.request.urlopen(found.group(1) + "/healthz", timeout=60, context=context) as answer:
            equal(answer.status, 200, "flowrun serve: HTTPS at it")
    process.send_signal(signal.SIGTERM)
    equal(process.wait(60), 0, "flowrun serve: a good end")


def main():
    model = serve.make_model("model")
    test_ipv6(model)
    if shutil.which("openssl") is None:
        print("# the openssl command is missing: HTTPS is left out")
        print(f"1..{serve.count}")
        return
    make_certificates()
    test_refused(model)
    test_command(model)
    s = Secure(model, certificate=path("good.pem"), key=path("good.key"), http_threads=2).ready()
    for test in (test_answers, test_curl, test_plain, test_leaves):
        test(s)
    tell(s.process.poll() is None, "the server is still there", s.text())
    test_drain(s)
    test_chain(model)
    print(f"1..{serve.count}")


main()
