"""Runs the `sh` blocks of a chapter, in order and in one shell: blocks.py CHAPTER FOLDER.

FOLDER is where they run; it gets a copy of the chapter's own files (start.in for start.md). An `text,output` block is what the `sh` block
before it prints last: `...` stands for any lines, `[..]` for any text in a line. What was started in the background is awaited until it
answers, and ended in the end. Where a chapter needs what another one has built, it says so out of the reader's sight:
<!-- before: OTHER.md; COMMANDS -->.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

MARK = "== end of block"
# What blocks leave running in the background, and where it answers: a reader waits for it by eye.
LISTENERS = {"lowtide emulate": 10800, "lowtide serve": 9464}
WAIT = "for try in $(seq 300); do (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && break; sleep 0.1; done"
# The sidecar answers before it has looked; a reader does not read that fast.
READY = "for try in $(seq 300); do curl -fs http://127.0.0.1:9464/readyz >/dev/null && break; sleep 0.1; done"


def blocks(text):
    """The `sh` blocks with the `output` that follows each, where there is one."""
    found = []
    for language, block in re.findall(r"^```([\w,]+)\n(.*?)^```$", text, re.M | re.S):
        if language == "sh":
            found.append([block, None])
        elif language == "text,output":
            found[-1][1] = block
    return found


def before(chapter, text):
    """The blocks that come before those of the chapter, and the folder of files that they need."""
    said = re.search(r"^<!-- before: (\S+); (.*) -->$", text, re.M)
    if not said:
        return [], chapter.with_suffix(".in")
    other = chapter.parent / said[1]
    return [[block, None] for block, _ in blocks(other.read_text(encoding="utf-8"))] + [[said[2] + "\n", None]], other.with_suffix(".in")


def script(found):
    parts = ["set -euo pipefail"]
    for block, _ in found:
        parts.append(block)
        for command, port in LISTENERS.items():
            if re.search(rf"^{command}.*&$", block, re.M):
                # What comes after the start within the same block must find it as well.
                wait = WAIT.format(port=port) + ("\n" + READY if port == 9464 else "")
                parts[-1] = re.sub(rf"^({command}.*&)$", lambda line: f"{line[1]}\n{wait}", parts[-1], flags=re.M)
        parts.append(f"echo '{MARK}'")
    return "\n".join(parts)


def matches(expected, got):
    """Whether the last lines of what was printed are as expected."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\[\.\.\]", ".*") + r"\n"
        for line in expected.splitlines()
    )
    return re.search(rf"(?:\A|\n){pattern}\Z", got) is not None


def main():
    chapter, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    text = chapter.read_text(encoding="utf-8")
    prepared, own = before(chapter, text)
    found = prepared + blocks(text)
    if own.is_dir():
        shutil.copytree(own, folder, dirs_exist_ok=True)
    folder.mkdir(exist_ok=True)
    shell = subprocess.Popen(
        ["bash", "-c", script(found)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, text=True
    )
    said = []
    for line in shell.stdout:
        said.append(line)
        # What runs in the background holds the pipe open; the last block is the end.
        if sum(MARK in line for line in said) == len(found):
            break
    ended = sum(MARK in line for line in said) == len(found) or shell.wait() == 0
    try:
        os.killpg(shell.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    shell.wait()
    output = "".join(said)
    if not ended:
        sys.exit(f"a block of {chapter} failed:\n{output}")
    for number, ((_, expected), got) in enumerate(zip(found, output.split(MARK + "\n")), 1):
        if expected is not None and not matches(expected, got):
            sys.exit(f"{chapter}, block {number}: expected\n{expected}\ngot\n{got}")
    own_blocks = found[len(prepared) :]
    print(f"{chapter}: {len(own_blocks)} blocks, {sum(block[1] is not None for block in own_blocks)} with output")


main()
