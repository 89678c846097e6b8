"""Writes the Grafana dashboards of deploy/grafana: panels here, layout and the rest of the JSON in grafana_model.py.

`python3 scripts/deploy/grafana.py` writes them; with `--check` it tells whether they are as written.
"""

import sys

from grafana_model import Dashboard, bars, increase, quantile, stat, states, table, timeseries, write

POOLS = 'account=~"$account"'
POOL = 'account=~"$account", pool=~"$pool"'


def account():
    board = Dashboard(
        "account", "Account", "One Batch account at a glance: does it steer, what waits, what runs, what it costs."
    )
    board.row("At a glance")
    board.add(
        stat(
            "Ready",
            f"max by (account) (lowtide_ready{{{POOLS}}})",
            "Whether some instance is ready; /readyz says why not.",
            width=3,
            legend="{{account}}",
            words={0: ("not ready", "red"), 1: ("ready", "green")},
        ),
        stat(
            "Leaders",
            f"sum by (account) (lowtide_leader{{{POOLS}}})",
            "Instances that decide. More than one is a fault.",
            width=3,
            legend="{{account}}",
            words={0: ("nobody", "red"), 1: ("one", "green"), 2: ("two", "red")},
        ),
        stat(
            "Latest look",
            f"time() - max by (account) (lowtide_last_tick_timestamp_seconds{{{POOLS}}})",
            "How long ago the account was last looked at.",
            width=3,
            legend="{{account}}",
            unit="s",
            steps=[("green", None), ("orange", 180), ("red", 600)],
        ),
        stat(
            "Tasks waiting",
            f'sum(max by (account, pool) (lowtide_tasks{{{POOLS}, state="waiting"}}))',
            "Tasks that could run and have no slot.",
            width=3,
        ),
        stat(
            "Usable nodes",
            f'sum(max by (account, pool, class, state) (lowtide_nodes{{{POOLS}, state=~"idle|running"}}))',
            "Nodes that can take tasks.",
            width=3,
        ),
        stat(
            "Cost an hour",
            f"sum(rate(lowtide_cost_usd_total{{{POOLS}}}[1h])) * 3600",
            "Dollars an hour over the last hour, at the prices of the policies.",
            width=3,
            unit="currencyUSD",
            decimals=2,
        ),
        stat(
            "Alerts",
            'count(ALERTS{alertname=~"Lowtide.+", alertstate="firing"}) or vector(0)',
            "Alerts of Lowtide that fire, of all accounts.",
            width=3,
            steps=[("green", None), ("red", 1)],
        ),
        stat(
            "Held pools",
            f"count(sum by (account, pool) (rate(lowtide_holds_total{{{POOLS}}}[15m])) / sum by (account, pool) (rate(lowtide_decisions_total{{{POOLS}}}[15m])) > 0.95) or vector(0)",
            "Pools of which nearly every decision of the last 15 minutes is a hold.",
            width=3,
            steps=[("green", None), ("orange", 1)],
        ),
    )
    board.row("Demand and supply")
    board.add(
        timeseries(
            "Tasks",
            [(f"sum by (state) (max by (account, pool, state) (lowtide_tasks{{{POOLS}}}))", "{{state}}")],
            "Tasks of all pools that wait or run.",
            stacked=True,
            colours={"waiting": "orange", "running": "green"},
        ),
        timeseries(
            "Nodes",
            [
                (
                    f"sum by (class, state) (max by (account, pool, class, state) (lowtide_nodes{{{POOLS}}}))",
                    "{{class}} {{state}}",
                )
            ],
            "Nodes by lane and by what they do. Starting and unusable ones are paid for as well; preempted ones are not.",
            stacked=True,
        ),
        timeseries(
            "Targets",
            [(f"sum by (stage) (max by (account, pool, class, stage) (lowtide_target_nodes{{{POOLS}}}))", "{{stage}}")],
            "Nodes of both lanes at each stage of the latest decisions: what is there (current), what the targets were (start), what strategies propose, "
            "what split, account and guards made of it, and where the decisions end (outcome).",
        ),
        timeseries(
            "Waits of tasks that started",
            [
                (quantile(0.5, "lowtide_queue_wait_seconds", POOLS, "account"), "{{account}} median"),
                (quantile(0.95, "lowtide_queue_wait_seconds", POOLS, "account"), "{{account}} 95 %"),
            ],
            "From submission to start. Empty while no task starts.",
            unit="s",
        ),
    )
    board.row("What the pools share")
    board.add(
        bars(
            "Cores in use",
            f"max by (account, family, kind) (lowtide_quota_used_cores{{{POOLS}}}) / (max by (account, family, kind) (lowtide_quota_cores{{{POOLS}}}) > 0)",
            "Cores that pools hold of each quota, the larger of target and nodes.",
            legend="{{family}} {{kind}}",
            steps=[("green", None), ("orange", 0.8), ("red", 0.95)],
        ),
        bars(
            "Budgets",
            f"max by (account, scope, window) (lowtide_budget_spent_usd{{{POOLS}}}) / (max by (account, scope, window) (lowtide_budget_limit_usd{{{POOLS}}}) > 0)",
            "What is spent of each budget: of the hour, what the nodes that are there cost; of the month, what was spent.",
            legend="{{scope}} {{window}}",
            steps=[("green", None), ("orange", 0.8), ("red", 1)],
        ),
    )
    board.row("Pools")
    board.add(
        table(
            "Pools",
            [
                ("Waiting", f'max by (pool) (lowtide_tasks{{{POOLS}, state="waiting"}})', "none"),
                ("Running", f'max by (pool) (lowtide_tasks{{{POOLS}, state="running"}})', "none"),
                (
                    "Usable nodes",
                    f'sum by (pool) (max by (account, pool, class, state) (lowtide_nodes{{{POOLS}, state=~"idle|running"}}))',
                    "none",
                ),
                (
                    "Dedicated target",
                    f'max by (pool) (lowtide_target_nodes{{{POOLS}, class="dedicated", stage="outcome"}})',
                    "none",
                ),
                (
                    "Spot target",
                    f'max by (pool) (lowtide_target_nodes{{{POOLS}, class="spot", stage="outcome"}})',
                    "none",
                ),
                (
                    "Busy slots",
                    f'sum by (pool) (lowtide_slots{{{POOLS}, state="busy"}}) / (sum by (pool) (lowtide_slots{{{POOLS}}}) > 0)',
                    "percentunit",
                ),
                ("Wait 95 %", quantile(0.95, "lowtide_queue_wait_seconds", POOLS, "pool", "30m"), "s"),
                ("Cost an hour", f"sum by (pool) (rate(lowtide_cost_usd_total{{{POOLS}}}[1h])) * 3600", "currencyUSD"),
                ("Evicted in 1 h", f"sum by (pool) (increase(lowtide_evictions_total{{{POOLS}}}[1h]))", "none"),
            ],
            "Each pool as it stands. A pool's name leads to its own dashboard.",
            link="pool",
        ),
        table(
            "Alerts",
            [
                (
                    "Since",
                    'max by (alertname, severity, pool) (ALERTS{alertname=~"Lowtide.+", alertstate="firing"})',
                    "none",
                )
            ],
            "What fires. docs/runbooks.md has a section for each.",
            height=7,
            columns=("alertname", "severity", "pool"),
        ),
    )
    return board


def pool():
    board = Dashboard(
        "pool", "Pool", "One pool in depth: its queue, its nodes, each stage of its decisions, and why.", one_pool=True
    )
    board.row("Now")
    board.add(
        table(
            "Policy",
            [("Value", f"max by (policy, mode, hash) (lowtide_policy_info{{{POOL}}})", "none")],
            "The policy that decides, how much it may do, and the hash of what it means.",
            width=9,
            height=4,
            columns=("policy", "mode", "hash"),
        ),
        stat(
            "Tasks waiting",
            f'max(lowtide_tasks{{{POOL}, state="waiting"}})',
            "Tasks that could run and have no slot.",
            width=3,
        ),
        stat(
            "Usable nodes",
            f'sum(max by (class, state) (lowtide_nodes{{{POOL}, state=~"idle|running"}}))',
            "Nodes that can take tasks.",
            width=3,
        ),
        stat(
            "Target",
            f'sum(max by (class) (lowtide_target_nodes{{{POOL}, stage="outcome"}}))',
            "Nodes of both lanes where the latest decision ends.",
            width=3,
        ),
        stat(
            "Wait 95 %",
            quantile(0.95, "lowtide_queue_wait_seconds", POOL, "pool", "30m"),
            "Of tasks that started in the last 30 minutes.",
            width=3,
            unit="s",
            steps=[("green", None), ("orange", 900), ("red", 1800)],
        ),
        stat(
            "Cost an hour",
            f"sum(rate(lowtide_cost_usd_total{{{POOL}}}[1h])) * 3600",
            "Dollars an hour over the last hour.",
            width=3,
            unit="currencyUSD",
            decimals=2,
        ),
    )
    board.row("Queue and nodes")
    board.add(
        timeseries(
            "Tasks",
            [(f"max by (state) (lowtide_tasks{{{POOL}}})", "{{state}}")],
            "Tasks that wait or run.",
            stacked=True,
            colours={"waiting": "orange", "running": "green"},
        ),
        timeseries(
            "Nodes",
            [
                (f"max by (class, state) (lowtide_nodes{{{POOL}}})", "{{class}} {{state}}"),
                (f'max(lowtide_bound_nodes{{{POOL}, class="total", bound="max"}})', "most allowed"),
            ],
            "Nodes by lane and by what they do, and the most that the policy allows.",
            stacked=True,
            lines=("most allowed",),
        ),
        timeseries(
            "Dedicated: stages of the decision",
            [(f'max by (stage) (lowtide_target_nodes{{{POOL}, class="dedicated"}})', "{{stage}}")],
            "What is there (current), the target before (start), what was proposed, split, allocated, restrained, and where the decision ends (outcome).",
        ),
        timeseries(
            "Spot: stages of the decision",
            [(f'max by (stage) (lowtide_target_nodes{{{POOL}, class="spot"}})', "{{stage}}")],
            "The same for spot nodes.",
        ),
        timeseries(
            "Slots",
            [(f"max by (state) (lowtide_slots{{{POOL}}})", "{{state}}")],
            "Task slots of usable nodes.",
            stacked=True,
            colours={"busy": "green", "free": "blue"},
        ),
        timeseries(
            "Waits of tasks that started",
            [
                (quantile(q, "lowtide_queue_wait_seconds", POOL, "pool"), name)
                for q, name in ((0.5, "median"), (0.95, "95 %"), (0.99, "99 %"))
            ],
            "From submission to start. Empty while no task starts.",
            unit="s",
        ),
    )
    board.row("Why")
    board.add(
        timeseries(
            "Decisions by reason",
            [(increase("lowtide_decisions_total", POOL, "direction, reason"), "{{direction}}: {{reason}}")],
            "Where decisions led, with the code of their last reason. lowtide explain has the whole chain.",
            bars=True,
            stacked=True,
        ),
        timeseries(
            "Guards",
            [(increase("lowtide_clamps_total", POOL, "guard"), "{{guard}}")],
            "What kept a decision from what was asked for: guards, bounds, and the account.",
            bars=True,
            stacked=True,
        ),
        timeseries(
            "Orders",
            [
                (increase("lowtide_apply_total", POOL, "result"), "{{result}}"),
                (increase("lowtide_reversals_total", POOL, "pool"), "turned round"),
            ],
            "Orders by what became of them, and those that went against the one before.",
            bars=True,
        ),
        timeseries(
            "Age of signals",
            [(f"max by (signal) (lowtide_signal_age_seconds{{{POOL}}})", "{{signal}}")],
            "Age of the newest value of what the policy reads. On old news nothing shrinks.",
            unit="s",
            steps=[("transparent", None), ("red", 300)],
        ),
    )
    board.row("Spot and boots")
    board.add(
        timeseries(
            "Evictions",
            [(increase("lowtide_evictions_total", POOL, "pool"), "evicted")],
            "Spot nodes that were taken away.",
            bars=True,
        ),
        timeseries(
            "Boots",
            [
                (quantile(0.5, "lowtide_node_boot_seconds", POOL, "class", "1h"), "{{class}} median"),
                (quantile(0.95, "lowtide_node_boot_seconds", POOL, "class", "1h"), "{{class}} 95 %"),
            ],
            "From the grant of a machine to its first slot; over an hour.",
            unit="s",
        ),
        timeseries(
            "Cost by lane",
            [(f"sum by (class) (rate(lowtide_cost_usd_total{{{POOL}}}[$__rate_interval])) * 3600", "{{class}}")],
            "Dollars an hour.",
            unit="currencyUSD",
            stacked=True,
        ),
        states(
            "Halts, fallback, breaker",
            [
                (f"max by (scope) (lowtide_halt_active{{{POOL}}})", "halted: {{scope}}"),
                (f"max(lowtide_fallback_active{{{POOL}}})", "dedicated in place of spot"),
                (f"max(lowtide_breaker_open{{{POOL}}})", "breaker open"),
            ],
            "When a person halted the pool, when dedicated nodes stood in for spot, and when broken nodes were not replaced any more.",
            {0: ("no", "green"), 1: ("yes", "orange")},
        ),
    )
    return board


def spot():
    board = Dashboard(
        "spot",
        "Spot and evictions",
        "How spot nodes come and go, what the sidecar has learned of it, and what it does about it.",
    )
    board.row("Now")
    board.add(
        stat(
            "Spot nodes",
            f'sum(max by (account, pool) (lowtide_target_nodes{{{POOL}, class="spot", stage="current"}}))',
            "Spot nodes that are there, preempted ones included.",
            width=6,
        ),
        stat(
            "Preempted",
            f'sum(max by (account, pool) (lowtide_nodes{{{POOL}, state="preempted"}}))',
            "Spot nodes that were taken away and wait to come back.",
            width=6,
            steps=[("green", None), ("orange", 1)],
        ),
        stat(
            "Evicted",
            f"sum(increase(lowtide_evictions_total{{{POOL}}}[$__range]))",
            "Spot nodes that were taken away in the time shown.",
            width=6,
            decimals=0,
        ),
        stat(
            "Pools on dedicated nodes",
            f"sum(max by (account, pool) (lowtide_fallback_active{{{POOL}}})) or vector(0)",
            "Pools in which dedicated nodes stand in for spot.",
            width=6,
            steps=[("green", None), ("orange", 1)],
        ),
    )
    board.row("Evictions")
    board.add(
        timeseries(
            "Evictions by pool",
            [(increase("lowtide_evictions_total", POOL, "pool"), "{{pool}}")],
            "Spot nodes that were taken away.",
            bars=True,
            stacked=True,
        ),
        timeseries(
            "Evictions of a node in an hour, as learned",
            [(f"max by (pool) (lowtide_eviction_hazard_per_hour{{{POOL}}})", "{{pool}}")],
            "What the eviction model expects. 0.05 is one node in twenty, every hour.",
            decimals=3,
        ),
        timeseries(
            "Spot: wanted and there",
            [
                (
                    f'sum(max by (account, pool) (lowtide_target_nodes{{{POOL}, class="spot", stage="outcome"}}))',
                    "wanted",
                ),
                (
                    f'sum(max by (account, pool, state) (lowtide_nodes{{{POOL}, class="spot", state=~"idle|running|starting"}}))',
                    "there",
                ),
            ],
            "Where they are apart, spot does not come.",
        ),
        states(
            "Dedicated in place of spot",
            [(f"max by (pool) (lowtide_fallback_active{{{POOL}}})", "{{pool}}")],
            "When dedicated nodes stood in for spot nodes that did not come.",
            {0: ("no", "green"), 1: ("yes", "orange")},
        ),
    )
    board.row("What it means")
    board.add(
        timeseries(
            "Share of spot",
            [
                (
                    f'sum by (pool) (max by (pool) (lowtide_target_nodes{{{POOL}, class="spot", stage="outcome"}})) / (sum by (pool) (max by (pool, class) (lowtide_target_nodes{{{POOL}, stage="outcome"}})) > 0)',
                    "{{pool}}",
                )
            ],
            "Of the nodes that were decided on.",
            unit="percentunit",
            top=1,
        ),
        timeseries(
            "Prices",
            [(f"max by (sku, class) (lowtide_price_usd_per_hour{{{POOLS}}})", "{{sku}} {{class}}")],
            "Price of a node in an hour.",
            unit="currencyUSD",
            decimals=3,
        ),
        timeseries(
            "Boots of spot nodes",
            [
                (quantile(0.5, "lowtide_node_boot_seconds", POOL + ', class="spot"', "pool", "1h"), "{{pool}} median"),
                (quantile(0.95, "lowtide_node_boot_seconds", POOL + ', class="spot"', "pool", "1h"), "{{pool}} 95 %"),
            ],
            "From the grant of a machine to its first slot.",
            unit="s",
        ),
        timeseries(
            "Held back by a storm",
            [(increase("lowtide_clamps_total", POOL + ', guard="storm"', "pool"), "{{pool}}")],
            "Decisions in which the storm guard asked for no more spot nodes.",
            bars=True,
        ),
    )
    return board


def cost():
    board = Dashboard(
        "cost",
        "Cost and budget",
        "What the nodes cost, what that saves, and how much of each budget is left. Prices are those of the policies.",
        window="now-7d",
    )
    board.row("In the time shown")
    board.add(
        stat(
            "Cost",
            f"sum(increase(lowtide_cost_usd_total{{{POOL}}}[$__range]))",
            "What nodes cost in the time shown.",
            width=6,
            unit="currencyUSD",
            decimals=2,
        ),
        stat(
            "An hour now",
            f"sum(rate(lowtide_cost_usd_total{{{POOL}}}[1h])) * 3600",
            "Dollars an hour over the last hour.",
            width=6,
            unit="currencyUSD",
            decimals=2,
        ),
        stat(
            "Saved",
            f'sum(max by (account, pool) (lowtide_savings_usd{{{POOL}, baseline="allDedicated"}}))',
            "What the same nodes would have cost more, all of them dedicated, since the sidecar began.",
            width=6,
            unit="currencyUSD",
            decimals=2,
            steps=[("red", None), ("green", 0)],
        ),
        stat(
            "Busy slots",
            f'sum(max by (account, pool) (lowtide_slots{{{POOL}, state="busy"}})) / (sum(max by (account, pool, state) (lowtide_slots{{{POOL}}})) > 0)',
            "Share of ready slots that run a task, now. The rest is paid for and idle.",
            width=6,
            unit="percentunit",
            decimals=0,
            steps=[("red", None), ("orange", 0.4), ("green", 0.7)],
        ),
    )
    board.row("Cost")
    board.add(
        timeseries(
            "By pool",
            [(f"sum by (pool) (rate(lowtide_cost_usd_total{{{POOL}}}[1h])) * 3600", "{{pool}}")],
            "Dollars an hour, over an hour.",
            unit="currencyUSD",
            stacked=True,
        ),
        timeseries(
            "By lane",
            [(f"sum by (class) (rate(lowtide_cost_usd_total{{{POOL}}}[1h])) * 3600", "{{class}}")],
            "Dollars an hour, over an hour.",
            unit="currencyUSD",
            stacked=True,
        ),
        timeseries(
            "Saved against all dedicated",
            [(f'max by (pool) (lowtide_savings_usd{{{POOL}, baseline="allDedicated"}})', "{{pool}}")],
            "Since the sidecar began; a restart begins at nothing.",
            unit="currencyUSD",
        ),
        timeseries(
            "Saved against the documented formula",
            [(f'max by (pool) (lowtide_savings_usd{{{POOL}, baseline="formula"}})', "{{pool}}")],
            "Against the formula that the service documents for pending tasks, its nodes there at once. Since the sidecar began.",
            unit="currencyUSD",
        ),
        timeseries(
            "Prices",
            [(f"max by (sku, class) (lowtide_price_usd_per_hour{{{POOLS}}})", "{{sku}} {{class}}")],
            "Price of a node in an hour.",
            unit="currencyUSD",
            decimals=3,
        ),
    )
    board.row("Budgets")
    board.add(
        bars(
            "Used",
            f"max by (account, scope, window) (lowtide_budget_spent_usd{{{POOLS}}}) / (max by (account, scope, window) (lowtide_budget_limit_usd{{{POOLS}}}) > 0)",
            "What is spent of each budget.",
            legend="{{scope}} {{window}}",
            steps=[("green", None), ("orange", 0.8), ("red", 1)],
        ),
        timeseries(
            "The month",
            [
                (f'max by (scope) (lowtide_budget_spent_usd{{{POOLS}, window="month"}})', "{{scope}} spent"),
                (f'max by (scope) (lowtide_budget_limit_usd{{{POOLS}, window="month"}})', "{{scope}} limit"),
            ],
            "Spent this month, and the limit at which onSoft begins.",
            unit="currencyUSD",
        ),
        timeseries(
            "The hour",
            [
                (f'max by (scope) (lowtide_budget_spent_usd{{{POOLS}, window="hour"}})', "{{scope}} spent"),
                (f'max by (scope) (lowtide_budget_limit_usd{{{POOLS}, window="hour"}})', "{{scope}} limit"),
            ],
            "What the nodes that are there cost in an hour, and the limit that no order passes.",
            unit="currencyUSD",
        ),
        timeseries(
            "Held back by money",
            [
                (
                    increase(
                        "lowtide_clamps_total",
                        POOL + ', guard=~"hourlyBudget|monthlyBudget|sharedMonth|share"',
                        "pool, guard",
                    ),
                    "{{pool}}: {{guard}}",
                )
            ],
            "Decisions that a budget, or the share of the account, kept from what was asked for.",
            bars=True,
            stacked=True,
        ),
    )
    return board


def decisions():
    board = Dashboard("decisions", "Decisions and health", "How the sidecar decides, and how it fares itself.")
    board.row("Decisions")
    board.add(
        timeseries(
            "Where they lead",
            [(increase("lowtide_decisions_total", POOL, "direction"), "{{direction}}")],
            "More nodes, fewer, the same, or a hold.",
            bars=True,
            stacked=True,
            colours={"out": "green", "in": "blue", "same": "text", "hold": "orange"},
        ),
        timeseries(
            "Why",
            [(increase("lowtide_decisions_total", POOL, "reason"), "{{reason}}")],
            "By the code of the last reason.",
            bars=True,
            stacked=True,
        ),
        timeseries(
            "Holds",
            [(increase("lowtide_holds_total", POOL, "reason"), "{{reason}}")],
            "Decisions that leave a pool as it is, because of something.",
            bars=True,
            stacked=True,
        ),
        timeseries(
            "Guards",
            [(increase("lowtide_clamps_total", POOL, "guard"), "{{guard}}")],
            "What kept decisions from what was asked for.",
            bars=True,
            stacked=True,
        ),
    )
    board.row("Orders")
    board.add(
        timeseries(
            "What became of them",
            [(increase("lowtide_apply_total", POOL, "result"), "{{result}}")],
            "accepted, withheld by a dry run, or refused: by why.",
            bars=True,
            stacked=True,
        ),
        timeseries(
            "Turned round",
            [(increase("lowtide_reversals_total", POOL, "pool"), "{{pool}}")],
            "Orders that went against the one before.",
            bars=True,
            stacked=True,
        ),
        timeseries(
            "How long they take",
            [
                (quantile(q, "lowtide_apply_duration_seconds", POOLS, "account"), "{{account}} " + name)
                for q, name in ((0.5, "median"), (0.95, "95 %"))
            ],
            "Until the service has answered.",
            unit="s",
        ),
        timeseries(
            "Changed by others",
            [(increase("lowtide_foreign_changes_total", POOL, "pool"), "{{pool}}")],
            "Targets that somebody else set.",
            bars=True,
            stacked=True,
        ),
    )
    board.row("What is known")
    board.add(
        timeseries(
            "Age of signals",
            [(f"max by (pool, signal) (lowtide_signal_age_seconds{{{POOL}}})", "{{pool}} {{signal}}")],
            "Age of the newest value of what policies read.",
            unit="s",
            steps=[("transparent", None), ("red", 300)],
        ),
        timeseries(
            "How long a look takes",
            [
                (quantile(q, "lowtide_tick_duration_seconds", POOLS, "account"), "{{account}} " + name)
                for q, name in ((0.5, "median"), (0.95, "95 %"))
            ],
            "A look with its decisions and orders. Longer than 30 s, samples are missed.",
            unit="s",
            steps=[("transparent", None), ("red", 30)],
        ),
    )
    board.row("The process")
    board.add(
        states(
            "Leader",
            [(f"max by (account, instance) (lowtide_leader{{{POOLS}}})", "{{account}} {{instance}}")],
            "Which instance decides.",
            {0: ("standby", "blue"), 1: ("leads", "green")},
        ),
        states(
            "Ready",
            [(f"max by (account, instance) (lowtide_ready{{{POOLS}}})", "{{account}} {{instance}}")],
            "What /readyz says.",
            {0: ("not ready", "red"), 1: ("ready", "green")},
        ),
        states(
            "Ledger",
            [(f"max by (account, instance) (lowtide_ledger_writable{{{POOLS}}})", "{{account}} {{instance}}")],
            "Whether lines are kept; nothing is ordered without.",
            {0: ("refused", "red"), 1: ("kept", "green")},
        ),
        states(
            "Policies",
            [(f"max by (account, instance) (lowtide_reload_success{{{POOLS}}})", "{{account}} {{instance}}")],
            "Whether all files were whole when they were last read.",
            {0: ("faults", "red"), 1: ("whole", "green")},
        ),
        timeseries(
            "Since the latest look",
            [(f"time() - max by (account) (lowtide_last_tick_timestamp_seconds{{{POOLS}}})", "{{account}}")],
            "How old what is known is.",
            unit="s",
            steps=[("transparent", None), ("red", 600)],
        ),
        table(
            "What runs",
            [("Instances", f"count by (account, version) (lowtide_build_info{{{POOLS}}})", "none")],
            "Versions of the sidecar.",
            width=12,
            columns=("account", "version"),
        ),
        table(
            "Policies in effect",
            [("Pools", f"count by (policy, mode, hash) (lowtide_policy_info{{{POOL}}})", "none")],
            "Each policy, how much it may do, the hash of what it means, and how many pools it decides for.",
            columns=("policy", "mode", "hash"),
        ),
    )
    return board


if __name__ == "__main__":
    sys.exit(write([account(), pool(), spot(), cost(), decisions()], check="--check" in sys.argv))
