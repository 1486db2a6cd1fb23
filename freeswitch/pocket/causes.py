"""Hang-up causes, their Q.850 numbers, and the SIP codes that a phone answers for them (switch_types.h, sofia.c)."""

from __future__ import annotations

from typing import Final

Q850: Final = {
    "UNALLOCATED_NUMBER": 1,
    "NO_ROUTE_DESTINATION": 3,
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "SUBSCRIBER_ABSENT": 20,
    "CALL_REJECTED": 21,
    "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28,
    "NORMAL_UNSPECIFIED": 31,
    "NORMAL_CIRCUIT_CONGESTION": 34,
    "NETWORK_OUT_OF_ORDER": 38,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "SWITCH_CONGESTION": 42,
    "CHAN_NOT_IMPLEMENTED": 66,
    "INCOMPATIBLE_DESTINATION": 88,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "INTERWORKING": 127,
    # Beyond Q.850 FreeSWITCH counts on from 487; on a channel variable they read as normal clearing.
    "ORIGINATOR_CANCEL": 16,
    "MANAGER_REQUEST": 16,
    "ALLOTTED_TIMEOUT": 16,
    "MEDIA_TIMEOUT": 16,
    "PROGRESS_TIMEOUT": 16,
    "USER_NOT_REGISTERED": 20,
    "GATEWAY_DOWN": 27,
}

SIP: Final = {
    "UNALLOCATED_NUMBER": (404, "Not Found"),
    "NO_USER_RESPONSE": (480, "Temporarily Unavailable"),
    "USER_BUSY": (486, "Busy Here"),
    "INCOMPATIBLE_DESTINATION": (488, "Not Acceptable Here"),
    "NORMAL_TEMPORARY_FAILURE": (503, "Service Unavailable"),
    "CALL_REJECTED": (603, "Decline"),
}


def known(cause: str) -> str:
    """The cause that a command names; an unknown one counts as none, which hangs up as normal clearing."""
    return cause.upper() if cause.upper() in Q850 else "NORMAL_CLEARING"
