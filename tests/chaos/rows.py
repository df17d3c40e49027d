"""The matrix."""

from tests.chaos import rows_of_processes, rows_of_requests, rows_of_servers

#: In the order of the table.
ROWS = (
    *rows_of_processes.KILLED,
    *rows_of_processes.LEAVING,
    *rows_of_servers.REDIS,
    *rows_of_servers.POSTGRES,
    *rows_of_servers.S3,
    *rows_of_requests.ROWS,
    *rows_of_servers.EMBEDDED_GALLERY,
    *rows_of_servers.QDRANT_SERVER,
    *rows_of_processes.ALONE,
    *rows_of_servers.SQLITE,
    *rows_of_servers.DISKS,
)
#: What takes long is begun first, so that nobody is left alone with it: the rows of `facefleet up`, which one process
#: does one after the other, then those that may take long to be quiet; those of S3 are the shortest.
BY_LENGTH = tuple(sorted(ROWS, key=lambda row: (row.kind != "one", -row.quiet_within_s, row in rows_of_servers.S3)))
#: By what a test's id has in brackets: a fault, or a kind, for all of its storms without their harm.
KIND_OF = {row.fault: row.kind for row in ROWS} | {row.kind: row.kind for row in ROWS}
TIMED = frozenset(row.fault for row in ROWS if row.timed)
