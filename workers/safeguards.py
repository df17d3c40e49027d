"""What stands around the work of one process: heartbeat, breakers, solitude, reading ahead, failpoints."""

from dataclasses import dataclass, field

from facefleet.failpoints import Failpoints, parse_failpoints
from workers.breakers import Breakers, create_breakers
from workers.dispatcher_parts import DispatcherParts
from workers.lease_keeper import LeaseKeeper
from workers.read_ahead import ReadAhead
from workers.solitude import Solitude


@dataclass(frozen=True)
class Safeguards:
    """Shared by all threads of a worker."""

    keeper: LeaseKeeper
    breakers: Breakers
    failpoints: Failpoints
    solitude: Solitude = field(default_factory=Solitude)
    read_ahead: ReadAhead = field(default_factory=ReadAhead)


def create_safeguards(parts: DispatcherParts) -> Safeguards:
    """Make them from the settings.

    Raises:
        ConfigurationError: a failpoint is none.
    """
    settings = parts.settings
    return Safeguards(
        keeper=LeaseKeeper(parts.ledger.leases, settings.lease_s, settings.longest_photo_s),
        breakers=create_breakers(parts.metrics),
        failpoints=parse_failpoints(settings.failpoints),
        read_ahead=ReadAhead(settings.read_ahead_bytes),
    )
