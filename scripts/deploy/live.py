"""Asks a real Prometheus every query of the dashboards, with the rules loaded, while it scrapes the sidecar of the local account.

`live.py FOLDER [PROGRAM]`; without a program nothing is scraped, and only the queries are tried.
"""

import contextlib
import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

import metrics
import sidecar

# Decisions are made every 30 s, and a rate needs two of them.
PATIENCE_SECONDS = 200


@contextlib.contextmanager
def prometheus(folder, target):
    """Starts Prometheus with the example's rules, and this target in the place of the example's."""
    rules = metrics.ROOT / "deploy/prometheus"
    example = (rules / "prometheus.yaml").read_text()
    example = example.replace("- lowtide.", f"- {rules}/lowtide.").replace("interval: 30s", "interval: 1s")
    example = example.replace("127.0.0.1:9464", target or "127.0.0.1:9")
    (folder / "prometheus.yaml").write_text(example)
    log = folder / "prometheus.log"
    log.touch()
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        "--web.listen-address=127.0.0.1:0",
    ]
    with sidecar.running(command, log) as process:
        address = lambda: re.search(r'msg="Listening on" address=([0-9.:]+)', log.read_text())
        sidecar.wait("ready", lambda: address() and "Server is ready" in log.read_text(), process, log)
        yield f"http://{address()[1]}"


def checked(url, filled):
    """Asks everything; returns whether all is well, and what was said."""
    command = [
        sys.executable,
        str(pathlib.Path(__file__).parent / "dashboards.py"),
        url,
        *(["--filled"] if filled else []),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def exported(program, address):
    """Holds what is exported against the table, and against promtool."""
    with urllib.request.urlopen(f"http://{address}/metrics") as answer:
        text = answer.read().decode()
    linted = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    if linted.returncode != 0 or linted.stderr:
        sys.exit(f"failed: promtool check metrics: {linted.stderr}")
    known = metrics.table()
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    faults = list(metrics.apart(program))
    faults += [
        f"{name} is a {kind}, and not in the table as one"
        for name, kind in kinds.items()
        if name not in known or known[name].kind != kind
    ]
    for name, labels in re.findall(r"^(lowtide_\w+)\{([^}]*)\}", text, re.MULTILINE):
        metric = metrics.of_series(name, known)
        for label, value in re.findall(r'(\w+)="([^"]*)"', labels):
            if label != "le" and label not in metric.labels:
                faults.append(f"{name} has the label {label}, which is not in the table")
            elif label in metric.values and value not in metric.values[label]:
                faults.append(f"{label} of {name} is {value}, which is not in the table")
    if faults:
        sys.exit("\n".join(f"failed: {fault}" for fault in sorted(set(faults))))
    print(
        f"{len(kinds)} of {len(known)} metrics are exported by now, as the table has them; promtool check metrics has nothing to say"
    )


def firing(url):
    """Returns the alerts that fire, which should be none that says that the sidecar does not work."""
    with urllib.request.urlopen(f"{url}/api/v1/rules") as answer:
        groups = json.load(answer)["data"]["groups"]
    broken = [
        rule["name"] + ": " + rule["lastError"]
        for group in groups
        for rule in group["rules"]
        if rule["health"] == "err"
    ]
    if broken or not groups:
        sys.exit(f"failed: rules that cannot be evaluated: {broken}")
    fires = sorted({rule["name"] for group in groups for rule in group["rules"] if rule.get("state") == "firing"})
    return sum(len(group["rules"]) for group in groups), fires


def main(folder, program=None):
    folder = pathlib.Path(folder)
    if program is None:
        with prometheus(folder, None) as url:
            well, said = checked(url, False)
            print(said.strip().splitlines()[-1] if well else said)
            sys.exit(0 if well else 1)
    with (
        sidecar.local_account(program, folder) as account,
        sidecar.sidecar(program, account, folder) as (process, log, address),
    ):
        with prometheus(folder, address) as url:
            end = time.monotonic() + PATIENCE_SECONDS
            well, said = False, ""
            while not well and time.monotonic() < end:
                time.sleep(5)
                if process.poll() is not None:
                    sys.exit(f"failed: the sidecar ended with {process.returncode}:\n{log.read_text()}")
                well, said = checked(url, True)
            if not well:
                sys.exit(said + log.read_text()[-3000:])
            exported(program, address)
            count, fires = firing(url)
            print(said.strip().splitlines()[-1])
            print(f"Prometheus evaluates {count} rules; fires: {', '.join(fires) or 'none'}")
            if [
                name
                for name in fires
                if name in ("LowtideDown", "LowtideAbsent", "LowtideNoTick", "LowtideNotReady", "LowtideNoLeader")
            ]:
                sys.exit("failed: an alert says that the sidecar does not work, and it does")


main(*sys.argv[1:])
