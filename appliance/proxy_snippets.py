"""Ready configurations of reverse proxies in front of the appliance, from its settings alone."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from appliance.render import render_template
from appliance.settings import Federation, FrontProxy, Settings

_TEMPLATES = {
    FrontProxy.NGINX: "proxy/nginx.conf.j2",
    FrontProxy.APACHE: "proxy/apache.conf.j2",
    FrontProxy.CADDY: "proxy/Caddyfile.j2",
    FrontProxy.TRAEFIK: "proxy/traefik.yaml.j2",
}
# As nginx here waits for Synapse: joining a large room takes minutes.
_TIMEOUT_SECONDS = 600
_MIB = 1024**2
# What Synapse takes that is no file; see templates/run/nginx/api.conf.j2.
_LARGEST_OTHER_BYTES = 12800 * 1024


@dataclass(frozen=True)
class Place:
    """Where things are on the proxy's machine."""

    upstream: str
    """Address and port at which the proxy reaches the appliance."""
    certificate: str
    key: str

    @classmethod
    def usual(cls, settings: Settings) -> "Place":
        """Return the proxy on the appliance's own machine, with certbot's certificate."""
        certificates = f"/etc/letsencrypt/live/{settings.domain}"
        return cls(
            f"127.0.0.1:{settings.http_port}",
            f"{certificates}/fullchain.pem",
            f"{certificates}/privkey.pem",
        )


def render_snippet(proxy: FrontProxy, settings: Settings, place: Place) -> str:
    """Return what to put into a proxy's configuration, as it is."""
    hosts = _hosts(settings)
    apex = settings.domain if settings.server_name == settings.domain else None
    federated = settings.federation is not Federation.OFF
    return render_template(
        _TEMPLATES[proxy],
        settings=settings,
        upstream=place.upstream,
        certificate=place.certificate,
        key=place.key,
        hosts=hosts,
        addresses=_addresses(settings, hosts, federated=federated),
        federation="needed only by those that cannot read well-known; drop it if it is in the way"
        if federated
        else "",
        apex=apex,
        port_suffix="" if settings.https_port == 443 else f":{settings.https_port}",
        body_bytes=max(settings.max_upload_size, _LARGEST_OTHER_BYTES) + _MIB,
        timeout_seconds=_TIMEOUT_SECONDS,
        rule=" || ".join(f"Host(`{host}`)" for host in hosts),
        apex_rule=f"Host(`{apex}`) && PathPrefix(`/.well-known/matrix/`)",
        entry_points=["websecure", "matrix-federation"] if federated else ["websecure"],
    )


def _hosts(settings: Settings) -> list[str]:
    """Return the names that the proxy answers for, that of the client API first."""
    told = urlsplit(settings.base_url).hostname or settings.matrix_host
    hosts = (told, settings.matrix_host, settings.chat_host, settings.synapse_host)
    return list(dict.fromkeys(hosts))


def _addresses(settings: Settings, hosts: list[str], *, federated: bool) -> list[str]:
    """Return the addresses of Caddy's site."""
    suffix = "" if settings.https_port == 443 else f":{settings.https_port}"
    names = [f"{host}{suffix}" for host in hosts]
    return [*names, f"{hosts[0]}:{settings.federation_port}"] if federated else names
