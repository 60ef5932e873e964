"""Where each service's database is, and how a program is told: for the image's own and an owner's.

Connects to nothing. What it returns holds no password, but for `url`.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from appliance.credentials import Credential, Credentials
from appliance.paths import POSTGRES_CA, POSTGRES_PASSWORDS, POSTGRES_SOCKETS
from appliance.settings import Settings
from appliance.settings.postgres_url import Address, PostgresUrls, SslMode, name_server

DEBIAN_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
# A server that is gone without a word is noticed within half a minute, where a program of
# libpq's asks it. Source: libpq's documentation, "Parameter Key Words".
_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


@dataclass(frozen=True)
class Database:
    """A service's database, as that service connects to it."""

    service: str
    host: str
    user: str
    name: str
    port: int | None = None
    """None for the image's own server, on its socket."""
    ssl_mode: SslMode = SslMode.DISABLE
    authorities: str = DEBIAN_AUTHORITIES

    @property
    def server(self) -> str:
        """The server, as one names it."""
        return name_server(self.host, self.port) if self.port else self.host

    @property
    def options(self) -> dict[str, str | int]:
        """What libpq is to be told; the password is in a file that the service alone may read."""
        options: dict[str, str | int] = {"user": self.user, "dbname": self.name, "host": self.host}
        if self.port:
            options |= {"port": self.port, "passfile": password_file(self.service)}
            options |= {"sslmode": self.ssl_mode.value, **_PATIENCE}
        if self.ssl_mode.verifies:
            options["sslrootcert"] = self.authorities
        return options

    @property
    def conninfo(self) -> str:
        """The same in one word of a command line. No value can hold what would need quotes."""
        return " ".join(f"{name}={value}" for name, value in self.options.items())

    def url(self, password: str) -> str:
        """Return the same for a program in Go, password and all where there is one."""
        if not self.port:
            return f"postgres:///{self.name}?host={self.host}&sslmode=disable"
        parameters = {"sslmode": self.ssl_mode.value, "connect_timeout": "10"}
        if self.ssl_mode.verifies:
            parameters["sslrootcert"] = self.authorities
        if self.ssl_mode is SslMode.VERIFY_CA:
            # With the name in its greeting lib/pq 1.10 verifies that name too.
            parameters["sslsni"] = "0"
        who = f"{quote(self.user, safe='')}:{quote(password, safe='')}"
        query = urlencode(parameters, safe="/")
        return f"postgres://{who}@{self.server}/{quote(self.name, safe='')}?{query}"


def locate(settings: Settings, service: str) -> Database:
    """Return where a service's database is. Raise KeyError if the owner's URLs lack it."""
    urls = settings.external_postgres
    if urls is None:
        return Database(service, POSTGRES_SOCKETS, service, service)
    authorities = POSTGRES_CA if settings.postgres_ca_bundle else DEBIAN_AUTHORITIES
    server = urls.admin or urls.services[service]
    name, user = (service, service) if urls.admin else (server.database, server.user)
    return Database(service, server.host, user, name, server.port, server.ssl_mode, authorities)


def find_password(settings: Settings, credentials: Credentials, service: str) -> str:
    """Return a service's password at an owner's server; none where the socket says who it is."""
    urls: PostgresUrls | None = settings.external_postgres
    if urls is None:
        return ""
    if urls.admin:
        return credentials[credential_name(service)]
    return urls.services[service].password


def credentials_for(settings: Settings, services: tuple[str, ...]) -> tuple[Credential, ...]:
    """Return the passwords that the appliance makes: where it makes the roles of your server."""
    urls = settings.external_postgres
    if urls is None or urls.admin is None:
        return ()
    return tuple(Credential(credential_name(service)) for service in services)


def credential_name(service: str) -> str:
    """Return the name of the secret that is a service's password."""
    return f"postgres_{service}"


def password_file(service: str) -> str:
    """Return the path of the file in which libpq finds a service's password."""
    return f"{POSTGRES_PASSWORDS}/{service}"


def render_password_file(password: str) -> str:
    """Return what libpq reads there. Source: PostgreSQL, "The Password File"."""
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    return f"*:*:*:*:{escaped}\n"


def describe_server(address: Address) -> str:
    """Return an owner's server in the words of an error."""
    return f"the Postgres server at {address.server}"
