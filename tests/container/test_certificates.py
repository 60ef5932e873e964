"""Certificates by ACME, as an owner with a domain at Cloudflare lives through them.

One appliance with one volume: what comes first is its first minute, then years pass. It goes by a
clock of its own, since nobody can wait for these.
"""

import hashlib
import os
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import docker
import pytest
from cryptography import x509

from .appliances import Appliance, until
from .http_client import Account
from .internet import CLOUDFLARE, LETS_ENCRYPT, Internet
from .internet.appliance import InternetAppliance
from .internet.clock import Clock
from .volumes import Volume

SERVERS = ("nginx", "postgres", "synapse")


@dataclass(frozen=True)
class Look:
    """How an appliance looks from outside and inside at one moment."""

    issuer: str
    serial: int
    strict_transport: str | None
    processes: dict[str, int | None]


def look(appliance: InternetAppliance) -> Look:
    certificate = appliance.certificate()
    answer = appliance.whoever_it_is.get("/_matrix/client/versions")
    return Look(
        issuer=certificate.issuer.rfc4514_string(),
        serial=certificate.serial_number,
        strict_transport=answer.headers.get("Strict-Transport-Security"),
        processes={name: appliance.program(name).pid for name in SERVERS},
    )


class Home:
    """The appliance of this module, which starts anew now and then on the same volume."""

    def __init__(
        self, internet: Internet, data: Volume, clock: Clock, shared: list[Appliance]
    ) -> None:
        self.internet, self.clock = internet, clock
        self.domain = internet.new_domain()
        self.data, self._shared = data, shared
        self.appliance = self._make()
        self.first: x509.Certificate | None = None
        """The certificate that came at the first boot."""

    def start(self, **variables: str) -> InternetAppliance:
        """Start it with other variables, or again with the same; what ran before is judged."""
        self.stop()
        self.appliance = self._make()
        self.appliance.with_variables(**variables)
        self.appliance.expect(r"laststart time is in the future", "the clock was put back")
        try:
            self.appliance.start()
        except BaseException:
            self.appliance.stop()
            raise
        self._shared.append(self.appliance)
        return self.appliance

    def stop(self) -> None:
        """Stop it as the owner does."""
        if self.appliance in self._shared:
            assert self.appliance.shut_down() == 0
            self.remove()

    def remove(self) -> None:
        """Remove it and judge what it said."""
        if self.appliance in self._shared:
            self._shared.remove(self.appliance)
            said = self.appliance.unexpected_lines()
            self.appliance.stop()
            assert said == []

    def orders(self) -> int:
        """Return how many certificates were ordered at the authority that everybody takes."""
        return len(self.internet.lets_encrypt.calls("newOrder"))

    def asked(self) -> int:
        """Return how many were asked for there, given or not."""
        return len(self.internet.calls(LETS_ENCRYPT, "POST /order-plz"))

    def _make(self) -> InternetAppliance:
        appliance = InternetAppliance(self.internet, self.domain, data=self.data)
        appliance.expect(r"the certificate expire[sd] on", "its clock jumps over the renewal")
        self.clock.give_to(appliance)
        return appliance


@pytest.fixture(scope="module")
def home(
    docker_client: docker.DockerClient,
    internet: Internet,
    tmp_path_factory: pytest.TempPathFactory,
    shared: list[Appliance],
) -> Iterator[Home]:
    data = Volume(docker_client)
    clock = Clock(internet, tmp_path_factory.mktemp("clock"))
    made = Home(internet, data, clock, shared)
    yield made
    try:
        made.remove()
    finally:
        data.remove()


def test_placeholder_gives_way_to_the_real_one_without_a_restart(home: Home) -> None:
    with home.internet.lets_encrypt.hold("newOrder"):
        appliance = home.start()
        before = look(appliance)
        assert "placeholder" in before.issuer
        assert before.strict_transport is None, "nobody is told to insist on a placeholder"
        assert appliance.is_healthy()
    home.first = certificate = appliance.wait_for_certificate()
    after = look(appliance)
    assert after.processes == before.processes
    assert after.strict_transport == "max-age=31536000", "without includeSubDomains"
    assert names_of(certificate) == {home.domain.name, f"*.{home.domain.name}"}
    assert appliance.certificate(appliance.federation_port) == certificate
    assert home.domain.records("TXT") == []
    for name in ("matrix", "chat", "synapse"):
        assert appliance.site(name).fetch_certificate(), "good for every host"
    assert "good until" in appliance.run("appliance", "status")


def names_of(certificate: x509.Certificate) -> set[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return set(names.value.get_values_for_type(x509.DNSName))


def test_restart_orders_nothing_and_never_shows_a_placeholder(home: Home) -> None:
    serial, orders = home.appliance.certificate().serial_number, home.orders()
    seen: set[int] = set()
    home.stop()
    appliance = home.start()
    seen.add(appliance.certificate().serial_number)
    look_after(appliance)
    assert {*seen, appliance.certificate().serial_number} == {serial}
    assert home.orders() == orders


def told(appliance: InternetAppliance) -> str:
    """Return what the owner is shown, good or not."""
    return appliance.run("sh", "-c", "appliance certificate show || true")


def look_after(appliance: InternetAppliance) -> None:
    """Do now what the agent does every minute."""
    appliance.supervisor("start", "appliance:certificates")
    until(lambda: appliance.program("certificates").state == "exited", "it is done", 120)


def test_authority_of_ones_own_wants_an_account_and_issues_for_an_hour(home: Home) -> None:
    key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    authority = home.internet.authority(
        "own.ca.test", validity_seconds=3600, external_accounts={"kid-1": key}
    )
    appliance = home.start(MATRIX_ACME_SERVER=authority.directory)
    appliance.expect("MATRIX_ACME_EAB_KID", "the owner is told")
    until(lambda: "give MATRIX_ACME_EAB_KID and MATRIX_ACME_EAB_HMAC" in told(appliance), "told")
    appliance = home.start(
        MATRIX_ACME_SERVER=authority.directory,
        MATRIX_ACME_EAB_KID="kid-1",
        MATRIX_ACME_EAB_HMAC_KEY=key,
    )
    appliance.authority = authority
    first = appliance.wait_for_certificate()
    with authority.fail("renewalInfo", status=404):  # it does not say when to renew
        home.clock.pass_by(hours=0.2)
        look_after(appliance)
        assert appliance.certificate() == first, "it is good for most of the hour yet"
        home.clock.pass_by(hours=0.6)
        look_after(appliance)
        assert appliance.certificate() != first
    for name, secret in {"the token": home.domain.token, "the account's key": key}.items():
        assert_kept_secret(appliance, secret, name)


def assert_kept_secret(appliance: InternetAppliance, secret: str, name: str) -> None:
    """Fail if a secret can be found by who has no right to it."""
    assert secret not in appliance.logs(), f"{name} is in the log"
    readable = appliance.run(
        *("sh", "-c", 'grep -rlsF -e "$0" /run /data /tmp /var /etc | xargs -r stat -c "%n %A"'),
        secret,
    )
    everybody = [line for line in readable.splitlines() if line[-3] == "r"]
    assert everybody == [], f"{name} can be read by everybody"
    seen = appliance.look_at_processes(
        "for one in /proc/[0-9]*; do tr '\\0' ' ' < $one/cmdline; echo; done"
    )
    assert secret not in seen, f"{name} is an argument"


def test_staging_is_tried_and_left_again_without_an_order(home: Home) -> None:
    orders, staging = home.orders(), home.internet.staging
    appliance = home.start(MATRIX_ACME_SERVER="staging")
    appliance.authority = staging
    appliance.wait_for_certificate()
    assert home.orders() == orders
    assert home.start().certificate() == home.first
    assert home.orders() == orders


def test_renewal_that_the_authority_asks_for_leaves_a_download_alone(home: Home) -> None:
    appliance = home.appliance
    before = look(appliance)
    home.clock.pass_by(hours=15)  # then it asks again whether to renew
    alice = appliance.make_account("alice")
    content = os.urandom(20_000_000)
    uri = alice.upload(content).json()["content_uri"]
    with home.internet.lets_encrypt.suggest_renewal(), Download(appliance, alice, uri) as download:
        download.read(100_000)
        look_after(appliance)
        after = look(appliance)
        assert after.serial != before.serial
        assert download.serial == before.serial, "it goes on as it began"
        assert after.processes == before.processes
        received = download.read()
    assert hashlib.sha256(received).digest() == hashlib.sha256(content).digest()
    assert appliance.has_certificate()


class Download:
    """A download of somebody slow, over TLS, on a connection of its own."""

    def __init__(self, appliance: InternetAppliance, account: Account, uri: str) -> None:
        context = ssl.create_default_context(cadata=appliance.ca_certificate)
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # so that much is left there
        plain.connect(("127.0.0.1", appliance.https_port))
        self._connection = context.wrap_socket(plain, server_hostname=appliance.matrix.host)
        self._connection.settimeout(60)
        certificate = self._connection.getpeercert(binary_form=True)
        assert certificate
        self.serial = x509.load_der_x509_certificate(certificate).serial_number
        path = f"/_matrix/client/v1/media/download/{uri.removeprefix('mxc://')}"
        lines = (
            f"GET {path} HTTP/1.1",
            f"Host: {appliance.matrix.host}",
            f"Authorization: {account.authorization['Authorization']}",
            "Connection: close",
        )
        self._connection.sendall("\r\n".join((*lines, "", "")).encode())
        self._stream = self._connection.makefile("rb")
        status = self._stream.readline()
        assert b" 200 " in status, status
        self._left = 0
        while (line := self._stream.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                self._left = int(line.partition(b":")[2])
        assert self._left
        self._received = b""

    def read(self, size: int | None = None) -> bytes:
        """Read some more, or all the rest; return all that was received so far."""
        part = self._stream.read(self._left if size is None else size)
        self._left -= len(part)
        self._received += part
        return self._received

    def __enter__(self) -> "Download":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._connection.close()


def test_rate_limit_is_told_and_respected(home: Home) -> None:
    appliance, authority = home.appliance, home.internet.lets_encrypt
    serial = appliance.certificate().serial_number
    appliance.expect(r"asked too often", "which the owner is told")
    wait = {"Retry-After": str(2 * 3600)}
    with (
        authority.suggest_renewal(),
        authority.refuse(
            "newOrder", 429, "rateLimited", "too many certificates already issued", headers=wait
        ),
    ):
        home.clock.pass_by(hours=15)
        look_after(appliance)
        asked = home.asked()
        assert re.search(
            r"letsencrypt was asked too often for now \(too many certificates already issued\): "
            r"nothing to do but wait; it is asked again after \d\d \w+ \d{4}, \d\d:\d\d UTC",
            told(appliance),
        )
        for hours in (0.1, 0.9, 0.9):
            home.clock.pass_by(hours=hours)
            look_after(appliance)
        assert home.asked() == asked, "it is left in peace"
    assert appliance.certificate().serial_number == serial
    with authority.suggest_renewal():
        home.clock.pass_by(hours=6)  # by then it may be asked whether to renew, too
        look_after(appliance)
    assert appliance.certificate().serial_number != serial
    assert "problem" not in told(appliance)


def test_account_that_the_authority_has_forgotten_is_made_anew(home: Home) -> None:
    appliance = home.appliance
    home.internet.lets_encrypt.forget()
    assert not appliance.has_certificate(), "it has another root now"
    made = len(home.internet.lets_encrypt.calls("newAccount"))
    assert "a new certificate is served" in appliance.run("appliance", "certificate", "renew")
    assert len(home.internet.lets_encrypt.calls("newAccount")) == made + 1
    assert appliance.has_certificate()


def test_damaged_key_is_replaced(home: Home) -> None:
    home.stop()
    live = f"/data/certificates/acme/letsencrypt/live/{home.domain.name}"
    home.data.run(f"test -s {live}/privkey.pem && echo nonsense > {live}/privkey.pem")
    orders = home.orders()
    appliance = home.start()
    appliance.expect(r"PEM", "the owner is told")
    appliance.wait_for_certificate()
    assert home.orders() == orders + 1


def test_machine_that_was_off_for_months_starts_on_the_old_one_and_renews_it(home: Home) -> None:
    before, orders = home.appliance.certificate(), home.orders()
    home.stop()
    home.clock.pass_by(hours=100 * 24)
    appliance = home.start()
    renewed = until(lambda: another(appliance, before), "it is renewed")
    assert home.orders() == orders + 1
    assert renewed.not_valid_before_utc > before.not_valid_before_utc


def another(appliance: InternetAppliance, than: x509.Certificate) -> x509.Certificate | None:
    served = appliance.certificate()
    return served if served.serial_number != than.serial_number else None


def test_stop_while_the_proof_is_published_takes_it_away(home: Home) -> None:
    home.stop()
    home.data.run("rm -rf /data/certificates")
    home.clock.set(days=0)
    appliance = home.start(MATRIX_ACME_PROPAGATION="60s")
    until(lambda: home.domain.records("TXT"), "the proof is published")
    assert appliance.shut_down() == 0
    assert home.domain.records("TXT") == []


def test_stop_during_a_question_to_cloudflare_takes_the_proof_away_too(home: Home) -> None:
    home.stop()
    home.data.run("rm -rf /data/certificates")
    # Its library takes what certbot makes of a signal for a fault of the network, and asks again.
    with home.internet.fail(CLOUDFLARE, r"GET \S+/dns_records\?.*TXT", delay_seconds=2, times=1):
        appliance = home.start(MATRIX_ACME_PROPAGATION="60s", MATRIX_CLOUDFLARE_DNS="off")
        until(lambda: home.domain.records("TXT"), "the first proof is published")
        assert appliance.shut_down() == 0
    assert home.domain.records("TXT") == []


def test_clock_that_is_wrong_is_told_and_all_is_well_when_it_is_right(home: Home) -> None:
    home.remove()
    home.data.run("rm -rf /data/certificates")
    home.clock.set(days=-400)
    appliance = home.start()
    appliance.expect(r"set the clock", "the owner is told")
    appliance.expect(r"has seen no update for more than", "Synapse's tasks wonder where time went")
    until(lambda: "by this machine's clock, which says" in told(appliance), "it is told")
    assert appliance.is_healthy()
    home.clock.set(days=0)
    look_after(appliance)
    assert appliance.has_certificate()
