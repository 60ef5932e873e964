"""The reverse index of `docs/environment.md`: what somebody wants to do, and the variables for it.

Words only; what each variable is stands in its declaration.
"""

TASKS: dict[str, tuple[str, ...]] = {
    "Try it on this machine": (),
    "Give it a domain, on the internet": (
        *("domain", "acme_email", "cloudflare_api_token"),
        "public_ip",
    ),
    "Have user IDs end with the domain itself": ("server_name", "cloudflare_dns_apex"),
    "Run it in a home network": ("domain", "tls_mode", "listen"),
    "Prove the names without Cloudflare": (
        *("acme_challenge", "acme_dns_provider", "acme_dns_credentials"),
        "acme_propagation",
    ),
    "Use a certificate of your own": ("tls_mode", "tls_certificate_path", "tls_key_path"),
    "Use another certificate authority": (
        *("acme_server", "acme_ca_bundle", "acme_eab_kid", "acme_eab_hmac_key"),
    ),
    "Put it behind another web server or a tunnel": (
        *("tls_mode", "trusted_proxies", "http_port", "public_base_url"),
    ),
    "Put it behind Cloudflare's proxy": ("cloudflare_dns_proxied", "trusted_proxies"),
    "Follow a home address that changes": (
        *("cloudflare_dns", "public_ip", "public_ip_interval", "stun_servers"),
    ),
    "Say who may have an account": ("registration", "registration_shared_secret"),
    "Talk to some servers only, or to none": (
        *("federation", "federation_allowlist", "trusted_key_servers", "denied_ranges"),
    ),
    "Move ports, because something else has them": (
        *("http_port", "https_port", "federation_port", "synapse_port", "bridge_port"),
        *("turn_port", "turn_tls_port", "turn_relay_first_port", "turn_relay_last_port"),
        *("livekit_port", "livekit_tcp_port", "livekit_udp_port"),
    ),
    "Make calls work": ("calls", "turn", "public_ip", "turn_allowed_peers"),
    "Have more calls at once": (
        *("turn_relay_first_port", "turn_relay_last_port", "turn_user_quota"),
        "turn_total_quota",
    ),
    "Bridge to WhatsApp, Telegram and others": (
        *("bridges", "bridge_admins", "telegram_api_id", "telegram_api_hash"),
    ),
    "Allow larger files": ("max_upload_size",),
    "Delete old messages": ("retention", "retention_default"),
    "Let people find each other and rooms": ("user_directory_search_all", "room_list_publication"),
    "Change what the web client shows": (
        *("element", "web_client_location", "brand", "default_country_code"),
    ),
    "Reach Synapse's admin API from other programs": (
        *("admin_api_ranges", "registration_shared_secret"),
    ),
    "Use a Postgres server of your own": ("postgres_url", "postgres_ca_bundle"),
    "Use less memory": ("postgres_memory", "calls", "bridges"),
    "Find out what goes wrong": ("log_level",),
    "Test against it": ("rate_limits", "registration", "public_base_url", "listen"),
}


def render_index() -> str:
    """Return the table of tasks."""
    rows = [
        f"| {task} | {', '.join(f'`MATRIX_{name.upper()}`' for name in names) or 'none'} |"
        for task, names in TASKS.items()
    ]
    head = ["## By task", "", "| to | set |", "| --- | --- |"]
    return "\n".join([*head, *rows, ""])
