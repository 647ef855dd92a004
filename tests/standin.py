# standin.py: stands in for sink.serve in tests of its page: the page itself as the plugin sends it
# (print-page), answers that are written down beforehand, and everything that can go wrong on the way.
#
#   server = StandIn(program, fields=[...]); server.url
#   server.answers = [[piece, ...], ...]      one list of pieces a choice; ("think", text) is reasoning
#   server.trouble = ["429:1", "break"]       what becomes of the next requests for answers, in turn
#   server.asked, server.rated                bodies that came; server.left: requests that were left
import http.server, json, socket, subprocess, threading, time


def chunk(n, choice, delta, finish=None):
    return {"id": f"chatcmpl-{n}", "object": "chat.completion.chunk", "created": 1, "model": "shop", "system_fingerprint": "fp_1",
            "choices": [{"index": choice, "delta": delta, "finish_reason": finish}]}


def error(message, code):
    return {"error": {"message": message, "type": "x", "param": None, "code": code}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, kind="application/json", headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-type" for name, _ in headers):
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def may(self):
        s = self.server.stand_in
        if s.key is None or self.headers.get("Authorization") == "Bearer " + s.key:
            return True
        self.reply(401, error("a key is needed", "invalid_api_key"), headers=[("WWW-Authenticate", "Bearer")])
        return False

    def do_GET(self):
        s = self.server.stand_in
        path = self.path.split("?")[0].removeprefix(s.prefix)
        if path == "/":
            return self.reply(200, s.page, headers=s.headers)
        if not self.may():
            return None
        if path == "/format":
            return self.reply(200, s.format) if s.format is not None else self.reply(404, error("no", "not_found"))
        if path == "/v1/models":
            return self.reply(200, {"object": "list", "data": [{"id": m, "object": "model"} for m in s.models]})
        return self.reply(404, error("no such thing", "not_found"))

    def do_POST(self):
        s = self.server.stand_in
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.may():
            return None
        if self.path.removeprefix(s.prefix) == "/feedback":
            return self.feedback(s, json.loads(body))
        with s.lock:
            s.asked.append(json.loads(body))
            n = len(s.asked)
            trouble = s.trouble.pop(0) if s.trouble else ""
        return self.generate(s, n, json.loads(body), trouble)

    def feedback(self, s, body):
        with s.lock:
            trouble = s.rating_trouble.pop(0) if s.rating_trouble else 0
            if not trouble:
                s.rated.append(body)
        if trouble:
            return self.reply(trouble, error("<b>no room</b>", "disk_full"))
        return self.reply(201, {"object": "feedback", "id": "fb-1", "answer": body["answer"], "variant": body["variant"], "verified": True})

    def event(self, data):
        data = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        text = f"data: {data}\n\n".encode()
        self.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
        self.wfile.flush()

    def generate(self, s, n, asked, trouble):
        word, _, rest = trouble.partition(":")
        if word == "429" or word == "503":
            return self.reply(int(word), error("too many", "queue_full" if word == "429" else "loading"), headers=[("Retry-After", rest)])
        if word.isdigit():
            code, _, message = rest.partition(":")
            return self.reply(int(word), error(message, code))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self.stream(s, n, asked, word)
        except OSError:
            with s.lock:
                s.left.append(n)
            self.close_connection = True
        return None

    def stream(self, s, n, asked, trouble):
        texts = s.answers[:asked["n"]]
        for c in range(asked["n"]):
            self.event(chunk(n, c, {"role": "assistant", "content": ""}))
        self.wfile.write(b"8\r\n: ping\n\n\r\n")  # a comment, as a silent stream gets
        for i in range(max(map(len, texts))):
            for c, pieces in enumerate(texts):
                if i >= len(pieces):
                    continue
                piece = pieces[i]
                self.event(chunk(n, c, {"reasoning_content": piece[1]} if isinstance(piece, tuple) else {"content": piece}))
                if c in s.ends and i + 1 == len(pieces):
                    self.event(chunk(n, c, {}, "stop"))
            if trouble == "break" and i >= 1:
                self.wfile.flush()
                time.sleep(0.5)  # a browser throws away what it has not read when a connection breaks
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            if trouble == "error" and i >= 1:
                self.event(error("it <i>burns</i>", "internal_error"))
                break
            time.sleep(s.delay)
            s.gate.wait(30)
        else:
            for c in [c for c in range(asked["n"]) if c not in s.ends]:
                self.event(chunk(n, c, {}, s.finish[c % len(s.finish)]))
            self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")


class StandIn:
    def __init__(self, program, fields=None, prefix=""):
        sent = subprocess.run([program], capture_output=True, check=True).stdout
        head, self.page = sent.split(b"\r\n\r\n", 1)
        self.headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n")]
        self.format = {"template": "…", "fields": fields, "feedback": True} if fields is not None else None
        self.models, self.answers, self.finish, self.delay, self.key, self.prefix = ["shop"], [["text"]], ["stop"], 0.02, None, prefix
        self.trouble, self.rating_trouble, self.asked, self.rated, self.left = [], [], [], [], []
        self.ends = []  # choices that end as soon as their last piece is out, not with all others
        self.lock, self.gate = threading.Lock(), threading.Event()
        self.gate.set()  # cleared: a stream waits after its next piece
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.stand_in = self
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}{prefix}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()
