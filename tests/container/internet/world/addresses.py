"""The services that tell a client the address that it comes from."""

from world.http_server import Reply, Request

HOSTS = (
    "1.1.1.1",
    "one.one.one.one",
    "www.cloudflare.com",
    "cloudflare.com",
    "api.ipify.org",
    "api4.ipify.org",
    "ipv4.icanhazip.com",
    "icanhazip.com",
    "ifconfig.me",
)


def tell(request: Request) -> Reply:
    """Return the client's address, in the form of Cloudflare's trace where that is asked for."""
    if request.path == "/cdn-cgi/trace":
        lines = {"h": request.host, "ip": request.client, "http": "http/1.1", "tls": "TLSv1.3"}
        text = "".join(f"{name}={value}\n" for name, value in lines.items())
    else:
        text = f"{request.client}\n"
    return Reply(200, text.encode(), {"Content-Type": "text/plain"})
