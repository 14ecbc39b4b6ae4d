"""Everything that runs is pinned by hash, stands in the bill of materials, and has a licence that lets it run beside ours."""

import json
import re
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.supply import BILL, LICENCES, LOCK, ROOT, licence, licences, pinned

REFUSED = re.compile(r"(?<![L])GPL|AGPL|SSPL|BUSL|Commons-Clause", re.IGNORECASE)


@pytest.mark.parametrize("lock", [LOCK, ROOT / "requirements.lock"], ids=["appliance", "development"])
def test_every_package_is_pinned_by_version_and_hash(lock: Path) -> None:
    blocks = re.findall(r"^([A-Za-z0-9][^\n]*)\n((?: +--hash=[^\n]+\n)*)", lock.read_text("utf-8"), re.MULTILINE)
    assert len(blocks) > 40
    assert [head for head, hashes in blocks if "==" not in head or "--hash=sha256:" not in hashes] == []


def test_the_bill_of_materials_names_exactly_what_runs() -> None:
    whole = json.loads(BILL.read_text("utf-8"))
    named = {canonicalize_name(one["name"]): one["version"] for one in whole["components"]}
    assert named == pinned(), "renew it: make sbom"
    assert LICENCES.read_text("utf-8") == licences(whole), "renew it: make sbom"


def test_every_package_states_a_licence_that_may_run_beside_ours() -> None:
    known = {one["name"]: licence(one) for one in json.loads(BILL.read_text("utf-8"))["components"]}
    assert [name for name, said in known.items() if not said] == []
    assert [name for name, said in known.items() if REFUSED.search(said)] == []


def test_fail__what_may_not_run_beside_ours_is_seen() -> None:
    assert all(REFUSED.search(said) for said in ("GPL-3.0-only", "AGPL-3.0-or-later", "SSPL-1.0"))
    assert not REFUSED.search("LGPL-3.0-only")
