"""What a build is told: components, refusals, arguments."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from builder import image
from builder.errors import BuildError
from builder.image import (
    build_command,
    choose,
    component_arguments,
    explain_gap,
    host_arguments,
    is_optional,
    name_components,
    refuse_gaps,
    state_of_debian,
)
from builder.registry import GoComponent, load_registry
from builder.sources import Selection, Status

FILE = Path(__file__).parents[3] / "components/components.yaml"
COMPONENTS = load_registry(FILE).components
BY_NAME = {component.name: component for component in COMPONENTS}
CLIENT, BRIDGE = BY_NAME["element-web"], BY_NAME["mautrix-whatsapp"]


def test_default_components() -> None:
    assert name_components([], [], None, FILE) == [
        "element-web",
        "livekit",
        "mautrix-whatsapp",
        "mautrix-telegram",
        "heisenbridge",
        "ffmpeg",
    ]
    assert [c.name for c in choose(COMPONENTS, None)] == [
        c.name for c in COMPONENTS if c.default or not is_optional(c)
    ]


def test_with_and_without() -> None:
    left_out = ["element-web", "livekit", "mautrix-whatsapp", "heisenbridge", "ffmpeg"]
    names = name_components(["mautrix-gmessages"], left_out, None, FILE)
    assert names == ["mautrix-telegram", "mautrix-gmessages"]
    chosen = choose(COMPONENTS, names)
    assert BRIDGE not in chosen
    assert CLIENT not in chosen
    assert BY_NAME["synapse"] in chosen


def test_bridges_are_chosen_by_their_names() -> None:
    assert name_components([], [], [], FILE) == ["element-web", "livekit", "ffmpeg"]
    left_out = ["element-web", "livekit", "ffmpeg"]
    chosen = name_components([], left_out, ["facebook", "whatsapp"], FILE)
    assert chosen == ["mautrix-whatsapp", "mautrix-meta"]
    with pytest.raises(BuildError, match="icq: not one of whatsapp, telegram"):
        name_components([], [], ["icq"], FILE)


@pytest.mark.parametrize("name", ["mautrix-whatsap", "synapse"])
def test_only_some_can_be_chosen(name: str) -> None:
    known = "element-web, livekit, mautrix-whatsapp"
    with pytest.raises(BuildError, match=f"{name}: not one of {known}"):
        name_components([], [name], None, FILE)


MISSING = Selection(CLIENT, Status.MISSING, None, "nobody answers")
OLDER = Selection(BRIDGE, Status.OLDER, BRIDGE.versions[1].version, "refused")
OLDER_ARTIFACT = Selection(BRIDGE, Status.ARTIFACT, BRIDGE.versions[1].version)
NEWEST = Selection(CLIENT, Status.BUILT, CLIENT.newest, archive="element-web.tar.gz")


@pytest.mark.parametrize("selection", [MISSING, OLDER, NEWEST])
def test_ordinary_build_takes_what_there_is(selection: Selection) -> None:
    refuse_gaps([selection], strict=False, release=False)


def test_strict_build_refuses_a_gap_only() -> None:
    refuse_gaps([OLDER, NEWEST], strict=True, release=False)
    with pytest.raises(BuildError, match="element-web cannot be had: nobody answers"):
        refuse_gaps([MISSING, OLDER], strict=True, release=False)


@pytest.mark.parametrize("selection", [MISSING, OLDER, OLDER_ARTIFACT])
def test_release_takes_the_newest_only(selection: Selection) -> None:
    refuse_gaps([NEWEST], strict=False, release=True)
    with pytest.raises(BuildError, match=f"nothing was built:\n  {selection.component.name} "):
        refuse_gaps([NEWEST, selection], strict=False, release=True)


def test_gap_is_explained() -> None:
    text = explain_gap(MISSING, Path("artifacts"))
    assert f"put it at artifacts/element-web-{CLIENT.newest}.tar.gz" in text
    assert f"artifacts/mautrix-whatsapp-{BRIDGE.newest}." in explain_gap(
        Selection(BRIDGE, Status.MISSING, None), Path("artifacts")
    )


def test_debian_is_fetched_anew_each_week_and_for_every_release() -> None:
    monday, sunday = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 29, tzinfo=UTC)
    assert state_of_debian(monday, release=False) == state_of_debian(sunday, release=False)
    next_monday = datetime(2026, 11, 30, tzinfo=UTC)
    assert state_of_debian(sunday, release=False) != state_of_debian(next_monday, release=False)
    assert state_of_debian(monday, release=True) != state_of_debian(sunday, release=True)


def test_stages_without_anything_to_build_are_skipped() -> None:
    arguments = component_arguments([MISSING])
    assert arguments.keys() == {"COMPONENTS", "DEBIAN_PACKAGES", "PYTHON_LOCKS"}
    (row,) = json.loads(arguments["COMPONENTS"])
    assert (row["status"], row["reason"]) == ("missing", "nobody answers")


def test_stages_with_something_to_build() -> None:
    arguments = component_arguments(
        [NEWEST, OLDER, Selection(BY_NAME["nginx"], Status.BUILT, None)]
    )
    assert arguments["WEB"] == "web-client"
    assert arguments["WEB_ARCHIVE"] == ".build/sources/element-web.tar.gz"
    assert arguments["GO"] == "go-programs"
    assert arguments["DEBIAN_PACKAGES"] == "nginx"
    (program,) = json.loads(arguments["GO_COMPONENTS"])
    assert isinstance(BRIDGE, GoComponent)
    assert program["version"] == OLDER.version
    assert program["says"] == BRIDGE.versions[1].says


def test_host_is_passed_on() -> None:
    arguments = host_arguments(
        {
            "PIP_INDEX_URL": "https://pypi.example/simple",
            "GOPROXY": "https://go.example,direct",
            "GONOSUMDB": "example.org/*",
            "HTTPS_PROXY": "http://proxy.example:3128",
            "DEBIAN_MIRROR": "http://mirror.example/debian/",
            "HOME": "/root",
        }
    )
    assert arguments == {
        "PIP_INDEX_URL": "https://pypi.example/simple",
        "GOPROXY": "https://go.example",
        "GONOSUMDB": "example.org/*",
        "https_proxy": "http://proxy.example:3128",
        "DEBIAN_MIRROR": "http://mirror.example/debian",
        "DEBIAN_SECURITY_MIRROR": "http://mirror.example/debian-security",
    }


def test_nothing_of_a_plain_host_is_passed_on() -> None:
    assert host_arguments({}) == {
        "GOPROXY": "https://proxy.golang.org",
        "DEBIAN_MIRROR": "http://deb.debian.org/debian",
        "DEBIAN_SECURITY_MIRROR": "http://deb.debian.org/debian-security",
    }


def test_certificates_are_a_secret_and_no_argument() -> None:
    command = build_command({"BASE": "debian"}, {"SSL_CERT_FILE": "/etc/bundle.crt"}, "tag")
    assert command[command.index("--secret") + 1] == "id=ca,src=/etc/bundle.crt"
    assert [argument for argument in command if "bundle.crt" in argument] == [
        "id=ca,src=/etc/bundle.crt"
    ]
    assert "--secret" not in build_command({"BASE": "debian"}, {}, "tag")


def test_every_argument_of_the_dockerfile_is_given() -> None:
    dockerfile = (FILE.parents[1] / "Dockerfile").read_text()
    asked = {
        line.split()[1].split("=")[0] for line in dockerfile.splitlines() if line[:4] == "ARG "
    }
    given = {"BASE", "DEBIAN_AS_OF", *host_arguments({"PIP_INDEX_URL": "x", "GONOSUMDB": "x"})}
    given |= component_arguments([NEWEST, OLDER]).keys()
    assert asked == given


def test_dockerfile_needs_no_newer_frontend() -> None:
    lines = (FILE.parents[1] / "Dockerfile").read_text().splitlines()
    assert not lines[0].startswith("# syntax")
    text = "\n".join(line for line in lines if not line.startswith("#"))
    assert [newer for newer in ("<<", "--link", "--network", "--exclude") if newer in text] == []


def test_tag_is_the_one_of_the_readme() -> None:
    assert image.TAG == "matrix-appliance"
