"""Requests that are under way for as long as a test wants: the service waits for the rest of their body."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class HalfSent:
    connection: http.client.HTTPConnection
    rest: bytes

    def finish(self) -> tuple[int, dict[str, Any]]:
        """Sends the rest; the status and the JSON of the answer."""
        self.connection.send(self.rest)
        return self.answer()[:2]

    def answer(self) -> tuple[int, dict[str, Any], http.client.HTTPMessage]:
        found = self.connection.getresponse()
        body: dict[str, Any] = json.loads(found.read())
        self.connection.close()
        return found.status, body, found.headers


def begin(url: str, authorization: str, path: str, body: Any) -> HalfSent:
    """Returns when the service has begun with the request."""
    address = urlsplit(url)
    content = json.dumps(body).encode()
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    connection.putrequest("POST", path)
    connection.putheader("Authorization", authorization)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(content)))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    told = b""
    while not told.endswith(b"\r\n\r\n"):
        told += connection.sock.recv(1)
    assert told.startswith(b"HTTP/1.1 100"), told
    return HalfSent(connection, content)
