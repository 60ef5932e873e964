"""Look names up as this machine is told them: by the system's resolver."""

import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Lookup:
    """The addresses of a name; `certain` where DNS answered that these are all."""

    addresses: tuple[str, ...]
    certain: bool = True


def look_up(name: str) -> Lookup:
    """Return the addresses of a name, each once. Raises nothing: a lack of an answer is told."""
    try:
        rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return Lookup((), certain=error.errno in (socket.EAI_NONAME, socket.EAI_NODATA))
    return Lookup(tuple(dict.fromkeys(str(row[4][0]) for row in rows)))
