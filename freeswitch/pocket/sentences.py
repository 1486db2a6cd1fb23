"""What scripted people say: made once by the synthesiser and kept as WAV files under the data folder."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Final, Literal

from apps.switch.speech import speak, write_wav

from .audio import Samples, read_file

Language = Literal["zh", "en"]

_TEXTS: Final[dict[Language, tuple[str, ...]]] = {
    "zh": (
        "大家好，我们现在开始开会。",
        "请各位先看一下今天的议程。",
        "上个季度的销售额增长了百分之十二。",
        "这个问题我们下周三之前给出答复。",
        "我同意刚才的意见，没有补充。",
        "请把文件发到项目组的邮箱。",
        "北京和上海的同事能听清楚吗？",
        "那我们进入下一个议题。",
    ),
    "en": (
        "Good morning everyone, shall we begin?",
        "Could you repeat the last figure, please?",
        "The delivery is planned for the twentieth of March.",
        "I agree with the proposal and have nothing to add.",
        "Let us move on to the next item on the agenda.",
        "Please send the minutes to the whole team.",
    ),
}
_VOICES: Final = (("", 50), ("f2", 60), ("m3", 40), ("f4", 55))
"""espeak's voice variants and pitches; a number always speaks with the same one."""


class Sentences:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._clips: dict[tuple[Language, int], list[Samples]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for language, texts in _TEXTS.items():
            for number, (variant, pitch) in enumerate(_VOICES):
                self._clips[language, number] = [
                    _clip(
                        folder / f"{language}-{number}-{zlib.crc32(text.encode()):08x}.wav",
                        text,
                        language,
                        variant,
                        pitch,
                    )
                    for text in texts
                ]

    def of(self, language: Language, voice: str) -> list[Samples]:
        """The sentences in the voice that `voice` (a phone number) has."""
        return self._clips[language, zlib.crc32(voice.encode()) % len(_VOICES)]


def _clip(path: Path, text: str, language: Language, variant: str, pitch: int) -> Samples:
    if not path.exists():
        write_wav(path, speak(text, language, variant=variant, pitch=pitch))
    return read_file(str(path))
