"""The words of tokens for other programs: key → Chinese, English."""

TEXTS: dict[str, tuple[str, str]] = {}
