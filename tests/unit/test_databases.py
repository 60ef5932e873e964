from urllib.parse import parse_qs, urlsplit

import pytest

from appliance import databases
from appliance.credentials import Credentials
from appliance.settings import load

ADMIN = {"MATRIX_POSTGRES_URL": "postgresql://owner:secret@db.lan:5433"}
EACH = {
    "MATRIX_POSTGRES_URL": "synapse=postgresql://chat:s%40fe@db.lan/c?sslmode=require "
    "whatsapp=postgresql://wa:p%2Fw@[fd00::1]/w"
}
MADE = Credentials({"postgres_synapse": "made"})


def test_the_images_own_server_is_a_socket_and_knows_who_asks() -> None:
    settings = load({})
    database = databases.locate(settings, "synapse")
    assert database.conninfo == "user=synapse dbname=synapse host=/run/postgresql"
    assert database.url("") == "postgres:///synapse?host=/run/postgresql&sslmode=disable"
    assert databases.find_password(settings, MADE, "synapse") == ""
    assert databases.credentials_for(settings, ("synapse",)) == ()


def test_each_service_is_a_role_where_the_appliance_makes_them() -> None:
    settings = load(ADMIN)
    database = databases.locate(settings, "synapse")
    assert database.server == "db.lan:5433"
    assert database.conninfo.startswith("user=synapse dbname=synapse host=db.lan port=5433 ")
    assert "sslmode=verify-full" in database.conninfo
    assert "sslrootcert=/etc/ssl/certs/ca-certificates.crt" in database.conninfo
    assert databases.find_password(settings, MADE, "synapse") == "made"
    (credential,) = databases.credentials_for(settings, ("synapse",))
    assert credential.name == "postgres_synapse"


def test_each_service_has_what_its_url_says() -> None:
    settings = load(EACH)
    synapse = databases.locate(settings, "synapse")
    assert (synapse.user, synapse.name, synapse.ssl_mode) == ("chat", "c", "require")
    assert "sslrootcert" not in synapse.conninfo
    assert databases.find_password(settings, MADE, "synapse") == "s@fe"
    assert databases.credentials_for(settings, ("synapse", "whatsapp")) == ()


def test_no_password_is_on_a_command_line() -> None:
    for environment, secret in ((ADMIN, "secret"), (EACH, "p/w")):
        assert secret not in databases.locate(load(environment), "whatsapp").conninfo


def test_a_program_in_go_gets_a_url() -> None:
    parts = urlsplit(databases.locate(load(EACH), "whatsapp").url("p/w:@%"))
    assert (parts.hostname, parts.port, parts.path) == ("fd00::1", 5432, "/w")
    assert parts.password == "p%2Fw%3A%40%25"
    assert parse_qs(parts.query)["sslmode"] == ["verify-full"]


def test_go_is_not_to_verify_a_name_that_the_owner_does_not_want_verified() -> None:
    url = f"{ADMIN['MATRIX_POSTGRES_URL']}?sslmode=verify-ca"
    database = databases.locate(load({"MATRIX_POSTGRES_URL": url}), "whatsapp")
    assert parse_qs(urlsplit(database.url("x")).query)["sslsni"] == ["0"]


@pytest.mark.parametrize(
    ("password", "line"),
    [("plain", "*:*:*:*:plain\n"), ("a:b\\c", "*:*:*:*:a\\:b\\\\c\n")],
)
def test_libpq_reads_the_password(password: str, line: str) -> None:
    assert databases.render_password_file(password) == line
