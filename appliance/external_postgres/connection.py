"""Connect to an owner's server, and tell one that is not there yet from one that says no.

libpq gives no code for a connection that fails, only words: those of the server are in its own
language, so what is not known here is passed on as it was said.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from appliance import databases
from appliance.settings.postgres_url import Address

if TYPE_CHECKING:
    import psycopg

_CONNECT_SECONDS = 10
_LATER = re.compile(
    r"failed to resolve host|could not translate host|Connection refused|timeout expired"
    r"|No route to host|unreachable|Host is down|Connection reset"
    r"|closed the connection unexpectedly|Connection timed out|starting up|shutting down"
    r"|in recovery mode|too many clients|too many connections|remaining connection slots"
)
_PLAIN = "or add ?sslmode=disable to the URL where nobody can listen on the way"
_REFUSALS = (
    (r"does not support SSL", f"takes no TLS: switch that on there (ssl = on), {_PLAIN}"),
    (
        r"certificate verify failed",
        "has a certificate of an authority that is not trusted here: give that one's root in "
        "MATRIX_POSTGRES_CA_BUNDLE",
    ),
    (
        r"does not match host name",
        "has a certificate for another name ({said}): give the name that is in it, or add "
        "?sslmode=verify-ca to the URL",
    ),
    (
        r"password authentication failed",
        "refuses the password of {user}, or has no such user",
    ),
    (
        r"pg_hba\.conf",
        "lets {user} not in from this machine ({said}): its pg_hba.conf needs a line for that",
    ),
    (
        r'database "[^"]*" does not exist',
        "has no database {database}: CREATE DATABASE {database} OWNER {user} TEMPLATE template0 "
        "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'",
    ),
    (r"not permitted to log in", "does not let {user} log in: ALTER ROLE {user} LOGIN"),
    (
        r"permission denied for database",
        "does not let {user} into {database}: GRANT CONNECT ON DATABASE {database} TO {user}",
    ),
    (r"expected authentication request", "is there, but it is no Postgres server"),
)


class UnreachableError(Exception):
    """Nobody answers there now; it may come."""


class RefusedError(Exception):
    """Somebody answers and says no, and will say so again."""


@contextlib.contextmanager
def connect(address: Address, ca_bundle: str | None) -> "Iterator[psycopg.Connection]":
    """Connect for a while.

    Raise UnreachableError or RefusedError, in words that an owner can use, also for what is asked
    meanwhile.
    """
    import psycopg  # 0.1 s

    with _connect(address, ca_bundle) as connection:
        try:
            yield connection
        except psycopg.Error as error:
            server = databases.describe_server(address)
            said = str(error).splitlines()[0]
            if connection.closed:
                raise UnreachableError(f"{server} ({said})") from None
            raise RefusedError(f"{server} refuses {address.user}: {said}") from None


def _connect(address: Address, ca_bundle: str | None) -> "psycopg.Connection":
    import psycopg

    authorities = ca_bundle or databases.DEBIAN_AUTHORITIES
    try:
        return psycopg.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            dbname=address.database,
            sslmode=address.ssl_mode.value,
            gssencmode="disable",
            connect_timeout=_CONNECT_SECONDS,
            autocommit=True,
            sslrootcert=authorities if address.ssl_mode.verifies else None,
        )
    except psycopg.Error as error:
        raise explain(str(error), address) from None


def explain(message: str, address: Address) -> UnreachableError | RefusedError:
    """Given what libpq says of a failed connection, return the error that it is."""
    server = databases.describe_server(address)
    said = message.splitlines()[0].rpartition(" failed: ")[2].strip()
    for pattern, words in _REFUSALS:
        if re.search(pattern, message):
            told = words.format(user=address.user, database=address.database, said=said)
            return RefusedError(f"{server} {told}")
    if _LATER.search(message):
        return UnreachableError(f"{server} ({said})")
    return RefusedError(f"{server} refuses {address.user}: {said}")
