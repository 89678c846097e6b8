"""A sidecar that leases a pool its target dies and comes back: lease.py PROGRAM ACCOUNT-URL SKEW."""

import collections
import datetime
import functools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import witness
from witness import Account, fail, now, spawn, write

PROGRAM, SKEW = sys.argv[1], sys.argv[3]
ACCOUNT = Account(sys.argv[2])
# The nodes that the policy wants, more than the tasks need.
WANTED, TASKS, MORE = 8, 4, 2
# The account looks at a formula every five minutes, which passes in five seconds here; the rest is for a busy machine.
LATE = datetime.timedelta(minutes=10)


class Watch(threading.Thread):
    """Looks at the pool all the while: its targets, each when it was first seen, and its tasks."""

    def __init__(self):
        super().__init__(daemon=True)
        self.targets, self.formulas, self.running = [], [], {}

    def run(self):
        while True:
            pool = ACCOUNT.pool("render")
            target = pool["targetDedicatedNodes"]
            if not self.targets or self.targets[-1][1] != target:
                self.targets.append((now(), target))
            formula = pool.get("autoScaleFormula")
            if formula and (not self.formulas or self.formulas[-1] != formula):
                self.formulas.append(formula)
            self.look_at_tasks(target)
            time.sleep(0.1)

    def look_at_tasks(self, target):
        """Each task that runs stays on its node, and the pool is never told to have fewer nodes than run a task."""
        status, content = ACCOUNT.ask("GET", "/jobs/night/tasks")
        if status != 200:
            return
        tasks = json.loads(content)["value"]
        running = {task["id"]: task["nodeInfo"]["nodeId"] for task in tasks if task["state"] == "running"}
        for task, node in self.running.items():
            if running.get(task) != node:
                fail(f"task {task} ran on {node} and does so no longer", "serve.log")
        self.running = running
        if target < len(running):
            fail(f"{len(running)} tasks run, and the pool was told to have {target} nodes", "serve.log")

    def until(self):
        """Returns the end of the lease that the pool follows."""
        told = re.search(r"until=(\S+)", self.formulas[-1])
        return datetime.datetime.fromisoformat(told.group(1).replace("Z", "+00:00"))

    def latest(self):
        """Returns the latest target."""
        return self.targets[-1][1]

    def told(self):
        """Returns all targets for people."""
        return "targets: " + ", ".join(f"{target} at {at:%H:%M:%S}" for at, target in self.targets)


WATCH = Watch()
within = functools.partial(witness.within, logs=["serve.log"], told=WATCH.told)


def start():
    """Starts the sidecar."""
    return spawn([PROGRAM, "serve", "--config", "lowtide.toml"], "serve.log", env=os.environ | {"LD_PRELOAD": SKEW})


def kill(process):
    """Kills it; it can do nothing about it."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def add_tasks(first, count):
    """Adds tasks that run for hours."""
    for number in range(first, first + count):
        status, content = ACCOUNT.ask("POST", "/jobs/night/tasks", {"id": f"t{number}", "commandLine": "sleep 36000"})
        if status != 201:
            fail(f"no task: {status} {content[:300]}")


def clock(at):
    """Returns a moment for people."""
    return f"{at:%H:%M:%S}"


def main():
    """Lives, dies, waits, lives."""
    os.makedirs("policies", exist_ok=True)
    write(
        "policies/render.yaml",
        f"""version: 1
pool: render
interval: 10s
demand: [ {{ formula: {{ role: targets, text: "$TargetDedicatedNodes = {WANTED};" }} }} ]
bounds: {{ total: [1, 20], dedicated: [1, 20], spot: [0, 0] }}
actuator: {{ leaseFormula: {{ lease: 30m, fallback: tasks }} }}
guards: {{ missing: {{ then: ignore }} }}
""",
    )
    write(
        "lowtide.toml",
        f"""version = 1
[account]
endpoint = "{sys.argv[2]}"
name = "{ACCOUNT.name}"
keyEnv = "AZURE_BATCH_ACCESS_KEY"
[policies]
folder = "policies"
[ledger]
sqlite = "lowtide.db"
[http]
listen = "127.0.0.1:0"
""",
    )
    if ACCOUNT.ask("POST", "/jobs", {"id": "night", "poolInfo": {"poolId": "render"}})[0] != 201:
        fail("no job")
    add_tasks(0, TASKS)
    WATCH.start()
    life = start()
    within(20, "the pool follows a lease", lambda: WATCH.formulas and WATCH.latest() == WANTED)
    within(20, "all tasks run", lambda: len(WATCH.running) == TASKS)
    print(f"ok  the pool follows a lease for {WANTED} nodes until {clock(WATCH.until())}, of which its {TASKS} tasks need {TASKS}")
    first = WATCH.until()
    within(40, "it is renewed", lambda: WATCH.until() > first)
    print(f"ok  it is renewed, until {clock(WATCH.until())}")

    changes = len(WATCH.targets)
    kill(life)
    time.sleep(1)
    life = start()
    second = WATCH.until()
    within(40, "it is renewed by the next life", lambda: WATCH.until() > second)
    if len(WATCH.targets) != changes:
        fail(f"a restart within the lease changed the target: {WATCH.targets[changes:]}", "serve.log")
    print(f"ok  killed and started again at once, it goes on: no target has changed, the lease is renewed until {clock(WATCH.until())}")

    kill(life)
    died, end = now(), WATCH.until()
    within(60, "the lease is over and the pool follows its tasks", lambda: WATCH.latest() != WANTED)
    fell, target = WATCH.targets[-1]
    if target != TASKS or len(WATCH.targets) != changes + 1:
        fail(f"without anybody the pool had {WATCH.targets[changes:]}", "serve.log")
    # What is seen is up to a look older.
    if not end - datetime.timedelta(seconds=30) <= fell <= end + LATE:
        fail(f"the lease was over at {clock(end)}, and the target changed at {clock(fell)}", "serve.log")
    print(f"ok  killed at {clock(died)}, the pool keeps {WANTED} nodes until {clock(end)}, and at {clock(fell)} comes to the {TASKS} of its tasks")
    add_tasks(TASKS, MORE)
    within(20, "the pool grows for tasks by itself", lambda: WATCH.latest() == TASKS + MORE)
    within(20, "the new tasks run", lambda: len(WATCH.running) == TASKS + MORE)
    print(f"ok  nobody steers, and the pool grows by itself for {MORE} tasks that come")
    time.sleep(6)
    if WATCH.latest() != TASKS + MORE:
        fail(f"without anybody the pool had {WATCH.targets}", "serve.log")

    life = start()
    within(20, "it is taken over again", lambda: WATCH.latest() == WANTED)
    within(40, "it is renewed", lambda: WATCH.until() > now() + datetime.timedelta(minutes=15))
    targets = [target for _, target in WATCH.targets[changes - 1 :]]
    if targets != [WANTED, TASKS, TASKS + MORE, WANTED]:
        fail(f"the targets were {targets}", "serve.log")
    print(f"ok  started again it takes over without a flap: the targets were {' → '.join(map(str, targets))}, no running task has lost its node")
    life.send_signal(signal.SIGTERM)
    if life.wait(timeout=20) != 0:
        fail("it does not end in order", "serve.log")
    said = subprocess.run([PROGRAM, "ledger", "verify", "--ledger", "lowtide.db"], capture_output=True, text=True, check=False)
    if said.returncode != 0:
        fail(f"ledger verify: {said.stdout}{said.stderr}")
    print(f"ok  its ledger is whole: {said.stdout.strip().splitlines()[-1]}")


main()
