"""A run of a program, and what is asked of its output.

    Run(PROGRAM, "alerts", "list").expect(0).says("10.20.4.17")
"""
import os
import subprocess

PATIENCE = 240  # seconds, with sanitizers on a machine with other work


def check(good, why):
    if not good:
        raise AssertionError(why)


class Run:
    def __init__(self, *args, stdin=None):
        done = subprocess.run([*map(str, args)], input=stdin, check=False,
                              capture_output=True, timeout=PATIENCE,
                              env={**os.environ, "TZ": "UTC"})
        self.args, self.code = args, done.returncode
        self.out = done.stdout.decode(errors="replace")
        self.err = done.stderr.decode(errors="replace")

    def expect(self, code):
        check(self.code == code, f"{self.args}: exit {self.code}, not {code}: "
                                 f"{self.out[-500:]} {self.err[-1500:]}")
        return self

    def says(self, *wants):
        for want in wants:
            check(want in self.out, f"{self.args}: no {want!r} in\n{self.out}")
        return self

    def lacks(self, *wants):
        for want in wants:
            check(want not in self.out, f"{self.args}: {want!r} in\n{self.out}")
        return self

    def warns(self, *wants):
        for want in wants:
            check(want in self.err, f"{self.args}: no {want!r} in\n{self.err}")
        return self
