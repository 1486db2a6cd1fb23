"""A dialog (RFC 3261, 12): what ties the requests of one call together, seen from the switch."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import uuid4

from .messages import Address, Request, Response, Uri, new_branch, new_tag


@dataclass(slots=True)
class Dialog:
    """`local` and `remote` carry their tags; `target` is where requests of ours go; `via` is ours without a branch."""

    call_id: str
    local: Address
    remote: Address
    target: Uri
    via: str
    contact: Address
    cseq: int = 0
    remote_cseq: int = 0

    @classmethod
    def called(cls, invite: Request, via: str, contact: Address) -> Dialog:
        """Of a call that came in. Raises MessageError."""
        to = invite.address("To")
        return cls(
            call_id=invite.call_id,
            local=replace(to, parameters={**to.parameters, "tag": new_tag()}),
            remote=invite.address("From"),
            target=invite.address("Contact").uri,
            via=via,
            contact=contact,
            cseq=secrets.randbelow(10_000),
            remote_cseq=invite.cseq[0],
        )

    @classmethod
    def calling(cls, caller: Address, target: Uri, via: str, contact: Address) -> Dialog:
        """Of a call that we make."""
        return cls(
            call_id=str(uuid4()),
            local=replace(caller, parameters={"tag": new_tag()}),
            remote=Address(target),
            target=target,
            via=via,
            contact=contact,
            cseq=secrets.randbelow(10_000),
        )

    def confirmed(self, response: Response) -> None:
        """The other side took the call that we make: its tag and its contact hold from now on."""
        self.remote = response.address("To")
        self.target = response.address("Contact").uri

    def request(
        self, method: str, headers: Iterable[tuple[str, str]] = (), body: str = "", *, branch: str = ""
    ) -> Request:
        """The next request of ours in it; with the branch of an INVITE, the ACK or CANCEL that belongs to that."""
        if not branch:
            self.cseq += 1
        first = [
            ("Via", f"{self.via};branch={branch or new_branch()}"),
            ("Max-Forwards", "70"),
            ("From", str(self.local)),
            ("To", str(self.remote)),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.cseq} {method}"),
            ("Contact", str(self.contact)),
            ("User-Agent", "SparkleConference pocket switch"),
        ]
        return Request(method, self.target, [*first, *headers], body)

    def follows(self, request: Request) -> bool:
        """Whether a request of the other side belongs to it and comes in order; remembers its number."""
        number, method = request.cseq
        if request.address("To").tag != self.local.tag or request.address("From").tag != self.remote.tag:
            return False
        if method != "ACK" and number <= self.remote_cseq:
            return False
        self.remote_cseq = max(self.remote_cseq, number)
        return True
