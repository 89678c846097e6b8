"""Writes a TypeScript file that only compiles when the dashboards are what Grafana's own types say they are."""

import json
import pathlib
import sys

from grafana_model import FOLDER

KINDS = {
    "stat": "Stat",
    "bargauge": "BarGauge",
    "table": "Table",
    "state-timeline": "StateTimeline",
    "timeseries": "TimeSeries",
}
# Tables and bars have fields of their own too; those of the other kinds are not described.
WITH_FIELDS = {"table", "state-timeline", "timeseries"}

HEAD = """\
import type { Dashboard, Panel, RowPanel } from "@grafana/schema";
// An enum takes no plain text, which is all that JSON has.
type Plain<T> = T extends string ? `${T}` : T extends (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
"""


def main():
    into = pathlib.Path(sys.argv[1])
    lines = [HEAD]
    for kind, name in KINDS.items():
        path = f"@grafana/schema/dist/esm/raw/composable/{kind.replace('-', '')}/panelcfg/x/{name}PanelCfg_types.gen"
        fields = f", FieldConfig as {name}Fields" if kind in WITH_FIELDS else ""
        lines.append(f'import type {{ Options as {name}Options{fields} }} from "{path}";')
    count = 0
    for file in sorted(FOLDER.glob("*.json")):
        board = json.loads(file.read_text())
        say = lambda kind, value: lines.append(f"export const c{len(lines)}: {kind} = {json.dumps(value)};")
        for panel in board["panels"]:
            count += 1
            if panel["type"] == "row":
                say("Plain<RowPanel>", panel)
                continue
            name = KINDS[panel["type"]]
            # What has a default may be left out.
            say(f"Partial<Plain<{name}Options>>", panel["options"])
            if panel["type"] in WITH_FIELDS:
                say(f"Partial<Plain<{name}Fields>>", panel["fieldConfig"]["defaults"].get("custom", {}))
            say("Plain<Panel>", panel)
        # What a note asks Prometheus is not described.
        for note in board["annotations"]["list"]:
            for word in ("expr", "titleFormat", "step"):
                note.pop(word, None)
        say("Plain<Dashboard>", board | {"panels": []})
    into.write_text("\n".join(lines) + "\n")
    print(f"{count} panels of {len(list(FOLDER.glob('*.json')))} dashboards")


main()
