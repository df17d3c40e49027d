"""Rows in which processes of the fleet are killed, frozen, drained, or see the wrong time."""

from tests.chaos.row import Row, kills_of, no_attempt_burnt, none_dead, nothing, saw, server_strikes, worker_kills
from tests.chaos.storms import clocks, processes, servers

KILLED = (
    Row("SIGKILL of a worker mid-batch, at random moments", processes.kill_workers, worker_kills),
    Row(
        "half of the workers gone without notice, and not replaced",
        processes.kill_half,
        worker_kills,
    ),
    Row(
        "SIGKILL between upsert and finish",
        processes.wait_for_doomed,
        lambda e: min(worker_kills(e), e.half_done_at_fault),
        prepare=processes.add_doomed("after_upsert"),
    ),
    Row(
        "SIGKILL between claim and read",
        processes.wait_for_doomed,
        worker_kills,
        prepare=processes.add_doomed("after_claim"),
    ),
    Row(
        "SIGKILL between ingest commit and queue delete",
        servers.die_after_commit,
        lambda e: e.seen["entered and still in the queue"],
        prepare=servers.listen_to_events,
        enter=servers.send_events,
    ),
    Row("SIGKILL of the dispatcher", processes.kill_dispatcher, kills_of("dispatcher")),
    Row(
        "SIGKILL of the api, which owns the gallery",
        processes.kill_api,
        kills_of("api"),
        no_attempt_burnt,
        "none dead, no attempt burnt",
    ),
    Row("everything killed at once, cold start", processes.kill_everything, server_strikes),
)
LEAVING = (
    Row(
        "zombie worker: SIGSTOP past its lease, SIGCONT",
        processes.freeze_worker,
        lambda e: min(e.events["finish refused"], e.verdict.crashed),
    ),
    Row(
        "SIGTERM of a worker during work",
        processes.drain_worker,
        lambda e: e.exits["worker", 0] if e.leases_at_fault else 0,
        lambda e: no_attempt_burnt(e) and e.verdict.crashed == 0 and set(e.exits) == {("worker", 0)},
        "0 redeliveries, exit status 0",
    ),
    Row(
        "1 to 10 workers coming and going",
        processes.churn,
        saw("drained"),
        lambda e: no_attempt_burnt(e) and e.verdict.crashed == 0 and set(e.exits) == {("worker", 0)},
        "0 redeliveries, exit status 0",
        quiet_within_s=90,
    ),
    Row(
        "old workers on tables of a newer release; rolling restart",
        processes.upgrade,
        lambda e: min(saw("indexed by the old release on newer tables")(e), e.seen["restarted"]),
        lambda e: no_attempt_burnt(e) and all(status == 0 for _, status in e.exits),
        "nothing discarded, no attempt burnt",
    ),
    Row(
        f"clocks an hour ahead, an hour behind, and set back ({clocks.KIND})",
        clocks.shift_clocks,
        saw("clocks seen an hour off"),
        lambda e: no_attempt_burnt(e) and e.verdict.crashed == 0 and e.events["leases expired"] == 0,
        "no lease early or late",
        enter=nothing,
    ),
    Row(
        "a photo that kills every worker",
        processes.die_of_photo,
        worker_kills,
        lambda e: dict(e.verdict.dead) == {"crashed_worker": 1},
        "that photo dead: crashed_worker",
        quiet_within_s=120,
        photos=47,
        prepare=processes.add_mortal,
    ),
    Row(
        "album deleted while it is indexed",
        processes.purge_album,
        lambda e: e.leases_at_fault,
        lambda e: e.verdict.indexed == 0 and none_dead(e),
        "no row and no point, nor after the longest lease",
    ),
)
ALONE = (
    Row(
        "`facefleet up` (SQLite, one process): SIGKILL",
        processes.kill_one_process,
        kills_of("up"),
        kind="one",
    ),
)
