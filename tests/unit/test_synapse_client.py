from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import OperationError
from appliance.synapse_client import RefusedError, SynapseClient


def test_a_request_carries_what_synapse_wants(serve_json: Callable[..., str]) -> None:
    seen: list[Any] = []

    def answer(method: str, path: str, body: Any, headers: Any) -> tuple[int, Any]:
        seen.append((method, path, body, dict(headers)))
        return 200, {"well": True}

    client = SynapseClient("matrix.example.org", serve_json(answer))
    assert client.request("PUT", "/path?a=b", {"c": 1}, "the-token") == {"well": True}
    method, path, body, headers = seen[0]
    assert (method, path, body) == ("PUT", "/path?a=b", {"c": 1})
    assert headers["Host"] == "matrix.example.org"
    assert headers["X-Forwarded-For"].startswith("127.")
    assert headers["Authorization"] == "Bearer the-token"


def test_without_a_token_none_is_sent(serve_json: Callable[..., str]) -> None:
    client = SynapseClient("x", serve_json(lambda *a: (200, {"given": "Authorization" in a[3]})))
    assert client.request("GET", "/") == {"given": False}


def test_a_refusal_keeps_status_code_and_reason(serve_json: Callable[..., str]) -> None:
    refusal = {"errcode": "M_NOT_FOUND", "error": "User not found"}
    client = SynapseClient("x", serve_json(lambda *_: (404, refusal)))
    with pytest.raises(RefusedError, match="User not found") as caught:
        client.request("GET", "/")
    assert (caught.value.status, caught.value.code) == (404, "M_NOT_FOUND")


def test_a_rate_limit_says_when_to_come_again(serve_json: Callable[..., str]) -> None:
    refusal = {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 4200}
    client = SynapseClient("x", serve_json(lambda *_: (429, refusal)))
    with pytest.raises(RefusedError, match="try again in 5 s"):
        client.request("POST", "/")


def test_an_answer_that_is_not_json_is_no_answer(serve_json: Callable[..., str]) -> None:
    client = SynapseClient("x", serve_json(lambda *_: (502, b"<html>")))
    with pytest.raises(OperationError, match="does not answer"):
        client.request("GET", "/")


def test_nobody_listens(tmp_path: Path) -> None:
    client = SynapseClient("x", str(tmp_path / "none.sock"))
    with pytest.raises(OperationError, match=r"does not answer on .*none\.sock"):
        client.request("GET", "/")
