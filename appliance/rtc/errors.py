"""The service's answer to whatever cannot be done, in Matrix's words.

Source: Matrix specification, client-server API, "Standard error response"; MSC4195.
"""


class RefusedError(Exception):
    """A request that gets an error: its status, `errcode` and a sentence for people."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.body = {"errcode": code, "error": sentence}


class UnreachableError(Exception):
    """Another server did not answer as it should; says why."""


def not_json() -> RefusedError:
    """Return the refusal of a body that is no JSON object."""
    return RefusedError(400, "M_NOT_JSON", "The body is not a JSON object.")


def bad_json(sentence: str) -> RefusedError:
    """Return the refusal of a body that lacks something, or has it in another form."""
    return RefusedError(400, "M_BAD_JSON", sentence)


def unauthorized() -> RefusedError:
    """Return the refusal of a token that nobody vouches for."""
    return RefusedError(401, "M_UNAUTHORIZED", "The OpenID token is not valid for this user.")


def unconfirmed() -> RefusedError:
    """Return the refusal of a token whose server cannot be asked."""
    sentence = "The server that the OpenID token comes from could not be asked whose it is."
    return RefusedError(401, "M_UNAUTHORIZED", sentence)
