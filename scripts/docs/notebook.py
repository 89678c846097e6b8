"""Reads the tables that `lowtide` writes as a notebook does, and holds them against -o json: notebook.py PROGRAM FOLDER."""

import json
import os
import pathlib
import resource
import subprocess
import sys

import duckdb
import pandas
import pyarrow.parquet

PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
ROOT = pathlib.Path.cwd()
DAY = ROOT / "tests/cli/ledger.in/day.jsonl"
MOMENTS = {"at", "from", "to"}
# Decisions of a long ledger, and how many of them the program has in memory at once.
MANY, GROUP = 45_000, 20_000


def lowtide(*words):
    """Runs the program in the folder; returns what it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "LOWTIDE_LEDGER"}
    done = subprocess.run([PROGRAM, *map(str, words)], cwd=FOLDER, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


def read(name):
    """Reads a table in both forms; they are the same, and have types."""
    parquet = pandas.read_parquet(FOLDER / f"{name}.parquet")
    csv = pandas.read_csv(FOLDER / f"{name}.csv", parse_dates=[column for column in parquet.columns if column in MOMENTS])
    assert list(csv.columns) == list(parquet.columns), (csv.columns, parquet.columns)
    for column in parquet.columns:
        kind = parquet[column].dtype
        if column in MOMENTS:
            assert str(kind) == "datetime64[ms, UTC]", (column, kind)
        same = (csv[column] == parquet[column]) | (csv[column].isna() & parquet[column].isna())
        assert same.all(), (name, column, csv[column][~same], parquet[column][~same])
    return parquet


def both(name, *words):
    """Runs a command that writes a table, once in each form; returns what it says as JSON, and the table."""
    said = None
    for ending in ("csv", "parquet"):
        said = lowtide(*words, "--table", f"{name}.{ending}")
    return (json.loads(said) if "json" in words else said), read(name)


def at(found, path):
    """Returns what lies at a path, such as cost.total."""
    for key in path.split("."):
        found = found[key]
    return found


def backtests():
    words = ["backtest", ROOT / "policies/ci-agents.yaml", "--workload", "builtin:ci-day", "--baseline", "native,peak"]
    words += ["--spot", "az20", "--seeds", "3", "-o", "json"]
    for ending in ("csv", "parquet"):
        said = lowtide(*words, "--table", f"runs.{ending}", "--hours", f"hours.{ending}")
    runs, table, hours = json.loads(said)["runs"], read("runs"), read("hours")
    pairs = {"cost_usd": "cost.total", "cost_spot_usd": "cost.spot", "node_hours": "nodeHours.total", "wait_p95_s": "wait.p95"}
    pairs |= {"completed_tasks": "tasks.completed", "evictions": "evictions", "orders": "orders", "policy": "policy", "seed": "seed"}
    assert len(table) == len(runs) == 9, len(table)
    for column, path in pairs.items():
        assert list(table[column]) == [at(run, path) for run in runs], column
    assert table["cost_usd"].dtype == "float64" and table["seed"].dtype == "int64", table.dtypes
    # An hour has the mean of its samples: added up they are the node-hours, but for the end that makes no whole hour.
    for (policy, seed), of_run in hours.groupby(["policy", "seed"])["billed_nodes"]:
        paid = next(at(run, "nodeHours.total") for run in runs if (run["policy"], run["seed"]) == (policy, seed))
        rest = paid - of_run.sum()
        assert -0.02 * paid <= rest <= 0.02 * paid + of_run.max(), (policy, seed, paid, rest)
    steps = hours.groupby(["policy", "seed"])["at"].diff().dropna()
    assert (steps == pandas.Timedelta(hours=1)).all(), steps
    print(f"{len(table)} runs of a backtest with {len(table.columns)} columns and {len(hours)} hours of them are what -o json says, in CSV and Parquet")
    cheapest = duckdb.sql(f"SELECT policy FROM '{FOLDER}/runs.parquet' GROUP BY policy ORDER BY avg(cost_usd) LIMIT 1").fetchall()[0][0]
    assert cheapest == table.groupby("policy")["cost_usd"].mean().idxmin(), cheapest
    print(f"DuckDB and pandas find the same policy the cheapest: {cheapest}")
    words = ["backtest", ROOT / "policies/ci-agents.yaml", "--workload", "builtin:ci-day", "--sweep", "interval=30s,2m,5m", "-o", "json"]
    said, table = both("sweep", *words)
    assert list(table["setting"]) == ["interval=30s", "interval=2m", "interval=5m"], list(table["setting"])
    assert list(table["cost_usd"]) == [point["cost"] for point in said["points"]]
    print(f"{len(table)} settings of a sweep have their settings beside their figures")


def reports():
    for what, pairs in {
        "cost": {"total_usd": "total", "dedicated_node_hours": "dedicatedNodeHours"},
        "savings": {"held_usd": "held", "formula_usd": "formula"},
        "wait": {"begun_tasks": "tasks", "waiting_tasks": "waiting"},
    }.items():
        said, table = both(what, "report", what, "--ledger", DAY, "-o", "json")
        for column, key in pairs.items():
            assert list(table[column]) == [row[key] for row in said], (what, column)
    print("reports of cost, savings and waits are what -o json says")


def decisions():
    _, table = both("decisions", "ledger", "export", "--ledger", DAY)
    lines = [json.loads(line) for line in lowtide("ledger", "export", "--ledger", DAY).splitlines()]
    decided = [(number, line) for number, line in enumerate(lines, 1) if line["kind"] == "decided"]
    assert list(table["number"]) == [number for number, _ in decided]
    assert list(table["at"]) == [pandas.Timestamp(line["at"]) for _, line in decided]
    assert list(table["target_spot"]) == [line["steps"][-1]["to"]["spot"] for _, line in decided]
    assert list(table["sentence"]) == [line["steps"][0]["text"] for _, line in decided]
    assert list(table["ordered"]) == [line["order"] is not None for _, line in decided]
    print(f"{len(table)} decisions of a ledger are what its lines say")


def long_ledger():
    """A ledger of many decisions, which the program never has in memory all at once."""
    lines = DAY.read_text().splitlines()
    decided = next(line for line in lines if line.startswith('{"kind":"decided"'))
    moment = json.loads(decided)["at"]
    first = pandas.Timestamp(moment)
    with (FOLDER / "long.jsonl").open("w") as file:
        file.write(lines[0] + "\n")
        for number in range(MANY):
            then = (first + pandas.Timedelta(seconds=30 * number)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
            file.write(decided.replace(f'"at":"{moment}"', f'"at":"{then}"', 1) + "\n")
    lowtide("ledger", "import", "long.jsonl", "--ledger", "long.db")
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    lowtide("ledger", "export", "--ledger", "long.db", "--table", "long.parquet")
    peak = max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    file = pyarrow.parquet.ParquetFile(FOLDER / "long.parquet")
    groups = [file.metadata.row_group(index).num_rows for index in range(file.metadata.num_row_groups)]
    assert groups == [GROUP, GROUP, MANY - 2 * GROUP], groups
    table = file.read().to_pandas()
    assert (table["at"].diff().dropna() == pandas.Timedelta(seconds=30)).all()
    assert not list(FOLDER.glob("*.new")), list(FOLDER.glob("*.new"))
    size = (FOLDER / "long.parquet").stat().st_size
    print(f"{MANY} decisions are {len(groups)} groups of rows in {size >> 10} KiB; no command took more than {peak >> 10} MiB of memory")


backtests()
reports()
decisions()
long_ledger()
