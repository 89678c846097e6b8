"""Renders the chart by Helm's own library in several settings, and holds what comes out to Kubernetes' schemas and to the house.

`chart.py FOLDER`: writes the configuration of each setting as FOLDER/NAME.toml, and the rules as FOLDER/rules.yaml.
"""

import copy
import pathlib
import sys
import tomllib

import helm_python as helm
import kubernetes_validate
import yaml

import metrics

CHART = metrics.ROOT / "deploy/helm/lowtide"
# The oldest that the chart says it takes, and a current one.
VERSIONS = ("1.27", "1.34")

POLICY = {"render.yaml": "version: 1\npool: render\ndemand: [ { backlog: { drainWithin: 15m } } ]\n"}
CLIENT = "00000000-0000-0000-0000-000000000001"
ENDPOINT = "https://myaccount.westeurope.batch.azure.com"
LEAST = {"account": {"endpoint": ENDPOINT, "clientId": CLIENT}, "policies": {"files": POLICY}}
FULL = {
    "account": {"endpoint": ENDPOINT, "auth": "sharedKey", "keySecret": {"name": "batch"}},
    "dryRun": False,
    "http": {"openReads": False, "tokenSecret": {"name": "writes"}, "readTokenSecret": {"name": "reads"}},
    "history": {
        "prometheus": "https://prometheus.example.com/west",
        "labels": {"job": "steering/lowtide", "cluster": 'we"st'},
        "all": True,
        "user": "reader",
        "passwordSecret": {"name": "prometheus"},
    },
    "policies": {"existingConfigMap": "mine"},
    "ledger": {"kind": "postgres", "postgres": {"addressSecret": {"name": "database"}}},
    "replicas": 2,
    "traces": {"endpoint": "http://collector.monitoring:4318"},
    "image": {"repository": "registry.example.com/lowtide", "digest": "sha256:" + "0" * 64},
    "imagePullSecrets": [{"name": "registry"}],
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "runbooks": "https://wiki.example.com/runbooks"},
    "dashboards": {"enabled": True},
    "networkPolicy": {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "egress": [{"ports": [{"port": 4318, "protocol": "TCP"}]}],
    },
    "env": [
        {"name": "HTTPS_PROXY", "value": "http://proxy:3128"},
        {"name": "A_TOKEN", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}},
    ],
    "podLabels": {"team": "batch"},
    "podAnnotations": {"a": "b"},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "priorityClassName": "high",
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]
            }
        }
    },
    "fullnameOverride": "steers-mine",
}
MANAGED = {
    "account": {"endpoint": ENDPOINT, "auth": "managedIdentity", "clientId": CLIENT},
    "policies": {"files": POLICY},
    "serviceAccount": {"create": False, "name": "mine"},
    "ledger": {"sqlite": {"existingClaim": "mine"}},
    "history": {"prometheus": "https://mine.westeurope.prometheus.monitor.azure.com", "scope": "https://prometheus.monitor.azure.com"},
    "networkPolicy": {"enabled": False},
}
SETTINGS = {"least": LEAST, "full": FULL, "managed": MANAGED}
# What the configuration says of where the past is.
HISTORY = {
    "least": {"prometheus": None},
    "full": {
        **{key: FULL["history"][key] for key in ("prometheus", "labels", "all", "user")},
        "password": {"file": "/etc/lowtide/secrets/history-password"},
    },
    "managed": MANAGED["history"] | {"labels": None},
}


def with_value(path, value, base=LEAST):
    """Returns values with one of them changed."""
    made = copy.deepcopy(base)
    *parents, last = path.split(".")
    inner = made
    for word in parents:
        inner = inner.setdefault(word, {})
    inner[last] = value
    return made


# What must not be taken, and what is said of it.
REFUSED = [
    ({"policies": {"files": POLICY}}, "account.endpoint is needed"),
    ({"account": {"endpoint": ENDPOINT}, "policies": {"files": POLICY}}, "account.clientId is needed"),
    (with_value("account.auth", "sharedKey"), "account.keySecret.name is needed"),
    (with_value("replicas", 2), "two would steer"),
    (with_value("ledger.kind", "postgres"), "addressSecret.name is needed"),
    (with_value("policies.existingConfigMap", "mine"), "keep one"),
    ({"account": LEAST["account"]}, "there are no policies"),
    (with_value("http.openReads", False), "no token lets read"),
    (with_value("history", {"all": True}), "history.prometheus is needed"),
    (with_value("history", {"prometheus": "https://a", "user": "u"}), "go together"),
    (with_value("history", {"prometheus": "https://a", "scope": "s", "tokenSecret": {"name": "t"}}), "keep one"),
    (with_value("history.prometheus", "https://user:word@a"), "prometheus"),
    (with_value("history.labels", {"a-b": "c"}), "a-b"),
    (with_value("replica", 2), "replica"),
    (with_value("account.endpoint", "myaccount"), "endpoint"),
    (with_value("account.auth", "key"), "auth"),
    (with_value("service.port", 80), "port"),
    (with_value("policies.files", {"render.yml": ""}), "render.yml"),
    (with_value("image.digest", "latest"), "digest"),
    (with_value("env", [{"name": "AZURE_CLIENT_SECRET", "value": "plain"}]), "valueFrom"),
]


def rendered(chart, values):
    """Returns the objects that the chart makes."""
    chart.validate_schema(values)
    made = []
    for path, text in sorted(chart.render(values, name="batch", namespace="steering").items()):
        if not path.endswith("NOTES.txt"):
            made += [part for part in yaml.safe_load_all(text) if part]
    return made


def of_kind(objects, kind, name=None):
    return [part for part in objects if part["kind"] == kind and name in (None, part["metadata"]["name"])]


def hardened(objects):
    """Tells what a pod may do that it need not."""
    [deployment] = of_kind(objects, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    ours, theirs = container["securityContext"], pod["securityContext"]
    yield "it may be root", theirs["runAsNonRoot"] and theirs["runAsUser"] > 0 and theirs["runAsGroup"] > 0
    yield "it may write to its root", ours["readOnlyRootFilesystem"]
    yield (
        "it may gain privileges",
        ours["allowPrivilegeEscalation"] is False and ours["capabilities"] == {"drop": ["ALL"]},
    )
    yield "it may make every system call", theirs["seccompProfile"]["type"] == "RuntimeDefault"
    yield "it has a token of Kubernetes", pod["automountServiceAccountToken"] is False
    yield "its memory has no limit", "memory" in container["resources"]["limits"]
    yield "it has no probes", all(f"{kind}Probe" in container for kind in ("startup", "liveness", "readiness"))
    yield "it has no time to end", pod["terminationGracePeriodSeconds"] >= 60
    yield (
        "a volume of it may be written to that need not be",
        {mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")} == {"state", "tmp"},
    )
    yield "a secret stands in the values", not of_kind(objects, "Secret")
    yield "its image has no version", not container["image"].endswith((":", ":latest"))
    selector = deployment["spec"]["selector"]["matchLabels"]
    for part in objects:
        inner = (
            part["spec"].get("selector", {})
            if part["kind"] in ("Service", "PodDisruptionBudget", "ServiceMonitor")
            else None
        )
        if inner is not None:
            yield f"{part['kind']} selects others", inner.get("matchLabels", inner) == selector


def main(folder):
    folder = pathlib.Path(folder)
    faults, count, kinds = [], 0, set()
    for setting, values in SETTINGS.items():
        found = helm.lint(str(CHART), values, strict=True)
        # A chart in no catalogue needs no icon.
        faults += [
            f"helm lint, {setting}: {word['path']}: {word['error']}"
            for word in found["messages"]
            if word["error"] != "icon is recommended"
        ]
        faults += [f"helm lint, {setting}: {word}" for word in found["errors"]]
    print(
        f"helm lint (Helm {helm.helm_sdk_version()}) has nothing to say"
        if not faults
        else "helm lint has something to say"
    )
    with helm.Chart.load(str(CHART)) as chart:
        for setting, values in SETTINGS.items():
            objects = rendered(chart, values)
            count += len(objects)
            for part in objects:
                kinds.add(part["kind"])
                if part["apiVersion"].startswith("monitoring.coreos.com"):
                    continue
                for version in VERSIONS:
                    try:
                        kubernetes_validate.validate(part, version, strict=True)
                    except Exception as error:  # noqa: BLE001: whatever it is, it is told with its place
                        faults.append(f"{setting}: {part['kind']} {part['metadata']['name']} under {version}: {error}")
            faults += [f"{setting}: {why}" for why, well in hardened(objects) if not well]
            [config] = [part for part in of_kind(objects, "ConfigMap") if "lowtide.toml" in part["data"]]
            (folder / f"{setting}.toml").write_text(config["data"]["lowtide.toml"])
            told = tomllib.loads(config["data"]["lowtide.toml"]).get("history", {})
            if {key: told.get(key) for key in HISTORY[setting]} != HISTORY[setting]:
                faults.append(f"{setting}: its history is {told}")
            for rule in of_kind(objects, "PrometheusRule"):
                (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": rule["spec"]["groups"]}))
                links = [
                    inner["annotations"]["runbook_url"]
                    for group in rule["spec"]["groups"]
                    for inner in group["rules"]
                    if "alert" in inner
                ]
                faults += [
                    f"{link} is no link" for link in links if not link.startswith("https://wiki.example.com/runbooks#")
                ]
        expected = {
            "ConfigMap",
            "Deployment",
            "NetworkPolicy",
            "PersistentVolumeClaim",
            "PodDisruptionBudget",
            "PrometheusRule",
            "Service",
            "ServiceAccount",
            "ServiceMonitor",
        }
        faults += [f"no {kind} in any setting" for kind in sorted(expected - kinds)]
        boards = [
            part
            for part in of_kind(rendered(chart, FULL), "ConfigMap")
            if part["metadata"]["labels"].get("grafana_dashboard")
        ]
        files = {file.name: file.read_text() for file in (metrics.ROOT / "deploy/grafana").glob("*.json")}
        for name, text in files.items():
            if [text.strip()] != [
                part["data"][f"lowtide-{name}"].strip() for part in boards if f"lowtide-{name}" in part["data"]
            ]:
                faults.append(f"{name} is not in the chart as it is in deploy/grafana")
        for values, word in REFUSED:
            try:
                rendered(chart, values)
            except helm.HelmError as error:
                if word not in str(error):
                    faults.append(f"refused without the word {word}: {error}")
            else:
                faults.append(f"taken, and should not be: {word}")
    for fault in faults:
        print(f"failed: {fault}", file=sys.stderr)
    if faults:
        sys.exit(1)
    print(
        f"{count} objects in {len(SETTINGS)} settings are what Kubernetes {' and '.join(VERSIONS)} take; pods may do no more than they need; {len(REFUSED)} mistakes are refused"
    )


main(sys.argv[1])
