"""Runs beside the callers: asks the relay what a test wants to know. JSON in argv, JSON out."""

import contextlib
import json
import socket
import ssl
import struct
import sys
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from appliance.turn.client import Client, Login, Message, TurnError
from appliance.turn.connections import Transport, connect


def open_client(job: dict[str, Any]) -> Client:
    transport = Transport(job.get("transport", "udp"))
    context = None
    if transport is Transport.TLS:  # judged as a browser does
        context = ssl.create_default_context(cadata=job["ca_certificate"])
    login = Login(job["username"], job["password"])
    return Client(connect(transport, job["host"], job["port"], context), login)


def allocate(job: dict[str, Any]) -> Any:
    """Hold a port for a moment."""
    with open_client(job) as client:
        allocation = client.allocate(job.get("version"))
        return [str(allocation.relayed[0]), allocation.relayed[1], allocation.lifetime_seconds]


def hold(job: dict[str, Any]) -> Any:
    """Hold a port until there is a file."""
    with open_client(job) as client:
        client.allocate()
        Path("/tmp/holding").touch()
        while not Path(job["until"]).exists():
            time.sleep(0.1)
    return None


def flood(job: dict[str, Any]) -> Any:
    """Ask for many ports at once, as several users in turn; return what each was answered."""
    answers = []
    users = [{**job, **login} for login in job["logins"]]
    clients = [open_client(users[number % len(users)]) for number in range(job["count"])]
    for client in clients:
        try:
            client.allocate()
            answers.append(0)
        except TurnError as error:
            answers.append(error.code)
    for client in clients:
        client.close()
    return answers


def replay(job: dict[str, Any]) -> Any:
    """Send a request that the relay has granted once more, from another port; return its answer."""
    with open_client(job) as client:
        granted: list[bytes] = []
        send = client._connection.send

        def keep(message: bytes) -> None:
            granted.append(message)
            send(message)

        client._connection.send = keep  # type: ignore[method-assign]
        client.allocate()
    other = connect(Transport.UDP, job["host"], job["port"])
    other.send(granted[-2] if len(granted) > 2 else granted[-1])
    return [Message.parse(other.receive(5)).error().code]


def permit(job: dict[str, Any]) -> Any:
    """Ask for a permission for every address; return the refusals' codes, 0 for a permission."""
    answers = []
    with open_client(job) as client:
        client.allocate(job["version"])
        for text in job["peers"]:
            try:
                client.permit(ip_address(text))
                answers.append(0)
            except TurnError as error:
                answers.append(error.code)
    return answers


def send(job: dict[str, Any]) -> Any:
    """Send to every peer, permitted or not; return what any of them answered."""
    heard = []
    with open_client(job) as client:
        client.allocate(job["version"])
        for text in job["peers"]:
            with contextlib.suppress(TurnError):  # sent for all the same
                client.permit(ip_address(text))
            for _ in range(3):
                client.send((ip_address(text), job["peer_port"]), text.encode())
        try:
            while True:
                peer, payload = client.receive(1)
                heard.append([str(peer[0]), payload.decode()])
        except TimeoutError:
            return heard


def relay(job: dict[str, Any]) -> Any:
    """Have two relayed callers exchange a message; return what each received, and from whom."""
    with open_client(job) as left, open_client({**job, **job["other"]}) as right:
        ends = [client.allocate(job["version"]).relayed for client in (left, right)]
        left.permit(ends[1][0])
        right.permit(ends[0][0])
        left.send(ends[1], b"from the left")
        heard = [right.receive(5)]
        right.send(heard[0][0], b"from the right")
        heard.append(left.receive(5))
        return [
            [payload.decode(), peer == expected]
            for (peer, payload), expected in zip(heard, ends, strict=True)
        ]


def certificate(job: dict[str, Any]) -> Any:
    """Return the certificate that the relay has now."""
    return ssl.get_server_certificate((job["host"], job["port"]), timeout=5)


def software(job: dict[str, Any]) -> Any:
    """Return what the relay says it is."""
    connection = connect(Transport.UDP, job["host"], job["port"])
    connection.send(struct.pack(">HHI12s", 0x0001, 0, 0x2112A442, bytes(range(12))))
    answer = Message.parse(connection.receive(5))
    assert answer.kind == 0x0101, hex(answer.kind)
    named = answer.attributes.get(0x8022)
    return named if named is None else named.decode()


def reach(job: dict[str, Any]) -> Any:
    """Try to send past the relay; return the error, None if the packet could leave."""
    family = socket.AF_INET6 if ip_address(job["address"]).version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as direct:
        try:
            direct.sendto(b"hello", (job["address"], 9))
        except OSError as error:
            return error.strerror
    return None


def main() -> None:
    job = json.loads(sys.argv[1])
    try:
        answer: Any = {"answer": globals()[job["do"]](job)}
    except TurnError as error:
        answer = {"refused": error.code}
    except OSError as error:
        answer = {"failed": str(error)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
