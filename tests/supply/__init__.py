"""What Gatepost is made of, for who must answer for it: a bill of materials (CycloneDX 1.6) and its licences."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "systemd" / "requirements.lock"
"""What runs on a station or a hub; the tools of development are no part of it."""
FOLDER = ROOT / "docs" / "supply"
BILL, LICENCES = FOLDER / "sbom.cdx.json", FOLDER / "licences.md"
STATED = {"sqlite-fts4": "Apache-2.0", "simplejpeg": "MIT"}
"""Of packages whose metadata names none, or that only a Raspberry Pi installs: by the licence file in their repositories."""
_PYTHON = {"python_version": "3.11", "python_full_version": "3.11.2"}
"""That of Debian 12, whatever this is read with."""
_CLASSIFIER = "License :: OSI Approved :: "


def pinned(lock: Path = LOCK) -> dict[str, str]:
    """Name → version of each package that a lock file names for this platform."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    found = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]
    return {
        canonicalize_name(one.name): next(iter(one.specifier)).version
        for one in found
        if one.marker is None or one.marker.evaluate(_PYTHON)
    }


def bill() -> dict[str, Any]:
    """The bill of materials: of the packages that run, as they are installed in this environment."""
    command = [Path(sys.executable).with_name("cyclonedx-py"), "environment", "--pyproject", "pyproject.toml"]
    options = ["--output-reproducible", "--spec-version", "1.6", sys.executable]
    made = subprocess.run([*command, *options], cwd=ROOT, check=True, capture_output=True, text=True)
    whole: dict[str, Any] = json.loads(made.stdout)
    wanted = pinned()
    whole["components"] = [one for one in whole["components"] if canonicalize_name(one["name"]) in wanted]
    here = {canonicalize_name(one["name"]) for one in whole["components"]}
    whole["components"] += [_elsewhere(name, version) for name, version in wanted.items() if name not in here]
    refs = {one["bom-ref"] for one in whole["components"]} | {whole["metadata"]["component"]["bom-ref"]}
    whole["dependencies"] = [
        {"ref": one["ref"], **({"dependsOn": sorted(refs.intersection(one["dependsOn"]))} if one.get("dependsOn") else {})}
        for one in whole["dependencies"]
        if one["ref"] in refs
    ]
    return whole


def _elsewhere(name: str, version: str) -> dict[str, Any]:
    """A package that is not installed here."""
    stated = [{"license": {"id": STATED[name], "acknowledgement": "declared"}}]
    return {"type": "library", "bom-ref": f"{name}=={version}", "name": name, "version": version, "licenses": stated,
            "purl": f"pkg:pypi/{name}@{version}"}  # fmt: skip


def licence(component: dict[str, Any]) -> str:
    """The licence of a component: by its SPDX expression where it states one; empty where none is known."""
    stated = component.get("licenses", ())
    said = [one.get("expression") or one["license"].get("id") or one["license"].get("name", "") for one in stated]
    spdx = [one for one in said if one and not one.startswith("License ::")]
    named = [one.removeprefix(_CLASSIFIER).removeprefix("License :: ") for one in said if one.startswith("License ::")]
    return ", ".join(dict.fromkeys(spdx or named)) or STATED.get(component["name"], "")


def licences(whole: dict[str, Any]) -> str:
    """The licences of a bill of materials as a page."""
    rows = [f"| {one['name']} | {one['version']} | {licence(one)} |" for one in whole["components"]]
    return "\n".join([
        "# What Gatepost runs on, and under which licences",
        "",
        "Made by `make sbom` from `systemd/requirements.lock` and what each package states; the whole is in",
        "[sbom.cdx.json](sbom.cdx.json) (CycloneDX 1.6). Gatepost itself is under Apache-2.0.",
        "What apt installs beside it (`systemd/packages.sh`) has its licence in `/usr/share/doc/PACKAGE/copyright`.",
        "",
        "| package | version | licence |",
        "|---|---|---|",
        *sorted(rows, key=str.lower),
        "",
    ])  # fmt: skip
