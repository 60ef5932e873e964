"""A Postgres server of the owner's: judged before anything starts, and made ready.

Everything here connects as `MATRIX_POSTGRES_URL` says. Nothing of a server is altered that the
appliance did not make.
"""
