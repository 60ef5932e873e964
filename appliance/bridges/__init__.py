"""Bridges to other networks: the table of them, and which of them a deployment has."""
