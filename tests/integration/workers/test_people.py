"""People come by themselves when an album's photos are indexed: ledger to relay, relay to task, task to ledger."""

from facefleet.people_records import ClusteringState
from tests.fixtures.processes import wait_until
from tests.integration.workers.conftest import Bench
from workers.celery_app import create_celery_app
from workers.dispatcher.people_relay import PeopleRelay
from workers.embedded import embedded_fleet
from workers.parts import create_grouper

MOST_ATTEMPTS = 3


def test_people_are_there_when_the_album_is_indexed_and_stay_up_to_date(bench: Bench) -> None:
    clusterings = bench.parts.ledger.clusterings
    bench.write(one=b"2", two=b"2 b")
    with embedded_fleet(bench.parts):
        album_id, _ = bench.list_into("party")

        def is_done(photos: int) -> bool:
            shown = clusterings.show(album_id, MOST_ATTEMPTS)
            return shown.state is ClusteringState.DONE and shown.total_faces == photos

        wait_until(lambda: is_done(4), "the faces of two photos are grouped")
        bench.write(three=b"1 c")
        bench.list_into("party")
        wait_until(lambda: is_done(5), "the faces of the third have joined")
        first = clusterings.show(album_id, MOST_ATTEMPTS).finished_at
        clusterings.want(album_id)
        wait_until(lambda: clusterings.show(album_id, MOST_ATTEMPTS).finished_at != first, "all are grouped anew")


def test_an_album_goes_to_the_lane_of_people_once(bench: Bench) -> None:
    bench.write(one=b"1")
    album_id, _ = bench.list_into("party")
    bench.indexer.index(bench.photo_ids(album_id))
    settings = bench.parts.settings.model_copy(update={"broker_url": "memory://once", "queue_prefix": "once-"})
    app = create_celery_app(settings)
    relay = PeopleRelay(bench.parts.ledger, app, settings)
    relay.step()
    relay.step()
    with app.connection_for_read() as connection, connection.SimpleQueue("once-people") as queue:
        message = queue.get(block=False)
        assert message.payload[1] == {"album_id": str(album_id)}
        assert queue.qsize() == 0
    create_grouper(bench.parts).group(album_id)
    relay.step()
    assert bench.parts.ledger.clusterings.show(album_id, MOST_ATTEMPTS).state is ClusteringState.DONE


def test_an_embedded_fleet_takes_up_the_run_of_a_killed_one(bench: Bench) -> None:
    bench.write(one=b"1")
    album_id, _ = bench.list_into("party")
    bench.indexer.index(bench.photo_ids(album_id))
    clusterings = bench.parts.ledger.clusterings
    assert clusterings.claim(album_id, 3600)
    with embedded_fleet(bench.parts):
        wait_until(
            lambda: clusterings.show(album_id, MOST_ATTEMPTS).state is ClusteringState.DONE, "its faces are grouped"
        )
