# browser.py: drives a headless Chromium, for tests of the pages that flowrun writes.
#
# It speaks the Chrome DevTools Protocol over the pipe of --remote-debugging-pipe (messages end in
# NUL, one way on descriptor 3, the other on 4), so that nothing but Python is needed.  A Page notes
# every request it makes and every error of its scripts.
import base64, json, os, shutil, subprocess, tempfile, time


def find():
    """The browser's program, or None."""
    for name in (os.environ.get("FLOWRUN_CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome"):
        path = shutil.which(name) if name else None
        if path:
            return path
    return None


class Browser:
    def __init__(self, program, *options):
        to_read, self.to = os.pipe()
        self.came, from_write = os.pipe()
        self.dir = tempfile.mkdtemp()
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "G_", "ASAN_", "LSAN_", "UBSAN_", "XDG_"))}
        env["HOME"] = self.dir

        # both ends go out of the way first, for one may lie where the other belongs
        def place():
            a, b = os.dup(to_read), os.dup(from_write)
            a, b = os.dup2(a, 63), os.dup2(b, 64)
            os.dup2(63, 3)
            os.dup2(64, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
             "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-extensions",
             "--force-color-profile=srgb", "--hide-scrollbars", "--user-data-dir=" + self.dir + "/profile", *options, "about:blank"],
            close_fds=False, preexec_fn=place, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
        os.close(to_read)
        os.close(from_write)
        self.n, self.buffer, self.events = 0, b"", []

    def message(self, until):
        """The next message; fails after the moment `until`."""
        import select
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.came], [], [], max(0, until - time.monotonic()))
            if not ready:
                raise TimeoutError("the browser does not answer")
            got = os.read(self.came, 1 << 20)
            if not got:
                raise EOFError("the browser has ended")
            self.buffer += got
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, session=None, timeout=60, **params):
        self.n += 1
        n = self.n
        message = {"id": n, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + timeout
        while True:
            got = self.message(until)
            if got.get("id") == n:
                if "error" in got:
                    raise RuntimeError(method + ": " + got["error"]["message"])
                return got["result"]
            self.events.append(got)

    def page(self):
        return Page(self)

    def close(self):
        try:
            self.call("Browser.close", timeout=10)
        except (OSError, EOFError, TimeoutError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.came)
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


KEYS = {"Enter": ("Enter", 13, "\r"), "Escape": ("Escape", 27, ""), "Backspace": ("Backspace", 8, ""), "ArrowLeft": ("ArrowLeft", 37, ""),
        "ArrowUp": ("ArrowUp", 38, ""), "ArrowRight": ("ArrowRight", 39, ""), "ArrowDown": ("ArrowDown", 40, ""), "Tab": ("Tab", 9, "\t")}


class Page:
    def __init__(self, browser):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def run(self, script):
        """The value of a script's last expression."""
        got = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in got:
            raise RuntimeError(got["exceptionDetails"].get("exception", {}).get("description", "script failed"))
        return got["result"].get("value")

    def wait(self, script, seconds=20):
        until = time.monotonic() + seconds
        while not self.run(script):
            if time.monotonic() > until:
                raise TimeoutError("never true: " + script)
            time.sleep(0.02)

    def open(self, url):
        got = self.call("Page.navigate", url=url)
        if got.get("errorText"):
            raise RuntimeError(url + ": " + got["errorText"])
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def size(self, width, height, dark=False, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def key(self, name, modifiers=0):
        """A key as a person presses it: a name of KEYS, or a character."""
        if name in KEYS:
            code, number, text = KEYS[name]
            key = name
        else:
            key, text = name, name
            code = "Digit" + name if name.isdigit() else "Key" + name.upper() if name.isalpha() else "Slash"
            number = ord(name.upper())
        down = {"type": "keyDown" if text and not modifiers else "rawKeyDown", "key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": modifiers}
        if text and not modifiers:
            down["text"] = text
        self.call("Input.dispatchKeyEvent", **down)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=code, windowsVirtualKeyCode=number, modifiers=modifiers)

    def keys(self, names):
        for name in names:
            self.key(name)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def downloads(self, folder):
        self.browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=folder)

    def picture(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def requests(self):
        """Addresses it asked for so far."""
        self.run("0")
        return [e["params"]["request"]["url"] for e in self.browser.events if e.get("method") == "Network.requestWillBeSent"]

    def errors(self):
        """What scripts threw and the browser complained of so far."""
        self.run("0")
        return [json.dumps(e["params"]) for e in self.browser.events
                if e.get("method") == "Runtime.exceptionThrown" or (e.get("method") == "Log.entryAdded" and e["params"]["entry"]["level"] == "error")]
