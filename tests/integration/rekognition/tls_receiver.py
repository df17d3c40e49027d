"""A server with a certificate of its own, for what is sent to addresses of callers."""

import datetime as dt
import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from facefleet import outbound
from facefleet.outbound import Outbound

HOST = "receiver.test"


@dataclass
class Receiver:
    """What it answers, by path: (status, headers, body); and what it was sent."""

    url: str
    certificate: Path
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    #: (path, headers in lower case, body)
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def outbound(self, timeout_s: float = 10, max_bytes: int = 1000) -> Outbound:
        """Ask as in production, but trust this certificate, and take loopback for a public address."""
        tls = ssl.create_default_context(cafile=self.certificate)
        return Outbound(timeout_s, max_bytes, is_allowed=lambda address: str(address) == "127.0.0.1", tls=tls)


@contextmanager
def receiving(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    certificate = _make_certificate(directory)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            receiver.received.append((self.path, {key.lower(): each for key, each in self.headers.items()}, body))
            status, headers, content = receiver.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.path == "/slow":
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.05)
            else:
                self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815  http.server's names

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that leaves is what is tested
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(f"https://{HOST}:{server.server_port}", certificate)

    async def resolve(host: str, _port: int) -> list[outbound.Address]:
        return [ipaddress.ip_address("127.0.0.1" if host == HOST else host)]

    monkeypatch.setattr(outbound, "resolve", resolve)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _make_certificate(directory: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / "receiver.pem"
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(pem, *plain) + signed.public_bytes(pem))
    return path
