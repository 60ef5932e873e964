import configparser
import json

from appliance import supervise
from appliance.files import File
from appliance.parts import postgres, synapse
from appliance.parts.contract import Part, Program


def render(*programs: tuple[Part, Program]) -> configparser.RawConfigParser:
    files = {entry.path: entry for entry in supervise.files(programs)}
    configuration = files["/run/appliance/supervisord.conf"]
    assert isinstance(configuration, File)
    parser = configparser.RawConfigParser()
    parser.read_string(configuration.content)
    return parser


def test_percent_and_quotes_survive() -> None:
    program = Program("x", ("echo", "100%", "it's"), "agent", environment={"A": "50%"})
    section = render((synapse.PART, program))["program:x"]
    assert section["command"] == "echo 100%% 'it'\"'\"'s'"
    assert section["environment"] == 'A="50%%"'
    assert section["user"] == "agent"


def test_low_ports_are_bound_without_root() -> None:
    program = Program("nginx", ("nginx",), "nginx", ports_below_1024=True)
    section = render((synapse.PART, program))["program:nginx"]
    assert section["command"].startswith("setpriv --reuid=nginx --regid=nginx --init-groups")
    assert section["command"].endswith("-- nginx")


def test_the_database_stops_last() -> None:
    parser = render(
        (postgres.PART, Program("postgres", ("postgres",), "postgres")),
        (synapse.PART, Program("synapse", ("synapse",), "synapse")),
    )
    assert parser["group:appliance"]["programs"] == "synapse"
    assert int(parser["program:postgres"]["priority"]) < int(parser["group:appliance"]["priority"])


def test_programs_are_told_to_whoever_watches() -> None:
    entries = supervise.files([(synapse.PART, Program("once", ("true",), "synapse", once=True))])
    rows = {e.path: e for e in entries}["/run/appliance/programs.json"]
    assert isinstance(rows, File)
    assert json.loads(rows.content)["once"] == {
        "part": "synapse",
        "essential": True,
        "stays": False,
        "once": True,
        "on_demand": False,
        "leaves_first": False,
        "talkative": False,
    }
