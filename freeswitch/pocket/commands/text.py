"""Command lines as FreeSWITCH splits them (switch_utils.c)."""

from __future__ import annotations


def split(line: str, delimiter: str = " ") -> list[str]:
    """As switch_separate_string: single quotes keep a part together and are dropped; a backslash keeps one character.

    Parts between blanks are never empty; between other delimiters they may be.
    """
    parts: list[str] = []
    part = ""
    quoted = False
    characters = iter(line)
    for character in characters:
        if character == "\\":
            following = next(characters, "")
            part += following if following in (delimiter, "'", "\\") else character + following
        elif character == "'":
            quoted = not quoted
        elif character == delimiter and not quoted:
            parts.append(part)
            part = ""
        else:
            part += character
    parts.append(part)
    return [part for part in parts if part] if delimiter == " " else parts


def take_variables(text: str) -> tuple[dict[str, str], str]:
    """`{a=b,c=d}rest` as the variables and the rest (switch_event_create_brackets)."""
    if not text.startswith("{"):
        return {}, text
    inside, closed, rest = text[1:].partition("}")
    if not closed:
        raise ValueError("no closing brace")
    variables = {}
    for pair in split(inside, ","):
        name, _, value = pair.partition("=")
        if name:
            variables[name] = value
    return variables, rest


def whole_number(text: str) -> int:
    """As atoi: the leading digits, or 0."""
    digits = ""
    for index, character in enumerate(text.strip()):
        if not (character in "0123456789" or (character in "+-" and index == 0)):
            break
        digits += character
    try:
        return int(digits)
    except ValueError:
        return 0
