"""A network that loses packets: the kernel drops some of what comes for a socket, by a pattern that is always the same.

A filter of the classic kind (linux/filter.h) on the receiving socket looks at the sequence number of each RTP packet;
nothing stands between the two sides, so nothing else about their way changes.
"""

from __future__ import annotations

import ctypes
import os
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
_PIDFD_OPEN, _PIDFD_GETFD = 434, 438  # the same on every architecture

# Of a UDP socket the filter sees the UDP header first; the sequence number is at 2 of what follows.
_LOAD_SEQUENCE, _MULTIPLY, _TO_X, _SHIFT, _XOR_X, _BELOW, _RETURN = 0x28, 0x24, 0x07, 0x74, 0xAC, 0x35, 0x06
_UDP_HEADER = 8


def _program(of_256: int) -> list[tuple[int, int, int, int]]:
    """Drop the packets whose number, well stirred, falls among the first `of_256` of 256."""
    return [
        (_LOAD_SEQUENCE, 0, 0, _UDP_HEADER + 2),
        (_MULTIPLY, 0, 0, 0x9E3779B1),
        (_TO_X, 0, 0, 0),
        (_SHIFT, 0, 0, 15),
        (_XOR_X, 0, 0, 0),
        (_MULTIPLY, 0, 0, 0x85EBCA77),
        (_SHIFT, 0, 0, 24),
        (_BELOW, 1, 0, of_256),  # not below: the next but one
        (_RETURN, 0, 0, 0),
        (_RETURN, 0, 0, 0xFFFF),
    ]


@contextmanager
def losing(pid: int, port: int, of_256: int) -> Iterator[None]:
    """The process receives `of_256` packets of 256 less on this UDP port. Raises PermissionError where that is not
    allowed.
    """
    program = b"".join(struct.pack("HBBI", *line) for line in _program(of_256))
    buffer = ctypes.create_string_buffer(program)
    filtered = struct.pack("HL", len(program) // 8, ctypes.addressof(buffer))
    with _socket_of(pid, port) as theirs:
        theirs.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filtered)
        try:
            yield
        finally:
            theirs.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)


def _socket_of(pid: int, port: int) -> socket.socket:
    """The very socket that a process has bound to a UDP port."""
    [inode] = [
        fields[9]
        for fields in map(str.split, Path(f"/proc/{pid}/net/udp").read_text().splitlines()[1:])
        if int(fields[1].rpartition(":")[2], 16) == port
    ]
    for link in Path(f"/proc/{pid}/fd").iterdir():
        if re.fullmatch(rf"socket:\[{inode}\]", str(link.readlink())):
            return socket.socket(fileno=_call(_PIDFD_GETFD, _call(_PIDFD_OPEN, pid, 0), int(link.name), 0))
    raise LookupError(port)


def _call(number: int, *arguments: int) -> int:
    result: int = ctypes.CDLL(None, use_errno=True).syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
