"""The words of inspections: key → Chinese, English."""

TEXTS: dict[str, tuple[str, str]] = {}
