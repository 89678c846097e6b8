"""The parts of a Grafana dashboard: panels, their layout, variables and links."""

import json
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "deploy/grafana"
# The schema of Grafana 12 and 13; older ones read it, newer ones bring it forward.
SCHEMA = 42
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
BOARDS = [
    ("account", "Account"),
    ("pool", "Pool"),
    ("spot", "Spot and evictions"),
    ("cost", "Cost and budget"),
    ("decisions", "Decisions and health"),
]


def quantile(q, metric, where, by, over="$__rate_interval"):
    """Returns a quantile of a histogram, over all instances."""
    return f"histogram_quantile({q}, sum by ({by}, le) (rate({metric}_bucket{{{where}}}[{over}])))"


def increase(metric, where, by):
    """Returns how much a counter grew from point to point, without series that did not."""
    return f"sum by ({by}) (increase({metric}{{{where}}}[$__rate_interval])) > 0"


def thresholds(steps):
    return {
        "mode": "absolute",
        "steps": [{"color": colour, "value": value} for colour, value in steps or [("green", None)]],
    }


def mappings(words):
    options = {
        str(value): {"text": text, "color": colour, "index": index}
        for index, (value, (text, colour)) in enumerate((words or {}).items())
    }
    return [{"type": "value", "options": options}] if options else []


def targets(queries, instant=False, table=False):
    made = []
    for index, (query, legend) in enumerate(queries):
        target = {
            "refId": chr(ord("A") + index),
            "datasource": SOURCE,
            "expr": query,
            "legendFormat": legend,
            "editorMode": "code",
        }
        target |= {"instant": True, "range": False} if instant else {"instant": False, "range": True}
        target |= {"format": "table" if table else "time_series"}
        made.append(target)
    return made


def panel(kind, title, description, queries, width, height, defaults, options, **more):
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "gridPos": {"w": width, "h": height, "x": 0, "y": 0},
        "targets": queries,
        "fieldConfig": {"defaults": defaults, "overrides": more.pop("overrides", [])},
        "options": options,
        **more,
    }


def stat(title, query, description, width=4, unit="none", decimals=None, legend="", steps=None, words=None):
    defaults = {
        "unit": unit,
        "thresholds": thresholds(steps),
        "mappings": mappings(words),
        "color": {"mode": "thresholds"},
        "noValue": "–",
    }
    if words:
        defaults["thresholds"] = thresholds([("text", None)])
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {
        "colorMode": "background" if words or steps else "value",
        "graphMode": "none" if words else "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "value_and_name" if legend else "value",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    instant = bool(words) or "$__range" in query
    return panel("stat", title, description, targets([(query, legend)], instant=instant), width, 4, defaults, options)


def timeseries(
    title,
    queries,
    description,
    width=12,
    unit="none",
    decimals=None,
    stacked=False,
    bars=False,
    colours=None,
    steps=None,
    lines=(),
    top=None,
):
    custom = {
        "drawStyle": "bars" if bars else "line",
        "lineInterpolation": "stepAfter" if not bars and unit == "none" else "linear",
        "lineWidth": 1,
        "fillOpacity": 60 if bars else 20 if stacked else 0,
        "showPoints": "never",
        "spanNulls": False,
        "axisSoftMin": 0,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "line" if steps else "off"},
    }
    defaults = {
        "unit": unit,
        "custom": custom,
        "thresholds": thresholds(steps),
        "mappings": [],
        "color": {"mode": "palette-classic"},
        "min": 0,
    }
    if "Saved" in title:
        # Less than nothing may be saved.
        del defaults["min"], custom["axisSoftMin"]
    if top is not None:
        defaults["max"] = top
    if decimals is not None:
        defaults["decimals"] = decimals
    overrides = [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for name, colour in (colours or {}).items()
    ]
    overrides += [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [
                {"id": "custom.stacking", "value": {"mode": "none", "group": "A"}},
                {"id": "custom.fillOpacity", "value": 0},
                {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 8]}},
                {"id": "color", "value": {"mode": "fixed", "fixedColor": "text"}},
            ],
        }
        for name in lines
    ]
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc", "hideZeros": True},
    }
    return panel("timeseries", title, description, targets(queries), width, 8, defaults, options, overrides=overrides)


def bars(title, query, description, legend, steps, width=12):
    defaults = {
        "unit": "percentunit",
        "min": 0,
        "max": 1,
        "thresholds": thresholds(steps),
        "mappings": [],
        "color": {"mode": "thresholds"},
        "noValue": "none",
    }
    options = {
        "displayMode": "basic",
        "orientation": "horizontal",
        "showUnfilled": True,
        "valueMode": "color",
        "namePlacement": "auto",
        "sizing": "auto",
        "minVizHeight": 16,
        "maxVizHeight": 40,
        "minVizWidth": 8,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    return panel("bargauge", title, description, targets([(query, legend)], instant=True), width, 8, defaults, options)


def states(title, queries, description, words, width=12):
    defaults = {
        "custom": {"lineWidth": 0, "fillOpacity": 80},
        "thresholds": thresholds([("text", None)]),
        "mappings": mappings(words),
        "color": {"mode": "thresholds"},
    }
    options = {
        "mergeValues": True,
        "showValue": "never",
        "alignValue": "left",
        "rowHeight": 0.8,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return panel("state-timeline", title, description, targets(queries), width, 6, defaults, options)


def table(title, columns_asked, description, width=24, height=9, link=None, columns=("pool",)):
    queries = [(query, "") for _, query, _ in columns_asked]
    names = {
        f"Value #{chr(ord('A') + index)}" if len(queries) > 1 else "Value": name
        for index, (name, _, _) in enumerate(columns_asked)
    }
    overrides = [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": "unit", "value": unit}]
            + ([{"id": "decimals", "value": 2}] if unit == "currencyUSD" else []),
        }
        for name, _, unit in columns_asked
        if unit != "none"
    ]
    if link:
        url = f"/d/lowtide-{link}?${{datasource:queryparam}}&${{account:queryparam}}&var-pool=${{__value.raw}}&${{__url_time_range}}"
        overrides.append(
            {
                "matcher": {"id": "byName", "options": "pool"},
                "properties": [{"id": "links", "value": [{"title": "Look at this pool", "url": url}]}],
            }
        )
    # One query's numbers are only there to have a row.
    gone = {"Time": True} | {name: True for name in names if len(queries) == 1 and names[name] in ("Value", "Since")}
    transformations = ([{"id": "merge", "options": {}}] if len(queries) > 1 else []) + [
        {
            "id": "organize",
            "options": {
                "excludeByName": gone,
                "indexByName": {name: index for index, name in enumerate([*columns, *names])},
                "renameByName": names,
            },
        }
    ]
    defaults = {
        "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "filterable": True},
        "thresholds": thresholds(None),
        "mappings": [],
        "decimals": 0,
        "noValue": "–",
    }
    if any(unit != "none" for *_, unit in columns_asked):
        del defaults["decimals"]
        overrides = [
            {"matcher": {"id": "byName", "options": name}, "properties": [{"id": "decimals", "value": 0}]}
            for name, _, unit in columns_asked
            if unit == "none"
        ] + overrides
    options = {
        "showHeader": True,
        "cellHeight": "sm",
        "sortBy": [{"displayName": "Waiting", "desc": True}] if "Waiting" in names.values() else [],
    }
    return panel(
        "table",
        title,
        description,
        targets(queries, instant=True, table=True),
        width,
        height,
        defaults,
        options,
        overrides=overrides,
        transformations=transformations,
    )


class Dashboard:
    """Panels in rows, from left to right."""

    def __init__(self, name, title, description, one_pool=False, window="now-6h"):
        self.name, self.title, self.description, self.one_pool, self.window = name, title, description, one_pool, window
        self.panels, self.x, self.y, self.tallest = [], 0, 0, 0

    def _next_line(self):
        self.x, self.y, self.tallest = 0, self.y + self.tallest, 0

    def row(self, title):
        self._next_line()
        self.panels.append(
            {
                "type": "row",
                "title": title,
                "collapsed": False,
                "panels": [],
                "gridPos": {"w": 24, "h": 1, "x": 0, "y": self.y},
            }
        )
        self.y += 1

    def add(self, *panels):
        for made in panels:
            place = made["gridPos"]
            if self.x + place["w"] > 24:
                self._next_line()
            place["x"], place["y"] = self.x, self.y
            self.x, self.tallest = self.x + place["w"], max(self.tallest, place["h"])
            self.panels.append(made)

    def variables(self):
        def query(name, label, text, **more):
            return {
                "type": "query",
                "name": name,
                "label": label,
                "datasource": SOURCE,
                "query": {"qryType": 1, "query": text, "refId": name},
                "refresh": 2,
                "sort": 1,
                "hide": 0,
                "options": [],
                "regex": "",
                **more,
            }

        everything = {
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        }
        found = [
            {
                "type": "datasource",
                "name": "datasource",
                "label": "Prometheus",
                "query": "prometheus",
                "hide": 0,
                "refresh": 1,
                "options": [],
                "regex": "",
                "multi": False,
                "includeAll": False,
            },
            query("account", "Account", "label_values(lowtide_build_info, account)", **everything),
        ]
        if self.name != "account":
            pools = 'label_values(lowtide_policy_info{account=~"$account"}, pool)'
            found.append(
                query("pool", "Pool", pools, **({"multi": False, "includeAll": False} if self.one_pool else everything))
            )
        return found

    def annotations(self):
        where = 'account=~"$account"' + (', pool=~"$pool"' if self.name != "account" else "")
        changed = (
            f"count by (pool, policy) (lowtide_policy_info{{{where}}} unless lowtide_policy_info{{{where}}} offset 2m)"
        )
        return [
            {
                "builtIn": 1,
                "datasource": {"type": "grafana", "uid": "-- Grafana --"},
                "enable": True,
                "hide": True,
                "iconColor": "rgba(0, 211, 255, 1)",
                "name": "Annotations & Alerts",
                "type": "dashboard",
            },
            {
                "datasource": SOURCE,
                "enable": True,
                "hide": False,
                "iconColor": "purple",
                "name": "Policy changed",
                "expr": changed,
                "titleFormat": "{{policy}} decides for {{pool}} anew",
                "step": "60s",
            },
        ]

    def json(self):
        for number, made in enumerate(self.panels, 1):
            made["id"] = number
        links = [
            {
                "type": "link",
                "title": title,
                "url": f"/d/lowtide-{name}",
                "keepTime": True,
                "includeVars": True,
                "targetBlank": False,
                "asDropdown": False,
                "icon": "dashboard",
                "tags": [],
                "tooltip": "",
            }
            for name, title in BOARDS
            if name != self.name
        ]
        return {
            "uid": f"lowtide-{self.name}",
            "title": f"Lowtide / {self.title}",
            "description": self.description,
            "tags": ["lowtide"],
            "schemaVersion": SCHEMA,
            "version": 1,
            "editable": True,
            "timezone": "browser",
            "time": {"from": self.window, "to": "now"},
            "refresh": "1m",
            "graphTooltip": 1,
            "fiscalYearStartMonth": 0,
            "links": links,
            "templating": {"list": self.variables()},
            "annotations": {"list": self.annotations()},
            "panels": self.panels,
        }


def write(boards, check):
    """Writes the dashboards, or tells which are not as written; returns the exit code."""
    apart = 0
    for board in boards:
        file, text = FOLDER / f"{board.name}.json", json.dumps(board.json(), indent=2, ensure_ascii=False) + "\n"
        if not check:
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            apart += 1
            print(f"failed: {file.name} is not what scripts/deploy/grafana.py writes; run it")
    return 1 if apart else 0
