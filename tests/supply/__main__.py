"""Writes the bill of materials and the licences: `make sbom`."""

import json

from tests.supply import BILL, FOLDER, LICENCES, bill, licences


def main() -> None:
    """Write both files anew."""
    whole = bill()
    FOLDER.mkdir(parents=True, exist_ok=True)
    BILL.write_text(json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    LICENCES.write_text(licences(whole), encoding="utf-8")
    print(f"{BILL}: {len(whole['components'])} packages")


if __name__ == "__main__":
    main()
