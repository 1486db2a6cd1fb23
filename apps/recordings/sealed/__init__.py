"""The sealed format: one track, encrypted in frames (docs/sealed-format.md).

`cryptography` and the standard library only.
"""
