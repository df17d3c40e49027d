"""Sessions of browsers: a signed note that names a key and an end. It is worth as much as the key is at the moment."""

import hashlib
import hmac


def write_session(signing_key: bytes, key_id: str, expires_s: int) -> str:
    """Write the value of a session's cookie.

    Args:
        signing_key: of the server.
        key_id: the key that signed in.
        expires_s: seconds since 1970.
    """
    return f"{key_id}.{expires_s}.{_sign(signing_key, key_id, str(expires_s))}"


def read_session(signing_key: bytes, text: str, now_s: float) -> str | None:
    """Give the id of the key that signed in; None where the session was not made here, or has ended."""
    key_id, _, rest = text.partition(".")
    expires, _, signature = rest.partition(".")
    is_ours = hmac.compare_digest(_sign(signing_key, key_id, expires).encode(), signature.encode())
    return key_id if is_ours and int(expires) > now_s else None


def _sign(signing_key: bytes, key_id: str, expires: str) -> str:
    return hmac.new(signing_key, f"{key_id}.{expires}".encode(), hashlib.sha256).hexdigest()
