"""Which names are asked for by HTTP-01, and what the owner is told of the others."""

import time
from pathlib import Path

import pytest

from appliance import settings
from appliance.certificates.acme import refusals
from appliance.certificates.acme.http import choose
from appliance.certificates.acme.refusals import Refusal
from appliance.certificates.arrival import Arrival, Verdict
from appliance.settings import Settings

HERE, OTHER = "198.100.1.1", "198.100.1.2"
DOMAIN = "example.org"


def load(**variables: str) -> Settings:
    return settings.load(
        {
            "MATRIX_DOMAIN": DOMAIN,
            "MATRIX_ACME_EMAIL": "owner@example.org",
            "MATRIX_ACME_CHALLENGE": "http",
            **variables,
        }
    )


def here(name: str) -> Arrival:
    return Arrival(name, Verdict.HERE, (HERE,), f"leads here by {HERE}")


def away(name: str) -> Arrival:
    return Arrival(name, Verdict.AWAY, (OTHER,), f"leads elsewhere ({OTHER}: another server)")


def unknown(name: str, address: str = HERE) -> Arrival:
    return Arrival(name, Verdict.UNKNOWN, (address,), f"leads elsewhere ({address}: no answer)")


def asked(*arrivals: Arrival, held: tuple[str, ...] = ()) -> tuple[list[str], tuple[str, ...]]:
    names, remarks = choose(arrivals, held, {}, load())
    return [one.name for one in names], tuple(f"{name} {said}" for name, said in remarks.items())


def test_what_leads_elsewhere_is_left_out_and_told() -> None:
    names, remarks = asked(here("matrix.example.org"), away("chat.example.org"))
    assert names == ["matrix.example.org"]
    assert remarks == (
        f"chat.example.org is not in the certificate: it leads elsewhere ({OTHER}: another "
        "server). Give it this machine's address in the DNS, or leave it out of MATRIX_ACME_NAMES",
    )


def test_the_authority_judges_what_cannot_be_told_from_inside() -> None:
    names, remarks = asked(unknown("matrix.example.org"), unknown("chat.example.org", OTHER))
    assert names == ["matrix.example.org", "chat.example.org"]
    assert remarks == ()


def test_a_name_in_the_certificate_stays_until_it_is_renewed() -> None:
    held = ("matrix.example.org", "chat.example.org")
    names, remarks = asked(here(held[0]), away(held[1]), held=held)
    assert names == list(held)
    assert remarks == (
        f"chat.example.org leads elsewhere ({OTHER}: another server): it cannot be in the next "
        "certificate",
    )


class TestBareDomain:
    """Had where it happens to lead here, and missed by nobody elsewhere."""

    def test_it_is_taken_where_it_leads_here(self) -> None:
        names, _ = asked(here("matrix.example.org"), here(DOMAIN))
        assert names == ["matrix.example.org", DOMAIN]

    def test_it_is_left_out_without_a_word(self) -> None:
        assert asked(here("matrix.example.org"), away(DOMAIN)) == (["matrix.example.org"], ())

    def test_where_nothing_is_known_its_address_decides(self) -> None:
        matrix = unknown("matrix.example.org")
        assert asked(matrix, unknown(DOMAIN, OTHER))[0] == ["matrix.example.org"]
        assert asked(matrix, unknown(DOMAIN, HERE))[0] == ["matrix.example.org", DOMAIN]

    @pytest.mark.parametrize(
        "variables",
        [{"MATRIX_SERVER_NAME": DOMAIN}, {"MATRIX_ACME_NAMES": f"matrix.example.org,{DOMAIN}"}],
    )
    def test_it_is_one_as_any_other_where_the_owner_wants_it(
        self, variables: dict[str, str]
    ) -> None:
        names, remarks = choose(
            [here("matrix.example.org"), away(DOMAIN)], (), {}, load(**variables)
        )
        assert [one.name for one in names] == ["matrix.example.org"]
        assert remarks[DOMAIN].startswith("is not in the certificate")


class TestRefusals:
    """A name that the authority refused is not asked for again before something has changed."""

    @staticmethod
    def ask(refusal: Refusal) -> list[str]:
        chat = unknown("chat.example.org")
        names, remarks = choose([chat], (), {"chat.example.org": refusal}, load())
        assert names or remarks == {
            "chat.example.org": "is not in the certificate: the authority did not find this "
            "machine there (connection refused). Lead port 80 of it here, or leave it out of "
            "MATRIX_ACME_NAMES"
        }
        return [one.name for one in names]

    def test_the_same_address_on_the_same_day(self) -> None:
        assert self.ask(Refusal((HERE,), "connection refused", time.time() - 3600)) == []

    def test_another_address(self) -> None:
        assert self.ask(Refusal((OTHER,), "", time.time() - 3600)) == ["chat.example.org"]

    def test_another_day(self) -> None:
        assert self.ask(Refusal((HERE,), "", time.time() - 90000)) == ["chat.example.org"]

    def test_a_clock_that_was_wrong(self) -> None:
        assert self.ask(Refusal((HERE,), "", time.time() + 90000)) == ["chat.example.org"]

    def test_what_was_asked_for_is_known_anew(self, tmp_path: Path) -> None:
        asked = dict.fromkeys(("a.example.org", "b.example.org"), (HERE,))
        refusals.note(tmp_path, asked, {"a.example.org": "no", "b.example.org": "no"})
        refusals.note(tmp_path, {"a.example.org": (OTHER,)}, {})
        assert set(refusals.load(tmp_path)) == {"b.example.org"}
        assert refusals.load(tmp_path)["b.example.org"].addresses == (HERE,)

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"a": {"time": 1}}', '{"a": 1}'])
    def test_a_damaged_file_is_none(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "refused.json").write_text(text)
        assert refusals.load(tmp_path) == {}
