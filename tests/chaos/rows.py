"""The matrix, and which of its rows follow one another in one process."""

from collections.abc import Mapping

from tests.chaos import rows_of_processes, rows_of_requests, rows_of_servers
from tests.chaos.row import Row

#: Rows of a lane share a scene; lanes run side by side. Who is done with one takes the next, so that long ones stand
#: first; a process that goes on to a lane of the same kind keeps its scene.
LANES: Mapping[str, tuple[Row, ...]] = {
    "one": (*rows_of_processes.ALONE, *rows_of_servers.SQLITE, *rows_of_servers.DISKS),
    "leaving": rows_of_processes.LEAVING,
    "killed": rows_of_processes.KILLED,
    "servers": (*rows_of_servers.REDIS, *rows_of_servers.POSTGRES),
    "s3": rows_of_servers.S3,
    "requests": (*rows_of_requests.ROWS, *rows_of_servers.EMBEDDED_GALLERY),
    "qdrant": rows_of_servers.QDRANT_SERVER,
}
#: In the order of the table.
ROWS = tuple(row for lane in ("killed", "leaving", "servers", "s3", "requests", "qdrant", "one") for row in LANES[lane])
