"""A sidecar whose ledger cannot be written for a while: disk.py PROGRAM ACCOUNT-URL. The folder `disk` is a small disk, or none."""

import functools
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import witness
from witness import Account, Judge, Pages, Proxy, fail, spawn, write

PROGRAM = sys.argv[1]
ACCOUNT = Account(sys.argv[2])
IS_DISK = os.path.ismount("disk")
LEDGER = "disk/lowtide.db"
LOG = "serve.log"
within = functools.partial(witness.within, logs=[LOG])


class Sidecar(Judge, Pages):
    """The sidecar, and what it orders."""

    def __init__(self):
        Pages.__init__(self)
        self.asked, self.answered, self.orders, self.wanted, self.process = 0, 0, 0, 3, None
        write(
            "lowtide.toml",
            f'version = 1\n[account]\nendpoint = "{Proxy(ACCOUNT, self).url}"\nname = "{ACCOUNT.name}"\nkeyEnv = "AZURE_BATCH_ACCESS_KEY"\n'
            f'[policies]\nfolder = "policies"\n[ledger]\nsqlite = "{LEDGER}"\n[http]\nlisten = "127.0.0.1:{self.port}"\n',
        )

    def before(self, method, path, body):
        """Counts what the account is asked."""
        self.asked += 1

    def after(self, seen, status):
        """Counts what the account took."""
        self.orders += status == 202
        self.answered += 1

    def want(self):
        """Wants something that it did not want before, and that the pool has not; the sidecar looks at once."""
        before = (self.wanted, ACCOUNT.pool("render")["targetDedicatedNodes"])
        self.wanted = random.choice([nodes for nodes in range(1, 10) if nodes not in before])
        write(
            "policies/render.yaml",
            "version: 1\npool: render\ninterval: 10s\n"
            f'demand: [ {{ formula: {{ role: targets, text: "$TargetDedicatedNodes = {self.wanted};" }} }} ]\nbounds: {{ total: [0, 20] }}\n'
        )

    def start(self):
        """Starts it; a file that becomes too large is a failed write then, as on a full disk, and not the end."""
        command = [PROGRAM, "serve", "--config", "lowtide.toml"]
        self.process = spawn(command, LOG, preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))

    def end(self, word=signal.SIGTERM):
        """Ends it."""
        self.process.send_signal(word)
        code = self.process.wait(timeout=30)
        if word == signal.SIGTERM and code != 0:
            fail(f"it does not end in order: {code}", LOG)


SIDECAR = Sidecar()


def is_as_wanted():
    """Says whether the pool has what is wanted."""
    return ACCOUNT.pool("render")["targetDedicatedNodes"] == SIDECAR.wanted


def works(seconds=25):
    """It orders what is wanted, is ready, and its metrics say so."""
    SIDECAR.want()
    took = within(seconds, "it orders", is_as_wanted)
    within(15, "it is ready", lambda: SIDECAR.stands() == "ready")
    within(5, "the metric tells", lambda: SIDECAR.metric("lowtide_ledger_writable") == 1)
    return took


def holds(words, seconds=20):
    """Nothing is ordered whatever is wanted, and readiness and metrics tell why; returns what is said."""
    # The account is seen to have taken an order before its answer has come back.
    within(15, "the last order is answered", lambda: SIDECAR.answered == SIDECAR.asked)
    orders, target = SIDECAR.orders, ACCOUNT.pool("render")["targetDedicatedNodes"]
    SIDECAR.want()
    within(seconds, f"it says `{words}`", lambda: words in SIDECAR.reasons())
    if SIDECAR.page("/readyz")[0] != 503 or SIDECAR.metric("lowtide_ledger_writable") != 0:
        fail("readiness and metrics do not agree", LOG)
    if SIDECAR.page("/livez")[0] != 200:
        fail("it is not alive", LOG)
    said = SIDECAR.reasons()
    time.sleep(2)
    if SIDECAR.orders != orders or ACCOUNT.pool("render")["targetDedicatedNodes"] != target:
        fail("something was ordered that is not written down", LOG)
    return said


class Full:
    """A disk without room, or a limit on the size of files."""

    def __enter__(self):
        if IS_DISK:
            with open("disk/filler", "wb", buffering=0) as filler:
                try:
                    while True:
                        filler.write(bytes(4096))
                except OSError:
                    pass
        else:
            self.limit(4096)
        return self

    def __exit__(self, *_):
        if IS_DISK:
            os.remove("disk/filler")
        else:
            self.limit(resource.RLIM_INFINITY)

    @staticmethod
    def limit(size):
        """Limits the files of the sidecar."""
        resource.prlimit(SIDECAR.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def full():
    """A disk without room."""
    with Full():
        said = holds("there is no room for the ledger")
    took = works()
    print(f"ok  a {'full disk' if IS_DISK else 'limit on files'}: nothing is ordered, and it says: {said}")
    print(f"ok  with room again it orders after {took:.1f} s")


def born_full():
    """It is killed and started while there is no room."""
    if not IS_DISK:
        return
    with Full():
        holds("there is no room for the ledger")
        SIDECAR.end(signal.SIGKILL)
        SIDECAR.start()
        within(20, "it answers, or ends", lambda: SIDECAR.page("/livez")[0] == 200 or SIDECAR.process.poll() is not None)
        if SIDECAR.process.poll() is None:
            said = holds("there is no room for the ledger")
            print(f"ok  started on a full disk it stands by: {said}")
        else:
            with open(LOG, encoding="utf-8") as log:
                said = log.read().strip().splitlines()[-1]
            if SIDECAR.process.returncode != 1 or "there is no room" not in said:
                fail(f"it ended with {SIDECAR.process.returncode}", LOG)
            print(f"ok  started on a full disk it ends with 1 and says: {said}")
    if SIDECAR.process.poll() is not None:
        SIDECAR.start()
    print(f"ok  with room again it orders after {works():.1f} s")


def locked():
    """Another process holds the file."""
    other = sqlite3.connect(LEDGER, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    said = holds("is locked by another process")
    other.execute("ROLLBACK")
    other.close()
    took = works()
    print(f"ok  a locked file: nothing is ordered, and it says: {said}")
    print(f"ok  when it is let go it orders after {took:.1f} s")


def damage(first, count):
    """Writes nonsense over pages of the ledger."""
    with open(LEDGER, "r+b") as file:
        file.seek(first * 4096)
        file.write(random.randbytes(count * 4096))


def damaged():
    """The bytes of the file are wrong: found while it runs, and when it starts."""
    # All of it is in the file, and whoever writes looks there.
    other = sqlite3.connect(LEDGER, isolation_level=None)
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(LEDGER, "whole.db")
    # All but the first, which says what the file is.
    damage(1, os.path.getsize(LEDGER) // 4096 - 1)
    other.close()
    said = holds("is damaged or no ledger")
    print(f"ok  damaged while it runs: nothing is ordered, and it says: {said}")
    refused = subprocess.run([PROGRAM, "ledger", "rescue", LEDGER], capture_output=True, text=True, check=False)
    if refused.returncode != 1 or not os.path.exists(LEDGER) or "stop that first" not in refused.stderr:
        fail(f"a ledger was rescued from under a sidecar: {refused.stdout}{refused.stderr}", LOG)
    print(f"ok  nothing is rescued from under it: {refused.stderr.strip().splitlines()[0]}")
    SIDECAR.end()
    SIDECAR.start()
    if SIDECAR.process.wait(timeout=20) != 1:
        fail("it starts with a damaged ledger", LOG)
    with open(LOG, encoding="utf-8") as log:
        said = log.read().strip().splitlines()[-1]
    if "lowtide ledger rescue" not in said:
        fail(f"the way out is not told: {said}")
    print(f"ok  it does not start with it: {said}")


def rescued():
    """The way out that the message names, for a file of which a part is damaged."""
    for end in ("-wal", "-shm"):
        if os.path.exists(LEDGER + end):
            os.remove(LEDGER + end)
    shutil.copy("whole.db", LEDGER)
    with open(LEDGER, "rb") as file:
        pages = sorted({found.start() // 4096 for found in re.finditer(b'"kind":"decided"', file.read())})
    # The first of them is the root, which has old lines in its free room.
    damage(pages[len(pages) // 2], 1)
    target = ACCOUNT.pool("render")["targetDedicatedNodes"]
    said = subprocess.run([PROGRAM, "ledger", "rescue", LEDGER], capture_output=True, text=True, check=False)
    if said.returncode != 0 or said.stdout.startswith("0 lines"):
        fail(f"rescue: {said.stdout}{said.stderr}")
    print(f"ok  lowtide ledger rescue: {said.stdout.strip()}")
    if ACCOUNT.pool("render")["targetDedicatedNodes"] != target:
        fail("the pool has changed")
    SIDECAR.start()
    print(f"ok  with the rescued ledger it orders after {works():.1f} s")
    SIDECAR.end()
    verified = subprocess.run([PROGRAM, "ledger", "verify", "--ledger", LEDGER], capture_output=True, text=True, check=False)
    if verified.returncode != 0:
        fail(f"verify: {verified.stdout}{verified.stderr}")
    print(f"ok  and the new one is whole: {verified.stdout.strip().splitlines()[-1]}")


def main():
    """Goes from trouble to trouble."""
    random.seed(20261125)
    os.makedirs("policies", exist_ok=True)
    SIDECAR.want()
    SIDECAR.start()
    within(15, "it answers", lambda: SIDECAR.page("/livez")[0] == 200)
    # A few pages of lines.
    for _ in range(6):
        works()
    for trouble in (full, born_full, locked, damaged, rescued):
        trouble()


main()
