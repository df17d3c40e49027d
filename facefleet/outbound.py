"""Requests to addresses that a caller chose: https only, never into the operator's own network.

A name is resolved once and the connection goes to that very address, so that a second answer of the same name leads
nowhere. Every redirect is judged like the first address. One clock runs over all of it.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeAlias

import httpx

from facefleet.errors import PhotoTooLarge, RequestError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_MOST_REDIRECTS = 3
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefused(RequestError):
    """The address is not one that a caller may have this server ask."""

    reason = "address_refused"


class OutboundFailed(RequestError):
    """Nobody answered, or not as hoped."""

    reason = "outbound_failed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    content: bytes


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to the internet: not private, loopback, link-local (metadata), or multicast."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            return is_public(inner)
        if address in _NAT64:
            return False
    return address.is_global and not address.is_multicast


async def resolve(host: str, port: int) -> list[Address]:
    """Ask the resolver for a name's addresses.

    Raises:
        OSError: it has none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]


@dataclass(frozen=True)
class Outbound:
    """How to ask. Tests put other rules in place of these; nobody else does."""

    #: For everything from the first name to the last byte.
    timeout_s: float
    #: Bytes of an answer.
    max_bytes: int
    is_allowed: Callable[[Address], bool] = is_public
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    async def get(self, url: str) -> bytes:
        """Fetch what is at an address, through at most three redirects.

        Raises:
            AddressRefused: it, or one that it leads to, is not allowed.
            OutboundFailed: nobody answers in time, or with another status than 200.
            PhotoTooLarge: more than `max_bytes`.
        """
        async with self._clock():
            for _ in range(_MOST_REDIRECTS + 1):
                answer, location = await self._ask("GET", url, b"", {})
                if location is None:
                    break
                url = str(httpx.URL(url).join(location))
            else:
                raise OutboundFailed(f"more than {_MOST_REDIRECTS} redirects")
        if answer.status != HTTPStatus.OK:
            raise OutboundFailed(f"the answer was {answer.status}")
        return answer.content

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send a body and give back the status; redirects are not followed.

        Raises:
            AddressRefused: the address is not allowed.
            OutboundFailed: nobody answers in time.
        """
        async with self._clock():
            answer, _ = await self._ask("POST", url, body, headers)
            return answer.status

    @asynccontextmanager
    async def _clock(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self.timeout_s):
                yield
        except TimeoutError as error:
            raise OutboundFailed(f"no whole answer within {self.timeout_s:g} s") from error

    async def _ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[Answer, str | None]:
        host, at_address = await self._pin(url)
        # The certificate is that of the name, and so is the header; only the connection goes by address.
        sent = {**headers, "Host": host, "User-Agent": "facefleet"}
        options = {"sni_hostname": httpx.URL(url).host}
        try:
            async with (
                httpx.AsyncClient(verify=self.tls, trust_env=False, timeout=self.timeout_s) as client,
                client.stream(method, at_address, content=body, headers=sent, extensions=options) as response,
            ):
                location = response.headers.get("location") if response.is_redirect else None
                return Answer(response.status_code, b"" if location else await self._read(response)), location
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OutboundFailed(f"{host} does not answer: {error or type(error).__name__}") from error

    async def _read(self, response: httpx.Response) -> bytes:
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > self.max_bytes:
                raise PhotoTooLarge(f"the answer has more than {self.max_bytes:,} bytes")
        return bytes(content)

    async def _pin(self, url: str) -> tuple[str, httpx.URL]:
        """Name the host for the header, and put an allowed address of it into the URL."""
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise AddressRefused(f"not a URL: {error}") from error
        if parsed.scheme != "https" or not parsed.host or parsed.userinfo:
            raise AddressRefused("only https://host/... is asked, without a user name")
        try:
            addresses = await resolve(parsed.host, parsed.port or 443)
        except (OSError, UnicodeError) as error:
            raise OutboundFailed(f"there is no host {parsed.host}") from error
        if not addresses or not all(self.is_allowed(each) for each in addresses):
            raise AddressRefused(f"{parsed.host} is not a public address of the internet")
        return parsed.netloc.decode("ascii"), parsed.copy_with(host=str(addresses[0]))
