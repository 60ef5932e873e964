"""Paths that more than one process of the appliance knows. Imports nothing, so anybody may."""

DATA = "/data"
SUPERVISOR_CONFIGURATION = "/run/appliance/supervisord.conf"
SUPERVISOR_SOCKET = "/run/appliance/supervisor.sock"
PROGRAMS = "/run/appliance/programs.json"
LOGS = "/run/appliance/logs"
SETTINGS = "/run/appliance/settings.json"
HEALTH = "/run/appliance/health.json"
ADMIN_TOKEN = "/run/appliance/admin_token"  # noqa: S105 - a path
AGENT_STATE = "/run/agent/state.json"
POSTGRES_SOCKETS = "/run/postgresql"
DATABASES_READY = "/run/postgresql/databases-ready"
SYNAPSE_SOCKET = "/run/synapse-sockets/main.sock"
SYNAPSE_SHARED_SECRET = "/run/synapse/registration_shared_secret"  # noqa: S105 - a path
NGINX = "/run/nginx"
TLS = "/run/tls"
TLS_SOURCE = "/run/tls/source.json"
