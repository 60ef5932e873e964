import pytest

from appliance import settings
from appliance.bridges import selection
from appliance.bridges.catalogue import find
from appliance.machine import Component, Machine
from appliance.settings import Settings

REAL = {"MATRIX_DOMAIN": "home.lan", "MATRIX_TLS_MODE": "self-signed"}
TELEGRAM = {"MATRIX_TELEGRAM_API_ID": "7654321", "MATRIX_TELEGRAM_API_HASH": "0" * 32}


def holding(*components: str) -> Machine:
    held = tuple(Component(name, "v1", "built") for name in components)
    lacking = Component("mautrix-slack", None, "missing", "its source answers 403 Forbidden")
    return Machine(2, 2**33, False, ipv6=True, jemalloc=True, components=(*held, lacking))


BOTH = holding("mautrix-whatsapp", "mautrix-telegram")


def load(**variables: str) -> Settings:
    return settings.load(variables)


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({}, []),
        ({**REAL}, ["whatsapp"]),
        ({**REAL, **TELEGRAM}, ["whatsapp", "telegram"]),
        ({**REAL, "MATRIX_BRIDGES": "none"}, []),
        ({"MATRIX_BRIDGES": "WhatsApp, whatsapp"}, ["whatsapp"]),
        ({"MATRIX_BRIDGES": "slack,telegram"}, ["slack", "telegram"]),
    ],
)
def test_which_there_are(variables: dict[str, str], names: list[str]) -> None:
    assert [bridge.name for bridge in selection.enabled(load(**variables), BOTH)] == names


def test_a_default_that_cannot_be_had_is_left_out_with_the_reason() -> None:
    assert selection.left_out(load(**REAL), BOTH) == {
        find("telegram"): "it needs MATRIX_TELEGRAM_API_ID and MATRIX_TELEGRAM_API_HASH, which you "
        "make at https://my.telegram.org/apps"
    }
    none = selection.left_out(load(**REAL, **TELEGRAM), holding())
    assert [bridge.name for bridge in none] == ["whatsapp", "telegram"]
    assert "this image was built without it" in none[find("whatsapp")]


@pytest.mark.parametrize("variables", [{}, {**REAL, "MATRIX_BRIDGES": "slack"}])
def test_nothing_else_is_left_out(variables: dict[str, str]) -> None:
    assert selection.left_out(load(**variables), BOTH) == {}


def test_what_the_image_lacks_is_told_with_how_to_get_it() -> None:
    gap = selection.find_gap(find("slack"), load(), BOTH)
    assert "holds no mautrix-slack (its source answers 403 Forbidden)" in gap
    assert "./inv build --bridges" in gap
    assert "artifacts/" in gap
    assert selection.find_gap(find("whatsapp"), load(), BOTH) == ""
