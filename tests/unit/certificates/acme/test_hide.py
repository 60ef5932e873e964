"""What certbot says is shown without the secrets that it was given."""

from appliance.certificates.acme.certbot import hide


def test_secrets_are_hidden_in_every_form() -> None:
    said = "GET /update?token=a%2Fsecret+b&txt=1: a/secret b (a%2Fsecret%20b) refused"
    assert hide(said, ["a/secret b"]) == "GET /update?token=…&txt=1: … (…) refused"


def test_each_line_of_a_key_is_hidden() -> None:
    key = "-----BEGIN KEY-----\nabcdefgh\n-----END KEY-----"
    assert hide("cannot parse abcdefgh", [key]) == "cannot parse …"


def test_the_longest_goes_first_and_words_stay() -> None:
    assert hide("secret-1 secret-12 true", ["secret-1", "secret-12", "true"]) == "… … true"
