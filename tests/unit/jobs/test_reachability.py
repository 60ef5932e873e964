from appliance import settings
from appliance.dns import Action, Row
from appliance.dns.state import State
from appliance.endpoint import Endpoint
from appliance.jobs.reachability import read_zone, summarize
from appliance.machine import Machine
from appliance.reachability import Arrival, Verdict
from appliance.reachability.source import Source

MACHINE = Machine(2, 8 * 1024**3, False, ipv6=True, jemalloc=True)
REAL = {"MATRIX_DOMAIN": "example.org", "MATRIX_TLS_MODE": "self-signed"}


def source(**variables: str) -> Source:
    return Source.of(settings.load({**REAL, **variables}), MACHINE)


def test_the_worst_comes_first_and_alike_together() -> None:
    said = summarize(
        [
            Arrival("matrix.example.org", Verdict.HERE, "by 8.8.4.4"),
            Arrival("chat.example.org", Verdict.AWAY, "has no address in the DNS"),
            Arrival("turn.example.org", Verdict.HERE, "by 8.8.4.4"),
        ]
    )
    assert said == (
        "chat.example.org: does not lead here (has no address in the DNS); "
        "matrix.example.org, turn.example.org: leads here by 8.8.4.4"
    )


def test_names_that_nobody_promised_are_not_missed() -> None:
    by_hand = source()
    assert by_hand.visited == ("matrix.example.org", "chat.example.org")
    assert by_hand.compared == ("turn.example.org",)
    assert source(MATRIX_TURN="no").compared == ()
    written = source(MATRIX_CLOUDFLARE_API_TOKEN="x" * 40, MATRIX_SERVER_NAME="example.org")
    assert written.visited[2:] == ("synapse.example.org", "example.org")
    assert written.compared == ("turn.example.org",)


def test_the_world_comes_by_the_address_that_clients_are_told() -> None:
    plain = source(MATRIX_TLS_MODE="off", MATRIX_HTTP_PORT="8080")
    assert (plain.port, plain.tls, plain.local) == (8080, False, Endpoint("127.0.0.1", 8080))
    forwarded = source(MATRIX_PUBLIC_BASE_URL="https://matrix.example.org:9443")
    assert (forwarded.port, forwarded.tls) == (9443, True)
    assert (forwarded.local, forwarded.local_tls) == (Endpoint("127.0.0.1", 443), True)
    proxied = source(MATRIX_TLS_MODE="proxy")
    assert (proxied.port, proxied.tls, proxied.local_tls) == (443, True, False)
    assert Source.from_json(proxied.to_json()) == proxied


def test_of_the_zone_only_what_the_world_is_told_as_it_stands() -> None:
    def row(name: str, type_: str, now: str, *, proxied: bool = False) -> Row:
        return Row(name, type_, now, "", Action.NOTHING, proxied=proxied)

    rows = (
        row("a.example.org", "A", "8.8.4.4"),
        row("a.example.org", "AAAA", "2a01:4f8::7"),
        row("b.example.org", "CNAME", "elsewhere.example"),
        row("c.example.org", "A", "8.8.4.4", proxied=True),
        row("d.example.org", "A", ""),
    )
    assert read_zone(State(1.0, rows)) == {"a.example.org": ("8.8.4.4", "2a01:4f8::7")}
    assert read_zone(None) == {}
