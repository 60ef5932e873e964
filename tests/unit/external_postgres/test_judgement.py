import pytest

from appliance.external_postgres.facts import Contents, Locale, Server
from appliance.external_postgres.judgement import (
    judge_contents,
    judge_history,
    judge_locale,
    judge_rights,
    judge_server,
)

POWERLESS = Server(
    170002,
    standby=False,
    superuser=False,
    may_create_roles=False,
    may_create_databases=False,
)


@pytest.mark.parametrize("version", [140000, 150020, 170012, 180001])
def test_what_synapse_takes(version: int) -> None:
    assert [*judge_server(Server(version, False, False, False, False))] == []


@pytest.mark.parametrize(("version", "major"), [(130022, 13), (90624, 9)])
def test_too_old(version: int, major: int) -> None:
    (told,) = judge_server(Server(version, False, False, False, False))
    assert told.startswith(f"is Postgres {major}, and Synapse needs 14 or newer")


def test_a_standby_takes_no_writes() -> None:
    (told,) = judge_server(Server(170002, True, False, False, False))
    assert "give the primary" in told


def test_rights_are_needed_for_what_is_missing_alone() -> None:
    assert [*judge_rights(POWERLESS, "alice", roles=[], databases=[])] == []
    (told,) = judge_rights(POWERLESS, "alice", roles=["synapse"], databases=["synapse"])
    assert "ALTER ROLE alice CREATEROLE CREATEDB" in told
    (told,) = judge_rights(POWERLESS, "alice", roles=[], databases=["synapse"])
    assert "ALTER ROLE alice CREATEDB" in told
    superuser = Server(170002, False, True, False, False)
    assert [*judge_rights(superuser, "postgres", roles=["synapse"], databases=["synapse"])] == []


@pytest.mark.parametrize(
    "locale",
    [Locale("UTF8", "C", "C"), Locale("UTF8", "C", "C", "b")],
)
def test_locales_that_do(locale: Locale) -> None:
    assert [*judge_locale(locale, "chat", "alice")] == []


@pytest.mark.parametrize(
    ("locale", "found"),
    [
        (Locale("UTF8", "en_US.UTF-8", "en_US.UTF-8"), "UTF8, en_US.UTF-8, en_US.UTF-8"),
        (Locale("UTF8", "C", "C.UTF-8"), "UTF8, C, C.UTF-8"),
        (Locale("SQL_ASCII", "C", "C"), "SQL_ASCII, C, C"),
        (Locale("UTF8", "C", "C", "i"), "UTF8, C, C by ICU"),
    ],
)
def test_locales_that_do_not(locale: Locale, found: str) -> None:
    (told,) = judge_locale(locale, "chat", "alice")
    assert found in told
    assert "CREATE DATABASE chat OWNER alice TEMPLATE template0" in told


def test_tables_must_be_makeable() -> None:
    (told,) = judge_contents(Contents(False, False), "chat", "alice")
    assert "ALTER DATABASE chat OWNER TO alice" in told
    assert [*judge_contents(Contents(True, False), "chat", "alice")] == []


@pytest.mark.parametrize(
    ("contents", "had_data", "has_key", "told"),
    [
        (Contents(True, False), False, False, ""),
        (Contents(True, False), False, True, ""),
        (Contents(True, True), True, True, ""),
        (Contents(True, True, "example.org"), True, True, ""),
        (Contents(True, True, "example.org"), False, True, ""),
        (Contents(True, True, "other.org"), True, True, "another Matrix server, other.org"),
        (Contents(True, True, "other.org"), False, False, "another Matrix server, other.org"),
        (Contents(True, False), True, True, "has nothing in the database chat"),
        (Contents(True, True, "example.org"), False, False, "this volume is new"),
        (Contents(True, True), False, False, "this volume is new"),
    ],
)
def test_volume_and_database_belong_together(
    contents: Contents, had_data: bool, has_key: bool, told: str
) -> None:
    said = [
        *judge_history(
            contents, "chat", server_name="example.org", had_data=had_data, has_key=has_key
        )
    ]
    assert len(said) == bool(told)
    assert told in "".join(said)
