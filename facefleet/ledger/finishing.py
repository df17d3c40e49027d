"""Finishing photos: threads that are done at the same time share one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from facefleet.errors import LedgerUnavailable
from facefleet.ledger.database import Database
from facefleet.ledger.group_commit import GroupCommit
from facefleet.ledger.settling import finish_photos
from facefleet.records import FinishedPhoto

#: A transaction takes milliseconds; one that waits for the database's locks gives up earlier than this.
_PATIENCE_S = 60.0


@dataclass(slots=True)
class _Finish:
    """What one thread hands over, and what it gets back."""

    results: Sequence[FinishedPhoto]
    #: Tokens of the leases that were still held.
    accepted: set[UUID] = field(default_factory=set)


class Finishing:
    """One for all threads of a process. Nobody waits for company: who comes while others write is written next."""

    def __init__(self, database: Database) -> None:
        """Take the ledger's database."""
        self._database = database
        self.line = GroupCommit(self._write)

    def finish(self, results: Sequence[FinishedPhoto]) -> set[UUID]:
        """Record what was found; it is committed when this returns. See `Leases.finish`."""
        mine = _Finish(results)
        try:
            self.line.submit(mine, _PATIENCE_S)
        except LedgerUnavailable:
            raise
        except Exception:  # noqa: BLE001  what spoilt the transaction may be one photo, of this thread or of another
            mine.accepted = self._write_one_by_one(results)
        return {each.leased.id for each in results if each.leased.lease_token in mine.accepted}

    def _write_one_by_one(self, results: Sequence[FinishedPhoto]) -> set[UUID]:
        """Write what can be written; the error of what cannot is raised at the end."""
        accepted: set[UUID] = set()
        defects: list[Exception] = []
        for each in results:
            alone = _Finish([each])
            try:
                self._write([alone])
            except LedgerUnavailable:
                raise
            except Exception as error:  # noqa: BLE001  its neighbours come first
                defects.append(error)
            accepted |= alone.accepted
        if defects:
            raise defects[0]
        return accepted

    def _write(self, finishes: Sequence[_Finish]) -> None:
        with self._database.writing() as connection:
            accepted = finish_photos(connection, [each for finish in finishes for each in finish.results])
        for finish in finishes:
            finish.accepted = accepted
