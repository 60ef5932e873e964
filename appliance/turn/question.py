"""The real question to a running relay: whether it gives a port to somebody who may have one."""

from appliance.listeners import Listener
from appliance.probe import Check
from appliance.turn.client import Allocation, Client, Login
from appliance.turn.connections import Transport, connect

_USER = "appliance"
_PAYLOAD = b"is anybody there?"
_TRIES, _PATIENCE_SECONDS = 3, 1.0


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


def relay(listener: Listener, secret: str, version: int) -> None:
    """Have one relayed caller send to another. Raise OSError if nothing arrives."""
    ways = [connect(Transport.UDP, listener.near_address, listener.port) for _ in range(2)]
    with (
        Client(ways[0], Login.make(secret, _USER)) as sender,
        Client(ways[1], Login.make(secret, _USER)) as receiver,
    ):
        source, target = sender.allocate(version).relayed, receiver.allocate(version).relayed
        sender.permit(target[0])
        receiver.permit(source[0])
        for _ in range(_TRIES):
            sender.send(target, _PAYLOAD)
            try:
                if receiver.receive(_PATIENCE_SECONDS) == (source, _PAYLOAD):
                    return
            except TimeoutError:
                continue
        raise TimeoutError("nothing arrives")
