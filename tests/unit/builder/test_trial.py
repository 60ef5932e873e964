"""What `up` says, and which of a shell's variables reach the trial."""

from typing import Any

import pytest

from appliance import settings
from builder import trial
from builder.docker import Docker
from builder.engine import Engine
from builder.errors import BuildError

DESKTOP = {"DISPLAY": ":0"}
BY_SSH = {"SSH_CONNECTION": "192.0.2.7 50000 192.0.2.1 22", "SUDO_USER": "ann", **DESKTOP}


def describe(environment: dict[str, str], **variables: str) -> str:
    return trial.describe(settings.load(variables), environment)


def test_only_the_appliances_variables_are_passed_on() -> None:
    found = trial.variables_of({"MATRIX_DOMAIN": "x", "PATH": "/bin", "SECRET": "y"})
    assert found == {"MATRIX_DOMAIN": "x"}


def test_a_desktop_needs_no_tunnel() -> None:
    text = describe(DESKTOP)
    assert "http://chat.localhost" in text
    assert "Register in a client, or make the first user" in text
    assert "ssh" not in text


def test_a_machine_without_a_desktop_gets_the_tunnel() -> None:
    text = describe({})
    assert "ssh -L 80:localhost:80" in text
    assert "MATRIX_HTTP_PORT=8080 ./inv up" in text


def test_the_tunnel_goes_where_ssh_came_to() -> None:
    assert "ssh -L 80:localhost:80 ann@192.0.2.1\n" in describe(BY_SSH)
    elsewhere = BY_SSH | {"SSH_CONNECTION": "192.0.2.7 50000 192.0.2.1 2222"}
    assert "ssh -L 80:localhost:80 -p 2222 ann@192.0.2.1\n" in describe(elsewhere)


def test_a_high_port_needs_no_second_way() -> None:
    text = describe(BY_SSH, MATRIX_HTTP_PORT="8080")
    assert "http://chat.localhost:8080" in text
    assert "ssh -L 8080:localhost:8080" in text
    assert "MATRIX_HTTP_PORT" not in text


def test_a_server_that_others_reach_needs_neither_tunnel_nor_promises_registration() -> None:
    text = describe(BY_SSH, MATRIX_DOMAIN="home.lan", MATRIX_TLS_MODE="self-signed")
    assert "https://chat.home.lan" in text
    assert "ssh" not in text
    assert "Register" not in text


@pytest.mark.parametrize(("given", "used"), [({}, 8080), ({"MATRIX_HTTP_PORT": "9000"}, 9000)])
def test_an_engine_with_a_network_of_its_own_gets_the_published_port(
    given: dict[str, str], used: int
) -> None:
    engine = Engine(("no-such-client",), {}, host_network_gap="Its network is its own")
    with pytest.raises(BuildError) as refused:
        trial.Trial(engine, "image", given).start()
    text = str(refused.value)
    assert text.startswith("Its network is its own.")
    assert f"-p 127.0.0.1:{used}:{used}" in text
    assert f"http://chat.localhost:{used}" in text


def test_a_bad_variable_starts_nothing() -> None:
    engine = Engine(("no-such-client",), {})
    with pytest.raises(BuildError, match="MATRIX_HTTP_PORT"):
        trial.Trial(engine, "image", {"MATRIX_HTTP_PORT": "many"}).start()


class TestRemove:
    """What is there goes; a removal that fails is no success."""

    @staticmethod
    def docker(there: set[str], asked: list[str], *, refuses: bool = False) -> Docker:
        class Recorded(Docker):
            def succeeds(self, *arguments: str) -> bool:
                return arguments[0] in there

            def read(self, *arguments: str) -> str:
                asked.append(" ".join(arguments))
                if refuses:
                    raise BuildError("volume is in use")
                return ""

        return Recorded(())

    @pytest.mark.parametrize(
        ("there", "options", "expected"),
        [
            (set(), {"volume": True}, []),
            ({"container", "volume"}, {}, [f"rm --force {trial.NAME}"]),
            ({"volume"}, {"volume": True}, [f"volume rm {trial.NAME}"]),
        ],
    )
    def test_removes_what_is_there(
        self, there: set[str], options: dict[str, Any], expected: list[str]
    ) -> None:
        asked: list[str] = []
        assert trial.remove(self.docker(there, asked), **options) is bool(expected)
        assert asked == expected

    def test_a_volume_that_stays_is_an_error(self) -> None:
        with pytest.raises(BuildError, match="in use"):
            trial.remove(self.docker({"volume"}, [], refuses=True), volume=True)
