"""The proxies between clients and the appliance: whom to believe about a client's address."""

from collections.abc import Iterator
from enum import StrEnum
from ipaddress import ip_network

from pydantic import BaseModel

from appliance.errors import Problem
from appliance.settings.tls import TlsMode
from appliance.settings.types import Network, TrustedProxies, variable

LOOPBACK_NETWORKS: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1"))
# Source: Cloudflare documentation, "Connection limits", of the plans Free and Pro.
CLOUDFLARE_BODY_BYTES = 100 * 1024**2


class FrontProxy(StrEnum):
    """The reverse proxies for which there is a ready configuration."""

    NGINX = "nginx"
    CADDY = "caddy"
    TRAEFIK = "traefik"
    APACHE = "apache"


class ProxySettings(BaseModel):
    """Variables about proxies in front."""

    trusted_proxies: TrustedProxies = variable(
        (),
        help="The proxies in front of the appliance: their addresses or ranges, and the word "
        "`cloudflare` for Cloudflare's published ranges. They alone are believed about where a "
        "request comes from (`X-Forwarded-For`; of Cloudflare `CF-Connecting-IP`), and with "
        "`MATRIX_TLS_MODE=proxy` they alone are answered.",
        default_text="this machine when `MATRIX_TLS_MODE=proxy`, else none",
    )

    @property
    def trusted_networks(self) -> tuple[Network, ...]:
        """Whose X-Forwarded-For is believed: what was named, Cloudflare aside."""
        named = tuple(one for one in self.trusted_proxies if not isinstance(one, str))
        return named or (LOOPBACK_NETWORKS if self.behind_proxy else ())

    @property
    def behind_proxy(self) -> bool:
        """Whether another proxy serves HTTPS for us."""
        return bool(vars(self)["tls_mode"] is TlsMode.PROXY)

    @property
    def behind_cloudflare(self) -> bool:
        """Whether clients come through Cloudflare's proxy."""
        return "cloudflare" in self.trusted_proxies

    def problems(self) -> Iterator[Problem]:
        """Yield a trust that would make every address worthless."""
        for network in self.trusted_networks:
            if network.prefixlen == 0:
                yield Problem(
                    "MATRIX_TRUSTED_PROXIES",
                    f"{network} is everybody: anyone could then claim any address; name the proxy",
                )

    def warnings(self) -> Iterator[Problem]:
        """Yield what works, but not as it reads."""
        size = vars(self)["max_upload_size"]
        if self.behind_cloudflare and size > CLOUDFLARE_BODY_BYTES:
            yield Problem(
                "MATRIX_MAX_UPLOAD_SIZE",
                f"is {size // 1024**2}M, but Cloudflare lets nothing above 100M through on its "
                "plans Free and Pro, and answers itself with an error that no client understands",
            )
