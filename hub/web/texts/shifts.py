"""The words of the rota and hours on duty: key → Chinese, English."""

TEXTS: dict[str, tuple[str, str]] = {}
