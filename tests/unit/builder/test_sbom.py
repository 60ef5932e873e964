"""What the list for other programs says of Debian's packages, Go's modules and components."""

from builder.stages.write_sbom import compose, library, list_components, list_debian, list_go

STATUS = """\
Package: nginx
Status: install ok installed
Architecture: amd64
Version: 1.26.3-3+deb13u1
Description: a server
 Version: not this one

Package: tzdata
Architecture: all
Version: 2025b-4
"""
BEGIN = bytes.fromhex("3077af0c9274080241e1c107e6d618e6")
END = bytes.fromhex("f932433186182072008242104116d8f2")
MODULES = b"""\
path\texample.org/server/cmd
mod\tmatrix-appliance.invalid/server\t(devel)\t
dep\texample.org/server\tv1.2.3\th1:x=
dep\texample.org/old\tv1.0.0
=>\texample.org/new\tv1.1.0+incompatible\th1:y=
build\t-ldflags="-s -w"
"""


def test_debian_packages_have_their_versions() -> None:
    found = {entry["name"]: entry["purl"] for entry in list_debian(STATUS)}
    assert found == {
        "nginx": "pkg:deb/debian/nginx@1.26.3-3%2Bdeb13u1?arch=amd64&distro=trixie",
        "tzdata": "pkg:deb/debian/tzdata@2025b-4?arch=all&distro=trixie",
    }


def test_a_program_of_go_says_what_it_is_made_of() -> None:
    found = [*list_go(b"ELF" + BEGIN + MODULES + END + b"rest")]
    assert [(entry["name"], entry["version"]) for entry in found] == [
        ("example.org/server", "v1.2.3"),
        ("example.org/new", "v1.1.0+incompatible"),
    ]
    assert found[1]["purl"] == "pkg:golang/example.org/new@v1.1.0%2Bincompatible"


def test_another_program_says_nothing() -> None:
    assert [*list_go(b"ELF")] == []


def test_what_is_missing_is_not_listed() -> None:
    row = {"version": "1", "licence": "MIT", "homepage": "https://a", "source": "https://b"}
    rows = [
        {**row, "name": "server", "status": "built"},
        {**row, "name": "client", "status": "missing"},
    ]
    assert [entry["name"] for entry in list_components(rows)] == ["server"]


def test_the_same_in_another_order_is_the_same() -> None:
    one, two = library("a", "1", "pkg:pypi/a@1"), library("b", "1", "pkg:pypi/b@1")
    assert compose([one, two]) == compose([two, one, two])
    assert len(compose([one, two, two])["components"]) == 2
