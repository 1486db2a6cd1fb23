"""bootstrap.py in an otherwise empty project, with stand-ins for pip, Node, npm and Chromium that note their calls."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sparkle.local.bootstrap import provide_speech
from sparkle.local.environment import ROOT

NPM = """#!/bin/sh
echo "npm $*" >> {calls}
[ "$1" = ci ] && mkdir -p node_modules
[ "$1 $2" = "run build" ] && mkdir -p ../apps/console/static/console
exit 0
"""
START = "python -m sparkle.local"
MODEL = "python -m sparkle.local.model"


class Project:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.tools = root / "tools"
        self._calls = root / "calls"
        for directory in ("sparkle/local", "frontend/src", ".venv/bin", "tools"):
            (root / directory).mkdir(parents=True)
        shutil.copy(ROOT / "sparkle/local/bootstrap.py", root / "sparkle/local")
        for name in (
            "requirements.txt",
            "requirements-local.txt",
            "requirements-dev.txt",
            "requirements-dev-alone.txt",
            "constraints.txt",
        ):
            (root / name).write_text("django\n")
        for name in ("package.json", "package-lock.json", "src/main.ts"):
            (root / "frontend" / name).write_text("{}\n")
        self.script(root / ".venv/bin/python", f'#!/bin/sh\necho "python $*" >> {self._calls}\n')
        self.script(self.tools / "node", "#!/bin/sh\necho v22.1.0\n")
        self.script(self.tools / "npm", NPM.format(calls=self._calls))
        self.script(self.tools / "chromium", "#!/bin/sh\n")

    @staticmethod
    def script(path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        path = {"PATH": f"{self.tools}:{self.root}/bin"}
        shell = self.root / "bin"
        shell.mkdir(exist_ok=True)
        for name in ("sh", "mkdir"):
            found = shutil.which(name)
            assert found
            (shell / name).unlink(missing_ok=True)
            (shell / name).symlink_to(found)
        return subprocess.run(
            [sys.executable, str(self.root / "sparkle/local/bootstrap.py"), *arguments],
            env=path | env,
            capture_output=True,
            text=True,
        )

    def calls(self) -> list[str]:
        """The calls since the last question, without pip's many words."""
        lines = self._calls.read_text().splitlines() if self._calls.exists() else []
        self._calls.unlink(missing_ok=True)
        return ["pip " + line.split("-r ")[1].split()[0] if " pip " in line else line for line in lines]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_second_start_does_nothing_twice(project: Project) -> None:
    assert project.run("run").returncode == 0
    assert project.calls() == [
        "pip requirements-local.txt",
        MODEL,
        "npm ci --no-audit --no-fund",
        "npm run build",
        START,
    ]
    assert project.run("run").returncode == 0
    assert project.calls() == [MODEL, START]


def test_what_changed_is_done_again(project: Project) -> None:
    project.run("run")
    project.calls()
    (project.root / "constraints.txt").write_text("django==1\n")
    project.run("run")
    assert project.calls() == ["pip requirements-local.txt", MODEL, START]
    (project.root / "frontend/src/new.ts").touch()
    project.run("run")
    assert project.calls() == [MODEL, "npm run build", START]
    (project.root / "frontend/package-lock.json").write_text("{ }\n")
    project.run("run")
    assert project.calls() == [MODEL, "npm ci --no-audit --no-fund", "npm run build", START]
    shutil.rmtree(project.root / "apps/console/static/console")
    project.run("run")
    assert project.calls() == [MODEL, "npm run build", START]


def test_the_tests_packages_hold_those_of_a_run(project: Project) -> None:
    project.run("test")
    assert project.calls()[:3] == ["pip requirements-dev.txt", "pip requirements-dev-alone.txt", MODEL]
    project.run("run")
    assert project.calls() == [MODEL, START]


def test_a_failed_step_ends_the_start_and_is_tried_again(project: Project) -> None:
    project.script(project.root / ".venv/bin/python", "#!/bin/sh\nexit 1\n")
    for _ in range(2):
        failed = project.run("run")
        assert failed.returncode != 0
        assert "pip install" in failed.stderr
    assert project.calls() == []


def test_without_chromium_only_ci_fails(project: Project) -> None:
    (project.tools / "chromium").unlink()
    here = project.run("test")
    assert here.returncode == 0
    assert "browser tests will be skipped" in here.stdout
    ci = project.run("test", CI="true")
    assert ci.returncode != 0
    assert "no Chromium" in ci.stderr


def test_without_test_speech_only_ci_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no apt-get
    monkeypatch.setenv("CI", "false")
    (tmp_path / "gcin-voice/ogg").mkdir(parents=True)
    provide_speech(tmp_path)
    missing = "pocketsphinx-testdata asterisk-core-sounds-en-wav"
    assert f"apt-get install {missing})" in capsys.readouterr().out
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SystemExit, match=f"no test speech.*: {missing}$"):
        provide_speech(tmp_path)
    (tmp_path / "pocketsphinx/test/data/librivox").mkdir(parents=True)
    (tmp_path / "asterisk/sounds/en_US_f_Allison").mkdir(parents=True)
    provide_speech(tmp_path)
    assert capsys.readouterr().out == ""
