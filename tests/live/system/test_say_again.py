"""What was said last, once more for the one who presses the keys, on a real FreeSWITCH."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
from scipy.signal import resample_poly

from apps.switch.speech import SAMPLE_RATE, synthesise
from tests.live.system.installation import NAMES
from tests.live.system.line_up import PHONES_RATES, SENTENCES, sentence
from tests.live.system.meeting import SAID, Meeting
from tests.servers import wait_until
from tests.system.recorded import all_grown, clear_files, moment, utterances
from tests.system.stack import Stack


def test_whoever_presses_hears_the_last_words_again_and_nobody_else_does(meeting: Meeting, stack: Stack) -> None:
    api = meeting.api
    api.act(meeting.id, "record", state="on")
    for phone in meeting.phones:
        phone.frequency = None
    all_grown(api, meeting.id, NAMES, by=2.5)  # until no tone is on its way any more
    began, words = time.time(), meeting.sounds / "words.wav"
    synthesise(SENTENCES[1], "zh-CN", words)
    said = resample_poly(sentence(1), PHONES_RATES[1], SAMPLE_RATE)
    meeting.phones[1].say(said.astype(np.int16))
    wait_until(partial(meeting.heard_say, 0, words), "the others hear it")
    spoken = partial(utterances, api, meeting.id)
    wait_until(lambda: [u["name"] for u in spoken() if moment(u["starts_at"]) > began] == [NAMES[1]], "it is known")
    for phone in meeting.phones:
        phone.forget_heard()
    meeting.phones[0].press("*5")
    wait_until(partial(meeting.heard_say, 0, words), "and the one who presses, again")
    assert all(phone.heard_say(words) < SAID / 2 for phone in meeting.phones[1:])
    listened = "SELECT actor_name FROM core_auditentry WHERE action = 'listen' AND conference_id = %s"
    assert [row["actor_name"] for row in stack.rows(listened, meeting.id)] == [NAMES[0]]
    meeting.press(1, "*5", "key-switched-off")
    wait_until(lambda: not clear_files(stack, "again/*"), "what was played is gone", 20)
