"""What FreeSWITCH 1.10.12 answers about its gateways, and by which name one is called through."""

from __future__ import annotations

import pytest

from apps.switch.gateway_status import Sighting, UnreadableStatus, read_gateways, read_profiles, standing

# As it came, but for the values.
ANSWER = """<?xml version="1.0" encoding="ISO-8859-1"?>
<gateways>
  <gateway>
    <name>gw-99c6da98-2</name>
    <profile>trunk</profile>
    <scheme>Digest</scheme>
    <realm>sip.example.cn</realm>
    <username>acme</username>
    <password>yes</password>
    <from>&lt;sip:acme@sip.example.cn&gt;</from>
    <contact>&lt;sip:gw+gw-99c6da98-2@10.0.0.5:5081;transport=tls;gw=gw-99c6da98-2&gt;</contact>
    <exten>auto_to_user</exten>
    <to>sip:acme@sip.example.cn</to>
    <proxy>sip:sip.example.cn</proxy>
    <context>public</context>
    <expires>600</expires>
    <freq>600</freq>
    <ping>1795657602</ping>
    <pingfreq>5</pingfreq>
    <pingmin>1</pingmin>
    <pingcount>0</pingcount>
    <pingmax>2</pingmax>
    <pingtime>12.50</pingtime>
    <pinging>0</pinging>
    <state>REGED</state>
    <status>UP</status>
    <uptime-usec>7</uptime-usec>
    <calls-in>1</calls-in>
    <calls-out>22</calls-out>
    <failed-calls-in>0</failed-calls-in>
    <failed-calls-out>3</failed-calls-out>
  </gateway>
</gateways>
"""
PROFILES = """<profiles>
<profile><name>trunk</name><type>profile</type><state>RUNNING (0) (TLS)</state></profile>
<profile><name>other</name><type>profile</type><state>DOWN (0)</state></profile>
<gateway><name>gw-1</name><type>gateway</type><state>REGED</state></gateway>
 (retry: NEVER)
</profiles>"""


def test_an_answer_is_read() -> None:
    assert read_gateways(ANSWER) == [Sighting("gw-99c6da98-2", "trunk", "REGED", True, 12.5, 1, 22, 3)]
    assert read_gateways("<gateways>\n</gateways>") == []
    assert read_profiles(PROFILES) == {"trunk"}


@pytest.mark.parametrize(
    "answer", ["", "-ERR sofia Command not found!", "<profiles/>", ANSWER.replace("22", "many"), ANSWER[:300]]
)
def test_what_is_no_answer_says_so_and_nothing_of_itself(answer: str) -> None:
    with pytest.raises(UnreadableStatus) as refused:
        read_gateways(answer)
    assert "sip" not in str(refused.value)


def seen(revision: int, state: str, *, up: bool) -> Sighting:
    return Sighting(f"gw-99c6da98-{revision}", "trunk", state, up)


@pytest.mark.parametrize(
    ("sightings", "name"),
    [
        ([], None),
        ([seen(3, "REGED", up=True), seen(2, "REGED", up=True)], "gw-99c6da98-3"),
        ([seen(2, "REGED", up=True)], "gw-99c6da98-2"),
        ([seen(2, "REGED", up=True), seen(1, "NOREG", up=True)], "gw-99c6da98-2"),
        ([seen(3, "TRYING", up=False), seen(2, "REGED", up=True)], "gw-99c6da98-2"),
        ([seen(3, "FAIL_WAIT", up=False), seen(2, "REGED", up=True)], None),  # as it is now, it does not work
        ([seen(3, "NOREG", up=False), seen(2, "REGED", up=True)], None),
        ([Sighting("gw-00000000-3", "trunk", "REGED", True), Sighting("carrier", "trunk", "REGED", True)], None),
    ],
)
def test_the_revision_before_serves_until_the_next_has_had_its_chance(
    sightings: list[Sighting], name: str | None
) -> None:
    assert standing("gw-99c6da98-3", sightings) == name
