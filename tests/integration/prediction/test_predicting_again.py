"""Photos that were there before anybody had a name, and people who are not to be predicted any more."""

from typing import cast

from facefleet.photo_store import PhotoStores
from facefleet.prediction_records import PredictionState
from facefleet.purging import purge_person
from tests.integration.people.bench import PeopleBench
from tests.integration.prediction.naming import Naming


def test_photos_from_before_the_first_name_are_predicted_when_somebody_asks(naming: Naming, bench: PeopleBench) -> None:
    bench.index({"early": ["anna"], "empty": []})
    outbox = bench.ledger.prediction_outbox
    assert outbox.want(bench.album.id, again=False) == 0, "nobody has a name"
    naming.name("anna", "ben")
    naming.index({"late": ["ben"]})
    before = outbox.want(bench.album.id, again=False)
    assert naming.photo_id("early") in naming.due()
    assert before == len(naming.due()) == 9
    naming.work()
    assert naming.names("early") == {"Anna"}
    assert outbox.want(bench.album.id, again=False) == 0
    assert outbox.want(bench.album.id, again=True) == 10
    assert naming.photo_id("empty") not in naming.due()


def test_who_was_purged_is_not_predicted(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna", "ben")
    naming.index({"n1": ["anna", "ben"]})
    assert naming.names("n1", 0) == {"Anna"}
    stores = cast("PhotoStores", None)
    purge_person(bench.ledger, bench.gallery, stores, bench.tenant, naming.people["anna"], who="tester")
    assert naming.said("n1", 0) == {}, "the face was not hers, as nobody had said so"
    assert naming.names("n1", 1) == {"Ben"}
    naming.index({"n2": ["anna", "ben"]})
    assert (naming.names("n2", 0), naming.names("n2", 1)) == (set(), {"Ben"})
    assert naming.show("n2").state is PredictionState.DONE
