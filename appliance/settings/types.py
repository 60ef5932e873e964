"""The value types of variables: how the text of each becomes a value, and what a bad one says.

Knows nothing of any single variable.
"""

import contextlib
import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticUndefined

from appliance.endpoint import Address as Address  # noqa: PLC0414 - for who imports it here
from appliance.endpoint import Endpoint

Network = IPv4Network | IPv6Network
AUTO: Literal["auto"] = "auto"
STUN_PORT = 3478


_WORDS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_DURATION_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_SIZE_BYTES = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_USER = re.compile(r"[a-z0-9._=/+-]+|@[a-z0-9._=/+-]+:[A-Za-z0-9.:\[\]-]+")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def parse_boolean(value: object) -> object:
    """Given `yes`, `true`, `on`, `no`, `false` or `off`, return the boolean."""
    if not isinstance(value, str):
        return value
    if (word := value.strip().lower()) in _WORDS:
        return _WORDS[word]
    raise ValueError(f"{value!r} is not one of: {', '.join(_WORDS)}")


def parse_duration(value: object) -> object:
    """Given a whole number with a unit (s, m, h, d, w, y), return seconds."""
    if not isinstance(value, str):
        return value
    if match := re.fullmatch(r"\s*(\d+)\s*([smhdwy])\s*", value):
        return int(match[1]) * _DURATION_SECONDS[match[2]]
    raise ValueError(
        f"{value!r} is not a duration: give a whole number and a unit, one of s, m, h, d, w, y "
        "(for example 90d)"
    )


def parse_size(value: object) -> object:
    """Given a whole number with a unit (K, M, G, T; powers of 1024), return bytes."""
    if not isinstance(value, str):
        return value
    if match := re.fullmatch(r"\s*(\d+)\s*([KMGT])(?:i?B)?\s*", value, re.IGNORECASE):
        return int(match[1]) * _SIZE_BYTES[match[2].upper()]
    raise ValueError(
        f"{value!r} is not a size: give a whole number and a unit, one of K, M, G, T "
        "(for example 100M)"
    )


def parse_host_name(value: object) -> object:
    """Given a DNS name, return it in lower case without a trailing dot."""
    if not isinstance(value, str):
        return value
    name = value.strip().lower().removesuffix(".")
    if match := re.match(r"[a-z][a-z0-9+.-]*://([^/:]*)", name):
        raise ValueError(f"{value!r} is an address, not a name: did you mean {match[1]}?")
    with contextlib.suppress(UnicodeError):  # the labels are judged below
        name = name.encode("idna").decode()
    if _is_address(name):
        raise ValueError(f"{value!r} is an IP address; certificates and clients need a name")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError(f"{value!r} is not a domain name (letters, digits, hyphens, dots)")
    return name


def parse_server_name(value: object) -> object:
    """Given a Matrix server name (a DNS name or address, perhaps with a port), return it.

    Source: Matrix specification, appendices, "Server name".
    """
    if not isinstance(value, str):
        return value
    name = value.strip().lower()
    host, _, port = name.partition(":")
    if port and not port.isdigit():
        raise ValueError(f"{value!r} is not a Matrix server name")
    parse_host_name(host)
    return name


def parse_key_servers(value: object) -> object:
    """Given Matrix server names separated by commas, or `none`, return them."""
    if not isinstance(value, str):
        return value
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    return () if names == ("none",) else tuple(map(parse_server_name, names))


def parse_url(value: object) -> object:
    """Given an http or https URL, return it without a trailing slash."""
    if not isinstance(value, str):
        return value
    url = value.strip().rstrip("/")
    if not re.fullmatch(r"https?://[a-z0-9.\[\]:-]+(/[^\s?#\"'<>\\]*)?", url, re.IGNORECASE):
        raise ValueError(f"{value!r} is not a URL (for example https://chat.example.org)")
    return url


def parse_acme_server(value: object) -> object:
    """Given `letsencrypt`, `staging` or the https URL of an ACME directory, return it."""
    if not isinstance(value, str) or value in ("letsencrypt", "staging"):
        return value
    if not re.fullmatch(r"https://[a-z0-9.\[\]:-]+/[^\s#\"'<>\\]+", value, re.IGNORECASE):
        raise ValueError(
            f"{value!r} is not one of: letsencrypt, staging; nor the URL of a directory (for "
            "example https://ca.home.lan/acme/directory)"
        )
    return value


def parse_email_address(value: object) -> object:
    """Given an address of electronic mail, return it."""
    if isinstance(value, str) and not re.fullmatch(r"[^\s@,\"'<>]+@[^\s@,\"'<>]+\.[^\s@,]+", value):
        raise ValueError(f"{value!r} is not an e-mail address")
    return value


def _parse_certificate_name(text: str) -> str:
    """Given a DNS name that may begin with `*.`, return it as it is in certificates."""
    wildcard = "*." if text.startswith("*.") else ""
    return f"{wildcard}{parse_host_name(text.removeprefix('*.'))}"


def parse_absolute_path(value: object) -> object:
    """Given an absolute path, return it."""
    if isinstance(value, str) and not value.startswith("/"):
        raise ValueError(f"{value!r} is not an absolute path")
    return value


def parse_public_ip(value: object) -> object:
    """Given `auto`, `none` or addresses separated by commas, return `auto` or the addresses."""
    if not isinstance(value, str):
        return value
    words = [word.strip() for word in value.lower().split(",") if word.strip()]
    if words in ([AUTO], ["none"]):
        return AUTO if words == [AUTO] else ()
    if {AUTO, "none"} & set(words):
        raise ValueError(f"{value!r} mixes a word and addresses: give `auto`, `none` or addresses")
    return tuple(_parse_address(word) for word in words)


def parse_endpoint(text: str) -> Endpoint:
    """Given `HOST`, `HOST:PORT` or `[IPV6]:PORT`, return both; without a port that of STUN."""
    match = re.fullmatch(r"(\[[^\]]+\]|[^:\[\]]+)(?::(\d{1,5}))?", text)
    if _is_address(text):
        return Endpoint(text.strip("[]"), STUN_PORT)
    if not match or not 1 <= int(match[2] or STUN_PORT) <= 65535:
        raise ValueError(f"{text!r} is not HOST or HOST:PORT (for example stun.example.org:3478)")
    host = match[1].strip("[]")
    if not _is_address(host):
        host = str(parse_host_name(host))
    return Endpoint(host, int(match[2] or STUN_PORT))


def parse_user_name(value: object) -> object:
    """Given a user's name or whole user ID, return it.

    Source: Matrix specification, appendices, "User Identifiers".
    """
    if isinstance(value, str) and not _USER.fullmatch(value):
        raise ValueError(f"{value!r} is neither a user's name nor a user ID (@alice:example.org)")
    return value


def _is_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _parse_address(text: str) -> Address:
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address") from None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        plain = address.ipv4_mapped
        raise ValueError(f"{text!r} is an IPv4 address in another form: write {plain}")
    return address


def _parse_network(text: str) -> Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ValueError(
            f"{text!r} is not an address or a range (for example 192.168.0.0/16)"
        ) from None


def _parse_proxy(text: str) -> Network | str:
    if text.lower() == "cloudflare":
        return "cloudflare"
    try:
        return _parse_network(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither an address or a range (for example 172.18.0.0/16) nor the word "
            "cloudflare"
        ) from None


def _list_of(parse: Callable[[str], Any]) -> BeforeValidator:
    def parse_list(value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(parse(item.strip()) for item in value.split(",") if item.strip())

    return BeforeValidator(parse_list, json_schema_input_type=str)


Boolean = Annotated[bool, BeforeValidator(parse_boolean)]
Duration = Annotated[int, BeforeValidator(parse_duration)]
Size = Annotated[int, BeforeValidator(parse_size)]
HostName = Annotated[str, BeforeValidator(parse_host_name)]
ServerName = Annotated[str, BeforeValidator(parse_server_name)]
Url = Annotated[str, BeforeValidator(parse_url)]
AbsolutePath = Annotated[str, BeforeValidator(parse_absolute_path)]
Port = Annotated[int, Field(ge=1, le=65535)]
Addresses = Annotated[tuple[Address, ...], _list_of(_parse_address)]
Networks = Annotated[tuple[Network, ...], _list_of(_parse_network)]
Endpoints = Annotated[tuple[Endpoint, ...], _list_of(parse_endpoint)]
PublicIp = Annotated[Literal["auto"] | tuple[Address, ...], BeforeValidator(parse_public_ip)]
TrustedProxies = Annotated[tuple[Network | Literal["cloudflare"], ...], _list_of(_parse_proxy)]
ServerNames = Annotated[tuple[str, ...], _list_of(parse_server_name)]
KeyServers = Annotated[tuple[str, ...], BeforeValidator(parse_key_servers)]
CertificateNames = Annotated[tuple[str, ...], _list_of(_parse_certificate_name)]
AcmeServer = Annotated[str, BeforeValidator(parse_acme_server)]
EmailAddress = Annotated[str, BeforeValidator(parse_email_address)]
UserNames = Annotated[tuple[str, ...], _list_of(parse_user_name)]

KINDS: dict[object, str] = {
    Boolean: "yes or no",
    Duration: "duration (30s, 12h, 90d)",
    Size: "size (512K, 100M, 2G)",
    HostName: "domain name",
    ServerName: "Matrix server name",
    Url: "URL",
    AbsolutePath: "absolute path",
    Port: "port",
    Addresses: "IP addresses, separated by commas",
    Networks: "IP addresses or ranges, separated by commas",
    Endpoints: "servers (`HOST:PORT`), separated by commas",
    PublicIp: "`auto` or `none` or IP addresses, separated by commas",
    TrustedProxies: "IP addresses, ranges or `cloudflare`, separated by commas",
    ServerNames: "Matrix server names, separated by commas",
    KeyServers: "Matrix server names, separated by commas, or `none`",
    CertificateNames: "domain names, perhaps with `*.`, separated by commas",
    AcmeServer: "`letsencrypt` or `staging` or URL",
    EmailAddress: "e-mail address",
    UserNames: "names of users or user IDs, separated by commas",
    str: "text",
    int: "number",
}


def variable(
    default: Any = PydanticUndefined,
    *,
    help: str,  # noqa: A002 - the word of the field
    derived: Callable[[dict[str, Any]], Any] | None = None,
    default_text: str | None = None,
    secret: bool = False,
    **constraints: Any,
) -> Any:
    """Declare a variable: the field's name in upper case after `MATRIX_`.

    `derived` makes the default from the variables declared before it; `default_text` is how the
    documentation words that default. A `secret` is never printed.
    """
    extra: dict[str, Any] = {"default_text": default_text, "secret": secret}
    if derived is not None:
        return Field(
            default_factory=derived, description=help, json_schema_extra=extra, **constraints
        )
    return Field(default, description=help, json_schema_extra=extra, **constraints)
