"""The MatrixRTC authorization service: a Matrix OpenID token in, a token for LiveKit out.

Source: MSC4195 and docs/decisions/015-matrixrtc-authorization.md. Runs as `rtc`, behind nginx, with
LiveKit's key and `/data/calls`; imports nothing of the boot.
"""
