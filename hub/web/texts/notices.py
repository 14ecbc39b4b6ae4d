"""The words of these pages."""

TEXTS: dict[str, tuple[str, str]] = {}
