"""The registry's one error."""


class RegistryError(ValueError):
    """Something the registry can't do: names what, where, and what to do about it."""
