"""The matrix. Rows of one kind stand together, so that those who share them out open few scenes."""

from tests.chaos import rows_of_processes, rows_of_requests, rows_of_servers
from tests.chaos.row import Row

_ALL: tuple[Row, ...] = (
    *rows_of_processes.ROWS,
    *rows_of_servers.REDIS,
    *rows_of_servers.DATABASES,
    *rows_of_servers.S3,
    *rows_of_requests.ROWS,
    *rows_of_servers.GALLERIES,
    *rows_of_servers.DISKS,
)
ROWS = tuple(row for kind in ("fleet", "qdrant", "one") for row in _ALL if row.kind == kind)
