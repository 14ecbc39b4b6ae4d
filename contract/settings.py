"""TOML configuration into frozen structs, for both programs: a bad value names the key, what it was and what it may be."""

import re
import tomllib
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class BadSettings(ValueError):
    """A configuration that can't be used, said so that its writer can mend it."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a section: an unknown key is an error, since a misspelt one would be silently without effect."""


def parse(text: str, kind: type[T], source: str) -> T:
    """Parse TOML text; raises `BadSettings` naming `source` and the key."""
    return convert(read_table(text, source), kind, source)


def read_table(text: str, source: str) -> dict[str, Any]:
    """TOML text as a table; raises `BadSettings` naming `source`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"{source}: not TOML: {error}") from None


def convert(table: dict[str, Any], kind: type[T], source: str) -> T:
    """A table as frozen structs; raises `BadSettings` naming `source` and the key."""
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise BadSettings(f"{source}: {_explain(str(error), table, kind)}") from None


def _explain(message: str, table: dict[str, Any], kind: Any) -> str:
    path = match.group(1) if (match := re.search(r"at `\$\.?([^`]*)`", message)) else ""
    keys = [key for key in path.split(".") if key]
    unknown = re.search(r"unknown field `([^`]+)`", message)
    if unknown:
        allowed = ", ".join(_fields(kind, keys))
        return f"unknown key {'.'.join([*keys, unknown.group(1)])!r}; it may be one of: {allowed}"
    found = _value(table, keys)
    return f"key {path!r} is {found!r}: {message.split(' - at')[0]}" if keys else message.split(" - at")[0]


def _fields(kind: Any, keys: list[str]) -> list[str]:
    for key in keys:
        field = next((f for f in msgspec.structs.fields(kind) if f.encode_name == key.split("[")[0]), None)
        if field is None or not (isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)):
            return ["(see the documentation)"]
        kind = field.type
    return [f.encode_name for f in msgspec.structs.fields(kind)]


def _value(table: Any, keys: list[str]) -> Any:
    for key in keys:
        if not isinstance(table, dict):
            return table
        table = table.get(key.split("[")[0])
    return table
