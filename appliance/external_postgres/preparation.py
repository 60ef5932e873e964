"""Before anything starts: ask the owner's server, wait for one that is not there yet, make ready.

`judge` changes nothing, so that `appliance check` can ask it beside a running server; `make_ready`
makes only what is not there. Never changes a role, a password or a database that it finds.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from appliance import credentials, databases
from appliance.credentials import Credentials
from appliance.errors import ConfigurationError, Problem
from appliance.external_postgres import facts, judgement
from appliance.external_postgres.connection import RefusedError, UnreachableError, connect
from appliance.external_postgres.facts import Server
from appliance.paths import DATABASE_MADE
from appliance.settings import Settings
from appliance.settings.postgres_url import Address

if TYPE_CHECKING:
    import psycopg

VARIABLE = "MATRIX_POSTGRES_URL"
SIGNING_KEY = "synapse_signing_key"
_RETRY_SECONDS = 2
_SAY_AGAIN_SECONDS = 60
_LIBC_SINCE = 150000


def judge_now(settings: Settings, services: tuple[str, ...]) -> None:
    """Raise ConfigurationError with all that is wrong, also that nobody answers."""
    try:
        problems = [*_judge(settings, services)]
    except UnreachableError as error:
        problems = [f"{error} does not answer; a start would wait for it"]
    _refuse(problems)


def judge_when_there(settings: Settings, services: tuple[str, ...]) -> None:
    """Wait until the server answers. Raise ConfigurationError with all that is wrong with it.

    Machines come up in any order after a power cut: one that is not there is awaited for ever.
    """
    if settings.external_postgres:
        _refuse(_insist(lambda: [*_judge(settings, services)]))


def make_ready(settings: Settings, services: tuple[str, ...], secrets: Credentials) -> None:
    """Make the roles and databases that are not there, where the appliance is to make them.

    Raise ConfigurationError if that, or what was made, will not do.
    """
    urls = settings.external_postgres
    if urls and (admin := urls.admin):
        _refuse(_insist(lambda: [*_make(settings, admin, services, secrets)]))


def _refuse(complaints: list[str]) -> None:
    if complaints:
        raise ConfigurationError([Problem(VARIABLE, complaint) for complaint in complaints])


def _insist(attempt: Callable[[], list[str]]) -> list[str]:
    """Try until somebody answers, and say what is waited for."""
    told, when = "", 0.0
    while True:
        try:
            return attempt()
        except UnreachableError as error:
            if str(error) != told or time.monotonic() > when + _SAY_AGAIN_SECONDS:
                told, when = str(error), time.monotonic()
                print(  # noqa: T201
                    f"appliance: waiting for {error}: everything starts once it answers",
                    file=sys.stderr,
                    flush=True,
                )
        time.sleep(_RETRY_SECONDS)


def _judge(settings: Settings, services: tuple[str, ...]) -> Iterator[str]:
    urls = settings.external_postgres
    if urls is None:
        return
    if urls.admin:
        yield from _judge_as_admin(settings, urls.admin, services)
        return
    for service in services:
        yield from _judge_service(settings, service, urls.services[service])


def _judge_as_admin(settings: Settings, admin: Address, services: tuple[str, ...]) -> Iterator[str]:
    """Yield what is wrong with the server, and with what it has already of ours."""
    server = databases.describe_server(admin)
    try:
        with connect(admin, settings.postgres_ca_bundle) as connection:
            about = facts.read_server(connection)
            roles = [name for name in services if not facts.has_role(connection, name)]
            missing = [name for name in services if not facts.read_locale(connection, name)]
    except RefusedError as error:
        yield str(error)
        return
    complaints = [
        *judgement.judge_server(about),
        *judgement.judge_rights(about, admin.user, roles=roles, databases=missing),
    ]
    yield from (f"{server} {complaint}" for complaint in complaints)
    for service in services:
        password = credentials.find(databases.credential_name(service))
        if service not in roles and password is None:
            yield (
                f"{server} has a role {service} that this appliance did not make, and so does not "
                f"know the password of: give SERVICE=postgresql://… for each, or drop it if "
                "nothing needs it"
            )
        elif service in missing:
            if service == "synapse" and Path(DATABASE_MADE).exists():
                yield from _judge_lost(server, service)
        elif service in roles:
            yield (
                f"{server} has a database {service}, but no role of that name: give "
                "SERVICE=postgresql://… for each, or drop it if nothing needs it"
            )
        elif password:
            address = _as_service(admin, service, password)
            yield from _judge_service(settings, service, address, of_server=False)


def _judge_lost(server: str, database: str) -> Iterator[str]:
    nothing = facts.Contents(may_create_tables=True, has_synapse=False)
    for complaint in judgement.judge_history(
        nothing, database, server_name="", had_data=True, has_key=True
    ):
        yield f"{server} {complaint}"


def _judge_service(
    settings: Settings, service: str, address: Address, *, of_server: bool = True
) -> Iterator[str]:
    """Yield what is wrong with a service's database, as that service sees it."""
    complaints: list[str] = []
    try:
        with connect(address, settings.postgres_ca_bundle) as connection:
            if of_server:
                complaints = [*judgement.judge_server(facts.read_server(connection))]
            if not complaints:
                complaints = [*_judge_database(settings, service, address, connection)]
    except RefusedError as error:
        yield f"{error} (for {service})"
    server = databases.describe_server(address)
    yield from (f"{server} {complaint}" for complaint in complaints)


def _judge_database(
    settings: Settings, service: str, address: Address, connection: "psycopg.Connection"
) -> Iterator[str]:
    locale = facts.read_locale(connection, address.database)
    if locale:
        yield from judgement.judge_locale(locale, address.database, address.user)
    contents = facts.read_contents(connection)
    yield from judgement.judge_contents(contents, address.database, address.user)
    if service == "synapse":
        yield from judgement.judge_history(
            contents,
            address.database,
            server_name=settings.server_name,
            had_data=Path(DATABASE_MADE).exists(),
            has_key=credentials.find(SIGNING_KEY) is not None,
        )


def _make(
    settings: Settings, admin: Address, services: tuple[str, ...], secrets: Credentials
) -> Iterator[str]:
    """Make what is missing, and yield what a service then finds wrong with it."""
    made = []
    try:
        with connect(admin, settings.postgres_ca_bundle) as connection:
            about = facts.read_server(connection)
            for service in services:
                password = secrets[databases.credential_name(service)]
                if _ensure(connection, about, service, password):
                    made.append(_as_service(admin, service, password))
    except RefusedError as error:
        yield str(error)
        return
    for address in made:
        yield from _judge_service(settings, address.user, address, of_server=False)


def _ensure(connection: "psycopg.Connection", about: Server, service: str, password: str) -> bool:
    """Make a service's role and database if missing; return whether anything was."""
    from psycopg import sql

    name = sql.Identifier(service)
    has_role = facts.has_role(connection, service)
    if not has_role:
        # Hashed here, or the server's log might have it in clear.
        verifier = connection.pgconn.encrypt_password(
            password.encode(), service.encode(), b"scram-sha-256"
        )
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, verifier.decode())
        )
    has_database = facts.read_locale(connection, service) is not None
    if not has_database:
        if not about.superuser:  # who gives a database away has to be of that role
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))
        libc = " LOCALE_PROVIDER libc" if about.version >= _LIBC_SINCE else ""
        connection.execute(
            sql.SQL(
                "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' "
                f"LC_COLLATE 'C' LC_CTYPE 'C'{libc}"
            ).format(name, name)
        )
    return not (has_role and has_database)


def _as_service(admin: Address, service: str, password: str) -> Address:
    return replace(admin, user=service, password=password, database=service)
