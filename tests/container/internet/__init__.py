"""An internet for the tests, on a network of its own: DNS, Cloudflare's API, authorities, STUN.

Appliances reach it as they do the real one, by the names of the real one; only what they are told
by variables differs: whom they trust, and by Docker which DNS server they ask.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import docker
import trustme
import urllib3
from docker.models.containers import Container
from docker.models.networks import Network

from . import machine

CLOUDFLARE = "api.cloudflare.com"
LETS_ENCRYPT = "acme-v02.api.letsencrypt.org"
STAGING = "acme-staging-v02.api.letsencrypt.org"
# What each request of the protocol is called at pebble. Source: RFC 8555, 7.1; RFC 9773.
ACME_REQUESTS = {
    "directory": r"GET /dir",
    "newNonce": r" /nonce-plz",
    "newAccount": r"POST /sign-me-up",
    "newOrder": r"POST /order-plz",
    "authorization": r"POST /authZ/",
    "challenge": r"POST /chalZ/",
    "finalize": r"POST /finalize-order/",
    "certificate": r"POST /certZ/",
    "renewalInfo": r"GET /draft-ietf-acme-ari-03/renewalInfo/",
}
_LONG_AGO = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}


@dataclass(frozen=True)
class Call:
    """A request (`METHOD /path?query`, or `TYPE name` to the DNS server) and how it ended."""

    time: float
    host: str
    call: str
    status: int | None


@dataclass(frozen=True)
class Record:
    """A DNS record as the provider has it."""

    id: str
    name: str
    type: str
    content: str
    proxied: bool
    comment: str | None


class Domain:
    """A domain of somebody: a zone at Cloudflare, and a token that may edit its records."""

    def __init__(self, internet: "Internet", name: str, token: str) -> None:
        self._internet = internet
        self.name = name
        self.token = token

    def records(self, kind: str | None = None) -> list[Record]:
        """Return the records of the zone, of one type if that is named."""
        rows = self._internet.control("records", zone=self.name)
        fields = Record.__dataclass_fields__
        every = [Record(**{name: row[name] for name in fields}) for row in rows]
        return [record for record in every if kind in (None, record.type)]

    def add_record(self, kind: str, name: str, content: str, **more: Any) -> str:
        """Make a record by hand, for `name` below the domain (`@`: itself); return its ID."""
        full = self.name if name == "@" else f"{name}.{self.name}"
        values = {"name": full, "type": kind, "content": content, **more}
        return str(self._internet.control("add_record", zone=self.name, **values)["id"])

    def remove_record(self, number: str) -> None:
        """Remove a record by hand."""
        self._internet.control("remove_record", zone=self.name, number=number)

    def publish_after(self, seconds: float) -> None:
        """Let records be seen only some time after they are written."""
        self._internet.control("set_zone", name=self.name, publish_delay_seconds=seconds)

    def allow(self, *rights: str) -> None:
        """Change what the token may do: of zone:read, dns_records:read and dns_records:edit."""
        self._internet.control("set_token", value=self.token, rights=rights)

    def see(self, *zones: str) -> None:
        """Change in which zones the token may do it."""
        self._internet.control("set_token", value=self.token, zones=zones)


class Authority:
    """A certificate authority."""

    def __init__(self, internet: "Internet", host: str) -> None:
        self._internet = internet
        self.host = host

    @property
    def directory(self) -> str:
        """Its directory URL."""
        return f"https://{self.host}/directory"

    @property
    def root(self) -> str:
        """Its root certificate (PEM), another one each time that it forgets."""
        return str(self._internet.control("root_of", host=self.host))

    def calls(self, request: str) -> list[Call]:
        """Return the requests of one kind (`newOrder` …) that it answered well."""
        calls = self._internet.calls(self.host, ACME_REQUESTS[request])
        return [call for call in calls if call.status and call.status < 300]

    def forget(self) -> None:
        """Let it forget every account, and have another root."""
        self._internet.control("restart_authority", host=self.host)

    def refuse(self, request: str, status: int, kind: str, detail: str, **more: Any) -> "Fault":
        """Answer requests of one kind by an error of ACME, such as rateLimited."""
        problem = {"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail, "status": status}
        headers = {"Content-Type": "application/problem+json", **more.pop("headers", {})}
        return self.fail(request, status=status, body=json.dumps(problem), headers=headers, **more)

    def fail(self, request: str, **how: Any) -> "Fault":
        """Let requests of one kind fail."""
        return self._internet.fail(self.host, ACME_REQUESTS[request], **how)

    def hold(self, request: str) -> "Fault":
        """Let requests of one kind wait until the fault ends, and then succeed."""
        return self.fail(request, hold=True)

    def suggest_renewal(self) -> "Fault":
        """Say of every certificate that it should have been renewed long ago (ARI)."""
        body = json.dumps({"suggestedWindow": _LONG_AGO})
        headers = {"Content-Type": "application/json", "Retry-After": "21600"}
        return self.fail("renewalInfo", status=200, body=body, headers=headers)


class Fault:
    """Something that goes wrong, until the end of a `with` block or for as often as was said."""

    def __init__(self, internet: "Internet", number: int) -> None:
        self._internet, self._number = internet, number

    def end(self) -> None:
        """Let it go well again."""
        self._internet.control("remove_fault", number=self._number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


class Internet:
    """The whole of it, and what tests may do to it."""

    def __init__(self, container: Container, network: Network, folder: Path, trust: str) -> None:
        self.container, self.network = container, network
        self._docker = container.client
        self._pool = urllib3.connection_from_url(f"http://{machine.control_address(container)}")
        self.trust = folder / "internet-root.pem"
        self.trust.write_text(trust)
        self.trust.chmod(0o644)

    @property
    def address(self) -> str:
        """The address of its every host, the DNS server among them."""
        networks = self.container.attrs["NetworkSettings"]["Networks"]
        return str(networks[self.network.name]["IPAddress"])

    @property
    def lets_encrypt(self) -> Authority:
        """The authority that everybody takes."""
        return self.authority(LETS_ENCRYPT)

    @property
    def staging(self) -> Authority:
        """The one for trying out."""
        return self.authority(STAGING)

    def authority(self, host: str, **policy: Any) -> Authority:
        """Return the authority at a host; `policy` (`validity_seconds`) is for a new one.

        The hosts of an authority of your own are below ca.test.
        """
        self.control("open_authority", host=host, **policy)
        return Authority(self, host)

    def new_domain(self) -> Domain:
        """Return a domain that nobody else has, with a token, and no records."""
        name = f"{secrets.token_hex(4)}.example.net"
        self.control("add_zone", name=name)
        return Domain(self, name, str(self.control("add_token", zones=[name])))

    def new_duck(self) -> Domain:
        """Return a name at DuckDNS that leads nowhere yet, with the token of its owner."""
        name = f"{secrets.token_hex(4)}.duckdns.org"
        self.control("add_zone", name=name)
        return Domain(self, name, str(self.control("add_token", zones=[name])))

    def fail(self, host: str, match: str, **how: Any) -> Fault:
        """Let calls of a host fail that a regular expression finds (`METHOD /path?query`).

        How: `status`, `body`, `headers`; `delay_seconds`; `drop`; `hold` until it ends; `times`.
        """
        return Fault(self, self.control("add_fault", host=host, match=match, **how))

    def refuse(self, match: str, status: int, code: int, message: str, **how: Any) -> Fault:
        """Let calls of Cloudflare's API fail as it does."""
        error = {"code": code, "message": message}
        body = {"result": None, "success": False, "errors": [error], "messages": []}
        headers = {"Content-Type": "application/json", **how.pop("headers", {})}
        answer = {"status": status, "body": json.dumps(body), "headers": headers}
        return self.fail(CLOUDFLARE, match, **answer, **how)

    def calls(self, host: str, match: str = "") -> list[Call]:
        """Return what was asked of a host (`dns`: of the DNS server)."""
        return [Call(**row) for row in self.control("calls", host=host, match=match)]

    def tell_address(self, client: str, address: str | None) -> None:
        """Let the STUN servers tell a client another address than its own.

        An empty one: let them say nothing; None: let them tell the truth again.
        """
        self.control("tell_address", client=client, address=address)

    def look_up(self, name: str, kind: str = "A") -> list[str]:
        """Return what the world is answered."""
        return list(self.control("look_up", name=name, kind=kind))

    def control(self, action: str, **arguments: Any) -> Any:
        """Do something to the world."""
        answer = self._pool.request(
            "POST", f"/{action}", body=json.dumps(arguments), headers={"Host": "control"}
        )
        assert answer.status == 200, f"{action}: {answer.status}\n{self.said()}"
        return json.loads(answer.data)

    def run_client(
        self,
        *command: str,
        files: Mapping[str, str] | None = None,
        folders: Mapping[str, Path] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """Run a program of the internet's image somewhere on it and return what it printed.

        `files` and `folders` are what it finds at which path.
        """
        mounted = {
            str(folder): {"bind": at, "mode": "ro"} for at, folder in (folders or {}).items()
        }
        container = self._docker.containers.create(
            self.container.image,
            list(command),
            network=self.network.name,
            dns=[self.address],
            volumes=mounted,
            environment=dict(environment or {}),
        )
        try:
            container.put_archive("/", machine.archive(files or {}))
            container.start()
            status = container.wait()["StatusCode"]
            output = bytes(container.logs(stderr=False)).decode(errors="replace")
            complete = bytes(container.logs()).decode(errors="replace")
            assert status == 0, f"{' '.join(command)}: {status}\n{complete}"
            return output
        finally:
            container.remove(v=True)

    def said(self) -> str:
        """Return the last of what it and its authorities said."""
        return bytes(self.container.logs(tail=50)).decode(errors="replace")


@contextmanager
def open_internet(client: docker.DockerClient, folder: Path) -> Iterator[Internet]:
    """Have an internet as long as the block."""
    root = trustme.CA()
    issued = root.issue_cert(
        *(CLOUDFLARE, LETS_ENCRYPT, STAGING, "*.ca.test", "www.duckdns.org"),
        not_before=datetime.now(UTC) - timedelta(days=30),  # as the real ones: not long since
    )
    with (
        machine.make_network(client) as network,
        machine.run_world(
            client, network, issued.private_key_and_cert_chain_pem.bytes().decode()
        ) as world,
    ):
        internet = Internet(world, network, folder, root.cert_pem.bytes().decode())
        _wait(internet)
        internet.authority(LETS_ENCRYPT)
        yield internet


def _wait(internet: Internet) -> None:
    from ..appliances import until

    def answers() -> bool:
        try:
            return bool(internet.control("ping"))
        except urllib3.exceptions.HTTPError:
            return False

    until(answers, "the world answers", 30)


def variables(domain: Domain) -> Mapping[str, str]:
    """Return what an owner of a domain gives an appliance."""
    return {
        "MATRIX_DOMAIN": domain.name,
        "MATRIX_ACME_EMAIL": f"owner@{domain.name}",
        "MATRIX_CLOUDFLARE_API_TOKEN": domain.token,
    }
