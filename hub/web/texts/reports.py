"""The words of the daily report and evidence pages: key → Chinese, English."""

TEXTS: dict[str, tuple[str, str]] = {}
