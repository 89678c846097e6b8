"""The sidecar of the local account, as deploy/systemd/lowtide.toml has it: for the scripts that look at it from outside."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.request

import metrics

# The clock of the account is that of the sidecar, so that what takes minutes elsewhere takes seconds here. Spot nodes are taken away
# every few minutes, machines break now and then, and the second pool wants more than the quota.
SCENARIO = """\
version: 1
seed: 11
account: { dedicatedCores: 40, spotCores: 64 }
timing: { allocation: 1s, creating: 1s, starting: 2s, leaving: 1s, retry: 5s, task: "fixed:20s", evictionsHourly: 40 }
pools:
  - { id: render, vmSize: standard_d4s_v5, dedicated: 1, taskSlotsPerNode: 2 }
  - { id: genomics, vmSize: standard_d4s_v5, dedicated: 1 }
jobs: [ { id: frames, pool: render } ]
workload: { job: frames, tasks: "generate:poisson:1800,lognormal:20s/0.5,1h" }
"""
POLICIES = {
    "render": """\
version: 1
pool: render
interval: 30s
demand: [ { backlog: { drainWithin: 5m } } ]
bounds: { total: [1, 20], dedicated: [0, 4], spot: [0, 16] }
mix: { objective: spotFirst, prices: { dedicated: 0.192, spot: 0.0384 } }
budget: { perHour: 2, perMonth: 500, onSoft: spotOnly }
""",
    "genomics": """\
version: 1
pool: genomics
interval: 30s
demand: [ { formula: { role: demand, text: "$TargetDedicatedNodes = 12;" } } ]
bounds: { total: [1, 30] }
mix: { objective: dedicatedOnly, prices: { dedicated: 0.192, spot: 0.0384 } }
quota: { guaranteedCores: 8 }
""",
    "account": """\
version: 1
kind: account
budgets: { science: { pools: [ "*" ], perHour: 4, perMonth: 1000, onSoft: spotOnly } }
""",
}


def wait(what, found, process, log, seconds=60):
    """Waits until something is so, for as long as the process runs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found():
            return
        if process.poll() is not None:
            sys.exit(f"failed: ended with {process.returncode} before it was {what}:\n{log.read_text()}")
        time.sleep(0.05)
    sys.exit(f"failed: not {what} within {seconds} s:\n{log.read_text()}")


def scraped(address):
    """Returns what the sidecar exports, or nothing while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as page:
            return page.read().decode()
    except OSError:
        return ""


@contextlib.contextmanager
def running(command, log, **more):
    """Runs a program, with what it says in a file, and ends it."""
    process = subprocess.Popen(
        [str(word) for word in command], stdout=more.pop("stdout", None) or log.open("w"), stderr=log.open("a"), **more
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def local_account(program, folder):
    """Opens the local account; gives what it says of itself."""
    (folder / "scenario.yaml").write_text(SCENARIO)
    said, log = folder / "account.json", folder / "account.log"
    log.touch()
    command = [program, "emulate", "--listen", "127.0.0.1:0", "-o", "json", "--scenario", folder / "scenario.yaml"]
    with running(command, log, stdout=said.open("w")) as process:
        wait("listening", lambda: said.read_text().endswith("\n"), process, log)
        yield json.loads(said.read_text()) | {"process": process}


def configured(account, folder):
    """Writes the configuration of the example for this account, and policies; gives its path."""
    etc, state = folder / "etc", folder / "state"
    (etc / "policies").mkdir(parents=True)
    state.mkdir(mode=0o700)
    for name, policy in POLICIES.items():
        (etc / f"policies/{name}.yaml").write_text(policy)
    # The local account in the place of a real one, orders let out, and folders that are ours.
    example = (metrics.ROOT / "deploy/systemd/lowtide.toml").read_text()
    for theirs, ours in (
        ("https://myaccount.westeurope.batch.azure.com", account["http"]),
        (
            'auth = "managedIdentity"',
            f'name = "{account["account"]}"\nauth = "sharedKey"\nkeyEnv = "AZURE_BATCH_ACCESS_KEY"',
        ),
        ("dryRun = true", "dryRun = false"),
        ("/var/lib/lowtide", str(state)),
        ("/etc/lowtide", str(etc)),
        ("127.0.0.1:9464", "127.0.0.1:0"),
    ):
        if theirs not in example:
            sys.exit(f"failed: deploy/systemd/lowtide.toml does not say {theirs}")
        example = example.replace(theirs, ours)
    (etc / "lowtide.toml").write_text(example)
    return etc / "lowtide.toml"


@contextlib.contextmanager
def sidecar(program, account, folder, environment=()):
    """Starts the sidecar of the account; gives its process, its log, and where it listens."""
    config, log = configured(account, folder), folder / "serve.log"
    variables = os.environ | {"AZURE_BATCH_ACCESS_KEY": account["key"]} | dict(environment)
    variables.pop("WATCHDOG_PID", None)
    log.touch()
    with running(
        [os.path.realpath(program), "serve", "--config", config], log, cwd=folder / "state", env=variables, umask=0o077
    ) as process:
        address = lambda: re.search(r"listening.*?(127\.0\.0\.1:\d+)", log.read_text())
        wait("listening", address, process, log)
        yield process, log, address()[1]
    if account["key"] in log.read_text():
        sys.exit("failed: the key is in the log")
    for file in (folder / "state").iterdir():
        if file.stat().st_mode & 0o077:
            sys.exit(f"failed: others may read {file.name}")
