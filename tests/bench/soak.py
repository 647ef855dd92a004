#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""soak.py URL PID MINUTES: clients of all kinds against a server, while its memory is watched (soak.sh)."""
import http.client
import json
import os
import random
import socket
import sys
import threading
import time
import urllib.parse
from collections import Counter

url, pid, minutes = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
at = urllib.parse.urlsplit(url)
until = time.monotonic() + minutes * 60
counts, faults, lock = Counter(), [], threading.Lock()
WORDS = "茶杯 帐篷 护手霜 保温杯 羽绒被 铁锅 cup tent kettle lamp quilt soap garden spring 礼物 露营 winter 手工".split()


def count(kind, fault=None):
    with lock:
        counts[kind] += 1
        if fault and len(faults) < 50:
            faults.append(f"{kind}: {fault}")


def chat(rng, **more):
    words = " ".join(rng.choices(WORDS, k=rng.randint(1, 60)))
    return {"messages": [{"role": "user", "content": f"写一句话 {words}"}], "max_tokens": rng.randint(1, 24), **more}


def ask(method, path, body=None, headers=None, timeout=120):
    """(status, text) of one request on a connection of its own."""
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def post(path, value, **more):
    body = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
    return ask("POST", path, body, {"Content-Type": "application/json", **more})


def expect(kind, got, *allowed):
    # 429 is a fair answer to anything: the queue is full.
    status, text = got
    count(kind, None if status in allowed or status == 429 else f"status {status}: {text[:200]!r}")


def good(rng):
    status, text = post("/v1/chat/completions", chat(rng, temperature=1, seed=rng.getrandbits(30)))
    if status == 429:
        return count("answer: queue full")
    ok = status == 200 and json.loads(text)["choices"][0]["finish_reason"] in ("stop", "length")
    count("answer", None if ok else f"status {status}: {text[:200]!r}")


def cached(rng):
    body = {"messages": [{"role": "user", "content": "茶杯"}], "temperature": 0, "max_tokens": 8}
    expect("cached", post("/v1/chat/completions", body), 200)


def several(rng):
    expect("n=3", post("/v1/completions", {"prompt": "Tea", "n": 3, "max_tokens": 5, "logprobs": 2}), 200)


def stream(rng):
    status, text = post("/v1/chat/completions", chat(rng, stream=True))
    if status == 429:
        return count("stream: queue full")
    count("stream", None if status == 200 and text.rstrip().endswith(b"data: [DONE]") else f"{status}: …{text[-200:]!r}")


def raw(data):
    s = socket.create_connection((at.hostname, at.port), timeout=60)
    s.sendall(data)
    return s


def request(body, more=b""):
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + more
        + b"Content-Length: %d\r\n\r\n" % len(body) + body
    )


def leaves(rng):
    body = json.dumps(chat(rng, stream=True, max_tokens=200)).encode()
    with raw(request(body)) as s:
        s.recv(rng.randint(1, 2000))
        if rng.random() < 0.5:  # a reset instead of an end
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    count("left in the middle")


def half(rng):
    data = request(json.dumps(chat(rng)).encode())
    with raw(data[: rng.randint(1, len(data) - 1)]):
        time.sleep(rng.random() * 0.2)
    count("half a request")


def slow(rng):
    body = json.dumps(chat(rng, stream=True)).encode()
    with raw(request(body, b"Connection: close\r\n")) as s:
        got = b""
        while piece := s.recv(64):
            got += piece
            time.sleep(0.01)
    count("slow reader", None if b"[DONE]" in got or b" 429 " in got[:20] else f"…{got[-100:]!r}")


BAD = [
    b"{", b"", b"[]", b"nul", b'{"messages": 7}', b'{"messages": []}', b'{"messages": [{"role": "user"}]}',
    b'{"messages": [{"role": "user", "content": "\xff\xfe"}]}', b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
    b'{"messages": [{"role": "user", "content": "a"}], "max_tokens": -1}',
    b'{"messages": [{"role": "user", "content": "a"}], "temperature": "hot"}',
    b'{"messages": [{"role": "user", "content": "a"}], "n": 1000000}',
    b'{"messages": [{"role": "user", "content": "a"}], "messages": []}', b"[" * 5000,
]


def bad(rng):
    expect("bad body", post("/v1/chat/completions", rng.choice(BAD)), 400, 413, 422)


def unknown(rng):
    expect("unknown model", post("/v1/chat/completions", chat(rng, model="nobody")), 404)


def long_prompt(rng):
    expect("prompt too long", post("/v1/chat/completions", {"messages": [{"role": "user", "content": "茶" * 60000}]}), 400, 413)


def large(rng):
    try:
        expect("large body", post("/v1/chat/completions", b'{"messages": "' + b"a" * (20 << 20) + b'"}'), 400, 413)
    except (BrokenPipeError, ConnectionResetError):
        count("large body: cut off")


def flood(rng):
    with raw(b"GET /healthz HTTP/1.1\r\n" + b"X-A: " + b"b" * 200000) as s:
        try:
            s.sendall(b"\r\n\r\n")
            s.recv(100)
        except OSError:
            pass
    count("header flood")


def noise(rng):
    with raw(rng.randbytes(rng.randint(1, 3000))) as s:
        s.shutdown(socket.SHUT_WR)
        try:
            s.recv(1000)
        except OSError:
            pass
    count("noise")


def nowhere(rng):
    expect("no such path", ask("GET", "/" + rng.choice(WORDS).encode().hex()), 404)


def looks(rng):
    for path in "/healthz", "/readyz", "/metrics", "/v1/models", "/openapi.json", "/":
        expect("GET " + path, ask("GET", path), 200)


def many(rng):
    held = []
    try:
        for _ in range(100):
            held.append(socket.create_connection((at.hostname, at.port), timeout=10))
    except OSError:
        pass
    for s in held:
        s.close()
    count("100 connections")


KINDS = [(good, 30), (cached, 20), (stream, 20), (leaves, 12), (bad, 10), (half, 6), (looks, 3), (unknown, 3), (several, 3),
         (slow, 2), (noise, 3), (nowhere, 3), (long_prompt, 2), (flood, 1), (many, 1), (large, 1)]


def client(seed):
    rng = random.Random(seed)
    kinds, weights = zip(*KINDS)
    while time.monotonic() < until:
        kind = rng.choices(kinds, weights)[0]
        try:
            kind(rng)
        except Exception as error:  # a client must go on
            count(kind.__name__, f"{type(error).__name__}: {error}")
            time.sleep(0.2)


def sample():
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        status = dict(line.split(":", 1) for line in f)
    return int(status["VmRSS"].split()[0]) / 1024, len(os.listdir(f"/proc/{pid}/fd")), int(status["Threads"])


def median(values):
    return sorted(values)[len(values) // 2]


threads = [threading.Thread(target=client, args=(i,), daemon=True) for i in range(6)]
for thread in threads:
    thread.start()
samples, begin, every = [], time.monotonic(), max(1.0, min(10.0, minutes))
while time.monotonic() < until:
    time.sleep(every)
    try:
        samples.append(sample())
    except (FileNotFoundError, KeyError):
        print("soak: the server is gone")
        sys.exit(1)
    print(f"{time.monotonic() - begin:7.0f} s  {samples[-1][0]:8.1f} MiB  {samples[-1][1]:4d} files  "
          f"{samples[-1][2]:3d} threads  {sum(counts.values())} requests", flush=True)
for thread in threads:
    thread.join(180)
time.sleep(2)
after = sample()
for kind, n in sorted(counts.items()):
    print(f"soak: {n:7d} {kind}")
for fault in faults[:20]:
    print(f"soak: WRONG {fault}")
if len(samples) < 6:
    sys.exit("soak: too short to say anything of memory")
third = len(samples) // 3
early, late = [s[0] for s in samples[third : 2 * third]], [s[0] for s in samples[2 * third :]]
grown = median(late) - median(early)
# What an allocator keeps differs by a little; a leak does not stop at it.
room = max(8.0, 0.02 * median(early))
print(f"soak: {median(early):.1f} MiB in the middle third, {median(late):.1f} in the last: {grown:+.1f}; {room:.1f} allowed; "
      f"{after[1]} files and {after[2]} threads after the last client left")
idle_files = samples[0][1] + 20
failed = bool(faults) or not grown <= room or after[1] > idle_files
print("soak:", "failed" if failed else "passed")
sys.exit(failed)
