"""Where this machine's installation keeps what it records, and the key-encryption key that it is sealed under."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from pathlib import Path

from apps.core.files import private_write
from sparkle.local.supervise import StartError

_MEMORY = Path("/dev/shm")  # noqa: S108 - memory, and only its owner may enter what is made there


def recording_environment(var: Path) -> dict[str, str]:
    """The spool's directory and the file of keys; what is set already stays. Raises StartError."""
    told = {"SPARKLE_SPOOL_DIR": os.environ.get("SPARKLE_SPOOL_DIR") or str(_spool(var))}
    if not (os.environ.get("SPARKLE_RECORDING_KEYS_FILE") or os.environ.get("SPARKLE_RECORDING_KEYS")):
        told["SPARKLE_RECORDING_KEYS_FILE"] = str(_keys(var / "recording-keys"))
    return told


def _spool(var: Path) -> Path:
    """In memory, one for each installation. Everybody may make directories in /dev/shm: somebody else's is refused."""
    directory = _MEMORY / f"sparkle-{hashlib.sha256(os.fsencode(var)).hexdigest()[:16]}"
    directory.mkdir(mode=0o700, exist_ok=True)
    if directory.is_symlink() or directory.stat().st_uid != os.geteuid():
        raise StartError(f"{directory} belongs to somebody else; set SPARKLE_SPOOL_DIR to a directory of a tmpfs")
    return directory


def _keys(file: Path) -> Path:
    """Made once: without it nobody hears what was recorded."""
    if not file.exists():
        private_write(file, f"first {base64.b64encode(secrets.token_bytes(32)).decode()}\n")
        file.chmod(0o400)
    return file
