"""The metrics that Lowtide exports, and what a query asks of them."""

import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Series that Prometheus makes of a histogram.
PARTS = ("_bucket", "_sum", "_count")
# Labels that are not of the metric: of the scrape target, and of the parts of a histogram.
OF_TARGET = {"account", "job", "instance", "namespace", "pod", "le"}


class Metric:
    """A row of the table."""

    def __init__(self, kind, labels, values):
        self.kind = kind
        self.labels = labels
        self.values = values


def table():
    """Returns the metrics by name."""
    rows = (ROOT / "deploy/metrics.tsv").read_text().splitlines()
    metrics = {}
    for row in rows[1:]:
        name, kind, labels, values, _ = row.split("\t")
        metrics[name] = Metric(kind, set(filter(None, labels.split(","))), allowed(values))
    return metrics


def apart(program):
    """Tells where the table and what the program says that it exports are apart."""
    told = subprocess.run(
        [program, "reference", "metrics", "-o", "json"], check=True, capture_output=True, text=True
    ).stdout
    theirs = {}
    for row in json.loads(told)["exported"]:
        kind, labels = re.match(r"(\w+)(?: by ([\w, ]+))?: ", row["doc"]).groups()
        theirs[row["name"]] = kind, set(filter(None, (labels or "").split(", ")))
    ours = {name: (metric.kind, metric.labels) for name, metric in table().items()}
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            yield f"{name}: deploy/metrics.tsv has {ours.get(name)}, the program {theirs.get(name)}"


def allowed(values):
    """Returns the values of each label that has a short list of them."""
    lists = {}
    for part in filter(None, values.split("; ")):
        label, words = part.split(": ", 1)
        words = words.split(", ")[0].split()
        if all(re.fullmatch(r"[A-Za-z]+", word) for word in words) and "code" not in words and "the" not in words:
            lists[label] = set(words)
    return lists


def of_series(name, metrics):
    """Returns the metric that a series belongs to."""
    if name in metrics:
        return metrics[name]
    for part in PARTS:
        base = name.removesuffix(part)
        if base != name and base in metrics and metrics[base].kind == "histogram":
            return metrics[base]
    return None


def faults(query, metrics, recorded):
    """Tells every name, label and value of a query that is not exported.

    `recorded` are the names of recording rules with the labels that each keeps.
    """
    found = []
    text = re.sub(r"\$\{?(__)?[a-z_]+(:\w+)?\}?", "x", query)
    for name, matchers in re.findall(
        r"([a-z_]*:?lowtide[a-z0-9_:]*)\s*(?:\{([^}]*)\})?", re.sub(r'job="lowtide"', "", text)
    ):
        if name in recorded:
            labels, values = recorded[name] | OF_TARGET, {}
        else:
            metric = of_series(name, metrics)
            if metric is None:
                found.append(f"{name} is not exported")
                continue
            labels, values = metric.labels | OF_TARGET, metric.values
        for label, operator, value in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', matchers):
            if label not in labels:
                found.append(f"{name} has no label {label}")
            elif label in values and value != "x":
                words = value.split("|") if "~" in operator else [value]
                found += [f"{label} of {name} is never {word}" for word in words if word not in values[label]]
    return found


def labels_kept(name):
    """Returns the labels that the name of a recording rule says it keeps."""
    return set(name.split(":")[0].split("_"))
