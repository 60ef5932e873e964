"""A bridge's database, as root sees it: who has logged in, and how to begin anew."""

import psycopg
from psycopg import sql

from appliance import databases
from appliance.launch.databases import ensure_database
from appliance.paths import POSTGRES_SOCKETS
from appliance.settings import Settings

# In a server of the owner's nobody here may make a database anew; what is in it is the bridge's.
_DROP_ALL = """
SELECT format('DROP TABLE IF EXISTS %s CASCADE', oid::regclass) FROM pg_class
WHERE relkind IN ('r', 'p') AND relowner = current_user::regrole
    AND relnamespace = current_schema()::regnamespace
UNION ALL
SELECT format('DROP TYPE IF EXISTS %s CASCADE', oid::regtype) FROM pg_type
WHERE typtype IN ('d', 'e') AND typowner = current_user::regrole
    AND typnamespace = current_schema()::regnamespace
UNION ALL
SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_proc
WHERE proowner = current_user::regrole AND pronamespace = current_schema()::regnamespace
"""


def list_users(bridge: str, settings: Settings) -> list[str]:
    """Return the users of this server who have a log-in."""
    with _connect(bridge, settings) as connection:
        exists = connection.execute("SELECT to_regclass('user_login') IS NOT NULL").fetchone()
        if exists == (False,):  # it has not been started yet
            return []
        rows = connection.execute("SELECT DISTINCT user_mxid FROM user_login ORDER BY user_mxid")
        return [str(user) for (user,) in rows]


def empty(bridge: str, settings: Settings) -> None:
    """Put an empty database in the place of a bridge's, which must not run."""
    if settings.postgres_url:
        with _connect(bridge, settings) as connection:
            for (command,) in connection.execute(_DROP_ALL).fetchall():
                connection.execute(command)
        return
    with _connect_as_superuser("postgres") as connection:
        connection.autocommit = True
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(bridge)))
        ensure_database(connection, bridge)


def _connect(bridge: str, settings: Settings) -> psycopg.Connection:
    """Connect as the bridge where a password says who one is, and as the superuser elsewhere."""
    if settings.postgres_url:
        return psycopg.connect(databases.locate(settings, bridge).conninfo)
    return _connect_as_superuser(bridge)


def _connect_as_superuser(database: str) -> psycopg.Connection:
    return psycopg.connect(host=POSTGRES_SOCKETS, user="postgres", dbname=database)
