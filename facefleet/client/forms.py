"""Bodies of uploads."""

from collections.abc import Sequence
from urllib.parse import quote


def encode_form(photos: Sequence[tuple[str, bytes]], boundary: str) -> bytes:
    """Write photos as a multipart/form-data body (RFC 7578): each name in a field of its own, percent-encoded.

    File names are cut and changed on the way: quotes and line breaks have no agreed spelling in them.

    Args:
        photos: name and content of each.
        boundary: letters and digits that occur in no photo.
    """
    parts = []
    for name, content in photos:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="names"\r\n\r\n{quote(name)}\r\n'
        head += f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="photo"\r\n'
        parts += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", content, b"\r\n"]
    return b"".join([*parts, f"--{boundary}--\r\n".encode()])
