import logging

import pytest

from appliance.invitations.log_filter import InvitationFilter

TOKEN = "abcde-fghij"


@pytest.mark.parametrize(
    ("text", "argument", "kept"),
    [
        (
            '"GET %s HTTP/1.1"',
            f"/_matrix/client/v1/register/m.login.registration_token/validity?a=b&token={TOKEN}&c",
            "validity?a=b&token=<redacted>&c HTTP/1.1",
        ),
        (
            "Auth completed with creds: %r. Client dict has keys: []",
            {"m.login.registration_token": TOKEN, "m.login.dummy": True},
            "{'m.login.registration_token': '<redacted>', 'm.login.dummy': True}. Client dict",
        ),
    ],
)
def test_a_token_is_taken_out_and_nothing_else(text: str, argument: object, kept: str) -> None:
    record = logging.LogRecord("synapse", logging.INFO, "file", 1, text, (argument,), None)
    assert InvitationFilter().filter(record)
    assert TOKEN not in record.getMessage()
    assert kept in record.getMessage()


def test_other_lines_are_as_they_were() -> None:
    record = logging.LogRecord("synapse", logging.INFO, "file", 1, "%s token=x", ("a",), None)
    assert InvitationFilter().filter(record)
    assert (record.msg, record.args) == ("%s token=x", ("a",))
