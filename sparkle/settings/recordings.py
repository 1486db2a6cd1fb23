"""What is recorded: where it is while it is, and where it goes."""

from __future__ import annotations

from pathlib import Path

from sparkle.env import EnvironmentValueError, envbool, envendpoint, envsecret, envstr

from .installation import VAR_DIR

# What is being recorded, in the clear: in memory (tmpfs), never on a disk; and the sealed files.
SPARKLE_SPOOL_DIR = Path(envstr("SPARKLE_SPOOL_DIR", str(VAR_DIR / "spool")))
SPARKLE_SPOOL_MAY_BE_ON_DISK = envbool("SPARKLE_SPOOL_MAY_BE_ON_DISK", default=False)
SPARKLE_RECORDINGS_DIR = Path(envstr("SPARKLE_RECORDINGS_DIR", str(VAR_DIR / "recordings")))
# Where these go once they are complete: they stay there (folder), or go to a bucket (s3). What is in one already can be
# read in either case. Without credentials here, boto3 looks for some by itself.
SPARKLE_RECORDINGS_STORAGE = envstr("SPARKLE_RECORDINGS_STORAGE", "folder")
SPARKLE_RECORDINGS_S3_BUCKET = envstr("SPARKLE_RECORDINGS_S3_BUCKET", "")
SPARKLE_RECORDINGS_S3_ENDPOINT = envendpoint("SPARKLE_RECORDINGS_S3_ENDPOINT")
SPARKLE_RECORDINGS_S3_REGION = envstr("SPARKLE_RECORDINGS_S3_REGION", "")
SPARKLE_RECORDINGS_S3_PREFIX = envstr("SPARKLE_RECORDINGS_S3_PREFIX", "")
SPARKLE_RECORDINGS_S3_ACCESS_KEY = envsecret("SPARKLE_RECORDINGS_S3_ACCESS_KEY", "")
SPARKLE_RECORDINGS_S3_SECRET_KEY = envsecret("SPARKLE_RECORDINGS_S3_SECRET_KEY", "")
if SPARKLE_RECORDINGS_STORAGE not in {"folder", "s3"}:
    raise EnvironmentValueError(f"SPARKLE_RECORDINGS_STORAGE={SPARKLE_RECORDINGS_STORAGE!r}: write folder or s3")
if SPARKLE_RECORDINGS_STORAGE == "s3" and not SPARKLE_RECORDINGS_S3_BUCKET:
    raise EnvironmentValueError("SPARKLE_RECORDINGS_STORAGE=s3: name the bucket in SPARKLE_RECORDINGS_S3_BUCKET")
if bool(SPARKLE_RECORDINGS_S3_ACCESS_KEY) != bool(SPARKLE_RECORDINGS_S3_SECRET_KEY):
    raise EnvironmentValueError("set SPARKLE_RECORDINGS_S3_ACCESS_KEY and SPARKLE_RECORDINGS_S3_SECRET_KEY, or neither")
