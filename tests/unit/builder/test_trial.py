from appliance import settings
from builder import trial


def test_only_the_appliances_variables_are_passed_on() -> None:
    found = trial.variables_of({"MATRIX_DOMAIN": "x", "PATH": "/bin", "SECRET": "y"})
    assert found == {"MATRIX_DOMAIN": "x"}


def test_a_desktop_needs_no_tunnel() -> None:
    text = trial.describe(settings.load({}), {"DISPLAY": ":0"})
    assert "http://chat.localhost" in text
    assert "ssh" not in text


def test_a_machine_without_a_desktop_gets_the_tunnel() -> None:
    text = trial.describe(settings.load({}), {})
    assert "ssh -L 80:localhost:80" in text
    assert "MATRIX_HTTP_PORT=8080 ./inv up" in text


def test_a_high_port_needs_no_second_way() -> None:
    loaded = settings.load({"MATRIX_HTTP_PORT": "8080"})
    text = trial.describe(loaded, {"SSH_CONNECTION": "x", "DISPLAY": ":0"})
    assert "http://chat.localhost:8080" in text
    assert "ssh -L 8080:localhost:8080" in text
    assert "MATRIX_HTTP_PORT" not in text
