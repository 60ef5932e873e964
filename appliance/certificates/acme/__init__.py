"""Certificates by ACME: certbot as a child process, and everything that decides when and how.

Only `schedule` is imported at boot; the rest when the authority is to be asked.
"""
