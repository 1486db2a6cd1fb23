"""Sealing what a node records, while it records: the spool, its tracks, who speaks when."""
