"""Holds the dashboards to the house: what they ask for exists, Prometheus understands it, and nothing lies over anything else.

`dashboards.py` looks at names and layout; `dashboards.py URL` also asks a Prometheus each query as Grafana would, and with `--filled`
tells which panels stay empty.
"""

import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

import metrics
from grafana_model import FOLDER

# What Grafana puts in the place of its variables.
BUILT_IN = {"__rate_interval": "2m", "__range": "1h", "__interval": "30s", "__value": "", "__url_time_range": ""}
# Not of Lowtide: what Prometheus itself tells of rules.
NOT_OURS = {"ALERTS", "ALERTS_FOR_STATE"}
WORD = re.compile(r"\$\{?(\w+)")
# What stays empty where nothing goes wrong: no spot is taken away, nobody halts a pool, no order is refused.
MAY_BE_EMPTY = re.compile(
    "Evict|Changed by others|Turned round|Held back by|Holds|Guards|Orders|Alerts|Preempted|Dedicated in place of spot|Halts, fallback"
    "|Boots|Budgets|Used|The month|The hour|Cores in use|Age of signals|as learned"
)


def substituted(query):
    for name, value in BUILT_IN.items():
        query = query.replace(f"${name}", value).replace(f"${{{name}}}", value)
    return query.replace("$account", ".*").replace("$pool", ".*")


def queries(board):
    """Returns every query of a dashboard with where it stands and whether it is asked for a moment or a range."""
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"], target.get("instant", False)
    for note in board["annotations"]["list"]:
        if "expr" in note:
            yield note["name"], note["expr"], False


def layout(board):
    """Tells what lies over something else, or beside the page; what has no words; what leads nowhere."""
    taken, ids = {}, set()
    for panel in board["panels"]:
        title, place = panel["title"], panel["gridPos"]
        if panel["id"] in ids:
            yield f"{title}: its number is there twice"
        ids.add(panel["id"])
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if x >= 24 or (x, y) in taken:
                    yield f"{title} lies over {taken.get((x, y), 'the edge')}"
                    return
                taken[x, y] = title
        if panel["type"] == "row":
            continue
        if not panel.get("description"):
            yield f"{title}: no description"
        if panel["type"] not in ("table", "state-timeline") and "unit" not in panel["fieldConfig"]["defaults"]:
            yield f"{title}: no unit"
        if not panel["fieldConfig"]["defaults"].get("thresholds"):
            yield f"{title}: no thresholds"
    text = json.dumps(board)
    variables = {variable["name"] for variable in board["templating"]["list"]} | set(BUILT_IN)
    for word in sorted(set(WORD.findall(text)) - variables - {"__all"}):
        yield f"there is no variable {word}"
    boards = {json.loads(file.read_text())["uid"] for file in FOLDER.glob("*.json")}
    for uid in sorted(set(re.findall(r"/d/([\w-]+)", text)) - boards):
        yield f"a link leads to {uid}, which is no dashboard"


def names(board, known):
    for title, query, _ in queries(board):
        asked = re.sub(r"\b(" + "|".join(NOT_OURS) + r")\{[^}]*\}", "1", query)
        for fault in metrics.faults(asked, known, {}):
            yield f"{title}: {fault}"
    for variable in board["templating"]["list"]:
        if variable["type"] != "query":
            continue
        for asked, label in re.findall(r"label_values\((.*), (\w+)\)", variable["query"]["query"]):
            metric = metrics.of_series(asked.split("{")[0], known)
            if metric is None or label not in metric.labels | metrics.OF_TARGET:
                yield f"variable {variable['name']}: {asked} has no label {label}"


def ask(url, query, instant):
    """Asks Prometheus; returns how many series there are."""
    with urllib.request.urlopen(f"{url}/api/v1/query?query=time()") as answer:
        now = float(json.load(answer)["data"]["result"][1])
    asked = {"query": query, "time": now} if instant else {"query": query, "start": now - 900, "end": now, "step": 15}
    path = "query" if instant else "query_range"
    with urllib.request.urlopen(f"{url}/api/v1/{path}?{urllib.parse.urlencode(asked)}") as answer:
        return len(json.load(answer)["data"]["result"])


def main():
    url = next((word for word in sys.argv[1:] if word.startswith("http")), None)
    known = metrics.table()
    faults, count, empty, filled = [], 0, [], 0
    for file in sorted(FOLDER.glob("*.json")):
        board = json.loads(file.read_text())
        faults += [f"{file.name}: {fault}" for fault in [*layout(board), *names(board, known)]]
        for title, query, instant in queries(board):
            count += 1
            if url is None:
                continue
            try:
                if ask(url, substituted(query), instant):
                    filled += 1
                else:
                    empty.append((file.stem, title, query))
            except urllib.error.HTTPError as error:
                faults.append(f"{file.name}: {title}: {json.load(error)['error']}: {query}")
    if "--filled" in sys.argv:
        faults += [
            f"{board}: {title} is empty: {query}"
            for board, title, query in empty
            if not MAY_BE_EMPTY.search(title) and title != "Policy changed"
        ]
    for fault in faults:
        print(f"failed: {fault}", file=sys.stderr)
    if faults:
        sys.exit(1)
    print(f"{count} queries of {len(list(FOLDER.glob('*.json')))} dashboards ask for what is exported")
    if url:
        print(
            f"Prometheus answers all of them; {filled} have series to show, {len(empty)} wait for something to go wrong"
            if "--filled" in sys.argv
            else "Prometheus answers all of them"
        )


main()
