import pytest

from facefleet.errors import ConfigurationError
from facefleet.failpoints import Failpoints, PlantedFailure, parse_failpoints


def test_only_the_planted_place_and_subject_fail() -> None:
    failpoints = parse_failpoints("before_photo@bad=raise:oh,after_claim=sleep:0")
    failpoints.hit("after_claim")
    failpoints.hit("after_upsert")
    failpoints.hit("before_photo", "good.jpg")
    with pytest.raises(PlantedFailure, match="oh"):
        failpoints.hit("before_photo", "a-bad-one.jpg")


def test_a_place_may_have_more_than_one() -> None:
    failpoints = parse_failpoints("before_photo=sleep:0,before_photo@bad=raise:oh,before_photo@worse=raise:no")
    failpoints.hit("before_photo", "good.jpg")
    for name, what in (("bad.jpg", "oh"), ("worse.jpg", "no")):
        with pytest.raises(PlantedFailure, match=what):
            failpoints.hit("before_photo", name)


def test_nothing_is_planted_by_default() -> None:
    assert parse_failpoints("") == Failpoints()


@pytest.mark.parametrize("text", ["nowhere=kill", "after_claim=explode", "after_claim", "=kill"])
def test_a_place_or_action_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="FACEFLEET_FAILPOINTS"):
        parse_failpoints(text)
