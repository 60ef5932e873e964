"""Which names lead to this machine, as far as that can be told from inside."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from appliance.certificates import arrival
from appliance.certificates.arrival import Answer, Verdict, judge
from appliance.errors import OperationError
from appliance.resolver import Lookup

PUBLIC, OTHER, SIX, PRIVATE = "198.100.1.1", "198.100.1.2", "2001:4860::1", "192.168.1.9"


def verdicts(**names: dict[str, Answer]) -> dict[str, Verdict]:
    found = {name: Lookup(tuple(answers)) for name, answers in names.items()}
    answers = {
        (name, address): answer
        for name, of_name in names.items()
        for address, answer in of_name.items()
    }
    return {one.name: one.verdict for one in judge(found, answers)}


def test_a_name_that_brings_our_word_leads_here() -> None:
    assert verdicts(matrix={PUBLIC: Answer.OURS, SIX: Answer.OURS}) == {"matrix": Verdict.HERE}


@pytest.mark.parametrize("answer", [Answer.OTHER, Answer.NONE])
def test_another_leads_elsewhere_where_this_machine_reaches_itself(answer: Answer) -> None:
    seen = verdicts(matrix={PUBLIC: Answer.OURS}, apex={OTHER: answer})
    assert seen == {"matrix": Verdict.HERE, "apex": Verdict.AWAY}


@pytest.mark.parametrize("answer", [Answer.OTHER, Answer.NONE])
def test_without_a_way_back_in_nothing_is_known(answer: Answer) -> None:
    """A router that leads its own network's requests to itself, or nowhere."""
    assert verdicts(matrix={PUBLIC: answer}, apex={OTHER: Answer.OTHER}) == {
        "matrix": Verdict.UNKNOWN,
        "apex": Verdict.UNKNOWN,
    }
    at_home = verdicts(matrix={PRIVATE: Answer.OURS}, chat={PUBLIC: answer})
    assert at_home == {"matrix": Verdict.HERE, "chat": Verdict.UNKNOWN}


def test_a_name_with_one_good_address_is_for_the_authority_to_judge() -> None:
    seen = verdicts(matrix={PUBLIC: Answer.OURS, SIX: Answer.OTHER})
    assert seen == {"matrix": Verdict.UNKNOWN}


def test_a_name_that_leads_on_is_for_the_authority_to_judge() -> None:
    seen = verdicts(matrix={PUBLIC: Answer.OURS}, chat={OTHER: Answer.ELSEWHERE})
    assert seen["chat"] is Verdict.UNKNOWN


def test_a_name_without_an_address_leads_nowhere() -> None:
    (one,) = judge({"turn": Lookup(())}, {})
    assert (one.verdict, one.detail) == (Verdict.AWAY, "has no address in DNS")
    (one,) = judge({"turn": Lookup((), certain=False)}, {})
    assert one.verdict is Verdict.UNKNOWN
    assert "the DNS server does not answer" in one.detail


def test_the_detail_tells_the_addresses_by_what_they_did() -> None:
    found = {"matrix": Lookup((PUBLIC, SIX, OTHER))}
    answers = {
        ("matrix", PUBLIC): Answer.OTHER,
        ("matrix", SIX): Answer.NONE,
        ("matrix", OTHER): Answer.OTHER,
    }
    (one,) = judge(found, answers)
    assert one.detail == (
        f"leads elsewhere ({PUBLIC}, {OTHER}: another server; {SIX}: does not answer)"
    )


@contextmanager
def served(directory: Path, **answers: Any) -> Iterator[int]:
    """Serve a directory on loopback, or one status for everything; yield the port."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(directory))

        def do_GET(self) -> None:
            if "status" in answers:
                self.send_response(answers["status"])
                self.send_header("Location", "https://elsewhere.test/")
                self.end_headers()
            else:
                super().do_GET()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / ".well-known/acme-challenge").mkdir(parents=True)
    return tmp_path


def find_out(directory: Path, port: int) -> arrival.Arrival:
    with arrival.put_word(directory) as word:
        (one,) = arrival.find_out(["127.0.0.1"], word, port)
    assert list((directory / ".well-known/acme-challenge").iterdir()) == []
    return one


class TestFindOut:
    def test_word_comes_back(self, directory: Path) -> None:
        with served(directory) as port:
            one = find_out(directory, port)
        assert one.verdict is Verdict.HERE
        assert one.detail == "leads here by 127.0.0.1"

    def test_another_server(
        self, directory: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        with served(tmp_path_factory.mktemp("another")) as port:
            one = find_out(directory, port)
        assert one.detail == "leads elsewhere (127.0.0.1: another server)"

    def test_a_redirect(self, directory: Path) -> None:
        with served(directory, status=302) as port:
            one = find_out(directory, port)
        assert one.detail == "leads elsewhere (127.0.0.1: leads on elsewhere)"

    def test_nobody(self, directory: Path) -> None:
        with served(directory) as port:
            pass
        one = find_out(directory, port)
        assert one.detail == "leads elsewhere (127.0.0.1: does not answer)"


def test_it_waits_for_nginx_but_not_for_ever(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(directory) as port, arrival.put_word(directory) as word:
        arrival.wait_until_served(word, "matrix.example.org", "127.0.0.1", port)
    monkeypatch.setattr(arrival, "_START_SECONDS", 0)
    with (
        arrival.put_word(directory) as word,
        pytest.raises(OperationError, match=f"nginx does not serve at port {port}"),
    ):
        arrival.wait_until_served(word, "matrix.example.org", "127.0.0.1", port)
