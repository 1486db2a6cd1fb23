"""The administration's pages, filled in and sent as a browser would."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from tests.system.stack import Api


class _Form(HTMLParser):
    """What a browser would send of a page's form if nothing was touched."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, Any] = {}
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = dict(attributes)
        name, value = told.get("name") or "", told.get("value") or ""
        match tag:
            case "input" if told.get("type") in ("checkbox", "radio"):
                if "checked" in told:
                    self.values.setdefault(name, []).append(value or "on")
            case "input" if name and told.get("type") != "submit":
                self.values[name] = value
            case "select":
                self._select = name
            case "option" if self._select and "selected" in told:
                self.values[self._select] = value
            case "textarea":
                self._area = name

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] = data.removeprefix("\n")


class Gateways:
    """The gateways of an installation, as its administrator sees and changes them."""

    def __init__(self, api: Api) -> None:
        self._session, self._base = api.session, f"{api.base}/admin/switch/gateway/"

    def add(self, **values: Any) -> str:
        """The address of the new gateway's page."""
        return self._send(f"{self._base}add/", {"_continue": "1", **values})

    def change(self, page: str, **values: Any) -> None:
        self._send(page, values)

    def delete(self, page: str) -> None:
        self._send(page.replace("/change/", "/delete/"), {"post": "yes"})

    def listed(self, name: str) -> str:
        """The row of a gateway in the list, without tags."""
        answer = self._session.get(self._base, params={"q": name}, headers={"Accept-Language": "en"}, timeout=15)
        row = re.search(r"<tbody>(.*?)</tbody>", answer.text, re.S)
        return " ".join(re.sub(r"<[^>]+>", " ", row[1]).split()) if row else ""

    def _send(self, page: str, values: dict[str, Any]) -> str:
        form = _Form()
        form.feed(self._session.get(page, timeout=15).text)
        headers = {"Referer": page}
        answer = self._session.post(page, data=form.values | values, headers=headers, timeout=15, allow_redirects=False)
        assert answer.status_code == 302, re.findall(r'<ul class="errorlist[^>]*>.*?</ul>', answer.text, re.S)
        return page.partition("/admin/")[0] + answer.headers["Location"]
