"""What libpq 18 said of servers of Debian's, and what the owner is told."""

import pytest

from appliance.external_postgres.connection import RefusedError, UnreachableError, explain
from appliance.settings.postgres_url import Address, SslMode

HOME = Address("db.lan", 5432, "alice", "hunter2", "chat", SslMode.VERIFY_FULL)
AT = 'connection failed: connection to server at "172.20.0.3", port 5432 failed: '


@pytest.mark.parametrize(
    "message",
    [
        f"{AT}Connection refused\n\tIs the server running on that host and accepting TCP/IP?",
        "failed to resolve host 'db.lan': [Errno -2] Name or service not known",
        "connection timeout expired",
        f"{AT}FATAL:  the database system is starting up",
        f"{AT}FATAL:  sorry, too many clients already",
        f"{AT}server closed the connection unexpectedly",
        f"{AT}No route to host",
    ],
)
def test_one_that_may_come_is_awaited(message: str) -> None:
    error = explain(message, HOME)
    assert isinstance(error, UnreachableError)
    assert str(error).startswith("the Postgres server at db.lan:5432 (")
    assert "172.20" not in str(error)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            'FATAL:  password authentication failed for user "alice"',
            "refuses the password of alice, or has no such user",
        ),
        ('FATAL:  database "chat" does not exist', "CREATE DATABASE chat OWNER alice"),
        (
            'FATAL:  pg_hba.conf rejects connection for host "172.20.0.4", user "alice"',
            "lets alice not in from this machine",
        ),
        ("server does not support SSL, but SSL was required", "takes no TLS"),
        ("SSL error: certificate verify failed", "MATRIX_POSTGRES_CA_BUNDLE"),
        (
            'server certificate for "db.lan" does not match host name "db17.lan"',
            "has a certificate for another name",
        ),
        ("expected authentication request from server, but received H", "is no Postgres server"),
        ("FATAL:  Passwort-Authentifizierung fehlgeschlagen", "refuses alice: FATAL:  Passwort"),
    ],
)
def test_one_that_says_no_is_told(message: str, told: str) -> None:
    error = explain(AT + message, HOME)
    assert isinstance(error, RefusedError)
    assert told in str(error)


def test_a_no_counts_more_than_another_address_that_is_silent() -> None:
    message = f"{AT}Connection refused\nMultiple connection attempts failed. All failures were:\n"
    message += f'- host: db.lan: {AT}FATAL:  password authentication failed for user "alice"'
    assert isinstance(explain(message, HOME), RefusedError)
