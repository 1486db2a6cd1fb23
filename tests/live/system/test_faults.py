"""What tests/system/test_faults.py asks of the pocket switch, of a real FreeSWITCH."""

from __future__ import annotations

from tests.system.plans import launch
from tests.system.stack import Stack, until
from tests.system.test_faults import connected, everybody, in_place, kill
from tests.system.watch import Watch, rooms, wait_for_agreement


def test_a_launch_on_freeswitch_survives_the_loss_of_switchboard_and_switch(stack: Stack) -> None:
    api = stack.sign_in()
    with Watch(stack) as watch:
        conference = launch(api, everybody(5400), busy_retries=0, attempts_per_number=1)
        until(lambda: connected(api, conference) >= 5, within=30, to="be in the middle of the launch")
        kill(stack, "switchboard")
        until(lambda: in_place(api, conference), within=90, to="bring everybody in all the same")
        assert max(watch.calls.values()) == 1, "somebody was called again"
        wait_for_agreement(stack, conference)
        stack.kill("freeswitch")
        until(lambda: connected(api, conference) == 0, within=30, to="see that the switch is gone")
        until(lambda: in_place(api, conference), within=90, to="bring everybody in again")
    assert max(watch.most.values()) == 1, "somebody was called twice at once"
    wait_for_agreement(stack, conference)
    api.act(conference, "end")
    until(lambda: not rooms(stack), within=60, to="leave no room behind")
