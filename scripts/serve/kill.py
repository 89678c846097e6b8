"""Kills the sidecar at its writes, one after the other, and looks at what is left: kill.py PROGRAM ACCOUNT-URL STRIKE KILLS SECONDS.

`strike.c` is loaded into the sidecar and kills it before, within or after the Nth of its writes: to the ledger, to its log, to its
lock, and of an order to the account. Others die at any moment. Lives begin with a ledger of their own or with the one of all lives
before, some are killed at their orders alone, some see their policies change (a run begins anew then, as at a checkpoint), some prune. After each death the ledger is
held against what a proxy before the account has seen.
"""

import collections
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zlib

from witness import Account, Judge, Proxy, fail, spawn, write

PROGRAM, STRIKE = sys.argv[1], sys.argv[3]
KILLS, SECONDS = int(sys.argv[4]), int(sys.argv[5])
ACCOUNT = Account(sys.argv[2])
COOLDOWN = 6
# A ledger that prunes has no more, which is the least that can be configured.
BYTES_MAX = 1_000_000
# The pools of all lives: one is resized, one has to keep to a cooldown, one is given formulas that carry its target. Two others
# belong to the lives that begin with a ledger of their own, which remember nothing.
POOLS = ["free", "cooled", "leased"]
OTHERS = ["new", "newer"]
MORE = {"cooled": f"guards: {{ cooldown: {{ in: {COOLDOWN}s }} }}\n", "leased": "actuator: { leaseFormula: { lease: 24h } }\n"}
# A formula is taken once in so many seconds (503 `TooManyEnableAutoScaleRequests`).
LEASE_PAUSE = 30
HOWS = ["before", "within", "after"]
# Where a death can fall: between which two lines, and what else was under way.
GAPS = [
    "no ledger → its tables",
    "its tables → the lead",
    "the lead → begun",
    "begun → decided",
    "decided → the first order",
    "an order → its receipt",
    "an order → the next order",
    "begun anew → decided",
    "the pruning",
    "between two looks",
]


def lines_of(ledger, after):
    """Returns the lines of a ledger after a number, or `None` where there are no tables yet."""
    try:
        rows = ledger.execute("SELECT number, line, packed FROM ledger WHERE number > ? ORDER BY number", (after,)).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise
    return [(at, json.loads(line if line is not None else zlib.decompress(packed))) for at, line, packed in rows]


class Found:
    """What is on the disk: read from a copy, so that reading mends nothing."""

    def __init__(self, name, after):
        self.lines, self.fence, self.oldest, self.newest, self.bytes = None, 0, 0, 0, 0
        if not os.path.exists(name):
            return
        for end in ("", "-wal", "-journal"):
            if os.path.exists(name + end):
                shutil.copy(name + end, "copy.db" + end)
            elif os.path.exists("copy.db" + end):
                os.remove("copy.db" + end)
        ledger = sqlite3.connect("copy.db")
        self.lines = lines_of(ledger, after)
        if self.lines is not None:
            ask = lambda question: ledger.execute(question).fetchone()[0]
            self.fence = ask("SELECT coalesce(max(fence), 0) FROM lead")
            self.oldest, self.newest = ask("SELECT coalesce(min(number), 0) FROM ledger"), ask("SELECT coalesce(max(number), 0) FROM ledger")
            self.bytes = (ask("PRAGMA page_count") - ask("PRAGMA freelist_count")) * ask("PRAGMA page_size")
            if ask("PRAGMA quick_check") != "ok":
                fail(f"{name} is damaged", "serve.log")
        ledger.close()


class Orders(Judge):
    """Holds every order against the line before it."""

    def __init__(self):
        self.ledger = None
        self.taken = collections.Counter()
        self.counts = collections.Counter()
        # When a pool last grew, and when a lease was last taken, by the lines of the ledger.
        self.grew, self.leased = None, None

    def newest(self, pool):
        """Returns the newest line about a pool, as another process finds it on the disk now."""
        ledger = sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True, timeout=10)
        try:
            last = ledger.execute("SELECT max(number) FROM ledger").fetchone()[0] or 0
            lines = [found for found in lines_of(ledger, last - 12) or [] if about(found[1]) == pool]
        finally:
            ledger.close()
        if not lines or lines[-1][1]["kind"] != "decided" or not lines[-1][1].get("order"):
            fail(f"an order for {pool} came, and the newest line about it is {lines[-1:]}", "serve.log")
        return lines[-1]

    def before(self, method, path, body):
        """No order without its line, and none that undoes what is to be left alone."""
        _, _, pool, does = path.split("/")
        number, line = self.newest(pool)
        told, order, before = json.loads(body or b"{}"), line["order"], ACCOUNT.pool(pool)
        at = seconds(line["at"])
        if does == "resize":
            asked = (told["targetDedicatedNodes"], told["targetLowPriorityNodes"])
            if asked != (order["dedicated"], order["spot"]):
                fail(f"{asked} was ordered for {pool}, and line {number} says {order}", "serve.log")
            if asked == (before["targetDedicatedNodes"], before["targetLowPriorityNodes"]):
                fail(f"{pool} was ordered to {asked} again, which it has (line {number})", "serve.log")
            if pool == "cooled" and asked[0] < before["targetDedicatedNodes"]:
                if self.grew is not None and at < self.grew + COOLDOWN:
                    fail(f"line {number} shrinks {pool} {at - self.grew:.1f} s after it grew: its cooldown was forgotten", "serve.log")
                self.counts["shrunk"] += 1
            return number, pool, asked[0] > before["targetDedicatedNodes"], at
        if does == "enableautoscale" and pool == "leased":
            lease = order.get("lease") or {}
            if lease.get("formula") != told["autoScaleFormula"]:
                fail(f"a formula was installed that line {number} does not have: {order}", "serve.log")
            if self.leased is not None and at < self.leased + LEASE_PAUSE:
                fail(f"line {number} installs a formula {at - self.leased:.1f} s after the last", "serve.log")
            return number, pool, False, at
        return fail(f"{method} {path} is nothing that was decided", "serve.log")

    def after(self, seen, status):
        """None twice."""
        number, pool, grows, at = seen
        if status not in (200, 202):
            self.counts[f"refused {status}"] += 1
            return
        self.taken[self.ledger, number] += 1
        self.counts[pool] += 1
        if self.taken[self.ledger, number] > 1:
            fail(f"line {number} was ordered twice", "serve.log")
        if pool == "cooled" and grows:
            self.grew = at
        if pool == "leased":
            self.leased = at


def about(line):
    """Returns the pool that a line is about."""
    return line.get("pool") or (line.get("order") or {}).get("pool")


def seconds(at):
    """Returns a moment of a line as seconds."""
    hours, minutes, rest = at.rstrip("Z").split("T")[1].split(":")
    days = int(at[8:10])
    return ((days * 24 + int(hours)) * 60 + int(minutes)) * 60 + float(rest)


ORDERS = Orders()
PROXY = Proxy(ACCOUNT, ORDERS)


class Ledger:
    """A ledger through all the lives that it sees."""

    def __init__(self, name, pools):
        self.name, self.pools = name, pools
        self.fence, self.last, self.oldest = 0, 0, 0
        os.makedirs(f"{name}.policies", exist_ok=True)
        for config, more in ("keeps", ""), ("prunes", f"bytesMax = {BYTES_MAX}\n"):
            write(
                f"{name}.{config}.toml",
                f'version = 1\n[account]\nendpoint = "{PROXY.url}"\nname = "{ACCOUNT.name}"\nkeyEnv = "AZURE_BATCH_ACCESS_KEY"\n'
                f'[policies]\nfolder = "{name}.policies"\n[ledger]\nsqlite = "{name}"\n{more}[http]\nlisten = "127.0.0.1:0"\n',
            )

    def forget(self):
        """Begins anew without a ledger."""
        for end in ("", "-wal", "-shm", "-journal", ".lead"):
            if os.path.exists(self.name + end):
                os.remove(self.name + end)
        self.fence = self.last = self.oldest = 0
        ORDERS.taken = collections.Counter({key: n for key, n in ORDERS.taken.items() if key[0] != self.name})

    def want(self):
        """Wants something else of each pool."""
        for pool in self.pools:
            # A formula that says much makes a ledger that has to be pruned.
            text = f"$TargetDedicatedNodes = {random.randint(1, 9)}; // {random.random()} " + "and so on, " * 600
            write(
                f"{self.name}.policies/{pool}.yaml",
                f"version: 1\npool: {pool}\ninterval: 10s\ndemand: [ {{ formula: {{ role: targets, text: '{text}' }} }} ]\n"
                f"bounds: {{ total: [0, 20], dedicated: [0, 20] }}\n{MORE.get(pool, '')}",
            )

    def after_death(self):
        """Holds what is left against what was there before and what was ordered; returns the gap into which the death fell."""
        # What it sent may still be on its way.
        time.sleep(0.02)
        while PROXY.under_way:
            time.sleep(0.005)
        found = Found(self.name, self.last)
        half_pruned = found.oldest > self.oldest > 0 and found.bytes > BYTES_MAX
        fence, self.fence = self.fence, found.fence or self.fence
        if found.lines is None:
            if self.last:
                fail(f"{self.name} has lost its tables", "serve.log")
            return GAPS[0]
        if found.fence < fence:
            fail(f"the fence of {self.name} went from {fence} to {found.fence}", "serve.log")
        if not found.lines and found.newest < self.last:
            fail(f"the lines of {self.name} up to {self.last} are lost: it ends with {found.newest}", "serve.log")
        numbers = [number for number, _ in found.lines]
        if numbers != list(range(self.last + 1, self.last + 1 + len(numbers))):
            fail(f"after line {self.last} of {self.name} come {numbers}", "serve.log")
        self.last, self.oldest = found.newest, found.oldest
        if half_pruned:
            return GAPS[8]
        if not found.lines:
            return GAPS[1] if found.fence == fence else GAPS[2]
        return self.gap_after(found.lines)

    def gap_after(self, lines):
        """Returns the gap that comes after the last of the lines of a life: all decisions of a look stand before its first order."""
        begun, orders, settled, decided = 0, [], 0, 0
        for number, line in lines:
            kind = line["kind"]
            begun += kind == "started"
            if kind == "started" or decided == len(self.pools) and kind == "decided":
                orders, settled, decided = [], 0, 0
            if kind == "started":
                continue
            if kind == "decided":
                decided += 1
                orders += [number] if line.get("order") else []
            elif kind == "settled":
                settled += 1
            else:
                fail(f"line {number} is of the kind {kind}", "serve.log")
        if not decided:
            return GAPS[3] if begun == 1 else GAPS[7]
        if settled == len(orders):
            return GAPS[9]
        # Answers that come one after the other are kept together.
        taken = sum(ORDERS.taken[self.name, number] > 0 for number in orders[settled:])
        if not settled + taken:
            return GAPS[4]
        return GAPS[5] if settled + taken == len(orders) else GAPS[6]


def notes():
    """Returns the writes that a life has made."""
    if not os.path.exists("notes"):
        return []
    with open("notes", encoding="utf-8") as file:
        return file.read().splitlines()


def live(ledger, kind, at, how, moment):
    """Lives until it is killed: at a write, at a moment, or when nothing happens any more; says where."""
    for name in ("notes", "serve.log"):
        if os.path.exists(name):
            os.remove(name)
    ORDERS.ledger, renewed = ledger.name, kind == "renewed"
    config = f"{ledger.name}.{'prunes' if kind == 'pruning' else 'keeps'}.toml"
    only = "order" if kind == "ordering" else ""
    struck = {"LD_PRELOAD": STRIKE, "STRIKE_ONLY": only, "STRIKE_AT": str(at), "STRIKE_HOW": how, "STRIKE_NOTES": "notes"}
    process = spawn([PROGRAM, "serve", "--config", config], "serve.log", env=os.environ | struck)
    began = quiet = time.monotonic()
    n_written = 0
    while process.poll() is None:
        time.sleep(0.005)
        now = time.monotonic()
        if moment and now > began + moment:
            process.send_signal(signal.SIGKILL)
            break
        written = len(notes())
        if written != n_written:
            n_written, quiet = written, now
        if written and now > quiet + 0.3 or now > began + 4:
            if not renewed:
                process.send_signal(signal.SIGKILL)
                break
            ledger.want()
            renewed, quiet = False, now + 0.5
    if process.wait() != -signal.SIGKILL:
        fail(f"the sidecar ended by itself with {process.returncode}", "serve.log")
    written = notes()
    if moment or not at or len(written) < at:
        return "at a moment", len(written)
    return f"{how} a {' '.join(reversed(written[at - 1].split()[1:]))}", len(written)


def order_of_deaths():
    """Yields where lives shall end, so that every write is met in each of the three ways before any is met again.

    How many writes a kind of life has is learned from those that outlived their strike.
    """
    kinds = ["fresh", "resumed", "ordering", "renewed", "pruning", "any"]
    turns = {kind: [] for kind in kinds}
    longest = dict.fromkeys(kinds, 0)
    number = 0
    while True:
        number += 1
        kind = kinds[number % len(kinds)]
        if kind == "any":
            yield "resumed", 0, "", random.random() * 0.5
            continue
        if not turns[kind]:
            if not longest[kind]:
                longest[kind] = yield kind, 0, "", None
                continue
            # What comes before a run begins anew is met by lives that see none.
            first = min(longest["resumed"], longest[kind] // 2) if kind == "renewed" else 0
            turns[kind] = [(at, how) for at in range(first + 1, longest[kind] + 1) for how in HOWS]
            random.shuffle(turns[kind])
        at, how = turns[kind].pop()
        longest[kind] = max(longest[kind], (yield kind, at, how, None))


def verified(name):
    """Decides a ledger again: the same bytes must come out, whatever was cut off where."""
    said = subprocess.run([PROGRAM, "ledger", "verify", "--ledger", name], capture_output=True, text=True, check=False)
    if said.returncode != 0:
        fail(f"ledger verify {name}: {said.stdout}{said.stderr}")
    return said.stdout.strip().splitlines()[-1]


def main():
    """Kills until it was often enough, or long enough."""
    random.seed(int(os.environ.get("LOWTIDE_SEED", "20261125")))
    all_lives, fresh = Ledger("lowtide.db", POOLS), Ledger("fresh.db", OTHERS)
    began, kills = time.monotonic(), 0
    gaps, places = collections.Counter(), collections.Counter()
    deaths = order_of_deaths()
    kind, at, how, moment = next(deaths)
    while (kills < KILLS or missed(gaps)) and time.monotonic() - began < SECONDS:
        ledger = fresh if kind == "fresh" else all_lives
        # Every other time it goes on with what the life before left half done.
        if kind == "fresh" and (ledger.last or random.random() < 0.5):
            ledger.forget()
        ledger.want()
        place, n_writes = live(ledger, kind, at, how, moment)
        gaps[ledger.after_death()] += 1
        places[place] += 1
        kills += 1
        if kills % 100 == 0:
            verified("lowtide.db")
        kind, at, how, moment = deaths.send(n_writes)
    taken = time.monotonic() - began
    in_peace(all_lives)
    print(f"ok  {kills} kills in {taken:.0f} s; between which lines they fell:")
    for gap in GAPS:
        print(f"      {gaps[gap]:5} {gap}")
    print("    and at which writes:")
    for place, n in sorted(places.items(), key=lambda found: found[0].split()[::-1]):
        print(f"      {n:5} {place}")
    counts = ORDERS.counts
    print(
        f"ok  {sum(counts[pool] for pool in POOLS + OTHERS)} orders were taken, {counts['leased']} of them formulas: "
        "each with its line before it, none twice, none of a line that is lost"
    )
    if not counts["shrunk"] or not counts["leased"]:
        fail(f"no cooldown ended or no formula was installed: {dict(counts)}")
    print(f"ok  {counts['shrunk']} times a pool shrank when its cooldown was over, and never before, whoever had begun it")
    if missed(gaps):
        told = f"no kill fell between {' or '.join(missed(gaps))}"
        # Chance decides where they fall: a short run that has not been everywhere is no fault of the sidecar.
        if kills >= KILLS_EVERYWHERE:
            fail(told)
        print(f"    {told}; a run of {KILLS_EVERYWHERE} kills fails where that is so")


# Each gap is hit by one kill in a hundred or more.
KILLS_EVERYWHERE = 400


def missed(gaps):
    """Returns the gaps into which no death fell."""
    return [gap for gap in GAPS if not gaps[gap]]


def in_peace(ledger):
    """At last it lives in peace and does what is to be done; what is left is whole."""
    ledger.want()
    ORDERS.ledger = ledger.name
    process = spawn([PROGRAM, "serve", "--config", f"{ledger.name}.keeps.toml"], "serve.log")
    with open(f"{ledger.name}.policies/free.yaml", encoding="utf-8") as file:
        wanted = int(re.search(r"Nodes = (\d+)", file.read()).group(1))
    for _ in range(400):
        if ACCOUNT.pool("free")["targetDedicatedNodes"] == wanted:
            break
        time.sleep(0.05)
    else:
        fail("after all kills it orders nothing any more", "serve.log")
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    if process.wait(timeout=20) != 0:
        fail("it does not end in order", "serve.log")
    ledger.after_death()
    print(f"ok  it lives on, ends in order, and its ledger is whole: {verified(ledger.name)}")


main()
