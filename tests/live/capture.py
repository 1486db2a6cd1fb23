"""What goes over the loopback interface, read from the wire. Needs the right to open packet sockets (root's)."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_ETH_P_ALL, _IPV4 = 0x0003, 0x0800
_TCP, _UDP = 6, 17
RTP_HEADER: Final = 12


@dataclass(frozen=True)
class Packet:
    """One packet of IPv4: the ports and what follows the header of TCP or UDP."""

    udp: bool
    source: int
    target: int
    payload: bytes


@contextmanager
def capturing() -> Iterator[list[Packet]]:
    """All that passes meanwhile, in order. Raises PermissionError where that may not be read."""
    packets: list[Packet] = []
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL)) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024 * 1024)
        wire.bind(("lo", _ETH_P_ALL))
        wire.settimeout(0.1)
        over = threading.Event()

        def read() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    data, (_, protocol, kind, *_) = wire.recvfrom(65_535)
                    # Loopback shows each packet twice: as it goes and as it comes.
                    if protocol == _IPV4 and kind != socket.PACKET_OUTGOING and (packet := _parsed(data)):
                        packets.append(packet)

        reader = threading.Thread(target=read, name="capture")
        reader.start()
        try:
            yield packets
        finally:
            over.set()
            reader.join()


def _parsed(data: bytes) -> Packet | None:
    header = (data[0] & 0x0F) * 4
    if data[9] not in (_TCP, _UDP) or len(data) < header + 8:
        return None
    udp = data[9] == _UDP
    source, target = struct.unpack_from("!HH", data, header)
    return Packet(udp, source, target, data[header + (8 if udp else (data[header + 12] >> 4) * 4) :])


def alaw(payload: bytes) -> NDArray[np.float64]:
    """G.711 A-law as samples of -1..1 (ITU-T G.711, table 1a)."""
    code = np.frombuffer(payload, np.uint8) ^ 0x55
    segment, step = (code >> 4) & 0x07, (code & 0x0F).astype(np.int32)
    size = np.where(segment == 0, step * 2 + 1, (step * 2 + 33) << np.maximum(segment.astype(np.int32) - 1, 0))
    return np.where(code & 0x80, size, -size) / 4096


def stands_out(samples: NDArray[np.float64], rate: int, hertz: int) -> bool:
    """Whether a tone is among the loudest that is there, and far above the noise. A tone in G.711 is by 60 dB and more;
    chance lifts one among some thousand frequencies by 15.
    """
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    at = round(hertz * samples.size / rate)
    level = spectrum[at - 3 : at + 4].max()
    return bool(level > np.median(spectrum) * 10 ** (25 / 20) and level > spectrum.max() / 10)
