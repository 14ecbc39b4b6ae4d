"""The words of alerts, silences and channels: key → Chinese, English."""

TEXTS: dict[str, tuple[str, str]] = {}
