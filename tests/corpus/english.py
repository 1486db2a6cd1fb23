"""English that people read: a chapter of LibriVox, and a studio voice for telephones (8 kHz).

The texts of the first are in its package. Those of the second are not: they were written down here, from what is heard.
"""

from __future__ import annotations

import re
from typing import Final

from tests.corpus.packages import LIBRIVOX, STUDIO
from tests.corpus.sound import Speech, at_level, one_sentence, read

LEVEL: Final = -23.0
"""Of all speech, dB of full scale: about what a telephone sends."""

_LINE: Final = re.compile(r"<s> (.+) </s> \((.+)\)")

_STUDIO: Final = {
    "conf-waitforleader": "The conference will begin when the leader arrives.",
    "conf-onlyperson": "You are currently the only person in this conference.",
    "conf-placeintoconf": "You will now be placed into the conference.",
    "conf-leaderhasleft": "The leader has left the conference.",
    "conf-kicked": "You have been kicked from this conference.",
    "conf-locked": "This conference is locked.",
    "conf-getpin": "Please enter the conference pin number.",
    "vm-nobox": "You cannot reply to this message because the sender does not have a mailbox.",
    "queue-youarenext": "Your call is now first in line and will be answered by the next available representative.",
    "vm-rec-temp": "After the tone, say your temporary message and then press the pound key.",
    "demo-enterkeywords": "Please enter one or more keywords separated by star, and then press the pound key.",
    "privacy-prompt": "Please enter your phone number, starting with the area code.",
    "cannot-complete-as-dialed": "Your call cannot be completed as dialed.",
    "tt-somethingwrong": "Something is terribly wrong.",
    "pls-hold-while-try": "Please hold while we try to connect you.",
    "number-not-answering": "The number is not answering.",
}


def librivox() -> list[Speech]:
    """Five sentences in a man's voice, about 25 s. Transcripts have no capitals and no punctuation."""
    lines = (LIBRIVOX / "transcription").read_text()
    # The transcript says "a" twice where the reader says it once.
    texts = {name: text.replace("a more a amiable", "a more amiable") for text, name in _LINE.findall(lines)}
    names = (LIBRIVOX / "fileids").read_text().split()
    return [one_sentence(at_level(read(LIBRIVOX / f"{name}.wav"), LEVEL), texts[name], "en") for name in names]


def studio(*names: str) -> list[Speech]:
    """Sentences in a woman's voice: those of these names in its package, or all 16 known here, about 60 s."""
    return [
        one_sentence(at_level(read(STUDIO / f"{name}.wav"), LEVEL), _STUDIO[name], "en") for name in names or _STUDIO
    ]
