"""Being told to stop while somebody else has to tidy up first. Imports nothing."""


class StoppedError(Exception):
    """We were told to stop, and what we started has ended."""
