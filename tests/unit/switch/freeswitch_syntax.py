"""How FreeSWITCH 1.10.12 takes a command apart, written again from its source, to judge what rendering makes.

switch_utils.c: switch_separate_string and cleanup_separated_string; mod_commands.c: originate_function;
switch_event.c:1664: switch_event_create_brackets; mod_event_socket.c: read_packet.
"""

from __future__ import annotations

from dataclasses import dataclass


def separate(text: str, delimiter: str, most: int) -> list[str]:
    """switch_separate_string: quotes protect, a backslash escapes, `^^X` changes the delimiter."""
    if text.startswith("^^") and len(text) > 3:
        text, delimiter = text[3:], text[2]
    parts: list[str] = []
    start, at, quoted = 0, 0, False
    while at < len(text) and len(parts) < most:
        if delimiter == " ":
            while at < len(text) and text[at] == " ":
                at += 1
        start, ended = at, False
        if len(parts) == most - 1 and delimiter != " ":
            at, ended = len(text), True  # the last place takes the rest
        while at < len(text):
            if text[at] == "\\":
                at += 1
            elif text[at] == "'" and (delimiter == " " or quoted or "'" in text[at + 1 :]):
                quoted = not quoted
            elif text[at] == delimiter and not quoted:
                break
            at += 1
        if start < len(text):
            parts.append(_cleaned(text[start:at]))
        at += 0 if ended else 1
    return parts


def _cleaned(part: str) -> str:
    kept: list[str] = []
    escaped = False
    for character in part.strip(" "):
        if not escaped and character in "\\'":
            escaped = character == "\\"
            continue
        kept.append(character)
        escaped = False
    return "".join(kept)


@dataclass(frozen=True)
class Originated:
    variables: dict[str, str]
    endpoint: str
    target: str
    job: str


def _closing(text: str) -> int:
    """switch_find_end_paren: where the brace that opens `text` is closed."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return at
    raise AssertionError("a brace is not closed")


def command_lines(text: str) -> tuple[str, dict[str, str]]:
    """read_packet: the first line is the command, the following ones are headers, the first empty line ends it all."""
    block, rest = (text + "\n\n").split("\n\n", 1)
    assert not rest, "more than one command was sent"
    first, *others = block.replace("\r", "\n").split("\n")
    return first, {name: value.lstrip(" ") for name, _, value in (line.partition(":") for line in others)}


def originate(text: str) -> Originated:
    """What FreeSWITCH understands of a `bgapi originate`; fails where it would refuse or do anything else."""
    command, headers = command_lines(text)
    assert set(headers) == {"Job-UUID"}
    verb, _, arguments = command.partition(" ")
    api, _, arguments = arguments.partition(" ")
    assert (verb, api) == ("bgapi", "originate")
    assert ":_:" not in arguments
    words = separate(arguments, " ", 10)
    assert len(words) == 2, words
    leg, extension = words
    assert leg.startswith("{")
    end = _closing(leg)
    variables = {}
    for pair in separate(leg[1:end], ",", 1024):
        name, value = separate(pair, "=", 2)
        assert name not in variables
        assert not value.startswith("ARRAY::")
        variables[name] = value
    endpoint = leg[end + 1 :]
    assert not endpoint.lstrip(" ").startswith(("{", "[", "<"))
    assert "," not in endpoint
    assert "|" not in endpoint
    assert extension.startswith("&conference(")
    assert extension.endswith(")")
    assert extension.count(")") == 1
    assert "${" not in command
    return Originated(variables, endpoint, extension.removeprefix("&conference(")[:-1], headers["Job-UUID"])
