"""Tenants: they are wherever a table has a column of that name."""

from dataclasses import dataclass

import sqlalchemy as sa

from facefleet.ledger.audit_schema import audit
from facefleet.ledger.database import Database
from facefleet.ledger.schema import album, metadata

#: Albums go with everything in them; the audit log outlives what it tells of.
_STAY = (album, audit)


@dataclass(frozen=True)
class Tenants:
    """What the ledger knows about tenants."""

    database: Database

    def is_known(self, tenant: str) -> bool:
        """Tell whether anything is a tenant's, but for rows of the audit log."""
        with self.database.reading() as connection:
            return any(
                connection.execute(sa.select(sa.literal(1)).where(table.c.tenant == tenant).limit(1)).first()
                for table in metadata.sorted_tables
                if "tenant" in table.c and table is not audit
            )

    def forget(self, tenant: str) -> int:
        """Remove a tenant's keys, callbacks, people and whatever else is not in an album; returns how many rows."""
        with self.database.writing() as connection:
            return sum(
                connection.execute(table.delete().where(table.c.tenant == tenant)).rowcount
                for table in reversed(metadata.sorted_tables)
                if "tenant" in table.c and table not in _STAY
            )
