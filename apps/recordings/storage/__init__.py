"""Where sealed files lie: in the folder of a machine, or in a bucket of an S3-compatible store (decisions/0025)."""
