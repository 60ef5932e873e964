"""Certificates: the appliance's own authority, and an owner's files that change under way."""

import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
import trustme

from .appliances import Appliance, LanAppliance, until
from .browser import open_browser, visit, watch
from .conftest import Boot


def choose_protocol(appliance: LanAppliance, context: ssl.SSLContext) -> str | None:
    """Return what the server and a client with this context speak."""
    connection = socket.create_connection(("127.0.0.1", appliance.https_port), timeout=10)
    with connection, context.wrap_socket(connection, server_hostname="matrix.home.lan") as secured:
        return secured.selected_alpn_protocol()


def test_http_leads_to_https_and_still_offers_the_root(lan: LanAppliance) -> None:
    plain = lan.plain_site("matrix")
    moved = plain.get("/_matrix/client/versions")
    assert (moved.status, moved.headers["Location"]) == (
        301,
        "https://matrix.home.lan/_matrix/client/versions",
    )
    root = plain.get("/appliance-ca.crt")
    assert root.headers["Content-Type"] == "application/x-x509-ca-cert"
    assert root.body.startswith(b"-----BEGIN CERTIFICATE-----")
    assert lan.matrix.get("/appliance-ca.crt").body == root.body


@pytest.mark.parametrize("name", ["matrix", "chat", "synapse"])
def test_certificate_is_good_for_every_host(lan: LanAppliance, name: str) -> None:
    assert lan.site(name).fetch_certificate()


def test_another_name_is_shown_no_certificate(lan: LanAppliance) -> None:
    """Whoever scans addresses learns neither the domain nor that it is served here."""
    anything = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
    for name in ("www.example.net", "other.home.lan", None):
        connection = socket.create_connection(("127.0.0.1", lan.https_port), timeout=10)
        with connection, pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            anything.wrap_socket(connection, server_hostname=name)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_from_memory(lan: LanAppliance, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cadata=lan.ca_certificate)
    context.minimum_version = context.maximum_version = version
    host, session = lan.matrix.host, None
    for resumed in (False, True):
        plain = socket.create_connection(("127.0.0.1", lan.https_port), timeout=10)
        with context.wrap_socket(plain, server_hostname=host, session=session) as connection:
            assert connection.session_reused is resumed
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert connection.recv(4) == b"HTTP"
            session = connection.session
    if version is ssl.TLSVersion.TLSv1_2:  # in 1.3 the number of a session is called a ticket too
        assert session
        assert not session.has_ticket


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_only_safe_protocols_and_http_2(lan: LanAppliance) -> None:
    modern = ssl.create_default_context(cadata=lan.ca_certificate)
    modern.set_alpn_protocols(["h2", "http/1.1"])
    assert choose_protocol(lan, modern) == "h2"
    old = ssl.create_default_context(cadata=lan.ca_certificate)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        choose_protocol(lan, old)


def test_browser_that_trusts_the_root_accepts_it(
    lan: LanAppliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certutil = shutil.which("certutil")
    if certutil is None:
        pytest.skip("missing: certutil (on Debian: apt install libnss3-tools)")
    root = tmp_path / "root.crt"
    root.write_text(lan.ca_certificate)
    store = tmp_path / ".pki/nssdb"
    store.mkdir(parents=True)
    database = ("-d", f"sql:{store}")
    subprocess.run([certutil, *database, "-N", "--empty-password"], check=True)
    add = ("-A", "-n", "home", "-t", "C,,", "-i", str(root))
    subprocess.run([certutil, *database, *add], check=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    with open_browser(lan, trusting=False) as browser:
        page = browser.new_page()
        seen = watch(page)
        visit(page, f"{lan.matrix.url}/")
        assert page.evaluate("window.isSecureContext")
    assert seen.complaints == []


class OwnersFiles:
    """A certificate of an authority that the owner has, as files on the machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.issue()

    @property
    def root(self) -> str:
        return self.authority.cert_pem.bytes().decode()

    def issue(self, *, key_of_another: bool = False) -> bytes:
        """Put a new pair there, as a renewal does; return the certificate (DER)."""
        issued = self.authority.issue_cert("*.home.lan", "home.lan")
        other = self.authority.issue_cert("*.home.lan") if key_of_another else issued
        self._replace("privkey.pem", other.private_key_pem.bytes())
        self._replace("fullchain.pem", b"".join(one.bytes() for one in issued.cert_chain_pems))
        return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())

    def _replace(self, name: str, content: bytes) -> None:
        temporary = self.folder / f".{name}"
        temporary.write_bytes(content)
        temporary.chmod(0o600)
        temporary.rename(self.folder / name)


class FilesAppliance(LanAppliance):
    """A server for a home network with the owner's own certificate."""

    def __init__(self, files: OwnersFiles) -> None:
        super().__init__()
        self.files = files
        self.with_volume_mapping(files.folder, "/certificates", "ro")
        self.with_variables(
            MATRIX_TLS_MODE="files",
            MATRIX_TLS_CERTIFICATE_PATH="/certificates/fullchain.pem",
            MATRIX_TLS_KEY_PATH="/certificates/privkey.pem",
        )

    @property
    def ca_certificate(self) -> str:
        return self.files.root

    def is_ready(self) -> bool:
        return Appliance.is_ready(self)


@pytest.fixture
def files(tmp_path: Path) -> OwnersFiles:
    return OwnersFiles(tmp_path)


def test_owners_certificate_is_served_and_read_again_when_it_changes(
    boot: Boot, files: OwnersFiles
) -> None:
    appliance = FilesAppliance(files)
    boot(appliance)
    answer = appliance.matrix.get("/_matrix/client/versions")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    nginx = appliance.program("nginx").pid

    renewed = files.issue()
    until(lambda: appliance.matrix.fetch_certificate() == renewed, "the new one is served", 150)
    assert appliance.program("nginx").pid == nginx, "without a restart"

    appliance.expect(r"certificates", "a pair that does not fit is put there")
    files.issue(key_of_another=True)
    until(lambda: appliance.program("certificates").state == "exited", "the last look is over")
    appliance.supervisor("start", "appliance:certificates")  # as the agent does every minute
    until(lambda: "is not the key of" in appliance.logs(), "the owner is told", 150)
    assert appliance.matrix.fetch_certificate() == renewed, "the good one stays"


def test_server_that_does_not_hear_is_started_again(boot: Boot, files: OwnersFiles) -> None:
    appliance = FilesAppliance(files)
    appliance.expect(r"WARN (killing|stopped)", "it does not hear that either")
    boot(appliance.expect(r"no intermediate", "the authority of this test needs none"))
    nginx = appliance.program("nginx").pid
    appliance.run("kill", "-STOP", str(nginx))
    renewed = files.issue()
    appliance.supervisor("start", "appliance:certificates")
    until(lambda: serves(appliance, renewed), "the new one is served", 60)
    assert appliance.program("nginx").pid != nginx


def serves(appliance: LanAppliance, certificate: bytes) -> bool:
    try:
        return appliance.matrix.fetch_certificate() == certificate
    except OSError:
        return False


def test_pair_that_does_not_fit_is_refused_at_the_start(files: OwnersFiles) -> None:
    files.issue(key_of_another=True)
    ending = FilesAppliance(files).run_to_end()
    assert ending.status == 2
    assert "MATRIX_TLS_KEY_PATH: /certificates/privkey.pem: is not the key of" in ending.log
