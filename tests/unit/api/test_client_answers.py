"""The client's answers say what the server's schemas say."""

from typing import Any, get_args

import pytest
from pydantic import BaseModel

from api.schemas.albums import AlbumView
from api.schemas.faces import (
    CandidateView,
    DetectedView,
    FaceView,
    ProbeFaceView,
    ProbeResultView,
    QualityView,
    SearchView,
)
from api.schemas.jobs import JobView
from api.schemas.photos import PhotoView, Rebuilt
from facefleet.client import answers

#: What the client leaves out: signed links in lists, which are not asked for.
LEFT_OUT = {(PhotoView, "thumbnail"), (PhotoView, "link"), (FaceView, "crop")}
PAIRS = [
    (AlbumView, answers.Album),
    (PhotoView, answers.Photo),
    (QualityView, answers.Quality),
    (FaceView, answers.Face),
    (ProbeFaceView, answers.ProbeFace),
    (CandidateView, answers.Candidate),
    (ProbeResultView, answers.Found),
    (SearchView, answers.SearchAnswer),
    (DetectedView, answers.Detected),
    (JobView, answers.Job),
    (Rebuilt, answers.Rebuilt),
]


@pytest.mark.parametrize(("view", "answer"), PAIRS)
def test_fields_are_those_of_the_schema(view: type[BaseModel], answer: Any) -> None:  # noqa: ANN401  a NamedTuple
    named = {name for name in view.model_fields if (view, name) not in LEFT_OUT}
    assert set(answer._fields) == named
    for name, kind in answer.__annotations__.items():
        may_be_null = type(None) in get_args(view.model_fields[name].annotation)
        assert (type(None) in get_args(kind)) == may_be_null, name
