import json, time, numpy as np, contextlib
from scipy.signal import resample_poly
from visqol import VisqolApi
from apps.switch.speech import speak
from tests.live.meeting import MAIN
from tests.live.loss import losing
from tests.live.conftest import NUMBERS, password
from tests.live.switch import Esl
from apps.switch.commands import *
from uuid import uuid4
from tests.servers import wait_until
import wave

TEXT = "Please say your name, and then wait until everybody has joined the meeting."


def test_q(esl, switch, freeswitch, phones):
    pid = freeswitch[1]
    a = phones.register(NUMBERS[0], password(NUMBERS[0]))
    b = phones.register(NUMBERS[1], password(NUMBERS[1]))
    s = speak(TEXT, "en", variant="f2")
    print("speech", len(s) / 16000)
    up = resample_poly(s.astype(float), 3, 1).clip(-32767, 32767).astype(np.int16)
    api = VisqolApi()
    api.create(mode="speech", use_lattice_model=False, search_window=6)

    def align(s, d):
        n = 2 * len(d)
        c = np.fft.irfft(np.fft.rfft(d, n) * np.conj(np.fft.rfft(s, n)))
        off = int(np.argmax(c[: len(d) - len(s) + 1]))
        return off, d[off : off + len(s)]

    ev = Esl(switch)
    ev.send("event json SEND_RTCP_MESSAGE RECV_RTCP_MESSAGE")

    def go(name, legs, loss=None):
        time.sleep(1)
        port = esl.variable(legs[0], "local_media_port")
        print(
            name,
            "port",
            port,
            esl.variable(legs[0], "write_codec"),
            esl.variable(legs[1], "write_rate"),
            esl.variable(legs[0], "rtp_use_codec_rate"),
        )
        with losing(pid, int(port), loss) if loss else contextlib.nullcontext():
            a.say(up)
            t = time.time()
            rec, rate = b.record(len(s) / 16000 + 0.6)
            ev.settle(0.1)
        down = resample_poly(rec.astype(float), 16000, rate)
        np.save(f"/tmp/q_{name}.npy", down)
        t = time.time()
        off, cut = align(s.astype(float), down)
        print("off", off / 16000)
        r = api.measure_from_arrays(s.astype(float) / 32768, cut / 32768, 16000)
        print(
            name,
            "MOS",
            r.moslqo,
            "took",
            time.time() - t,
            "rms",
            np.sqrt((down**2).mean()),
            np.sqrt((s.astype(float) ** 2).mean()),
        )
        for seen in ev.events[-4:]:
            h = seen.headers
            print(
                "   ",
                h["Event-Name"],
                {k: v for k, v in h.items() if "raction" in k or "itter" in k or k == "Source-Lost"},
            )
        ev.events.clear()

    legA, legB = uuid4(), uuid4()
    dom = switch.domain
    print(
        esl.api(
            f"originate {{origination_uuid={legA}}}sofia/internal/{a.number}%{dom} &bridge({{origination_uuid={legB}}}sofia/internal/{b.number}%{dom})"
        )
    )
    wait_until(lambda: b.in_call and a.in_call, "both")
    for i in range(2):
        go(f"direct{i}", [legA, legB])
    go("direct-loss", [legA, legB], 8)
    esl.api("hupall")
    wait_until(lambda: not b.in_call and not a.in_call, "gone")
    legs = []
    for p in (a, b):
        leg = uuid4()
        legs.append(leg)
        esl.command(Originate(leg, uuid4(), uuid4(), f"sofia/internal/{p.number}%{dom}", MAIN))
    wait_until(lambda: set(esl.members(MAIN.name)) == set(legs), "in")
    for i in range(2):
        go(f"conf{i}", legs)
    for i in range(2):
        go(f"conf-loss{i}", legs, 8)
    go("conf-loss10", legs, 26)
    phones.forget()
    assert 0
