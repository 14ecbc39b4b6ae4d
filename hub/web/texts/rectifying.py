"""The words of rectifications and tasks: key → Chinese, English."""

TEXTS: dict[str, tuple[str, str]] = {}
