from collections.abc import Mapping

import pytest

from appliance.settings import judge, load
from appliance.settings.postgres_url import SslMode, judge_urls, parse_urls

KNOWN: Mapping[str, bool] = {"synapse": True, "whatsapp": False, "telegram": False}
PASSWORD = "hunter2hunter2"


def complaints(text: str) -> list[str]:
    return [*judge_urls(text, KNOWN)]


def test_one_url_is_the_role_that_makes_all_others() -> None:
    text = "postgresql://owner:a%40b%2Fc%3A%25@db.example.org"
    assert complaints(text) == []
    urls = parse_urls(text)
    assert urls.services == {}
    assert urls.admin
    assert (urls.admin.host, urls.admin.port) == ("db.example.org", 5432)
    assert (urls.admin.user, urls.admin.password) == ("owner", "a@b/c:%")
    assert urls.admin.database == "postgres"
    assert "a@b" not in repr(urls)


@pytest.mark.parametrize("separator", [" ", "\n", "\n\n  "])
def test_one_for_each_service(separator: str) -> None:
    text = separator.join(
        ("synapse=postgres://s:1@db/chat", "whatsapp=postgresql://w:2@[::1]:5433/wa")
    )
    assert complaints(text) == []
    urls = parse_urls(text)
    assert urls.admin is None
    assert urls.services["synapse"].database == "chat"
    assert urls.services["whatsapp"].server == "[::1]:5433"


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://u:p@db.example.org", SslMode.VERIFY_FULL),
        ("postgresql://u:p@192.168.1.5", SslMode.VERIFY_FULL),
        ("postgresql://u:p@127.0.0.1", SslMode.DISABLE),
        ("postgresql://u:p@[::1]", SslMode.DISABLE),
        ("postgresql://u:p@localhost", SslMode.DISABLE),
        ("postgresql://u:p@localhost?sslmode=verify-full", SslMode.VERIFY_FULL),
        ("postgresql://u:p@db?sslmode=require", SslMode.REQUIRE),
        ("postgresql://u:p@db/postgres?sslmode=verify-ca", SslMode.VERIFY_CA),
        ("postgresql://u:p@db?sslmode=disable", SslMode.DISABLE),
    ],
)
def test_tls_is_verified_unless_said_otherwise(url: str, mode: SslMode) -> None:
    admin = parse_urls(url).admin
    assert admin
    assert admin.ssl_mode is mode


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"mysql://owner:{PASSWORD}@db", "is not a URL of Postgres"),
        (PASSWORD, "is not a URL of Postgres"),
        ("postgresql://db/chat", "names no user"),
        ("postgresql://owner@db", "names no password"),
        (f"postgresql://owner:{PASSWORD}@/chat", "names no host"),
        (f"postgresql://owner:{PASSWORD}@db:many", "has no port"),
        (f"postgresql://owner:x/{PASSWORD}@db", "has no port that is a number"),
        (f"postgresql://owner:x?{PASSWORD}@db", "%40 for @"),
        (f"postgresql://owner:x#{PASSWORD}@db", "%40 for @"),
        (f"postgresql://owner:[{PASSWORD}@db", "%40 for @"),
        (f"postgresql://owner:a b{PASSWORD}@db", "nor SERVICE=URL"),
        (f"postgresql://owner:{PASSWORD}@%2Frun%2Fpostgresql", "neither a name nor an address"),
        (f"postgresql://owner:{PASSWORD}%0A@db", "has a password that cannot be used"),
        (f"postgresql://o'wner:{PASSWORD}@db", "has a user that cannot be used"),
        ("postgresql://o:p@db?sslmode=prefer", "not one of: disable, require, verify-ca"),
        ("postgresql://o:p@db?sslrootcert=/ca.pem", "MATRIX_POSTGRES_CA_BUNDLE"),
        ("postgresql://o:p@db?target_session_attrs=any", "something other than sslmode"),
        ("synapse=postgresql://s:p@db", "synapse: names no database"),
        ("whatsapp=postgresql://w:p@db/wa", "names no URL for synapse"),
        ("synapse=postgresql://s:p@db/c whatsap=postgresql://w:p@db/w", "did you mean whatsapp?"),
        ("synapse=postgresql://s:p@db/c synapse=postgresql://s:p@db/d", "more than once"),
        ("synapse=postgresql://s:p@db/c whatsapp=postgresql://w:p@db/c", "have the same database"),
        ("synapse=postgresql://s:p@db/c postgresql://w:p@db/c", "is neither one URL"),
    ],
)
def test_what_is_unclear_is_told_without_a_piece_of_it(text: str, told: str) -> None:
    said = complaints(text)
    assert any(told in complaint for complaint in said), said
    assert not any("hunter2" in complaint for complaint in said)


def test_an_unclear_url_leaves_settings_that_can_be_judged_further() -> None:
    settings, problems = judge({"MATRIX_POSTGRES_URL": "postgresql://owner:p?x@db"})
    assert settings is not None
    assert settings.external_postgres is None
    assert [problem.subject for problem in problems] == ["MATRIX_POSTGRES_URL"]


def test_memory_of_a_server_elsewhere_is_none_of_ours() -> None:
    given = {"MATRIX_POSTGRES_URL": "postgresql://o:p@db", "MATRIX_POSTGRES_MEMORY": "1G"}
    assert "has no effect" in str(*load(given).warnings())


def test_roots_without_a_server_are_a_mistake() -> None:
    _, problems = judge({"MATRIX_POSTGRES_CA_BUNDLE": "/ca.pem"})
    assert "needs MATRIX_POSTGRES_URL" in str(*problems)
