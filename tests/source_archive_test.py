#!/usr/bin/env python3
"""Makes the source archive and builds the page of it without Node's modules.

Usage: source_archive_test.py ROOT. Twice the same bytes; the page is in it,
bundled; a build of it takes that and needs nothing else.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

SKIPPED = 77


def run(*command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
                          check=False, **options)


def must(*command, **options):
    done = run(*command, **options)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done


def main():
    root = pathlib.Path(sys.argv[1])
    if not (root / "dashboards/web/node_modules/esbuild").is_dir() or not (root / ".git").exists():
        print("no node_modules, or no repository: tools/setup brings the first")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for name in "ab":
            out = os.path.join(folder, name)
            must("tools/package", "--source", "--version", "9.9", "--out", out, cwd=root)
            made.append(pathlib.Path(out, "span25-9.9.tar.gz").read_bytes())
        if made[0] != made[-1]:
            sys.exit("failed: the same commit makes two archives")
        must("tar", "-xzf", os.path.join(folder, "a/span25-9.9.tar.gz"), "-C", folder)
        tree = pathlib.Path(folder, "span25-9.9")
        for name in ("dashboards/web/src/main.tsx", "dashboards/web/dist/licences.txt", "LICENSE"):
            if not (tree / name).is_file():
                sys.exit(f"failed: {name} is not in the archive")
        build = os.path.join(folder, "build")
        must("cmake", "-S", tree, "-B", build, "-G", "Ninja", "-DONLY=dashboards/web")
        must("cmake", "--build", build, "--target", "page")
        table = pathlib.Path(build, "dashboards/web/page.c").read_text(encoding="utf-8")
        if '"/assets/main-' not in table:
            sys.exit("failed: the built program would not hold the page of the archive")
    return 0


sys.exit(main())
