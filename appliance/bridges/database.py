"""A bridge's database, as root sees it: who has logged in, and how to begin anew."""

import psycopg
from psycopg import sql

from appliance.launch.databases import ensure_database
from appliance.paths import POSTGRES_SOCKETS


def list_users(bridge: str) -> list[str]:
    """Return the users of this server who have a log-in."""
    with _connect(bridge) as connection:
        exists = connection.execute("SELECT to_regclass('user_login') IS NOT NULL").fetchone()
        if exists == (False,):  # it has not been started yet
            return []
        rows = connection.execute("SELECT DISTINCT user_mxid FROM user_login ORDER BY user_mxid")
        return [str(user) for (user,) in rows]


def empty(bridge: str) -> None:
    """Put an empty database in the place of a bridge's, which must not run."""
    with _connect("postgres") as connection:
        connection.autocommit = True
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(bridge)))
        ensure_database(connection, bridge)


def _connect(database: str) -> psycopg.Connection:
    return psycopg.connect(host=POSTGRES_SOCKETS, user="postgres", dbname=database)
