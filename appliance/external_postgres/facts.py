"""What a server and its databases are, as rows say it. Judges and changes nothing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True)
class Server:
    """A server, and what the role that asked may do there."""

    version: int
    """As a number: 170002 is 17.2."""
    standby: bool
    superuser: bool
    may_create_roles: bool
    may_create_databases: bool


@dataclass(frozen=True)
class Locale:
    """How a database keeps and sorts text; fixed when it is made."""

    encoding: str
    collation: str
    character_type: str
    provider: str = "c"
    """`c` libc, `i` ICU, `b` the server's own; always libc before 15."""


@dataclass(frozen=True)
class Contents:
    """A service's database as the service sees it."""

    may_create_tables: bool
    has_synapse: bool
    """Whether it holds Synapse's schema."""
    server_name: str | None = None
    """Of the users in it, if it has any."""


_SERVER = """
SELECT current_setting('server_version_num')::int, pg_is_in_recovery(),
    rolsuper, rolcreaterole, rolcreatedb
FROM pg_roles WHERE rolname = current_user
"""
_LOCALE = """
SELECT pg_encoding_to_char(encoding), datcollate, datctype,
    coalesce(to_jsonb(pg_database) ->> 'datlocprovider', 'c')
FROM pg_database WHERE datname = %s
"""
_CONTENTS = """
SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
    to_regclass('schema_version') IS NOT NULL AND to_regclass('users') IS NOT NULL
"""
_SERVER_NAME = "SELECT substring(name FROM position(':' IN name) + 1) FROM users LIMIT 1"


def read_server(connection: "psycopg.Connection") -> Server:
    """Return what the server is, and what the role of this connection may do."""
    return Server(*_read_row(connection, _SERVER))


def read_locale(connection: "psycopg.Connection", database: str) -> Locale | None:
    """Return a database's locale, None if the server has no such database."""
    row = connection.execute(_LOCALE, [database]).fetchone()
    return Locale(*row) if row else None


def has_role(connection: "psycopg.Connection", role: str) -> bool:
    """Return whether the server has a role."""
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    return found.fetchone() is not None


def read_contents(connection: "psycopg.Connection") -> Contents:
    """Return what the database of this connection holds, and whether more may be put in it."""
    may_create, has_synapse = _read_row(connection, _CONTENTS)
    row = connection.execute(_SERVER_NAME).fetchone() if has_synapse else None
    return Contents(may_create, has_synapse, row[0] if row else None)


def _read_row(connection: "psycopg.Connection", query: Any) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None  # noqa: S101 - each of these returns one
    return row
