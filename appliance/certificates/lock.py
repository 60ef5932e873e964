"""One at a time: the agent's program and somebody at the command line do the same work."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from appliance.certificates.publication import Publication


@contextmanager
def hold(publication: Publication, *, wait: bool = False) -> Iterator[bool]:
    """Hold the certificates as long as the block; yield whether that could be had.

    `wait`: until it can. The end of the process lets go of it too. Source: flock(2).
    """
    with publication.lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
