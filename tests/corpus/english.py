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
    "agent-alreadyon": "That agent is already logged on. Please enter your agent number followed by the pound key.",
    "agent-newlocation": "Please enter a new extension followed by pound.",
    "agent-pass": "Please enter your password followed by the pound key.",
    "all-circuits-busy-now": "All circuits are busy now.",
    "auth-incorrect": "Password incorrect. Please enter your password followed by the pound key.",
    "check-number-dial-again": "Please check the number and dial again.",
    "conf-extended": "The conference has been extended.",
    "conf-getconfno": "Please enter your conference number followed by the pound key.",
    "conf-invalid": "That is not a valid conference number. Please try again.",
    "conf-noempty": "No empty conferences currently exist.",
    "conf-nonextended": "The conference cannot be extended.",
    "conf-now-recording": "The conference is now being recorded.",
    "conf-onlyone": "There is currently one other participant in the conference.",
    "conf-roll-callcomplete": "Playback of the list of people attending is complete.",
    "confbridge-lock-no-join": "The conference is currently locked and cannot be joined.",
    "confbridge-only-participant": "You are currently the only participant in the conference.",
    "confbridge-pin-bad": "You have entered too many invalid personal identification numbers.",
    "confbridge-removed": "You have been removed from the conference.",
    "demo-nomatch": "I'm sorry, there are no matches for those keywords.",
    "dir-nomore": "There are no more compatible entries in the directory.",
    "feature-not-avail-line": "That feature is not available on this line.",
    "pbx-invalid": "I am sorry, but that's not a valid extension. Please try again.",
    "please-try-call-later": "Please try your call again later.",
    "pm-invalid-option": "That option is invalid. Please try again.",
    "priv-introsaved": "Thank you. Please hold while I attempt to connect you with your party.",
    "priv-recordintro": "At the tone, please say your name.",
    "privacy-unident": "The party you are trying to reach does not accept unidentified calls.",
    "queue-periodic-announce": "All of our representatives are currently busy. Please stay on the line and your call"
    " will be answered by the next available representative.",
    "ss-noservice": "The number you have dialed is not in service. Please check the number and try again.",
    "tt-monkeysintro": "They have been carried away by monkeys.",
    "tt-weasels": "Weasels have eaten our phone system.",
    "vm-intro": "Please leave your message after the tone. When done, hang up or press the pound key.",
    "vm-mailboxfull": "Sorry, but the user's mailbox can't accept more messages.",
    "vm-mismatch": "The passwords you entered and re-entered did not match. Please try again.",
    "vm-msgforwarded": "Your message has been successfully forwarded.",
    "vm-nobodyavail": "Nobody is available to take your call at the moment.",
    "vm-passchanged": "Your passwords have been changed.",
    "vm-sorry": "I'm sorry, I did not understand your response.",
    "vm-tmpexists": "There is a temporary greeting which overrides your standard greetings.",
    "vm-whichbox": "To leave a message, please enter a mailbox number.",
}


def librivox() -> list[Speech]:
    """Five sentences in a man's voice, about 25 s. Transcripts have no capitals and no punctuation."""
    lines = (LIBRIVOX / "transcription").read_text()
    # The transcript says "a" twice where the reader says it once.
    texts = {name: text.replace("a more a amiable", "a more amiable") for text, name in _LINE.findall(lines)}
    names = (LIBRIVOX / "fileids").read_text().split()
    return [one_sentence(at_level(read(LIBRIVOX / f"{name}.wav"), LEVEL), texts[name], "en") for name in names]


def studio(*names: str) -> list[Speech]:
    """Sentences in a woman's voice: those of these names in its package, or all known here, about 200 s."""
    return [
        one_sentence(at_level(read(STUDIO / f"{name}.wav"), LEVEL), _STUDIO[name], "en") for name in names or _STUDIO
    ]
