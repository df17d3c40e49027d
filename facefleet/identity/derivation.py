"""Secrets that follow from the server's master secret: every process of a fleet knows them, and no store does."""

import base64
import hashlib
import hmac

#: AWS's secrets have as many.
_AWS_SECRET_CHARS = 40


def derive_aws_secret(master_secret: str, key_id: str) -> str:
    """Give the secret of an AWS access key whose id is a key's id: AWS signatures need the secret itself."""
    return base64.urlsafe_b64encode(_derive(master_secret, "aws", key_id))[:_AWS_SECRET_CHARS].decode()


def derive_signing_key(master_secret: str, purpose: str) -> bytes:
    """Give the 256 bits that sign one kind of thing, e.g. `session`."""
    return _derive(master_secret, "signing", purpose)


def _derive(master_secret: str, *names: str) -> bytes:
    message = "\0".join(["facefleet", *names])
    return hmac.new(master_secret.encode(), message.encode(), hashlib.sha256).digest()
