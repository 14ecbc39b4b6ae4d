"""Print one value of a TOML file: setting.py FILE SECTION.KEY [DEFAULT]. What is missing is the default; a bad file ends it."""

import sys
import tomllib
from pathlib import Path


def setting(path: Path, name: str, default: str = "") -> str:
    """The value of a dotted key as text; `default` when it isn't there. Raises OSError and ValueError (not TOML)."""
    found: object = tomllib.loads(path.read_text(encoding="utf-8"))
    for key in name.split("."):
        if not isinstance(found, dict) or key not in found:
            return default
        found = found[key]
    return str(found)


if __name__ == "__main__":
    try:
        print(setting(Path(sys.argv[1]), *sys.argv[2:4]))
    except (OSError, ValueError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")
