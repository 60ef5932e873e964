"""The real question to a running relay: whether it gives a port to somebody who may have one."""

from appliance.listeners import Listener
from appliance.probe import Check
from appliance.turn.client import Allocation, Client, Login
from appliance.turn.connections import Transport, connect

_USER = "appliance"


def ask(listener: Listener, secret: str) -> Check:
    """Ask over UDP. Raises nothing."""
    try:
        allocation = allocate(listener, secret, Transport.UDP)
    except OSError as error:
        return Check(healthy=False, detail=error.strerror or str(error))
    return Check(healthy=True, detail=f"relays at {allocation.relayed[0]}")


def allocate(
    listener: Listener, secret: str, transport: Transport, version: int | None = None
) -> Allocation:
    """Hold a port of the relay for a moment. Raise OSError if none is given."""
    connection = connect(transport, listener.near_address, listener.port)
    with Client(connection, Login.make(secret, _USER)) as client:
        return client.allocate(version)
