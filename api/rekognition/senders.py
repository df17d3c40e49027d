"""Who sent a request of the Rekognition protocol: the key whose id is the access key id, proven by the signature."""

import time
from dataclasses import dataclass
from typing import Self

from starlette.requests import Request

from api.credentials import Admission
from api.rekognition.errors import RekognitionError
from api.rekognition.signatures import Signature, read_signature, verify_signature
from facefleet.errors import NotAuthenticated
from facefleet.identity.caller import Caller
from facefleet.identity.derivation import derive_aws_secret
from facefleet.ledger.keys import KnownKey


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a request says it is from, before its body is there to prove it."""

    signed: Signature
    known: KnownKey

    @classmethod
    def find(cls, request: Request, admission: Admission) -> Self:
        """Look up the key that a request names.

        Raises:
            RekognitionError: the request is not signed, or with a key that does not count.
        """
        signed = read_signature(request)
        try:
            return cls(signed, admission.find_counting(signed.key_id))
        except NotAuthenticated as error:
            raise RekognitionError(
                "UnrecognizedClientException", "The access key id is not that of a key here, or it has ended."
            ) from error

    def prove(self, request: Request, body: bytes, admission: Admission) -> Caller:
        """Verify the signature and count the request.

        Raises:
            RekognitionError: the signature is forged, or too old.
            RateLimited: the key is used too often.
        """
        secret = derive_aws_secret(admission.master_secret, self.known.key.id)
        verify_signature(request, body, self.signed, secret, time.time())
        admission.limit(self.known.key.id)
        return self.known.key.caller
