"""Whether a server and its databases will do, and what to do if not. Pure."""

from collections.abc import Iterator

from appliance.external_postgres.facts import Contents, Locale, Server

# Source: Synapse 1.163, synapse/storage/engines/postgres.py; it ends with an older one.
OLDEST_MAJOR = 14
_WANTED = ("UTF8", "C", "C")
_LIBC = "c"
_ICU = "i"


def judge_server(server: Server) -> Iterator[str]:
    """Yield what is wrong with a server itself."""
    major = server.version // 10000
    if major < OLDEST_MAJOR:
        yield (
            f"is Postgres {major}, and Synapse needs {OLDEST_MAJOR} or newer: upgrade it, or give "
            "another server"
        )
    if server.standby:
        yield "is a standby, which takes no writes: give the primary"


def judge_rights(
    server: Server, user: str, *, roles: list[str], databases: list[str]
) -> Iterator[str]:
    """Yield what a role may not do of what is still to be made."""
    lacking = []
    if roles and not (server.superuser or server.may_create_roles):
        lacking.append(("role", roles, "CREATEROLE"))
    if databases and not (server.superuser or server.may_create_databases):
        lacking.append(("database", databases, "CREATEDB"))
    if lacking:
        what = " and ".join(f"{kind} {', '.join(names)}" for kind, names, _ in lacking)
        rights = " ".join(right for _, _, right in lacking)
        yield (
            f"does not let {user} make {what}: ALTER ROLE {user} {rights} there, or make them and "
            "give SERVICE=postgresql://… for each"
        )


def judge_locale(locale: Locale, database: str, owner: str) -> Iterator[str]:
    """Yield that a database sorts otherwise than Synapse can trust.

    Source: Synapse documentation, "Using Postgres", "Set up database".
    """
    found = (locale.encoding, locale.collation, locale.character_type)
    if found == _WANTED and locale.provider != _ICU:
        return
    said = ", ".join(found) + (" by ICU" if locale.provider == _ICU else "")
    yield (
        f"has the database {database} with encoding, collation and character type {said}; it must "
        f"be UTF8, C, C. If it is empty, drop it and CREATE DATABASE {database} OWNER {owner} "
        "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'; else dump it first and "
        "restore the dump into the new one"
    )


def judge_contents(contents: Contents, database: str, user: str) -> Iterator[str]:
    """Yield that a service could not make its tables."""
    if not contents.may_create_tables:
        yield (
            f"does not let {user} make tables in the database {database}: ALTER DATABASE "
            f"{database} OWNER TO {user}, and in it GRANT CREATE ON SCHEMA public TO {user}"
        )


def judge_history(
    contents: Contents, database: str, *, server_name: str, had_data: bool, has_key: bool
) -> Iterator[str]:
    """Yield that Synapse's database and the volume are not of one server.

    `had_data`: Synapse has run with this volume and a database of its own; `has_key`: the volume
    has a signing key.
    """
    if contents.server_name not in (None, server_name):
        yield (
            f"has in the database {database} the users of another Matrix server, "
            f"{contents.server_name}, and this one is {server_name}: give another database"
        )
    elif had_data and not contents.has_synapse:
        yield (
            f"has nothing in the database {database}, but this volume belongs to a server with "
            "data: give the server and database that hold them, or restore a dump there first. To "
            "begin anew use an empty volume too"
        )
    elif contents.has_synapse and not has_key:
        yield (
            f"has a Matrix server in the database {database} already, and this volume is new: "
            "restore the volume that belongs to it. From an installation of another kind put its "
            "signing key into /data/credentials/synapse_signing_key and its media into "
            "/data/synapse/media"
        )
