"""Callbacks out of the ledger: signed as Standard Webhooks, tried again for a day, then on the dead list."""

import asyncio
import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from http import HTTPStatus

import structlog

from facefleet.errors import FacefleetError
from facefleet.ledger.callbacks import Callback
from facefleet.ledger.engine import Ledger
from facefleet.outbound import AddressRefused, Outbound
from facefleet.settings import Settings

_PAGE = 20
#: Seconds before each further attempt, as the Standard Webhooks specification suggests: a day and a bit in all.
_DELAYS_S = (5, 300, 1800, 7200, 18_000, 36_000, 36_000)
_MAX_ANSWER_BYTES = 65_536

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class CallbackSender:
    """Sends what is due, a page at a time and all of a page at once."""

    ledger: Ledger
    outbound: Outbound
    secret: bytes

    @classmethod
    def of(cls, ledger: Ledger, settings: Settings) -> "CallbackSender":
        """Make the sender that the settings describe."""
        outbound = Outbound(settings.callback_timeout_s, _MAX_ANSWER_BYTES)
        return cls(ledger, outbound, read_secret(settings.callback_secret.get_secret_value()))

    def step(self) -> bool:
        """Send one page; says whether there may be more."""
        due = self.ledger.callbacks.claim(_PAGE, 2 * self.outbound.timeout_s)
        if due:
            asyncio.run(self._send_all(due))
        return len(due) == _PAGE

    async def _send_all(self, due: list[Callback]) -> None:
        results = await asyncio.gather(*(self._send(each) for each in due))
        for callback, (is_taken, is_final, detail) in zip(due, results, strict=True):
            self._settle(callback, detail, is_taken=is_taken, is_final=is_final)

    async def _send(self, callback: Callback) -> tuple[bool, bool, str]:
        """Say whether it was taken, whether another attempt is useless, and what went wrong."""
        body = callback.body.encode()
        try:
            status = await self.outbound.post(callback.url, body, sign(self.secret, str(callback.id), body))
        except AddressRefused as error:
            return False, True, str(error)
        except FacefleetError as error:
            return False, False, str(error)
        is_taken = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
        return is_taken, status == HTTPStatus.GONE, f"the answer was {status}"

    def _settle(self, callback: Callback, detail: str, *, is_taken: bool, is_final: bool) -> None:
        callbacks = self.ledger.callbacks
        if is_taken:
            callbacks.settle(callback.id)
        elif is_final or callback.attempt > len(_DELAYS_S):
            callbacks.bury(callback.id, detail)
            log.warning("callback given up", callback=str(callback.id), attempts=callback.attempt, error=detail)
        else:
            callbacks.postpone(callback.id, _DELAYS_S[callback.attempt - 1], detail)


def sign(secret: bytes, message_id: str, body: bytes) -> dict[str, str]:
    """Name the headers of a message: HMAC-SHA256 over id, time and body.

    Source: Standard Webhooks specification 1.0; receivers refuse a time that is more than five minutes off.
    """
    moment = str(int(time.time()))
    signed = b".".join((message_id.encode(), moment.encode(), body))
    signature = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{signature}",
    }


def read_secret(text: str) -> bytes:
    """Read a secret: `whsec_` and base64, or any text."""
    if not text.startswith("whsec_"):
        return text.encode()
    return base64.b64decode(text.removeprefix("whsec_"))
