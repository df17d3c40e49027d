"""A lane of rows is run by one process, which takes the next one when it is nearly done.

The mark of pytest-xdist for it, xdist_group, is lost with pytest 9.2.
"""

from xdist.scheduler import LoadScopeScheduling

from tests.chaos.rows import LANES

#: By what a test's id has in brackets: a fault; or a kind, whose storms without harm follow its last lane.
_LANE_OF = {rows[0].kind: lane for lane, rows in LANES.items()} | {
    row.fault: lane for lane, rows in LANES.items() for row in rows
}


class LaneScheduling(LoadScopeScheduling):
    """Lanes are handed out in the order in which they are collected."""

    def _split_scope(self, nodeid: str) -> str:
        """Name the lane of a test; what has none is one by itself."""
        return _LANE_OF.get(nodeid.removesuffix("]").partition("[")[2], nodeid)
