"""The error the builder raises on purpose; `tasks.py` turns it into one line and a status."""


class BuildError(Exception):
    """The build cannot go on, or must not: says why and what to do."""
