"""Which process runs which row of the matrix.

The mark of pytest-xdist for it, xdist_group, is lost with pytest 9.2.
"""

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from tests.chaos.rows import KIND_OF, TIMED

#: So many rows are worth one more fleet for them: to start it takes as long as two of them.
_WORTH_A_FLEET = 6


class LaneScheduling(LoadScopeScheduling):
    """Whoever is nearly done takes a row that its fleet can have, so that fleets are started once for many rows.

    The kinds of which there is one fleet in all are lanes: their rows stay together. Who has none left takes the
    longest lane, or ends when others have fleets for the little that is left. The row that compares times is the last.
    """

    def _split_scope(self, nodeid: str) -> str:
        kind = _kind_of(nodeid)
        return nodeid if kind == "fleet" else kind

    def _reschedule(self, node: WorkerController) -> None:
        left_to = [each for each in self.nodes if self._kinds_of(each)[-1:] == ["fleet"]]
        is_little = len(self.workqueue) < _WORTH_A_FLEET and all(_kind_of(each) == "fleet" for each in self.workqueue)
        if left_to and is_little and node not in left_to and not node.shutting_down:
            node.shutdown()
        else:
            super()._reschedule(node)

    def _assign_work_unit(self, node: WorkerController) -> None:
        mine = self._kinds_of(node)

        def is_further(lane: str) -> tuple[bool, bool, int]:
            tests = len(self.workqueue[lane]) if mine else 0
            return _fault_in(lane) in TIMED, bool(mine) and _kind_of(lane) != mine[-1], -tests

        self.workqueue.move_to_end(min(self.workqueue, key=is_further), last=False)
        super()._assign_work_unit(node)

    def _kinds_of(self, node: WorkerController) -> list[str]:
        """List the kinds of what a process was given so far."""
        return [_kind_of(lane) for lane in self.assigned_work[node]]


def _fault_in(lane: str) -> str:
    return lane.removesuffix("]").partition("[")[2] or lane


def _kind_of(lane: str) -> str:
    """Name the kind of a lane, or of a test; what asks for no scene may be anywhere."""
    return KIND_OF.get(_fault_in(lane), "fleet")
