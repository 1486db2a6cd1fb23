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
    "BEARERCAPABILITY_NOTAUTH": 57,
    "CHAN_NOT_IMPLEMENTED": 66,
    "INCOMPATIBLE_DESTINATION": 88,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "INTERWORKING": 127,
    # Beyond Q.850 FreeSWITCH counts on from 487; on a channel variable they read as normal clearing.
    "ORIGINATOR_CANCEL": 16,
    "LOSE_RACE": 16,
    "PICKED_OFF": 16,
    "MANAGER_REQUEST": 16,
    "ALLOTTED_TIMEOUT": 16,
    "MEDIA_TIMEOUT": 16,
    "PROGRESS_TIMEOUT": 16,
    "USER_NOT_REGISTERED": 20,
    "GATEWAY_DOWN": 27,
}

ELSEWHERE: Final = ("LOSE_RACE", "PICKED_OFF")

SIP: Final = {
    "UNALLOCATED_NUMBER": (404, "Not Found"),
    "NO_USER_RESPONSE": (480, "Temporarily Unavailable"),
    "USER_BUSY": (486, "Busy Here"),
    "INCOMPATIBLE_DESTINATION": (488, "Not Acceptable Here"),
    "NORMAL_TEMPORARY_FAILURE": (503, "Service Unavailable"),
    "CALL_REJECTED": (603, "Decline"),
    "RECOVERY_ON_TIMER_EXPIRE": (408, "Request Timeout"),
    "ORIGINATOR_CANCEL": (487, "Request Terminated"),
    "NORMAL_UNSPECIFIED": (500, "Server Internal Error"),
}

_REFUSALS: Final = {
    "UNALLOCATED_NUMBER": (404, "Not Found"),
    "NO_ROUTE_DESTINATION": (404, "Not Found"),
    "USER_BUSY": (486, "Busy Here"),
    "NO_USER_RESPONSE": (408, "Request Timeout"),
    "CALL_REJECTED": (603, "Decline"),
    "DESTINATION_OUT_OF_ORDER": (502, "Bad Gateway"),
    "NORMAL_TEMPORARY_FAILURE": (503, "Service Unavailable"),
    "SWITCH_CONGESTION": (503, "Service Unavailable"),
    "INCOMPATIBLE_DESTINATION": (488, "Not Acceptable Here"),
    "ORIGINATOR_CANCEL": (487, "Request Terminated"),
}
_REFUSED: Final = {
    403: "CALL_REJECTED",
    404: "UNALLOCATED_NUMBER",
    408: "RECOVERY_ON_TIMER_EXPIRE",
    480: "NO_USER_RESPONSE",
    481: "NORMAL_TEMPORARY_FAILURE",
    486: "USER_BUSY",
    487: "ORIGINATOR_CANCEL",
    488: "INCOMPATIBLE_DESTINATION",
    500: "NORMAL_TEMPORARY_FAILURE",
    503: "NORMAL_TEMPORARY_FAILURE",
    600: "USER_BUSY",
    603: "CALL_REJECTED",
    606: "INCOMPATIBLE_DESTINATION",
}


def refusal(cause: str) -> tuple[int, str]:
    """How a call is refused that ends with this cause before it is answered (mod_sofia.c, hangup_cause_to_sip)."""
    return _REFUSALS.get(cause, (480, "Temporarily Unavailable"))


def refused(status: int) -> str:
    """What a call has ended with that was refused so (sofia_glue.c, sofia_glue_sip_cause_to_freeswitch)."""
    return _REFUSED.get(status, "NORMAL_UNSPECIFIED")


def known(cause: str) -> str:
    """The cause that a command names; an unknown one counts as none, which hangs up as normal clearing."""
    return cause.upper() if cause.upper() in Q850 else "NORMAL_CLEARING"
