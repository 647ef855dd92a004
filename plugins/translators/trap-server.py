#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""trap-server.py: a translator that misbehaves as asked, for tests.

    trap-server.py          prints its port, serves until its input ends

The first part of the path is how to behave (see BEHAVIOURS), the rest is LibreTranslate's /translate
or OpenAI's /chat/completions.  GET /count gives the number of requests and of texts so far, GET /peak
the most requests that were at work at once.  The translation into another language than Chinese puts
"T:" in front; the one back takes it off and puts other words in place of some.
"""
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = [("很好", "非常棒"), ("便宜", "实惠"), ("喜欢", "喜爱"), ("质量", "品质"), ("推荐", "建议"), ("值得", "应当")]
LOCK = threading.Lock()
STATE = {"requests": 0, "texts": 0, "at_work": 0, "peak": 0, "seen": {}}


def translate(text, target):
    if not target.startswith(("zh", "Chinese")):
        return "T:" + text
    text = text[2:] if text.startswith("T:") else text
    for a, b in WORDS:
        text = text.replace(a, b)
    return text


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json", headers=()):
        if isinstance(body, str):
            body = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/count":
            self.answer(200, f"{STATE['requests']} {STATE['texts']}")
        elif self.path == "/peak":
            self.answer(200, str(STATE["peak"]))
        else:
            self.answer(404, "no")

    def texts(self, question):
        """What is to be translated, into what, and how the answer is written."""
        if self.path.endswith("/translate"):
            return question["q"], question["target"], lambda out: {"translatedText": out}
        system, user = (m["content"] for m in question["messages"])
        target = system.split(" to ", 1)[1].split(".")[0]
        many = "JSON array" in system
        texts = json.loads(user) if many else [user]

        def chat(out):
            text = json.dumps(out, ensure_ascii=False) if many else out[0]
            return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}

        return texts, target, chat

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        question = json.loads(body)
        texts, target, form = self.texts(question)
        with LOCK:
            STATE["requests"] += 1
            STATE["texts"] += len(texts)
            STATE["at_work"] += 1
            STATE["peak"] = max(STATE["peak"], STATE["at_work"])
            behaviour = self.path.split("/")[1]
            nth = STATE["seen"][behaviour] = STATE["seen"].get(behaviour, 0) + 1
        try:
            self.behave(behaviour, nth, question, texts, target, form)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with LOCK:
                STATE["at_work"] -= 1

    def behave(self, how, nth, question, texts, target, form):
        good = [translate(t, target) for t in texts]
        once = how.endswith("-once")
        how = how[:-5] if once else how
        if once and nth > 1:
            how = "ok"
        if how == "ok":
            self.answer(200, json.dumps(form(good)))
        elif how == "slow":
            time.sleep(0.05)
            self.answer(200, json.dumps(form(good)))
        elif how == "html":
            self.answer(200, "<html><body><h1>Log in</h1></body></html>", "text/html")
        elif how == "json":
            self.answer(200, '{"status": "fine"}')
        elif how == "error200":
            self.answer(200, json.dumps({"error": "the language is not supported; key " + str(question.get("api_key"))}))
        elif how == "count":  # one too few, unless there is one alone
            self.answer(200, json.dumps(form(good[:-1] if len(good) > 1 else good)))
        elif how == "empty":  # nothing for some
            self.answer(200, json.dumps(form(["" if "坏" in t else g for t, g in zip(texts, good)])))
        elif how == "loop":  # goes round in circles
            self.answer(200, json.dumps(form([g if g.startswith("T:") else g[:4] * 3 for g in good])))
        elif how == "laugh":
            self.answer(200, json.dumps(form([g if g.startswith("T:") else g + "（笑声）" for g in good])))
        elif how == "half":  # something stays as it was
            self.answer(200, json.dumps(form([g if g.startswith("T:") else g + " hello world" for g in good])))
        elif how == "marks":  # forgets a mark, doubles another
            self.answer(200, json.dumps(form([g.replace("{1}", "").replace("{2}", "{2}{2}") for g in good])))
        elif how == "widemarks":
            self.answer(200, json.dumps(form([g.replace("{", " ｛ ").replace("}", " ｝ ") for g in good])))
        elif how == "utf8":
            self.answer(200, b'{"translatedText": ["\xff\xfe"]}')
        elif how == "endless":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            self.wfile.write(b'{"translatedText": ["')
            while True:
                self.wfile.write(b"x" * 65536)
        elif how == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            for _ in range(100000):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.2)
        elif how == "429":
            self.answer(429, '{"error": "slow down"}', headers=[("Retry-After", "1")])
        elif how == "429long":
            self.answer(429, '{"error": "come back tomorrow"}', headers=[("Retry-After", "86400")])
        elif how in ("500", "503"):
            self.answer(int(how), "<html>Internal trouble</html>", "text/html")
        elif how == "401":
            self.answer(401, json.dumps({"error": "bad key " + str(question.get("api_key"))}))
        elif how == "redirect":
            self.answer(302, "", headers=[("Location", "http://127.0.0.1:1/translate")])
        elif how == "poison":  # one text spoils the request
            if any("毒" in t for t in texts):
                self.answer(400, '{"error": "cannot translate this"}')
            else:
                self.answer(200, json.dumps(form(good)))
        elif how == "drop":
            self.close_connection = True
            self.connection.close()
        elif how == "short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"translatedText": [')
            self.close_connection = True
        elif how == "key":  # wants the key where it belongs
            right = question.get("api_key") == "s3cret" or self.headers.get("Authorization") == "Bearer s3cret"
            self.answer(200 if right else 403, json.dumps(form(good) if right else {"error": "no key"}))
        else:
            self.answer(404, "no such behaviour")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass


def main():
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


main()
