"""`python -m freeswitch.pocket`: run the pocket switch until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import ipaddress
import logging
import signal
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from apps.switch.prompts import RecordingProblem, prepare_prompts

from .commands import execute
from .people import People, PeopleError
from .sentences import Sentences
from .server import Listener
from .switch import Switch

if TYPE_CHECKING:
    from .sip.profile import SofiaProfile

NOTICE = "for development, rehearsal and tests only"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m freeswitch.pocket", description=f"The pocket switch: {NOTICE}.")
    parser.add_argument(
        "--esl-port", type=int, required=True, metavar="P", help="port of the Event Socket; 0 takes a free one"
    )
    parser.add_argument("--password-file", type=Path, required=True, help="holds the Event Socket's password")
    parser.add_argument("--data", type=Path, required=True, help="folder for prompts and what scripted people say")
    parser.add_argument("--recordings", type=Path, help="folder of prompts that are used instead of synthesised ones")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; anything but loopback is your decision"
    )
    parser.add_argument(
        "--people", type=Path, default=Path(__file__).with_name("people.toml"), help="who answers which number"
    )
    browsers = parser.add_argument_group("browsers", "the control plane is asked who may come; without a URL, nobody")
    browsers.add_argument("--xml-url", metavar="URL", help="where it is asked; /directory or /dialplan is added")
    browsers.add_argument("--xml-name", default="", help="name of this node, by which it signs in there")
    browsers.add_argument("--xml-password-file", type=Path, help="holds the password for that")
    browsers.add_argument("--sip-port", type=int, default=0, metavar="P", help="SIP over WebSocket; 0 takes a free one")
    browsers.add_argument("--certificate", type=Path, help="PEM with chain and key: wss instead of ws")
    browsers.add_argument("--domain", default="127.0.0.1", help="SIP domain of the accounts")
    browsers.add_argument("--realm", default="sparkle", help="that the a1-hashes of the accounts were made with")
    parser.add_argument("--heartbeat", type=float, default=20.0, metavar="SECONDS", help="between two HEARTBEAT events")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    password = arguments.password_file.read_text().strip()
    if not password:
        raise SystemExit(f"{arguments.password_file} holds no password")
    sounds = arguments.data / "sounds"
    try:
        prepare_prompts(sounds, arguments.recordings)
    except RecordingProblem as problem:
        raise SystemExit(str(problem)) from problem
    switch = Switch(People(arguments.people, Sentences(arguments.data / "sentences")), sounds)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    listener = Listener(password, switch.bus, functools.partial(execute, switch))
    port = await listener.open(arguments.host, arguments.esl_port)
    tasks = [asyncio.create_task(switch.mixer.run()), asyncio.create_task(switch.heartbeat(arguments.heartbeat))]
    if arguments.xml_url:
        switch.profile = await _open_profile(switch, arguments)
    browsers = f", browsers {switch.profile.url}" if switch.profile else ""
    sys.stdout.write(f"pocket switch ready: Event Socket {arguments.host}:{port}{browsers}, {NOTICE}\n")
    sys.stdout.flush()
    ended = asyncio.create_task(stop.wait())
    await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
    switch.shut_down()
    if switch.profile is not None:
        await switch.profile.close()
    await listener.close()
    for task in tasks:
        if task.done():
            task.result()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _open_profile(switch: Switch, arguments: argparse.Namespace) -> SofiaProfile:
    from .media import listen_on  # a third of a second that only browsers need
    from .sip.profile import SofiaProfile
    from .xml_curl import XmlCurl

    if arguments.xml_password_file is None:
        raise SystemExit("--xml-url needs --xml-password-file")
    password = arguments.xml_password_file.read_text().strip()
    tls = None
    if arguments.certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(arguments.certificate)
    listen_on(arguments.host)
    curl = XmlCurl(arguments.xml_url, arguments.xml_name, password)
    profile = SofiaProfile(switch, curl, arguments.domain, arguments.realm, tls)
    await profile.open(arguments.host, arguments.sip_port)
    return profile


def main() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    arguments = _arguments()
    if not ipaddress.ip_address(arguments.host).is_loopback:
        logging.getLogger(__name__).warning(
            "listening on %s, not on loopback: the Event Socket is not encrypted, nor is ws", arguments.host
        )
    try:
        asyncio.run(_run(arguments))
    except PeopleError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
