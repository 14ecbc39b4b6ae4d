"""A name as others may read it: 王*明, 王*, J*** S. Pure."""


def mask(name: str) -> str:
    """First and last character of a Chinese name, initials of any other; a masked name stays as it is."""
    words = name.split()
    if not words:
        return ""
    if not all(word[0].isascii() for word in words):
        return _chinese("".join(words))
    return f"{words[0][0]}***" + (f" {words[-1][0]}" if len(words) > 1 else "")


def _chinese(name: str) -> str:
    if len(name) <= 2:
        return name[0] + "*" * (len(name) - 1)
    return name[0] + "*" * (len(name) - 2) + name[-1]
