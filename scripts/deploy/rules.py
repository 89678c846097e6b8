"""Holds rules and alerts to the house: what they ask for exists, each is tested both ways, each alert has a section to read."""

import re
import sys

import yaml

import metrics

FOLDER = metrics.ROOT / "deploy/prometheus"
KEEPS = re.compile(r"\bby \(([^)]*)\)")


def rules(file):
    groups = yaml.safe_load((FOLDER / file).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def tests():
    for file in sorted((FOLDER / "tests").glob("*.yaml")):
        yield from yaml.safe_load(file.read_text())["tests"]


def main():
    known = metrics.table()
    recorded = {rule["record"]: metrics.labels_kept(rule["record"]) for rule in rules("lowtide.rules.yaml")}
    alerts = rules("lowtide.alerts.yaml")
    sections = set(re.findall(r"^### (\w+)$", (metrics.ROOT / "docs/runbooks.md").read_text(), re.MULTILINE))
    fires, silent, expressions = set(), set(), []
    for test in tests():
        for case in test.get("alert_rule_test", []):
            (fires if case["exp_alerts"] else silent).add(case["alertname"])
        expressions += [case["expr"] for case in test.get("promql_expr_test", []) if case.get("exp_samples")]

    faults = []
    for rule in rules("lowtide.rules.yaml") + alerts:
        name = rule.get("alert") or rule["record"]
        faults += [f"{name}: {fault}" for fault in metrics.faults(rule["expr"], known, recorded)]
    for name in recorded:
        if not any(name in expression for expression in expressions):
            faults.append(f"{name}: no test")
    names = [alert["alert"] for alert in alerts]
    for alert in alerts:
        name, notes = alert["alert"], alert["annotations"]
        if alert["labels"].get("severity") not in ("critical", "warning"):
            faults.append(f"{name}: its severity is neither critical nor warning")
        faults += [f"{name}: no {part}" for part in ("summary", "description", "runbook_url") if not notes.get(part)]
        if notes.get("runbook_url") != f"docs/runbooks.md#{name.lower()}":
            faults.append(f"{name}: its runbook is not docs/runbooks.md#{name.lower()}")
        if "for" not in alert:
            faults.append(f"{name}: does not say for how long")
        faults += [
            f"{name}: {why}"
            for tested, why in ((fires, "no test in which it fires"), (silent, "no test in which it keeps still"))
            if name not in tested
        ]
    faults += [f"{name}: no section in docs/runbooks.md" for name in names if name not in sections]
    faults += [f"docs/runbooks.md has a section for {name}, which is no alert" for name in sections - set(names)]
    faults += [f"{name}: there are two" for name in set(names) if names.count(name) > 1]
    for fault in faults:
        print(f"failed: {fault}", file=sys.stderr)
    if faults:
        sys.exit(1)
    print(
        f"{len(recorded)} recording rules and {len(alerts)} alerts ask for what is exported; each is tested, each alert both ways and with a runbook"
    )


main()
