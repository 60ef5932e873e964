"""Make the role and the database of every service, check those that are there, then say so.

Runs as `postgres` at every boot, beside Synapse's own imports. Never alters a database.
"""

import json
import sys
import time
from pathlib import Path

import psycopg
from psycopg import sql

from appliance.errors import EXIT_FAILED, OperationError
from appliance.paths import DATABASES_READY, POSTGRES_SOCKETS

DATABASES = Path("/run/postgres/databases.json")
_RETRY_SECONDS = 0.02
_SAY_AFTER_SECONDS = 20


def connect() -> psycopg.Connection:
    """Connect as the superuser, waiting for as long as Postgres takes to recover."""
    said = time.monotonic()
    while True:
        try:
            return psycopg.connect(
                host=POSTGRES_SOCKETS, user="postgres", dbname="postgres", autocommit=True
            )
        except psycopg.OperationalError as error:
            if time.monotonic() - said > _SAY_AFTER_SECONDS:
                said = time.monotonic()
                print(f"waiting for Postgres: {error}", flush=True)  # noqa: T201
            time.sleep(_RETRY_SECONDS)


def ensure_database(connection: psycopg.Connection, name: str) -> None:
    """Make the role and the database of a service if missing.

    Raise OperationError if the database has another collation or encoding than Synapse can trust.
    Source: Synapse documentation, "Using Postgres", "Set up database".
    """
    identifier = sql.Identifier(name)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(identifier))
    query = (
        "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database "
        "WHERE datname = %s"
    )
    found = connection.execute(query, [name]).fetchone()
    if found is None:
        connection.execute(
            sql.SQL(
                "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' "
                "LC_COLLATE 'C' LC_CTYPE 'C'"
            ).format(identifier, identifier)
        )
    elif found != ("UTF8", "C", "C"):
        raise OperationError(
            f"database {name} has encoding, collation and character type {', '.join(found)}; it "
            "must be UTF8, C, C: dump it, drop it and restore the dump into an empty volume"
        )


def main() -> None:
    """Prepare every database that the configuration names."""
    try:
        with connect() as connection:
            for name in json.loads(DATABASES.read_text()):
                ensure_database(connection, name)
    except (OperationError, psycopg.Error) as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(EXIT_FAILED)
    Path(DATABASES_READY).touch()


if __name__ == "__main__":
    main()
