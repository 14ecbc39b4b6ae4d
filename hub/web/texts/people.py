"""The words of accounts, the audit log, one's own password: key → Chinese, English."""

TEXTS: dict[str, tuple[str, str]] = {}
