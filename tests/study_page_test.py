#!/usr/bin/env python3
"""The report of a study in a real browser, where there is one.

    study_page_test.py STUDY_SAMPLE

Chromium opens pages of the kit: none breaks its own policy or says anything on
the console, and one whose sheet was changed does. Light and dark differ,
nothing is wider than a telephone, and the decision page is one page of paper.
The exit code is 77 where there is no Chromium."""
import base64
import json
import os
import pathlib
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

PATIENCE = 60  # seconds for one answer, on a machine with other work
PAPERS = {"A4": (8.27, 11.69), "Letter": (8.5, 11)}
NAMES = ("chromium", "chromium-browser", "google-chrome")
ALONE = """const d = document.getElementById("decision");
    document.body.replaceChildren(d); d.querySelectorAll("h2").length"""


class Browser:
    """Chromium, spoken to through a pair of pipes; messages end with NUL."""

    def __init__(self, program, folder):
        to_read, self.to = os.pipe()
        self.back, from_write = os.pipe()
        # the browser has its ends as 3 and 4
        script = f"exec 3<&{to_read} 4>&{from_write}; exec \"$@\""
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", script, "bash", program, "--headless",
             "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--disable-extensions", "--no-first-run",
             "--remote-debugging-pipe", f"--user-data-dir={folder}",
             "about:blank"], pass_fds=(to_read, from_write),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.n, self.text, self.events, self.session = 0, b"", [], None

    def receive(self):
        end = time.monotonic() + PATIENCE
        while b"\0" not in self.text:
            ready, _, _ = select.select([self.back], [], [],
                                        max(0, end - time.monotonic()))
            piece = os.read(self.back, 1 << 20) if ready else b""
            if not piece:
                raise TimeoutError("the browser does not answer")
            self.text += piece
        message, self.text = self.text.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, **params):
        self.n += 1
        message = {"id": self.n, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            got = self.receive()
            if got.get("id") == self.n:
                assert "error" not in got, (method, got)
                return got["result"]
            if "method" in got:
                self.events.append(got)

    def tab(self):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target,
                                flatten=True)["sessionId"]
        for part in ("Page", "Log", "Runtime", "Network"):
            self.ask(part + ".enable")

    def open(self, path):
        """What the page said while it was loaded, and what it asked for."""
        self.events.clear()
        self.ask("Page.navigate", url=path.as_uri())
        while not any(e["method"] == "Page.loadEventFired"
                      for e in self.events):
            got = self.receive()
            if "method" in got:
                self.events.append(got)
        self.ask("Runtime.evaluate", expression="document.body.offsetHeight")
        said = [e["params"] for e in self.events if e["method"] in
                ("Log.entryAdded", "Runtime.consoleAPICalled",
                 "Runtime.exceptionThrown")]
        asked = [e["params"]["request"]["url"] for e in self.events
                 if e["method"] == "Network.requestWillBeSent"]
        return said, asked

    def value(self, expression):
        return self.ask("Runtime.evaluate", expression=expression,
                        returnByValue=True)["result"].get("value")

    def scheme(self, name):
        self.ask("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": name}])
        return self.value("getComputedStyle(document.body).backgroundColor + "
                          "getComputedStyle(document.body).color")

    def pages(self, paper):
        width, height = PAPERS[paper]
        made = self.ask("Page.printToPDF", paperWidth=width,
                        paperHeight=height, preferCSSPageSize=False,
                        printBackground=False)
        return len(re.findall(rb"/Type\s*/Page\b(?!s)",
                              base64.b64decode(made["data"])))

    def close(self):
        self.session = None
        try:
            self.ask("Browser.close")
        except (OSError, TimeoutError):
            self.process.kill()
        self.process.wait(PATIENCE)
        os.close(self.to)
        os.close(self.back)


def check_page(b, path):
    said, asked = b.open(path)
    assert said == [], said
    assert asked == [path.as_uri()], asked
    light, dark = b.scheme("light"), b.scheme("dark")
    assert light.startswith("rgb(255, 255, 255)"), light
    assert dark != light, dark
    b.ask("Emulation.setDeviceMetricsOverride", width=320, height=640,
          deviceScaleFactor=1, mobile=False)
    wide = b.value("document.documentElement.scrollWidth")
    b.ask("Emulation.clearDeviceMetricsOverride")
    assert wide <= 320, f"{path.name} is {wide} wide"


def check_decision(b, path):
    assert b.value(ALONE) == 1
    
    for paper in PAPERS:
        n = b.pages(paper)
        
        assert n == 1, f"{path.name}: the decision takes {n} pages of {paper}"



def main():
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        print("skipped: Chromium is not installed")
        return 77
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        b = Browser(program, folder / "profile")
        try:
            b.tab()
            for kind in ("full", "hostile"):
                path = folder / f"{kind}.html"
                path.write_bytes(subprocess.run(
                    [sys.argv[1], "html", kind], check=True,
                    stdout=subprocess.PIPE).stdout)
                check_page(b, path)
                if kind != "hostile":
                    check_decision(b, path)
            
            changed = folder / "changed.html"
            changed.write_text(path.read_text().replace("<style>", "<style> "))
            said, _ = b.open(changed)
            assert any("Content Security Policy" in str(s) for s in said), said
        finally:
            b.close()
    print("ok: 2 pages")
    return 0


sys.exit(main())
