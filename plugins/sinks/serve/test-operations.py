#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sink.serve as its operator sees it, on a small random model: adapters that come and go under load,
canaries, shadows, roll-backs, the cache, keys, logs, and files that are overwritten.

Needs nothing but Python's standard library.
"""
import concurrent.futures
import hashlib
import importlib.util
import json
import os
import random
import struct
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("serve", os.path.join(HERE, "test-serve.py"))
serve = importlib.util.module_from_spec(spec)
spec.loader.exec_module(serve)
tell, equal, TMP = serve.tell, serve.equal, serve.TMP

ADMIN = {"Authorization": "Bearer 管理".encode().decode("latin-1")}
WEB = {"Authorization": "Bearer web-key"}


def make_adapter(name, seed, broken=False):
    """A PEFT adapter of the test's model (two layers, hidden 16, four heads on two)."""
    numbers, header, data = random.Random(seed), {}, b""
    for layer in range(2):
        for module, out in (("q_proj", 16), ("v_proj", 8)):
            for half, shape in (("A", [2, 16]), ("B", [out, 2])):
                values = [numbers.uniform(-1, 1) for _ in range(shape[0] * shape[1])]
                if broken:
                    values[0] = float("nan")
                part = struct.pack(f"<{len(values)}f", *values)
                header[f"base_model.model.model.layers.{layer}.self_attn.{module}.lora_{half}.weight"] = {
                    "dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
                data += part
    path = os.path.join(TMP.name, name)
    os.makedirs(path, exist_ok=True)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(path, "adapter_model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
    with open(os.path.join(path, "adapter_config.json"), "w", encoding="utf-8") as file:
        json.dump({"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["q_proj", "v_proj"],
                   "base_model_name_or_path": "model"}, file)
    return path


def write_keys(path, lines):
    hashed = [f"{hashlib.sha256(key.encode()).hexdigest()} {rest}\n" for key, rest in lines]
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.writelines(hashed)
    os.chmod(path + ".new", 0o600)
    os.rename(path + ".new", path)


class Operated(serve.Server):
    def admin(self, method, path, body=None):
        status, _, answer = self.ask(method, "/admin" + path, body, headers=ADMIN)
        return status, answer

    def load(self, name, path, **more):
        return self.admin("POST", "/adapters", {"name": name, "path": path, **more})

    def chat_as(self, model, user="somebody", text="你好", tokens=8, headers=WEB, **more):
        body = {"model": model, "user": user, "temperature": 0, "max_tokens": tokens,
                "messages": [{"role": "user", "content": text}], **more}
        return self.post("/v1/chat/completions", body, headers=headers)

    def revision(self, model, user="somebody", **more):
        """Who answered."""
        status, _, body = self.chat_as(model, user, **more)
        return body["system_fingerprint"].split("-", 1)[1] if status == 200 else body


# ---- who may -------------------------------------------------------------------------------------

def test_doors(s, model):
    status, _, _ = s.ask("GET", "/admin/models")
    equal(status, 401, "admin: a key is needed")
    status, _, _ = s.ask("GET", "/admin/models", headers=WEB)
    equal(status, 403, "admin: a client's key does not do")
    status, _, _ = s.chat_as(None, headers=ADMIN)
    equal(status, 403, "admin: an admin's key answers no questions")
    status, body = s.admin("GET", "/models")
    equal((status, [r["name"] for r in body["routes"]]), (200, ["文案"]), "admin: the models there are")
    other = Operated(model).ready()
    equal(other.ask("GET", "/admin/models", headers=ADMIN)[0], 404, "admin: without an admin key there is none")
    other.stop()
    _, _, api = s.ask("GET", "/openapi.json")
    tell("/admin/adapters" in api["paths"] and
         "percent" in json.dumps(api["paths"]["/admin/adapters"]["post"]["requestBody"]), "admin: documented with its fields")


# ---- adapters ------------------------------------------------------------------------------------

def test_load(s):
    one, two = make_adapter("one", 1), make_adapter("two", 2)
    base = s.chat_as("文案")[2]["choices"]
    status, body = s.load("鞋", one)
    equal((status, body["revision"], body["unchanged"]), (200, "鞋@1", False), "load: a new name")
    equal(s.revision("鞋"), "鞋@1", "load: it answers")
    tell(s.chat_as("鞋")[2]["choices"] != base, "load: with its own numbers")
    equal(s.chat_as("文案")[2]["choices"], base, "load: the model itself is what it was")
    tell("鞋" in [m["id"] for m in s.ask("GET", "/v1/models", headers=WEB)[2]["data"]], "load: it is listed")
    status, body = s.load("鞋", one)
    equal((status, body["unchanged"]), (200, True), "load: the same numbers again are no new revision")
    before = s.chat_as("鞋")
    equal(before[1]["X-Flowrun-Cache"], "hit", "cache: asked before")
    s.load("鞋", two)
    after = s.chat_as("鞋")
    equal(after[1]["X-Flowrun-Cache"], "miss", "cache: not after the model changed")
    tell(after[2]["choices"] != before[2]["choices"], "load: the new revision answers at once")
    equal(s.revision("鞋@1"), "鞋@1", "load: the old one is there by its own name")
    status, body = s.load("鞋", make_adapter("nan", 3, broken=True))
    equal((status, body["error"]["code"]), (400, "adapter_refused"), "load: broken numbers are refused")
    tell("nan" in body["error"]["message"], "load: and it says which", body)
    equal(s.load("鞋", "/nonexistent")[0], 400, "load: no such directory")
    equal(s.revision("鞋"), "鞋@2", "load: what failed changed nothing")
    status, body = s.admin("POST", "/rollback", {"name": "鞋"})
    equal((status, body["targets"][0]["revision"]), (200, "鞋@1"), "roll back: one call")
    again = s.chat_as("鞋")
    equal(again[2]["choices"], before[2]["choices"], "roll back: the old answers")
    equal(s.admin("POST", "/rollback", {"name": "鞋"})[0], 409, "roll back: nothing before that")


def test_under_load(s):
    """Not one request is dropped while revisions come and go."""
    stop, wrong, seen, n = threading.Event(), [], set(), [0]
    paths = [make_adapter(f"load-{i}", 100 + i) for i in range(8)]

    def work(number):
        while not stop.is_set():
            status, _, body = s.chat_as("鞋", f"u{number}", f"问{random.random()}", tokens=4)
            n[0] += 1
            if status != 200:
                wrong.append((status, body))
            else:
                seen.add(body["system_fingerprint"].split("-", 1)[1])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for i, path in enumerate(paths):
        status, body = s.load("鞋", path, percent=100 if i % 2 else 50)
        if status != 200:
            wrong.append(body)
        time.sleep(0.15)
        if i % 3 == 2:
            s.admin("POST", "/rollback", {"name": "鞋"})
    stop.set()
    for t in threads:
        t.join()
    equal(wrong, [], f"swapped under load: {n[0]} requests, none dropped, {len(seen)} revisions answered")
    tell(n[0] > 20 and len(seen) > 2, "swapped under load: there was load", (n, seen))


def test_unload(s):
    s.load("短", make_adapter("short", 7))
    status, body = s.admin("DELETE", "/adapters/%E6%96%87%E6%A1%88")
    equal((status, body["error"]["code"]), (409, "model_in_use"), "unload: the model itself stays")
    equal(s.admin("DELETE", "/adapters/%E7%9F%AD%401")[0], 409, "unload: a revision that a route leads to stays")
    equal(s.admin("DELETE", "/adapters/%E7%9F%AD"), (200, {"unloaded": "短"}), "unload: a name with all it has")
    status, _, body = s.chat_as("短")
    equal((status, body["error"]["code"]), (404, "model_not_found"), "unload: it is gone")
    equal(s.admin("DELETE", "/adapters/nosuch")[0], 404, "unload: what never was")


# ---- canaries ------------------------------------------------------------------------------------

def test_canary(s):
    s.load("甲", make_adapter("a", 11))
    status, body = s.load("甲", make_adapter("b", 12), percent=30)
    equal([t["weight"] for t in body["route"]["targets"]], [70, 30], "canary: weights")
    users = [f"用户{i}" for i in range(60)]
    first = {u: s.revision("甲", u, tokens=1) for u in users}
    equal({u: s.revision("甲", u, tokens=1) for u in users}, first, "canary: everybody stays on their side")
    few = {u for u in users if first[u] == "甲@2"}
    tell(5 <= len(few) <= 32, "canary: about its share", len(few))
    s.admin("POST", "/routes", {"name": "甲", "targets": {"甲@1": 40, "甲@2": 60}})
    more = {u for u in users if s.revision("甲", u, tokens=1) == "甲@2"}
    tell(few < more, "canary: one that grows keeps whom it had", (len(few), len(more)))
    status, body = s.admin("POST", "/routes", {"name": "甲", "targets": {"乙": 1}})
    equal((status, body["error"]["code"]), (400, "route_refused"), "routes: to nowhere")


def test_guard(s):
    """A canary that is too slow for its limit goes back by itself."""
    s.load("守", make_adapter("good", 21))
    s.load("守", make_adapter("slow", 22), percent=50, guard={"p95_ms": 0.01, "least": 5})
    for i in range(60):
        s.revision("守", f"u{i}", text=f"问{i}", tokens=1)
    s.wait("守@2 was rolled back: the 95th percentile")
    equal({s.revision("守", f"v{i}", tokens=1) for i in range(12)}, {"守@1"}, "guard: all are with the old one again")
    _, _, text = s.ask("GET", "/metrics", raw=True)
    tell('flowrun_rollbacks_total{cause="guard"} 1' in text.decode(), "guard: it is counted")


def test_shadow(s, log):
    s.load("影", make_adapter("light", 31))
    s.load("暗", make_adapter("dark", 32))
    status, body = s.admin("POST", "/routes", {"name": "影", "targets": {"影@1": 1}, "shadow": "暗"})
    equal((status, body["shadow"]), (200, "暗@1"), "shadow: in the route")
    for i in range(4):
        equal(s.revision("影", text=f"影子{i}"), "影@1", f"shadow: the answer is the first's ({i})")
        s.chat_as("影", text=f"影子{i}")  # from the cache: nothing to compare
        time.sleep(0.3)
    serve.wait_until(lambda: s.figure("flowrun_shadow_answers_total") >= 8)  # started and written
    serve.wait_until(lambda: open(log, encoding="utf-8").read().count("\n") >= 4)
    with open(log, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    equal([(x["answer"]["revision"], x["shadow"]["revision"]) for x in lines], [("影@1", "暗@1")] * 4, "shadow: both, side by side")
    tell(all("影子" in x["prompt"] and x["answer"]["text"] and x["shadow"]["text"] for x in lines), "shadow: with their texts", lines)
    equal(os.stat(log).st_mode & 0o077, 0, "shadow: the log is its owner's alone")


# ---- cache ---------------------------------------------------------------------------------------

def test_single_flight(s):
    def ask(_):
        return s.chat_as("文案", text="一起问", tokens=200, ignore_eos=True)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    equal({a[0] for a in answers}, {200}, "single flight: all answered")
    equal(len({json.dumps(a[2]["choices"]) for a in answers}), 1, "single flight: alike")
    equal(sorted(a[1]["X-Flowrun-Cache"] for a in answers)[-1], "miss", "single flight: one computed")
    equal(sum(a[1]["X-Flowrun-Cache"] == "miss" for a in answers), 1, "single flight: the others did not")
    status, body = s.admin("POST", "/cache/clear")
    tell(status == 200 and body["cleared"] > 0, "cache: cleared by hand", body)
    equal(ask(0)[1]["X-Flowrun-Cache"], "miss", "cache: then it is computed again")


# ---- keys and logs -------------------------------------------------------------------------------

def test_keys(s, keys):
    new = {"Authorization": "Bearer next-key"}
    equal(s.chat_as(None, headers=new)[0], 401, "keys: not yet")
    write_keys(keys, [("管理", "运营 admin"), ("web-key", "web"), ("next-key", "next rpm=2")])
    serve.wait_until(lambda: s.chat_as(None, headers=new)[0] != 401)
    statuses = [s.chat_as(None, headers=new, text=str(i), tokens=1) for i in range(3)]
    equal(statuses[-1][0], 429, "keys: read again while it runs, with their rates")
    tell(1 <= int(statuses[-1][1]["Retry-After"]) <= 60, "keys: Retry-After")
    equal(s.chat_as(None, tokens=1)[0], 200, "keys: others are not held up")
    with open(keys, "a", encoding="utf-8") as file:
        file.write("web-key in clear\n")
    s.wait(r"line 4: expected the SHA-256")
    equal(s.chat_as(None, tokens=1)[0], 200, "keys: a mistake changes nothing")
    tell("web-key" not in s.text() and "next-key" not in s.text(), "keys: no key is ever told", s.text())


def test_log(s, log):
    os.rename(log, log + ".1")
    s.chat_as("文案", tokens=1)
    serve.wait_until(lambda: os.path.exists(log) and os.path.getsize(log))
    for path in (log + ".1", log):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        lines = [json.loads(line) for line in text.splitlines()]
        tell(lines and all("time" in x and "status" in x for x in lines), f"log: {len(lines)} lines of JSON")
        tell("web-key" not in text and "你好" not in text and "影子" not in text, "log: nothing of keys or questions")
    tell(any(x.get("revision") == "文案@1" and x.get("client") == "web" for x in lines), "log: who, and who answered", lines)


# ---- files ---------------------------------------------------------------------------------------

def test_files(s, model):
    """Somebody copies onto the model's file."""
    path = os.path.join(model, "model.safetensors")
    before = s.chat_as("文案", text="文件", headers={**WEB, "Cache-Control": "no-cache"})[2]["choices"]
    if "cannot be guarded" in s.text():
        print("# the files cannot be guarded here: overwriting is not tried")
        with open(path, "rb") as file:
            data = file.read()
        with open(path + ".new", "wb") as file:
            file.write(data)
        os.rename(path + ".new", path)
        s.wait("is another file now")
    else:
        with open(path, "wb") as file:  # waits until the weights are in memory
            file.write(b"nothing")
        s.wait("was opened to be written to")
    after = s.chat_as("文案", text="文件", headers={**WEB, "Cache-Control": "no-cache"})[2]["choices"]
    equal(after, before, "files: overwritten under the server, it answers as before")


def main():
    model = serve.make_model("model")
    keys, log = os.path.join(TMP.name, "keys"), os.path.join(TMP.name, "access.jsonl")
    shadow = os.path.join(TMP.name, "shadow.jsonl")
    write_keys(keys, [("管理", "运营 admin"), ("web-key", "web")])
    s = Operated(model, name="文案", keys=keys, access_log=log, shadow_log=shadow, max_adapters=32).ready()
    test_doors(s, model)
    test_load(s)
    test_under_load(s)
    test_unload(s)
    test_canary(s)
    test_guard(s)
    test_shadow(s, shadow)
    test_single_flight(s)
    test_log(s, log)
    test_keys(s, keys)
    test_files(s, model)
    tell(s.process.poll() is None, "the server is still there", s.text())
    equal(s.stop(), 0, "and ends well")
    print(f"1..{serve.count}")


if __name__ == "__main__":
    main()
