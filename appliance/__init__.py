"""The matrix-appliance: a complete Matrix server configured by environment variables."""

__version__ = "0.1.0"
