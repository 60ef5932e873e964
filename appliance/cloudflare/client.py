"""A client of Cloudflare's API v4 for zones and DNS records.

Source: https://developers.cloudflare.com/api/resources/dns/subresources/records/. Their own SDK
does the same, and importing it takes ten times as long (docs/decisions/010).
"""

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from appliance.cloudflare import faults
from appliance.cloudflare.faults import CloudflareError, Fault
from appliance.errors import OperationError

BASE_URL = "https://api.cloudflare.com/client/v4"
TIMEOUT_SECONDS = 10.0
AUTOMATIC_TTL = 1

_PER_PAGE = 50
_PAGES_AT_MOST = 100
_ANSWER_BYTES_AT_MOST = 8 * 1024**2
_NO_RECORD = "0" * 32

Row = dict[str, Any]


@dataclass(frozen=True)
class Zone:
    """A domain at Cloudflare."""

    id: str
    name: str


@dataclass(frozen=True)
class Record:
    """A DNS record; one that is not there yet has no id."""

    name: str
    type: str
    content: str
    proxied: bool = False
    comment: str = ""
    id: str = ""


class Cloudflare:
    """One connection to the API with one token, which never appears in an error.

    Every question has `timeout_seconds` in all, however slowly the answer drips.
    """

    def __init__(
        self,
        token: str,
        base_url: str = BASE_URL,
        *,
        trust: ssl.SSLContext | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        faults.require_usable(token)
        self._token = token
        self._timeout_seconds = timeout_seconds
        address = urlsplit(base_url.rstrip("/"))
        self._host, self._path = address.netloc, address.path
        self._secure = address.scheme == "https"
        self._trust = trust
        self._connection: HTTPConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def find_zone(self, domain: str) -> Zone:
        """Return the zone that a domain is in. Raise CloudflareError unless it is served.

        Of several, such as one for `home.example.org` and one for `example.org`, the longest.
        """
        labels = domain.split(".")
        for start in range(max(len(labels) - 1, 1)):
            name = ".".join(labels[start:])
            for row in self._list("/zones", {"name": name}):
                if row["name"] == name:
                    faults.require_served(row)
                    return Zone(row["id"], name)
        raise faults.no_zone(domain, [row["name"] for row in self._list("/zones", {})])

    def require_edit(self, zone: Zone) -> None:
        """Raise CloudflareError unless the token may change the records of a zone.

        Asks to delete a record that cannot be: only who may delete learns that it is not there.
        """
        try:
            self._ask("DELETE", f"/zones/{zone.id}/dns_records/{_NO_RECORD}")
        except CloudflareError as error:
            if error.fault is Fault.MISSING_RIGHT:
                raise faults.no_edit(zone.name, error) from error
            if error.fault is not Fault.REFUSED:
                raise

    def records(self, zone: Zone, name: str) -> list[Record]:
        """Return all records of one name, whatever their type."""
        path = f"/zones/{zone.id}/dns_records"
        return [_read(row) for row in self._list(path, {"name": name}) if row["name"] == name]

    def create(self, zone: Zone, record: Record) -> Record:
        """Make a record. Raise CloudflareError, a REFUSED one if there is such a one already."""
        return _read(
            self._ask(
                "POST",
                f"/zones/{zone.id}/dns_records",
                {
                    "type": record.type,
                    "name": record.name,
                    "content": record.content,
                    "ttl": AUTOMATIC_TTL,
                    "proxied": record.proxied,
                    "comment": record.comment,
                },
            )["result"]
        )

    def change_content(self, zone: Zone, record: Record, content: str) -> Record:
        """Give a record another value and leave the rest of it as it is."""
        path = f"/zones/{zone.id}/dns_records/{record.id}"
        return _read(self._ask("PATCH", path, {"content": content})["result"])

    def delete(self, zone: Zone, record: Record) -> None:
        """Remove a record."""
        self._ask("DELETE", f"/zones/{zone.id}/dns_records/{record.id}")

    def _list(self, path: str, query: Mapping[str, str]) -> Iterator[Row]:
        """Yield the rows of every page, to the last one or the first that is empty."""
        for page in range(1, _PAGES_AT_MOST + 1):
            numbers = {"page": str(page), "per_page": str(_PER_PAGE)}
            answer = self._ask("GET", f"{path}?{urlencode({**query, **numbers})}")
            yield from answer["result"]
            pages = (answer.get("result_info") or {}).get("total_pages")
            if not answer["result"] or (isinstance(pages, int) and page >= pages):
                return

    def _ask(self, method: str, path: str, body: Row | None = None) -> Row:
        """Send one request and return the answer. Raise CloudflareError if it is not a success."""
        deadline = time.monotonic() + self._timeout_seconds
        try:
            response, text = self._exchange(method, path, body, deadline)
        except (OSError, HTTPException) as error:
            self._close()
            raise faults.of_connection(self._host, error) from error
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if response.status < 300 and isinstance(answer, dict) and answer.get("success"):
            return answer
        raise faults.of_answer(response.status, answer, response.getheader("Retry-After"))

    def _exchange(
        self, method: str, path: str, body: Row | None, deadline: float
    ) -> tuple[HTTPResponse, bytes]:
        connection = self._connection or self._connect()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        connection.request(
            method,
            quote(self._path, safe="/") + path,
            json.dumps(body).encode() if body is not None else None,
            headers,
        )
        response = connection.getresponse()
        text = b""
        while chunk := response.read1(65536):
            text += chunk
            if time.monotonic() > deadline or len(text) > _ANSWER_BYTES_AT_MOST:
                raise TimeoutError("the answer does not end")
        response.close()
        if response.will_close:
            self._close()
        return response, text

    def _connect(self) -> HTTPConnection:
        if self._secure:
            self._connection = HTTPSConnection(
                self._host, timeout=self._timeout_seconds, context=self._trust or build_trust()
            )
        else:
            self._connection = HTTPConnection(self._host, timeout=self._timeout_seconds)
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def build_trust(ca_bundle: str | None = None) -> ssl.SSLContext:
    """Trust what OpenSSL does (Debian's roots, or SSL_CERT_FILE), and the roots in a file beside.

    Raise OperationError if it cannot be read.
    """
    context = ssl.create_default_context()
    if ca_bundle:
        try:
            context.load_verify_locations(ca_bundle)
        except OSError as error:  # ssl.SSLError is one
            raise OperationError(f"{ca_bundle}: cannot be used: {error.strerror}") from error
    return context


def _read(row: Row) -> Record:
    return Record(
        name=row["name"],
        type=row["type"],
        content=row.get("content") or "",
        proxied=bool(row.get("proxied")),
        comment=row.get("comment") or "",
        id=row["id"],
    )
