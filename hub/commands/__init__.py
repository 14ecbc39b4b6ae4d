"""The commands of `hub`, a module a subject."""
