"""Every case of the contract runs against the pocket switch and, where there is one, against a real FreeSWITCH."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sparkle.local.freeswitch import find_freeswitch
from tests.contract.desk import Desk
from tests.contract.switches import FreeSwitch, Pocket, SwitchProcess


@pytest.fixture(scope="session", params=["pocket", "freeswitch"])
def switch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwitchProcess]:
    """A running switch; a test that restarts it leaves it running."""
    folder = tmp_path_factory.mktemp(request.param)
    found: SwitchProcess
    if request.param == "pocket":
        found = Pocket(folder)
    else:
        binary = find_freeswitch()
        if binary is None:
            pytest.skip("no freeswitch binary on PATH or in /usr/local/freeswitch/bin")
        found = FreeSwitch(folder, binary)
    found.start()
    yield found
    found.kill()  # FreeSWITCH takes four seconds for an orderly end


@pytest.fixture
def desk(switch: SwitchProcess) -> Iterator[Desk]:
    """Somebody who commands the switch and watches its events; leaves it empty."""
    desk = Desk(switch)
    yield desk
    desk.leave()
