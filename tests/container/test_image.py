"""What is in the image and what is not, looked at from outside: nothing is started."""

import json
import os
import re
import stat
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import docker
import pytest

from .volumes import IMAGE

ROOT = Path(__file__).parents[2]
SHARE = "usr/share/appliance"
TEMPLATE = f"{SHARE}/postgres-template"
AUTHORITIES = "usr/share/ca-certificates/mozilla/"
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
# Programs and their messages speak of certificates, too, with dots for the body.
_CERTIFICATE = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----"
)
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s[A-Za-z0-9+/=]{60}")
_BUILD_TOOLS = {
    *("pip", "pip3", "uv", "gcc", "cc", "g++", "ld", "make", "go", "npm", "node", "perl", "git"),
    *("apt", "apt-get", "dpkg", "curl", "wget", "llvm-config"),
}


@dataclass(frozen=True)
class Image:
    """The image as a folder of files, and how Docker starts it."""

    archive: tarfile.TarFile
    configuration: Mapping[str, Any]
    size_bytes: int

    @cached_property
    def files(self) -> dict[str, tarfile.TarInfo]:
        return {member.name.rstrip("/"): member for member in self.archive.getmembers()}

    def read(self, name: str) -> bytes:
        file = self.archive.extractfile(self.files[name])
        assert file is not None, f"{name} is no file"
        return file.read()

    def contents(self) -> Iterator[tuple[str, bytes]]:
        for name, member in self.files.items():
            if member.isreg():
                yield name, self.read(name)

    def below(self, directory: str) -> dict[str, tarfile.TarInfo]:
        return {name: file for name, file in self.files.items() if f"{name}/".startswith(directory)}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    client = docker.from_env()
    archive = tmp_path_factory.mktemp("image") / "image.tar"
    container = client.containers.create(IMAGE)
    try:
        with archive.open("wb") as file:
            file.writelines(container.export(chunk_size=1 << 20))
    finally:
        container.remove(v=True)
    attributes = client.images.get(IMAGE).attrs
    with tarfile.open(archive) as opened:
        yield Image(opened, attributes["Config"], attributes["Size"])


def certificates(text: bytes) -> set[bytes]:
    return {re.sub(rb"\s", b"", body) for body in _CERTIFICATE.findall(text)}


def authorities(image: Image) -> set[bytes]:
    """Return the certificates that Debian's package brings."""
    names = [name for name, file in image.below(AUTHORITIES).items() if file.isreg()]
    return set().union(*(certificates(image.read(name)) for name in names))


def test_started_as_documented(image: Image) -> None:
    configuration = image.configuration
    assert configuration["Entrypoint"] == ["appliance-entrypoint"]
    assert configuration["Volumes"] == {"/data": {}}
    assert configuration["StopSignal"] == "SIGTERM"
    assert configuration["Healthcheck"]["Test"] == ["CMD", "appliance", "health"]
    assert configuration["Labels"]["org.opencontainers.image.title"] == "matrix-appliance"
    assert not configuration.get("ExposedPorts")


def test_no_tool_that_only_a_build_needs(image: Image) -> None:
    programs = {PurePosixPath(name) for name in image.files if "/bin/" in name or "/sbin/" in name}
    found = {str(program) for program in programs if program.name in _BUILD_TOOLS}
    assert found == set()


def test_nothing_that_only_a_build_leaves(image: Image) -> None:
    unwanted = re.compile(
        r"^(build|root/\.cache|var/lib/apt|var/cache/.|var/log/.|tmp/.|run/.|usr/include/.)"
        r"|^usr/share/(doc|man|info|locale)/|libLLVM|llvmjit|\.a$"
        r"|site-packages/(pip|setuptools)(/|-)|site-packages/.*/tests?/"
        r"|^var/lib/postgresql/.|snakeoil"
    )
    # Docker mounts these over whatever is there.
    mounted = {"run/.containerenv"}
    assert {name for name in image.files if unwanted.search(name)} - mounted == set()


def test_every_certificate_is_a_public_authority(image: Image) -> None:
    """The bundle of the host, with which the build went through a proxy, is not there."""
    known = authorities(image)
    assert len(known) > 100
    assert certificates(image.read(BUNDLE)) == known
    # certifi comes with a bundle of its own: Mozilla's too, of another day.
    (certifi,) = (name for name in image.files if name.endswith("/certifi/cacert.pem"))
    others = {
        name
        for name, content in image.contents()
        if b"-----BEGIN CERTIFICATE-----\n" in content and not certificates(content) <= known
    }
    assert others <= {certifi}


def test_no_certificate_of_the_host(image: Image) -> None:
    bundle = os.environ.get("SSL_CERT_FILE")
    if not bundle:
        pytest.skip("no SSL_CERT_FILE: this host has no bundle of its own that could leak")
    public = authorities(image)
    (certifi,) = (name for name in image.files if name.endswith("/certifi/cacert.pem"))
    public |= certificates(image.read(certifi))
    private = certificates(Path(bundle).read_bytes()) - public
    if not private:
        pytest.skip(f"{bundle} has public authorities only")
    # Debian's own bundle of another release has a few that were dropped since; none is here.
    markers = [body[len(body) // 2 :][:48] for body in private]
    found = {
        name
        for name, content in image.contents()
        if any(marker in content.replace(b"\n", b"") for marker in markers)
    }
    assert found == set()


def test_no_private_key(image: Image) -> None:
    """None but the well-known one of Synapse's manhole, which is off."""
    found = {name for name, content in image.contents() if _PRIVATE_KEY.search(content)}
    assert {name for name in found if not re.search(r"/synapse/util/.*manhole\.", name)} == set()


def test_nobody_becomes_root_by_a_program(image: Image) -> None:
    special = stat.S_ISUID | stat.S_ISGID
    assert {
        name for name, file in image.files.items() if file.isreg() and file.mode & special
    } == set()


def test_nobody_but_root_can_change_a_program(image: Image) -> None:
    others = {
        name
        for name, file in image.files.items()
        if file.isreg()
        and (file.uid != 0 or file.mode & 0o022)
        and not name.startswith((TEMPLATE, "dev/"))
    }
    assert others == set()


def test_users_have_the_numbers_of_the_design(image: Image) -> None:
    declared = {
        (name, int(number))
        for _, name, number, *_ in (
            line.split(maxsplit=3)
            for line in image.read("usr/lib/sysusers.d/matrix-appliance.conf").decode().splitlines()
            if line.startswith("u ")
        )
    }
    assert ("postgres", 901) in declared
    users = {tuple(line.split(":")[:4]) for line in image.read("etc/passwd").decode().splitlines()}
    assert {(name, "x", str(number), str(number)) for name, number in declared} <= users
    people = {name for name, _, number, _ in users if 900 <= int(number) < 60000}
    assert people == {name for name, _ in declared}


def test_template_is_a_cluster_that_only_postgres_reads(image: Image) -> None:
    files = image.below(f"{TEMPLATE}/")
    assert image.read(f"{TEMPLATE}/PG_VERSION") == b"17\n"
    assert {(file.uid, file.gid) for file in files.values()} == {(901, 901)}
    assert {stat.S_IMODE(file.mode) for file in files.values() if file.isdir()} == {0o700}
    assert {stat.S_IMODE(file.mode) for file in files.values() if file.isreg()} == {0o600}
    assert sum(file.size for file in files.values()) < 50_000_000


def test_template_knows_no_server(image: Image) -> None:
    names = image.below(f"{TEMPLATE}/")
    texts = [image.read(name) for name, file in names.items() if file.isreg()]
    assert any(b"schema_version" in text for text in texts)
    # The log of making the schema is part of what must not know it.
    assert not any(b"template.invalid" in text for text in texts)


def test_modules_are_compiled(image: Image) -> None:
    compiled = {
        re.sub(r"__pycache__/([^/]+)\.cpython-\d+\.pyc$", r"\1.py", name)
        for name in image.files
        if name.endswith(".pyc")
    }
    sources = {
        name
        for name in image.files
        if name.endswith(".py") and name.startswith((f"{SHARE}/python/", "opt/appliance/lib/"))
    }
    assert f"{SHARE}/python/appliance/entrypoint.py" in sources
    assert sources - compiled == set()


class TestComponents:
    @pytest.fixture
    def rows(self, image: Image) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(image.read(f"{SHARE}/components.json"))
        return rows

    def test_list(self, rows: list[dict[str, Any]]) -> None:
        keys = "name kind version newest status reason size_bytes licence homepage source".split()
        assert [row for row in rows if list(row) != keys] == []
        present = [row for row in rows if row["status"] != "missing"]
        assert {"synapse", "postgres", "nginx", "supervisor"} <= {row["name"] for row in present}
        assert [row for row in present if not row["version"]] == []
        assert [
            row for row in rows if row["status"] in ("missing", "older") and not row["reason"]
        ] == []

    def test_sizes_add_up(self, image: Image, rows: list[dict[str, Any]]) -> None:
        total = sum(row["size_bytes"] for row in rows)
        assert 0.7 * image.size_bytes < total < image.size_bytes

    def test_each_has_its_licence(self, image: Image, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            page = image.read(f"{SHARE}/licences/{row['name']}.txt").decode()
            assert row["licence"] in page
            assert row["source"] in page

    def test_copyleft_components_have_their_text(self, image: Image) -> None:
        assert b"GNU AFFERO GENERAL PUBLIC LICENSE" in image.read(f"{SHARE}/licences/synapse.txt")
        packages = image.read(f"{SHARE}/licences/debian-packages.txt").decode()
        assert re.search(r"^libc6 \S+$", packages, re.MULTILINE)

    def test_sources_are_named(self, image: Image, rows: list[dict[str, Any]]) -> None:
        text = image.read(f"{SHARE}/licences/SOURCES").decode()
        for row in rows:
            assert (row["source"] in text) == (row["status"] != "missing")

    def test_list_for_other_programs_has_all(
        self, image: Image, rows: list[dict[str, Any]]
    ) -> None:
        text = image.read(f"{SHARE}/sbom.cdx.json")
        assert len(text) < 500_000
        document = json.loads(text)
        assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
        # Neither a time nor a number of its own: the same image has the same.
        assert set(document) == {*("bomFormat", "specVersion", "version", "metadata", "components")}
        assert set(document["metadata"]) == {"component"}
        listed = {
            (entry.get("purl", "").partition("/")[0], entry["name"], entry["version"])
            for entry in document["components"]
        }
        present = [row for row in rows if row["status"] != "missing"]
        assert {("", row["name"], row["version"]) for row in present} <= listed
        status = image.read("var/lib/dpkg/status").decode()
        packages = re.findall(r"^Package: (\S+)$(?:.|\n(?!\n))*?^Version: (\S+)$", status, re.M)
        assert len(packages) > 50
        assert {("pkg:deb", *package) for package in packages} <= listed
        locked = re.findall(
            r"^([a-z0-9][\w.-]*)(?:\[.*?\])?==(\S+) \\$",  # no line that is for other systems alone
            (ROOT / "components/python.lock").read_text(),
            re.M,
        )
        assert len(locked) > 50
        assert {("pkg:pypi", *one) for one in locked} <= listed
        if "livekit" in {row["name"] for row in present}:
            assert any(name == "github.com/livekit/livekit-server" for _, name, _ in listed)

    def test_list_of_debian_packages_is_true(self, image: Image) -> None:
        """What Debian's list names is there: scanners for vulnerabilities read it."""
        status = image.read("var/lib/dpkg/status").decode()
        packages = set(re.findall(r"^Package: (\S+)$", status, re.MULTILINE))
        assert {"libssl3t64", "nginx", "postgresql-17"} <= packages
        assert packages & {"perl", "perl-base", "libllvm19", "apt", "openssl"} == set()


_COUNT_CERTBOT = """
import json, pathlib, re
from importlib.metadata import distributions

def name(text): return re.sub(r"[-_.]+", "-", re.match(r"[\\w.-]+", text)[0]).lower()

every = {name(one.metadata["Name"]): one for one in distributions()}

def closure(names):
    found = set()
    while names := [one for one in names if one in every and one not in found]:
        found |= set(names)
        wanted = [line for one in names for line in every[one].requires or []]
        names = [name(line) for line in wanted if "extra ==" not in line]
    return found

def size(one):
    top = {file.parts[0] for file in every[one].files if file.parts[0] != ".."}
    paths = [pathlib.Path(every[one].locate_file(part)) for part in top]
    below = [path for root in paths for path in ([root] if root.is_file() else root.rglob("*"))]
    return sum(path.stat().st_size for path in below if path.is_file())

ours = {"certbot", "certbot-dns-cloudflare", "certbot-dns-multi"}
of_others = closure([one for one in every if one not in closure(ours)])
parts = closure({"certbot", "certbot-dns-cloudflare"}) - of_others
print(json.dumps({one: size(one) for one in sorted(parts)}))
"""


def test_certbot_with_cloudflare_adds_little(docker_client: docker.DockerClient) -> None:
    output = docker_client.containers.run(
        IMAGE, ["-c", _COUNT_CERTBOT], entrypoint=["python"], network_mode="none", remove=True
    )
    sizes = json.loads(output)
    assert {"certbot", "acme", "cloudflare", "certbot-dns-cloudflare"} <= set(sizes)
    assert sum(sizes.values()) <= 30_000_000, sizes
