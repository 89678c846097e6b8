"""Writes what a large account needs: `large.py account FOLDER POOLS` its scenario, policy and configuration, and
`large.py history STARTED DAYS` a month of looks at one pool as lines of a ledger, from the line that a sidecar began with."""

import json
import math
import os
import random
import sys
from datetime import UTC, datetime, timedelta

POOL = "pool-0042"
EVERY = timedelta(minutes=2)


def account(folder, n_pools):
    pools = "".join(
        f"  - {{ id: pool-{n:04}, vmSize: standard_d4s_v5, dedicated: {n % 3}, spot: {n % 5}, taskSlotsPerNode: 4 }}\n" for n in range(n_pools)
    )
    quotas = f"account: {{ pools: {n_pools}, dedicatedCores: 100000, spotCores: 100000 }}"
    open(f"{folder}/scenario.yaml", "w").write(f"version: 1\n{quotas}\npools:\n{pools}")
    os.makedirs(f"{folder}/policies", exist_ok=True)
    open(f"{folder}/policies/farm.yaml", "w").write(
        "version: 1\npool: pool-*\ninterval: 60s\ndemand: [ { backlog: { drainWithin: 10m } } ]\n"
        "bounds: { total: [0, 200] }\nmix: { objective: expectedCost, prices: { dedicated: 0.192, spot: 0.0384 } }\n"
        "budget: { perHour: 400 }\n"
    )
    open(f"{folder}/lowtide.toml", "w").write(
        'version = 1\n[account]\nendpoint = "http://127.0.0.1:ACCOUNT"\nname = "lowtide"\nkeyEnv = "AZURE_BATCH_ACCESS_KEY"\n'
        '[policies]\nfolder = "policies"\n[ledger]\nsqlite = "lowtide.db"\n[http]\nlisten = "127.0.0.1:SIDECAR"\n'
    )


def moment(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def wave_at(at):
    hour = at.hour + at.minute / 60
    return max(0.0, math.sin((hour - 7) / 12 * math.pi)) * (0.4 if at.weekday() > 4 else 1.0)


def forecast(at):
    """What a forecast of the tasks says: what comes in an hour, as it came the day before."""
    value = 52 * wave_at(at + timedelta(hours=1))
    return {
        "metric": "$PendingTasks", "horizon": "PT1H", "season": "PT24H", "value": value, "shifted": False, "mapePercent": 8.5, "mase": 0.4,
        "points": 96, "trusted": True, "nodes": math.ceil(value / 4),
    }


def look(at, before, chance):
    """One look: a day's wave of tasks, nodes that follow it, a spot storm now and then, and what is forecast for in an hour."""
    hour = at.hour + at.minute / 60
    wave = wave_at(at)
    waiting = int(chance.gauss(12 * wave, 3 * wave)) if wave else 0
    running = int(40 * wave)
    storm = at.weekday() == 2 and 13 <= hour < 14
    spot = 0 if storm else math.ceil(running / 4)
    dedicated = 1 + (math.ceil(running / 5) if storm else 0)
    target = {"dedicated": dedicated, "spot": spot}
    task = {"submitted": moment(at - timedelta(minutes=3)), "slots": 1, "job": "farm", "ran": "PT0S"}
    ran = {**task, "started": moment(at - timedelta(minutes=2)), "lane": "spot", "cordoned": False}
    text = f"{waiting} tasks wait, each may for 10m: " + ("spot has been away, dedicated nodes stand in" if storm else "spot nodes for them all")
    reason = {"code": "backlog", "waiting": waiting, "drainWithin": "PT10M", "lateHour": 0.1, "lateTask": 0.1}
    pool = {
        "id": POOL, "vmSize": "standard_d4s_v5", "allocationState": "steady", "nodeDeallocationOption": "taskcompletion",
        "targetDedicatedNodes": before["dedicated"], "targetLowPriorityNodes": before["spot"],
        "currentDedicatedNodes": before["dedicated"], "currentLowPriorityNodes": before["spot"],
        "usableNodes": before["dedicated"] + before["spot"], "idleNodes": 0, "runningNodes": before["dedicated"] + before["spot"],
        "startingNodes": 0, "preemptedNodes": 0, "unusableNodes": 0, "taskSlotsPerNode": 4, "enableAutoScale": False,
    }
    line = {
        "kind": "decided", "pool": POOL, "at": moment(at), "policy": "farm", "current": before, "target": before,
        "order": None if target == before else {**target, "nodeDeallocationOption": "taskcompletion"},
        "steps": [{"stage": "propose", "to": target, "reason": reason, "text": text}], "hold": None, "forecast": forecast(at),
        "seen": {"pool": pool, "samples": {}, "work": {"waiting": [task] * max(0, waiting), "running": [ran] * running, "finished": [], "nodes": [], "ended": []}},
    }
    return line, target


def history(started, days):
    chance = random.Random(7)
    now = datetime.now(UTC).replace(microsecond=0)
    at = now - timedelta(days=days)
    print(json.dumps({**started, "at": moment(at)}, separators=(",", ":")))
    before = {"dedicated": 1, "spot": 0}
    while at < now - EVERY:
        at += EVERY
        line, before = look(at, before, chance)
        print(json.dumps(line, separators=(",", ":")))
    # A restart goes through what follows the latest beginning: nothing.
    print(json.dumps({**started, "at": moment(now)}, separators=(",", ":")))


if sys.argv[1] == "account":
    account(sys.argv[2], int(sys.argv[3]))
else:
    history(json.loads(open(sys.argv[2]).readline()), int(sys.argv[3]))
