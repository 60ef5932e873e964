"""What forbids a start: everything is told at once, nothing is started, and no data is touched."""

import json
import socket
from dataclasses import dataclass

import pytest

from appliance import settings
from appliance.errors import ConfigurationError
from appliance.settings import Settings, variable_name

from .appliances import Appliance, Ending, until
from .conftest import Boot
from .http_client import Account, RefusedError
from .volumes import Volume

SHORT_SECRET = "hunter2hunter2"


@dataclass(frozen=True)
class Bad:
    """A value that a variable must refuse, and a piece of what the owner is told."""

    value: str
    told: str


# Every variable, with a value that it must refuse. A new variable without an entry fails.
BAD_VALUES: dict[str, Bad | str] = {
    "domain": Bad("https://example.org", "did you mean example.org?"),
    "server_name": Bad("not a name", "is not a domain name"),
    "listen": Bad("localhost", "'localhost' is not an IP address"),
    "http_port": Bad("80a", "'80a' is not a whole number"),
    "https_port": Bad("70000", "at most 65535"),
    "federation_port": Bad("0", "at least 1"),
    "synapse_port": Bad("-1", "at least 1"),
    "public_ip": Bad("auto, none", "give `auto`, `none` or addresses"),
    "public_ip_interval": Bad("1s", "too small: at least 10"),
    "stun_servers": Bad("stun:stun.example.org:3478", "is not HOST or HOST:PORT"),
    "trusted_proxies": Bad("nginx", "is neither an address or a range"),
    "admin_api_ranges": Bad("10.0.0.0/33", "is not an address or a range"),
    "tls_mode": Bad("letsencrypt", "is not one of: acme, files, self-signed, proxy, off"),
    "tls_certificate_path": Bad("fullchain.pem", "is not an absolute path"),
    "tls_key_path": Bad("privkey.pem", "is not an absolute path"),
    "acme_email": Bad("somebody", "is not an e-mail address"),
    "acme_server": Bad("http://ca.home.lan", "nor the URL of a directory"),
    "acme_challenge": Bad("dns", "is not one of: dns-cloudflare, http, dns-multi"),
    "acme_dns_provider": "judged where MATRIX_ACME_CHALLENGE=dns-multi: test_dns_provider.py",
    "acme_dns_credentials": "judged with the provider: test_dns_provider.py",
    "acme_names": Bad("*.*.example.org", "is not a domain name"),
    "acme_key_type": Bad("ed25519", "is not one of: ecdsa, rsa"),
    "acme_propagation": Bad("10", "is not a duration"),
    "acme_eab_kid": "any text is an identifier",
    "acme_eab_hmac_key": "any text is a secret",
    "acme_ca_bundle": Bad("roots.pem", "is not an absolute path"),
    "cloudflare_api_token": "any text is a token until Cloudflare is asked",
    "cloudflare_api_url": Bad("api.cloudflare.com", "is not a URL"),
    "cloudflare_dns": Bad("yes", "is not one of: create, manage, off"),
    "cloudflare_dns_apex": Bad("1", "is not one of: yes"),
    "cloudflare_dns_proxied": Bad("all", "is not one of: yes"),
    "public_base_url": Bad("matrix.example.org", "is not a URL"),
    "registration": Bad("maybe", "is not one of: closed, token, open"),
    "registration_shared_secret": Bad(SHORT_SECRET, "too short: at least 16"),
    "rate_limits": Bad("1", "is not one of: yes, true, on, no, false, off"),
    "federation": Bad("yes", "is not one of: on, off, allowlist"),
    "federation_allowlist": Bad("https://matrix.org", "is not a Matrix server name"),
    "denied_ranges": Bad("nowhere", "is not an address or a range"),
    "trusted_key_servers": Bad("matrix.org:port", "is not a Matrix server name"),
    "retention": Bad("forever", "is not one of: yes"),
    "retention_default": Bad("90", "is not a duration"),
    "max_upload_size": Bad("10K", "too small: at least 1M"),
    "url_previews": Bad("0", "is not one of: yes"),
    "room_list_publication": Bad("2", "is not one of: yes"),
    "user_directory_search_all": Bad("all", "is not one of: yes"),
    "admin_invite": Bad("once", "is not one of: yes"),
    "rules": "any text is a rule",
    "log_level": Bad("verbose", "is not one of: debug, info, warning, error"),
    "element": Bad("maybe", "is not one of: yes"),
    "web_client_location": Bad("chat", "is not a URL"),
    "brand": "any text is a name",
    "default_country_code": Bad("Germany", "is not two capital letters"),
    "bridges": Bad("whatsap", "'whatsap' is not one of: whatsapp, telegram"),
    "bridge_admins": Bad("Alice", "is neither a user's name nor a user ID"),
    "bridge_port": Bad("65535", "too large: at most 65486"),
    "telegram_api_id": Bad("abc", "'abc' is not a whole number"),
    "telegram_api_hash": Bad("not-hexadecimal", "is not valid"),
    "calls": Bad("maybe", "is not one of: yes"),
    "livekit_port": Bad("7880/tcp", "is not a whole number"),
    "livekit_tcp_port": Bad("65536", "at most 65535"),
    "livekit_udp_port": Bad("0", "at least 1"),
    "turn": Bad("maybe", "is not one of: yes"),
    "turn_port": Bad("turn", "is not a whole number"),
    "turn_tls_port": Bad("0", "at least 1"),
    "turn_relay_first_port": Bad("65536", "at most 65535"),
    "turn_relay_last_port": Bad("-1", "at least 1"),
    "turn_user_quota": Bad("0", "at least 1"),
    "turn_total_quota": Bad("many", "is not a whole number"),
    "turn_credentials_lifetime": Bad("1", "is not a duration"),
    "turn_patience": Bad("later", "is not a duration"),
    "turn_allowed_peers": Bad("lan", "is not an address or a range"),
    "postgres_memory": Bad("1.5G", "is not a size"),
    "postgres_url": Bad(f"mysql://owner:{SHORT_SECRET}@db", "is not a URL of Postgres"),
    "postgres_ca_bundle": Bad("roots.pem", "is not an absolute path"),
}
REFUSED = {name: bad for name, bad in BAD_VALUES.items() if isinstance(bad, Bad)}


def refuse(appliance: Appliance) -> Ending:
    """Start an appliance that must not start."""
    ending = appliance.run_to_end()
    assert ending.status == 2, ending.log
    assert ending.log.startswith("appliance: not started, because of:")
    assert "Traceback" not in ending.log
    return ending


def files_of(volume: Volume) -> str:
    """Return what is in a volume, with the hash of each file."""
    return volume.run(
        "find /data -mindepth 1 | sort; find /data -type f -exec sha256sum {} + | sort"
    )


def test_every_variable_is_in_the_table() -> None:
    assert set(BAD_VALUES) == set(Settings.model_fields)


@pytest.mark.parametrize("name", REFUSED)
def test_each_bad_value_is_enough(name: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        settings.load({variable_name(name): REFUSED[name].value})
    own = [one for one in refused.value.problems if one.subject == variable_name(name)]
    assert REFUSED[name].told in str(own[0])


def test_all_bad_values_are_told_at_once_and_nothing_is_made(volume: Volume) -> None:
    appliance = Appliance(data=volume)
    appliance.env.clear()
    variables = {variable_name(name): bad.value for name, bad in REFUSED.items()}
    ending = refuse(appliance.with_variables(**variables))
    told = [line.removeprefix("appliance: ") for line in ending.log.splitlines()[1:]]
    assert told == sorted(told)
    for name, bad in REFUSED.items():
        own = [line for line in told if line.startswith(f"{variable_name(name)}: ")]
        assert len(own) == 1, f"{name}: {own}"
        assert bad.told in own[0]
    assert SHORT_SECRET not in ending.log
    assert files_of(volume) == ""


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"MATRIX_REGISTRATON": "open"}, "did you mean MATRIX_REGISTRATION?"),
        (
            {"MATRIX_DOMAIN": "matrix.example.org", "MATRIX_TLS_MODE": "off"},
            "MATRIX_DOMAIN=example.org",
        ),
        (
            {"MATRIX_REGISTRATION_SHARED_SECRET_FILE": "/run/secrets/no"},
            "cannot read /run/secrets/no",
        ),
        (
            {"MATRIX_DOMAIN": "example.org"},
            "MATRIX_CLOUDFLARE_API_TOKEN: is required when MATRIX_TLS_MODE=acme",
        ),
        ({"MATRIX_DOMAIN": "home.lan"}, "set MATRIX_TLS_MODE=self-signed"),
        ({"MATRIX_SYNAPSE_PORT": "80", "MATRIX_HTTP_PORT": "80"}, "is also the port of"),
    ],
)
def test_mistakes_of_every_day_are_told_with_the_remedy(
    variables: dict[str, str], told: str
) -> None:
    assert told in refuse(Appliance().with_variables(**variables)).log


def test_server_name_cannot_change_after_the_first_boot(volume: Volume) -> None:
    with Appliance(data=volume) as first:
        first.shut_down()
    before = files_of(volume)
    changed = Appliance(data=volume).with_variables(MATRIX_SERVER_NAME="localhost")
    ending = refuse(changed)
    assert "MATRIX_SERVER_NAME: is localhost now" in ending.log
    assert "this data belongs to matrix.localhost" in ending.log
    assert files_of(volume) == before


def test_older_image_refuses_newer_data(volume: Volume) -> None:
    identity = {"server_name": "matrix.localhost", "layout": 999, "image": "99.0.0"}
    volume.run(f"echo '{json.dumps(identity)}' > /data/appliance.json")
    before = files_of(volume)
    assert "was written by the newer image 99.0.0" in refuse(Appliance(data=volume)).log
    assert files_of(volume) == before


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("echo '{' > /data/appliance.json", "/data/appliance.json: is damaged"),
        ("rm /data/credentials/synapse_signing_key", "restore it from a backup"),
        ("mv /data/postgres/17 /data/postgres/16", "holds a cluster of Postgres 16"),
    ],
)
def test_damaged_data_is_not_made_anew(volume: Volume, damage: str, told: str) -> None:
    with Appliance(data=volume) as first:
        first.shut_down()
    volume.run(damage)
    before = files_of(volume)
    assert told in refuse(Appliance(data=volume)).log
    assert files_of(volume) == before


def test_data_of_another_owner_is_given_back(boot: Boot, volume: Volume) -> None:
    first = boot(Appliance(data=volume))
    alice = Account.register(first.matrix, "alice")
    picture = alice.upload(b"a picture").json()["content_uri"]
    room = alice.create_room()
    sent = alice.send(room, "before")
    assert first.shut_down() == 0
    volume.run("chown -R 12345:12345 /data")  # as a backup comes back that was unpacked by hand
    second = boot(Appliance(data=volume))
    alice = Account.log_in(second.matrix, "alice")
    assert alice.read(room)[sent] == "before"
    assert alice.download(picture).body == b"a picture"
    assert alice.upload(b"another").status == 200


def test_read_only_data_is_refused(volume: Volume) -> None:
    appliance = Appliance()
    appliance.with_volume_mapping(volume.name, "/data", "ro")
    assert "/data: is read-only" in refuse(appliance).log


def test_port_already_taken_is_refused(volume: Volume) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        appliance = Appliance(data=volume).on_host_network()
        ending = refuse(appliance.with_variables(MATRIX_HTTP_PORT=str(port)))
    assert f"MATRIX_HTTP_PORT: port {port} is already taken at 127.0.0.1" in ending.log
    assert files_of(volume) == ""


@pytest.mark.parametrize("size", ["4k", "16k", "8m"])
def test_disk_full_at_the_first_boot_ends_with_a_clear_word(size: str) -> None:
    appliance = Appliance()
    ending = appliance.with_tmpfs_mount("/data", f"size={size}").run_to_end()
    assert ending.status == 1
    assert "No space left on device" in ending.log
    assert "Traceback" not in ending.log
    assert ending.last_line.startswith("appliance: ")


def test_disk_full_later_loses_nothing_and_heals(boot: Boot) -> None:
    appliance = Appliance().with_tmpfs_mount("/data", "size=192m")
    boot(appliance.expect(r".", "its disk is full"))
    alice = Account.register(appliance.matrix)
    room = alice.create_room()
    acknowledged = {alice.send(room, "before"): "before"}
    appliance.run("sh", "-c", "cat /dev/zero > /data/filler 2>/dev/null || true")

    def is_refused() -> bool:
        number = str(len(acknowledged))
        sent = alice.try_to_send(room, f"{number} {'x' * 30000}", number)
        if sent:
            acknowledged[sent] = f"{number} {'x' * 30000}"
        return sent is None

    until(is_refused, "a message is refused")
    with pytest.raises(RefusedError):
        alice.ask("POST", "/v3/createRoom", {})
    appliance.run("rm", "/data/filler")
    after = until(lambda: alice.try_to_send(room, "after", "after"), "messages are taken again")
    assert {**acknowledged, after: "after"}.items() <= alice.read(room).items()


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        (
            "synapse/own.yaml",
            "max_upload_size: 5M",
            "own.yaml: max_upload_size belongs to the appliance: set MATRIX_MAX_UPLOAD_SIZE",
        ),
        (
            "synapse/own.yaml",
            "retention: {enabled: false}",
            "retention.enabled belongs to the appliance: set MATRIX_RETENTION",
        ),
        ("synapse/own.yaml", "a: [", "own.yaml: cannot be read"),
        ("nginx/matrix.conf", "proxy_pas http://x;", "nginx refuses it: unknown directive"),
    ],
)
def test_owners_file_that_clashes_is_refused(
    volume: Volume, file: str, content: str, told: str
) -> None:
    appliance = Appliance(data=volume)
    appliance.with_copy_into_container(content.encode(), f"/data/custom/{file}")
    assert told in refuse(appliance).log
    assert files_of(volume).splitlines()[0] == "/data/custom"
    assert "/data/credentials" not in files_of(volume)


def test_owners_yaml_is_what_the_server_does(boot: Boot) -> None:
    appliance = Appliance().with_copy_into_container(
        b"password_config: {policy: {enabled: true, minimum_length: 60}}",
        "/data/custom/synapse/own.yaml",
    )
    boot(appliance)
    with pytest.raises(RefusedError) as refused:
        Account.register(appliance.matrix)
    assert refused.value.code == "M_PASSWORD_TOO_SHORT"
