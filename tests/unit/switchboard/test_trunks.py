"""The SIP trunks of a node: the switch is told what it lacks, loses what nobody needs, and its word is written down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from apps.conferences.switchboard.trunks import Trunks
from apps.switch.esl.rendering import LIST_LEGS, Question
from apps.switch.models import Gateway, GatewayState
from tests.factories import make_node
from tests.unit.switchboard.desk import GATEWAYS, PROFILES, Desk, until
from tests.unit.switchboard.driven import driving

pytestmark = pytest.mark.django_db(transaction=True)

CONTROL_PLANE = f"api {Question.CONTROL_PLANE}"
RESCAN, RELOAD = "api sofia profile trunk rescan", "api reloadacl"
RUNNING = (
    "<profiles><profile><name>trunk</name><type>profile</type><state>RUNNING (0) (TLS)</state></profile></profiles>"
)
LEG = "aaaa0000-0000-4000-8000-000000000001"


@dataclass
class Switch:
    """What the desk plays: gateways by name with their state and status. A rescan brings what the rows say."""

    desk: Desk
    has: dict[str, tuple[str, str]] = field(default_factory=dict)
    begins: tuple[str, str] = ("NOREG", "UP")

    def __post_init__(self) -> None:
        self.desk.answers |= {
            PROFILES: RUNNING,
            GATEWAYS: self._list,
            CONTROL_PLANE: "true",
            "api acl 203.0.113.0 gateways": "true",
        }
        self.desk.hears = self._hear

    def _list(self) -> str:
        rows = (
            f"<gateway><name>{name}</name><profile>trunk</profile><state>{state}</state><status>{status}</status></gateway>"
            for name, (state, status) in self.has.items()
        )
        return f"<gateways>{''.join(rows)}</gateways>"

    def _hear(self, command: str) -> None:
        if command == RESCAN:
            for each in Gateway.objects.exclude(host=""):
                self.has.setdefault(each.switch_name, self.begins)
        if " killgw " in command:
            self.has.pop(command.split()[-1], None)

    def says(self, name: str, state: str, status: str) -> None:
        self.has[name] = (state, status)
        self.desk.tell(Event_Name="CUSTOM", Event_Subclass="sofia::gateway_state", Gateway=name, State=state)

    @property
    def told(self) -> list[str]:
        return [command for command in self.desk.heard if "profile" in command or command == RELOAD]


@pytest.fixture
def switch() -> Iterator[Switch]:
    with Desk() as desk:
        yield Switch(desk)


@pytest.fixture
def trunks(switch: Switch) -> Iterator[Trunks]:
    with driving(make_node(name="n1"), switch.desk) as (loop, _, _connection):
        until(lambda: loop.observed.ready, "it knows the switch")
        yield loop.trunks


def make_trunk(**fields: Any) -> Gateway:
    values = {"name": "carrier", "handles": ["mobile"], "host": "sip.example.cn"} | fields
    return Gateway.objects.create(**values)


def state() -> GatewayState:
    return GatewayState.objects.get()


def test_what_the_switch_lacks_is_asked_for_once(switch: Switch, trunks: Trunks) -> None:
    until(lambda: switch.told == [RELOAD], "whoever was let in before is asked for anew")
    trunk = make_trunk(networks=["203.0.113.0/28"])
    trunks.wake()
    until(lambda: trunks.standing == {trunk.pk: trunk.switch_name}, "it is there")
    trunks.wake()
    until(lambda: GatewayState.objects.filter(up=True, state="NOREG").exists(), "it is written down")
    assert switch.told == [RELOAD, RESCAN, RELOAD]


def test_networks_that_the_switch_forgot_are_told_again(switch: Switch, trunks: Trunks) -> None:
    make_trunk(networks=["203.0.113.0/28"])
    trunks.wake()
    until(lambda: switch.told[-2:] == [RESCAN, RELOAD], "it was told")
    switch.desk.answers["api acl 203.0.113.0 gateways"] = "false"
    trunks.wake()
    until(lambda: switch.told[-2:] == [RELOAD, RELOAD], "it is told again")


def test_while_the_control_plane_is_away_the_switch_keeps_what_it_knows(switch: Switch, trunks: Trunks) -> None:
    until(lambda: switch.told == [RELOAD], "the first look")
    switch.desk.answers[CONTROL_PLANE] = "false"
    trunk = make_trunk(networks=["203.0.113.0/28"])
    trunks.wake()
    until(lambda: trunks.standing == {trunk.pk: None}, "it looked")
    assert switch.told == [RELOAD]
    assert (state().up, state().state) == (False, "ABSENT")
    switch.desk.answers[CONTROL_PLANE] = "true"
    trunks.wake()
    until(lambda: switch.told == [RELOAD, RESCAN, RELOAD], "it makes up for it")


def test_a_change_is_another_gateway_and_the_one_before_stays_for_its_calls(switch: Switch, trunks: Trunks) -> None:
    trunk = make_trunk()
    before = trunk.switch_name
    trunks.wake()
    until(lambda: before in switch.has, "it is there")
    switch.desk.answers |= {
        LIST_LEGS: f'{{"row_count":1,"rows":[{{"uuid":"{LEG}","callstate":"ACTIVE"}}]}}',
        f"api uuid_getvar {LEG} sip_gateway_name": before,
        f"api uuid_getvar {LEG} sip_gateway": "_undef_",
    }
    switch.begins = ("TRYING", "DOWN")
    trunk.host = "sip2.example.cn"
    trunk.save()
    assert trunk.switch_name != before
    trunks.wake()
    until(lambda: set(switch.has) == {before, trunk.switch_name}, "the new one signs in")
    assert trunks.standing == {trunk.pk: before}
    switch.says(trunk.switch_name, "REGED", "UP")
    until(lambda: trunks.standing == {trunk.pk: trunk.switch_name}, "the new one serves")
    assert set(switch.has) == {before, trunk.switch_name}, "a call goes through the one before"
    switch.desk.answers[LIST_LEGS] = '{"row_count":0}'
    trunks.wake()
    until(lambda: set(switch.has) == {trunk.switch_name}, "nobody needs it any more")


def test_what_was_removed_or_is_of_another_kind_of_revision_goes_and_what_is_not_ours_stays(
    switch: Switch, trunks: Trunks
) -> None:
    switch.has = {"gw-99c6da98-4": ("REGED", "UP"), "somebody-elses": ("REGED", "UP")}
    trunks.wake()
    until(lambda: set(switch.has) == {"somebody-elses"}, "it is gone")


def test_one_that_goes_down_is_noticed_at_once_and_since_when(switch: Switch, trunks: Trunks) -> None:
    trunk = make_trunk()
    trunks.wake()
    until(lambda: trunks.standing == {trunk.pk: trunk.switch_name}, "it is up")
    up_since = state().since
    switch.says(trunk.switch_name, "NOREG", "DOWN")
    until(lambda: trunks.standing == {trunk.pk: None}, "it is down")
    assert (state().up, state().since > up_since) == (False, True)
    down_since = state().since
    switch.says(trunk.switch_name, "DOWN", "DOWN")
    until(lambda: state().state == "DOWN", "another word for it")
    assert state().since == down_since


def test_who_lost_the_lease_tells_the_switch_nothing(switch: Switch, trunks: Trunks) -> None:
    until(lambda: switch.told == [RELOAD], "the first look")
    trunks.lease.fresh_until = 0.0
    make_trunk()
    trunks.wake()
    until(lambda: GatewayState.objects.exists(), "it looked")
    assert switch.told == [RELOAD]
