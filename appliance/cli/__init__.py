"""The `appliance` command inside the image: one module per group of verbs.

Verbs import what is heavy when they run, so that each starts as fast as it can.
"""
