"""Writes the bill of materials of the program as CycloneDX 1.6: every crate that is in it, and what the dashboard brings along, with
its licence, its checksum, and who needs it. The same sources give the same bytes.

`sbom.py TARGET` writes to standard output, for a target such as x86_64-unknown-linux-musl.
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tomllib
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]


def shipped(metadata):
    """Returns the ids of what ends in the program: normal dependencies of normal dependencies, and none of tests and builds."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    found, open_ids = {}, [metadata["resolve"]["root"]]
    while open_ids:
        one = open_ids.pop()
        if one not in found:
            needs = [
                part["pkg"] for part in nodes[one]["deps"] if any(kind["kind"] is None for kind in part["dep_kinds"])
            ]
            found[one] = sorted(set(needs))
            open_ids += needs
    return found


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, checksums):
    made = {
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
    }
    if package["description"]:
        made["description"] = " ".join(package["description"].split())
    if package["license"]:
        # Old crates write a slash where they mean a choice.
        made["licenses"] = [{"expression": re.sub(r"\s*/\s*", " OR ", package["license"])}]
    checksum = checksums.get((package["name"], package["version"]))
    if checksum:
        made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return made


def vendored():
    """Returns what stands in the sources as others published it: the chart library of the dashboard."""
    folder = ROOT / "src/serve/http/page/vendor/uplot"
    head, *sums = (folder / "CHECKSUMS").read_text().splitlines()
    name, version, licence, url = re.fullmatch(r"# (\S+) (\S+) \((\S+)\), (\S+): .*", head).groups()
    for line in sums:
        checksum, file = line.split()
        if hashlib.sha256((folder / file).read_bytes()).hexdigest() != checksum:
            sys.exit(f"failed: {file} of {name} is not what was published")
    if "MIT License" not in (folder / "LICENSE").read_text():
        sys.exit(f"failed: the licence of {name} is not the one that is told")
    checksum = next(line.split()[0] for line in sums if line.endswith(".js"))
    return {
        "type": "library",
        "bom-ref": f"pkg:npm/{name.lower()}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:npm/{name.lower()}@{version}",
        "description": "The charts of the dashboard",
        "licenses": [{"expression": licence}],
        "hashes": [{"alg": "SHA-256", "content": checksum}],
        "externalReferences": [{"type": "distribution", "url": url}],
    }


def main(target):
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--offline", "--features", "parquet"]
    command += ["--filter-platform", target]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {(part["name"], part["version"]): part.get("checksum") for part in lock["package"]}
    packages = {package["id"]: package for package in metadata["packages"]}
    found = shipped(metadata)
    root = metadata["resolve"]["root"]
    charts = vendored()
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        # The same program has the same number.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, target + (ROOT / 'Cargo.lock').read_text())}",
        "metadata": {
            "component": component(packages[root], checksums) | {"type": "application"},
            "properties": [{"name": "lowtide:target", "value": target}],
        },
        "components": sorted(
            [charts] + [component(packages[one], checksums) for one in found if one != root], key=lambda made: made["bom-ref"]
        ),
        "dependencies": sorted(
            [{"ref": charts["bom-ref"], "dependsOn": []}]
            + [
                {
                    "ref": purl(packages[one]),
                    "dependsOn": sorted([purl(packages[need]) for need in needs] + [charts["bom-ref"]] * (one == root)),
                }
                for one, needs in found.items()
            ],
            key=lambda made: made["ref"],
        ),
    }
    without = [made["name"] for made in bill["components"] if "licenses" not in made or "hashes" not in made]
    if without:
        sys.exit(f"failed: no licence or no checksum: {', '.join(without)}")
    json.dump(bill, sys.stdout, indent=1, ensure_ascii=False)
    print()


main(sys.argv[1])
