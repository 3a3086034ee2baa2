"""Headless Chromium, driven over a pipe by the DevTools protocol: no port, no other library."""

import base64
import json
import os
import pathlib
import signal
import subprocess
import tempfile

FLAGS = [
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-default-apps", "--disable-dev-shm-usage", "--disable-extensions",
    "--disable-sync", "--hide-scrollbars", "--mute-audio", "--remote-debugging-pipe",
]


class Chromium:
    """Runs until the `with` block ends."""

    def __init__(self, program):
        self.profile = tempfile.TemporaryDirectory(prefix="copernica-chromium.", ignore_cleanup_errors=True)
        to_read, self.to_write = os.pipe()
        from_read, from_write = os.pipe()

        def pipes():  # Chromium reads from 3 and writes to 4
            kept = [os.dup(to_read), os.dup(from_write)]
            high = [os.dup2(one, 20 + place) for place, one in enumerate(kept)]
            for place, one in enumerate(high):
                os.dup2(one, 3 + place)

        flags = FLAGS + (["--no-sandbox"] if os.geteuid() == 0 else [])
        self.process = subprocess.Popen(
            [program, *flags, f"--user-data-dir={self.profile.name}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.profile.name}, close_fds=False, preexec_fn=pipes,
            start_new_session=True,
        )
        os.close(to_read)
        os.close(from_write)
        self.input = os.fdopen(from_read, "rb")
        self.unread = b""
        self.number = 0
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.profile.cleanup()

    def _message(self):
        while b"\0" not in self.unread:
            piece = os.read(self.input.fileno(), 1 << 20)
            if not piece:
                raise RuntimeError("Chromium has ended")
            self.unread += piece
        text, self.unread = self.unread.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, parameters=None, session=None):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        os.write(self.to_write, json.dumps(message).encode() + b"\0")
        while True:
            reply = self._message()
            if reply.get("id") == self.number:
                if "error" in reply:
                    raise RuntimeError(f"{method}: {reply['error']['message']}")
                return reply["result"]
            if "method" in reply:
                self.events.append(reply)

    def wait_for(self, method, session):
        """The first such event since open() of the page; others stay in `events`."""
        while not any(event["method"] == method and event.get("sessionId") == session for event in self.events):
            message = self._message()
            if "method" in message:
                self.events.append(message)

    def page(self):
        return Page(self)


class Page:
    """A tab. What happened in it since open() is in `console` and `requests`."""

    def __init__(self, chromium):
        self.chromium = chromium
        self.target = chromium.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = chromium.call("Target.attachToTarget", {"targetId": self.target, "flatten": True})
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.chromium.call("Target.closeTarget", {"targetId": self.target})
        self.chromium.events.clear()

    def call(self, method, **parameters):
        return self.chromium.call(method, parameters, self.session)

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def show_as(self, scheme, medium="screen"):
        self.call(
            "Emulation.setEmulatedMedia", media=medium,
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def open(self, url):
        self.chromium.events.clear()
        answer = self.call("Page.navigate", url=url)
        if "errorText" in answer:
            raise RuntimeError(f"{url}: {answer['errorText']}")
        self.chromium.wait_for("Page.loadEventFired", self.session)

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def _events(self, method):
        return [
            event["params"] for event in self.chromium.events
            if event["method"] == method and event.get("sessionId") == self.session
        ]

    @property
    def console(self):
        """What a person would see in the console."""
        said = [one["entry"]["text"] for one in self._events("Log.entryAdded")]
        said += [str(one["args"]) for one in self._events("Runtime.consoleAPICalled")]
        return said + [one["exceptionDetails"]["text"] for one in self._events("Runtime.exceptionThrown")]

    @property
    def requests(self):
        return [one["request"]["url"] for one in self._events("Network.requestWillBeSent")]

    def screenshot(self, file, width=None, height=None):
        """Of the whole page, or of its upper part."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": width or size["width"], "height": height or size["height"], "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        pathlib.Path(file).write_bytes(base64.b64decode(shot["data"]))

    def pdf(self, file):
        printed = self.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        pathlib.Path(file).write_bytes(base64.b64decode(printed["data"]))
