"""Hand the embedded gallery to the other processes of this host, over a Unix socket that only this user may open."""

import os
import socket
import threading
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any, Final, TypeAlias
from uuid import UUID

from facefleet.errors import ConfigurationError, FacefleetError, GalleryUnavailable
from facefleet.face_records import Template
from facefleet.gallery import edge_wire
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.records import Json

_Method: TypeAlias = Callable[[EdgeGallery, Json, Sequence[Template]], bytes]
#: 500 templates of 2,048 floats, twice.
_MAX_BODY_BYTES = 16_000_000


class GalleryServer:
    """A gallery on a socket. Owns the socket file and its threads, not the gallery."""

    def __init__(self, server: "_SocketServer", socket_path: Path) -> None:
        """Serve from a thread of its own until `close`."""
        self._server = server
        self._socket_path = socket_path
        self._thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="gallery-server", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop: no new connection, open ones are cut. A client that comes back finds the next owner."""
        self._socket_path.unlink(missing_ok=True)
        self._server.shutdown()
        self._thread.join()
        self._server.cut_connections()
        self._server.server_close()


def serve_gallery(gallery: EdgeGallery, socket_path: Path) -> GalleryServer:
    """Serve a gallery to `EdgeClientGallery`.

    Args:
        gallery: whoever owns it owns the directory, so a socket file that is there already is stale and is replaced.
        socket_path: its directory exists.

    Raises:
        ConfigurationError: the socket cannot be made (a path of more than 107 bytes, no permission).
    """
    socket_path.unlink(missing_ok=True)
    try:
        return GalleryServer(_SocketServer(str(socket_path), gallery), socket_path)
    except OSError as error:
        raise ConfigurationError(f"the gallery cannot be served at {socket_path}: {error}") from error


class _SocketServer(ThreadingMixIn, UnixStreamServer):
    """A thread per connection; a client keeps its connections. `_connections` is guarded by `_guard`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: str, gallery: EdgeGallery) -> None:
        self.gallery = gallery
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(path, _Handler)

    def server_bind(self) -> None:
        previous = os.umask(0o177)
        try:
            super().server_bind()
        finally:
            os.umask(previous)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  (as in socketserver)
        with self._guard:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401  (as in socketserver)
        with self._guard:
            self._connections.discard(request)
        super().shutdown_request(request)

    def cut_connections(self) -> None:
        """End the reads that the handlers wait in."""
        with self._guard:
            for connection in self._connections:
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _SocketServer

    def do_POST(self) -> None:
        """Answer one gallery method."""
        try:
            header, templates = edge_wire.decode(self._read_body())
            answer = _METHODS[self.path](self.server.gallery, header, templates)
            status = HTTPStatus.OK
        except FacefleetError as error:
            status, answer = HTTPStatus.CONFLICT, edge_wire.encode_error(error)
        except (KeyError, TypeError, ValueError) as error:
            refusal = ConfigurationError(f"the gallery's owner does not understand {self.path}: {error!r}")
            status, answer = HTTPStatus.CONFLICT, edge_wire.encode_error(refusal)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _read_body(self) -> bytes:
        length = int(self.headers["Content-Length"])
        if not 0 <= length <= _MAX_BODY_BYTES:
            self.close_connection = True
            raise GalleryUnavailable(f"a request of {length} bytes is more than {_MAX_BODY_BYTES}")
        return self.rfile.read(length)

    def handle(self) -> None:
        """Serve the connection until the client is gone, which is no error."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def address_string(self) -> str:
        """Name the client: Unix sockets have no addresses."""
        return "unix"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (as in http.server)
        """Keep quiet: the callers log what matters."""


def _prepare(gallery: EdgeGallery, header: Json, _: Sequence[Template]) -> bytes:
    gallery.prepare(header["model_version"], int(header["dimensions"]))
    return edge_wire.encode({})


def _upsert(gallery: EdgeGallery, header: Json, templates: Sequence[Template]) -> bytes:
    gallery.upsert(header["model_version"], edge_wire.decode_points(header, templates))
    return edge_wire.encode({})


def _search(gallery: EdgeGallery, header: Json, templates: Sequence[Template]) -> bytes:
    album_id, (template,) = UUID(header["album_id"]), templates
    limit, min_similarity = int(header["limit"]), float(header["min_similarity"])
    found = gallery.search(header["model_version"], album_id, template, limit=limit, min_similarity=min_similarity)
    return edge_wire.encode_matches(found)


def _templates(gallery: EdgeGallery, header: Json, _: Sequence[Template]) -> bytes:
    face_ids = [UUID(face_id) for face_id in header["face_ids"]]
    return edge_wire.encode_templates(gallery.templates(header["model_version"], UUID(header["album_id"]), face_ids))


def _delete_faces(gallery: EdgeGallery, header: Json, _: Sequence[Template]) -> bytes:
    gallery.delete_faces(UUID(header["album_id"]), [UUID(face_id) for face_id in header["face_ids"]])
    return edge_wire.encode({})


def _delete_photos(gallery: EdgeGallery, header: Json, _: Sequence[Template]) -> bytes:
    gallery.delete_photos(UUID(header["album_id"]), [UUID(photo_id) for photo_id in header["photo_ids"]])
    return edge_wire.encode({})


def _delete_album(gallery: EdgeGallery, header: Json, _: Sequence[Template]) -> bytes:
    gallery.delete_album(UUID(header["album_id"]))
    return edge_wire.encode({})


def _count(gallery: EdgeGallery, header: Json, _: Sequence[Template]) -> bytes:
    album_id = header["album_id"] and UUID(header["album_id"])
    return edge_wire.encode({"count": gallery.count(header["model_version"], album_id)})


def _page(gallery: EdgeGallery, header: Json, _: Sequence[Template]) -> bytes:
    start = header["start"] and UUID(header["start"])
    return edge_wire.encode_page(gallery.page(header["model_version"], UUID(header["album_id"]), start))


def _check(gallery: EdgeGallery, _header: Json, _: Sequence[Template]) -> bytes:
    gallery.check()
    return edge_wire.encode({})


_METHODS: Final[dict[str, _Method]] = {
    "/prepare": _prepare,
    "/upsert": _upsert,
    "/search": _search,
    "/templates": _templates,
    "/delete_faces": _delete_faces,
    "/delete_photos": _delete_photos,
    "/delete_album": _delete_album,
    "/count": _count,
    "/page": _page,
    "/check": _check,
}
