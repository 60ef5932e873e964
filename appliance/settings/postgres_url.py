"""What `MATRIX_POSTGRES_URL` says: where databases are, and as whom. Declares no variable.

Never words a complaint with a piece of what was given: where a password holds a character that
should have been encoded, any piece may be of the password.
"""

import difflib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

PORT = 5432
SCHEMES = ("postgresql", "postgres")
_SERVICE = re.compile(r"([a-z0-9_-]+)=(postgres(?:ql)?://.*)")
_NAME = re.compile(r"[A-Za-z0-9_.@$-]{1,63}")
_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,253}")
_SECRET = re.compile(r"[^\x00-\x1f\x7f]+")
_ENCODE = "write characters of a password that are no letters or digits as %40 for @, %2F for / …"
_FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"


class SslMode(StrEnum):
    """How the connection is secured; those of libpq that every program of the image knows."""

    DISABLE = "disable"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"

    @property
    def verifies(self) -> bool:
        """Whether the server has to prove who it is."""
        return self in (SslMode.VERIFY_CA, SslMode.VERIFY_FULL)


@dataclass(frozen=True)
class Address:
    """A database of a server, and the role that connects to it."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    ssl_mode: SslMode

    @property
    def server(self) -> str:
        """The server, as one names it."""
        return name_server(self.host, self.port)


@dataclass(frozen=True)
class PostgresUrls:
    """Either a role that may make all others, or the address of each service's database."""

    admin: Address | None
    services: Mapping[str, Address]


class _UnclearError(Exception):
    """What is wrong with one URL, in words that hold nothing of it."""


def name_server(host: str, port: int) -> str:
    """Return a server as one names it, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_urls(text: str) -> PostgresUrls:
    """Return what a text without complaints says."""
    admin, services = None, {}
    for service, url in _split(text):
        if service:
            services[service] = _parse(url, for_service=True)
        else:
            admin = _parse(url, for_service=False)
    return PostgresUrls(admin, services)


def judge_urls(text: str, known: Mapping[str, bool]) -> Iterator[str]:
    """Yield what is wrong with a text. `known`: services, each with whether it must be named."""
    items = _split(text)
    named = [service for service, _ in items if service]
    if len(named) < len(items) and len(items) > 1:
        yield (
            f"is neither one URL ({_FORM}) nor SERVICE=URL for each service, in lines or separated "
            "by spaces"
        )
        return
    seen: dict[tuple[str, int, str], str] = {}
    for service, url in items:
        if service and service not in known:
            near = difflib.get_close_matches(service, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            yield f"{service} is no service with a database; {hint}"
        try:
            address = _parse(url, for_service=bool(service))
        except _UnclearError as error:
            yield f"{service}: {error}" if service else str(error)
            continue
        place = (address.host, address.port, address.database)
        if service and place in seen:
            yield f"{service} and {seen[place]} have the same database; each needs its own"
        seen[place] = service
    for service, required in known.items():
        if named and required and service not in named:
            yield f"names no URL for {service}: add {service}={_FORM}"
    for service in {service for service in named if named.count(service) > 1}:
        yield f"names {service} more than once"


def _split(text: str) -> list[tuple[str, str]]:
    """Return the URLs, each with the service before it, if any."""
    matches = ((_SERVICE.fullmatch(word), word) for word in text.split())
    return [(match[1], match[2]) if match else ("", word) for match, word in matches]


def _parse(url: str, *, for_service: bool) -> Address:
    """Given a URL, return what it says. Raise _UnclearError if it does not say enough."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _UnclearError(f"is not a URL ({_FORM}); {_ENCODE}") from None
    if parts.scheme not in SCHEMES:
        raise _UnclearError(f"is not a URL of Postgres ({_FORM})")
    host, port = _read_host(parts)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    database = unquote(parts.path.removeprefix("/"))
    for value, pattern, what in (
        (user, _NAME, "user"),
        (password, _SECRET, "password"),
        (database or "unnamed", _NAME, "database"),
    ):
        if not value:
            raise _UnclearError(f"names no {what} ({_FORM})")
        if not pattern.fullmatch(value):
            raise _UnclearError(f"has a {what} that cannot be used; {_ENCODE}")
    if for_service and not database:
        raise _UnclearError(f"names no database ({_FORM})")
    mode = _read_ssl_mode(parts, host)
    return Address(host, port, user, password, database or "postgres", mode)


def _read_host(parts: SplitResult) -> tuple[str, int]:
    try:
        host, port = parts.hostname, parts.port or PORT
    except ValueError:
        raise _UnclearError(f"has no port that is a number; {_ENCODE}") from None
    if not host:
        raise _UnclearError(f"names no host ({_FORM})")
    if not _HOST.fullmatch(host):
        raise _UnclearError(f"has a host that is neither a name nor an address; {_ENCODE}")
    return host, port


def _read_ssl_mode(parts: SplitResult, host: str) -> SslMode:
    if parts.fragment:
        raise _UnclearError(f"has a # in it; {_ENCODE}")
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    given = parameters.pop("sslmode", None)
    if "sslrootcert" in parameters:
        raise _UnclearError("has an sslrootcert: name that file in MATRIX_POSTGRES_CA_BUNDLE")
    if parameters:
        raise _UnclearError(f"has something other than sslmode after its ?; {_ENCODE}")
    if given is None:
        return SslMode.DISABLE if _is_here(host) else SslMode.VERIFY_FULL
    if given not in list(SslMode):
        raise _UnclearError(f"has an sslmode that is not one of: {', '.join(SslMode)}")
    return SslMode(given)


def _is_here(host: str) -> bool:
    """Return whether nothing between us and the server can be listened to."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
