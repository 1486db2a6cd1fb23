"""mod_xml_curl: the directory and the dialplan are asked of an HTTP server, one POST a question (mod_xml_curl.c)."""

from __future__ import annotations

import asyncio
import base64
import http.client
import logging
import socket
import ssl
from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree as ET

log = logging.getLogger(__name__)

Section = Literal["directory", "dialplan"]

SECONDS: Final = 2.0
"""For a whole question, as `timeout` of xml_curl.conf.xml."""
LARGEST_ANSWER: Final = 1024 * 1024
"""Bytes. What is left of a larger one is no XML."""


class XmlCurl:
    """`url` is what the sections' names are added to. The name and the password are those of the node."""

    def __init__(self, url: str, name: str, password: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url}: not an http or https URL")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host, self._port = parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        self._authorization = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()

    async def ask(
        self, section: Section, parameters: Mapping[str, str], tag: str = "", key: str = "", value: str = ""
    ) -> ET.Element | None:
        """The section of this name in the answer; None where there is no answer, or it has none.

        What went wrong is logged, but never the question: it holds a digest.
        """
        first = {
            "hostname": socket.gethostname(),
            "section": section,
            "tag_name": tag,
            "key_name": key,
            "key_value": value,
        }
        body = urlencode({**first, **parameters})
        try:
            async with asyncio.timeout(SECONDS):
                answer = await asyncio.to_thread(self._post, f"{self._path}/{section}", body)
            document = ET.fromstring(answer)  # noqa: S314 (from the control plane, which this switch obeys)
        except (TimeoutError, OSError, http.client.HTTPException, ET.ParseError) as error:
            log.error("xml_curl: no answer for %s: %r", section, error)
            return None
        return document.find(f"section[@name='{section}']")

    def _post(self, path: str, body: str) -> bytes:
        connection = (
            http.client.HTTPConnection(self._host, self._port, timeout=SECONDS)
            if self._tls is None
            else http.client.HTTPSConnection(self._host, self._port, timeout=SECONDS, context=self._tls)
        )
        try:
            headers = {"Authorization": self._authorization, "Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise http.client.HTTPException(f"HTTP {response.status}")
            return response.read(LARGEST_ANSWER)
        finally:
            connection.close()
