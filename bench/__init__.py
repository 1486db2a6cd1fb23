"""Measurements, run by hand: `python -m bench.NAME`. What each measures, and the last figures, is in README.md."""
