"""The words of places, imports and exports: key → Chinese, English."""

TEXTS: dict[str, tuple[str, str]] = {}
