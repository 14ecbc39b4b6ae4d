"""The words of commands to stations: key → Chinese, English."""

TEXTS: dict[str, tuple[str, str]] = {}
