"""The hash chain of a signed version of minutes: what was said, heard and done cannot be changed unnoticed.

Standard library only. h(0) = SHA-256(header), h(i) = SHA-256(h(i-1) || SHA-256(item i)); what is hashed is canonical
JSON: UTF-8, sorted keys, no spaces, no fractions. The last h is the version's digest. The header is the document
without its passages. The items are, in this order:

* `{"track": …}`: what was recorded, each with the SHA-256 of its sealed file,
* `{"control": SHA-256}`: what was done to the conference, each entry by its hash alone, since not everybody who reads
  minutes may read the log,
* `{"passage": …}`, or `{"hidden": SHA-256}` of a passage that is not distributed: so a file without the hidden ones
  can be verified, too, and no other passage can be taken out of it. The random part of its id keeps its words from
  being guessed,
* `{"erased": SHA-256}` of either, once the speaker's voice was erased: the hash of the item takes its place, so that
  all others still fit. Its id is erased as well, wherever it was. Whoever verifies is told how many there are: without
  the system that the file comes from, an erased passage cannot be told from one that somebody took out.

A file proves by itself only that it is all of one piece. That it is what was signed, the digest says: compare it with
that of the system that it comes from.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_SIGNED: Final = {"tracks", "control", "chain"}


@dataclass(frozen=True, slots=True)
class Track:
    """`kind`: a voice or the mix; `speaker` "" for the latter. `length` in samples of 16 kHz. `sha256`: of the sealed
    file, hex.
    """

    id: UUID
    kind: str
    speaker: str
    started_at: datetime
    length: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Control:
    """One entry of the conference's log. `detail`: SHA-256 of its details as canonical JSON, hex."""

    id: int
    at: datetime
    who: str
    action: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying a file found. `reason` says in words what does not fit first; "" where all does.

    `digest`: the one that the file bears, "" where it has none that could be read. `withheld`: how many passages the
    file leaves out as hidden, `erased` how many it has no more.
    """

    reason: str
    digest: str = ""
    withheld: int = 0
    erased: int = 0

    @property
    def ok(self) -> bool:
        return not self.reason


def canonical(value: Any) -> bytes:
    """The one way in which a JSON value is written here. ValueError: something in it has more than one."""
    _check(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()


def chain(header: Any, items: Iterable[Any]) -> list[str]:
    """h(0) to h(n) in hex; the last is the digest."""
    link = hashlib.sha256(canonical(header)).digest()
    links = [link.hex()]
    for item in items:
        link = hashlib.sha256(link + _hash(item)).digest()
        links.append(link.hex())
    return links


def sha256_of(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def signed(document: Mapping[str, Any], tracks: Iterable[Track], control: Iterable[Control]) -> dict[str, Any]:
    """What a file bears as `signed`: tracks, hashes of control entries and the links of the chain.

    `document` as in the JSON export, with its hidden passages or with what stands for them; its digest does not count.
    """
    facts: dict[str, Any] = {
        "tracks": [plain(asdict(track)) for track in tracks],
        "control": [sha256_of(plain(asdict(entry))) for entry in control],
    }
    return facts | {"chain": chain(_header(document), [item for _, item in _items(document, facts)])}


def withheld(passage: Mapping[str, Any]) -> dict[str, str]:
    """What stands for a hidden passage in a file that leaves it out."""
    return {"withheld": sha256_of(passage)}


def erased(passage: Mapping[str, Any]) -> dict[str, str]:
    """What stays of a passage of a signed document whose speaker's voice was erased."""
    if is_erased(passage):
        return {"erased": passage["erased"]}
    return {"erased": sha256_of(_item(passage))}


def is_erased(passage: Any) -> bool:
    return isinstance(passage, dict) and set(passage) == {"erased"}


def plain(value: Any) -> Any:
    """As JSON has it. Times are in UTC, so that one moment is written in one way."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case dict():
            return {key: plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case UUID() | date():
            return str(value)
        case _:
            return value


def verify_export(data: bytes, digest: str | None = None) -> Verdict:
    """Whether an exported JSON file is as it was signed: `digest` is that of the version, if it is at hand."""
    try:
        document = json.loads(data, object_pairs_hook=_once, parse_constant=_refuse, parse_float=_refuse)
        return _verify(document, digest)
    except RecursionError:
        return Verdict("The file cannot be read: it is nested too deeply.")
    except ValueError as error:
        return Verdict(f"The file cannot be read: {error}.")


def _verify(document: Any, digest: str | None) -> Verdict:
    facts = document.get("signed") if isinstance(document, dict) else None
    if not isinstance(facts, dict) or not isinstance(document.get("passages"), list):
        return Verdict("These are no signed minutes.")
    if set(facts) != _SIGNED or not all(isinstance(each, list) for each in facts.values()):
        return Verdict('"signed" has to hold tracks, control and chain, each a list, and nothing else.')
    borne = document.get("digest")
    if not _is_digest(borne):
        return Verdict('"digest" has to be 64 hexadecimal digits.')
    named = list(_items(document, facts))
    links = chain(_header(document), [item for _, item in named])
    names = ["The header (title, times, attendance, agenda …)", *(f"{name[0].upper()}{name[1:]}" for name, _ in named)]
    for name, link, stated in zip(names, links, facts["chain"], strict=False):
        if link != stated:
            return Verdict(f"{name} does not fit: it, or what stands before it, is not what was signed.", borne)
    if len(links) != len(facts["chain"]):
        there, expected = len(named), len(facts["chain"]) - 1
        return Verdict(f"There are {there} tracks, control entries and passages; {expected} were signed.", borne)
    if links[-1] != borne:
        return Verdict("The digest is not that of the contents: the end is missing, or all was written anew.", borne)
    if digest is not None and digest != borne:
        return Verdict("The file is all of one piece, but it is not the version of this digest.", borne)
    passages = document["passages"]
    return Verdict("", borne, sum(map(_stands_for_hidden, passages)), sum(map(is_erased, passages)))


def _header(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in {"passages", "digest", "signed"}}


def _items(document: Mapping[str, Any], facts: Mapping[str, Sequence[Any]]) -> Iterable[tuple[str, dict[str, Any]]]:
    """All that is chained, each with what it is called."""
    for number, track in enumerate(facts["tracks"], 1):
        yield f"track {number}", {"track": track}
    for number, entry in enumerate(facts["control"], 1):
        yield f"control entry {number}", {"control": entry}
    for number, passage in enumerate(document["passages"], 1):
        yield f"passage {number}", _item(passage)


def _item(passage: Any) -> dict[str, Any]:
    if is_erased(passage):
        if not _is_digest(passage["erased"]):
            raise ValueError('"erased" has to be 64 hexadecimal digits')
        return dict(passage)
    if _stands_for_hidden(passage):
        return {"hidden": passage["withheld"]}
    if isinstance(passage, dict) and passage.get("hidden") is True:
        return {"hidden": sha256_of(passage)}
    return {"passage": passage}


def _hash(item: Any) -> bytes:
    return bytes.fromhex(item["erased"]) if is_erased(item) else hashlib.sha256(canonical(item)).digest()


def _stands_for_hidden(passage: Any) -> bool:
    return isinstance(passage, dict) and set(passage) == {"withheld"}


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _check(value: Any) -> None:
    match value:
        case None | bool() | int() | str():
            return
        case list():
            for each in value:
                _check(each)
        case dict() if all(isinstance(key, str) for key in value):
            for each in value.values():
                _check(each)
        case _:
            raise ValueError(f"{type(value).__name__} has no canonical form")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are each there once: of two values a reader might show either."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is no whole number")
