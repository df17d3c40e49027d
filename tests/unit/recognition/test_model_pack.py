"""Model packs: found by name and path, verified, and refused with a way out."""

import hashlib
import json
from pathlib import Path

import onnx
import pytest
from insightface.utils import storage
from onnx import TensorProto, helper

from facefleet.errors import LicenseNotAccepted, ModelPackMismatch, ModelPackNotFound
from facefleet.recognition.model_pack import find_model_pack, list_model_packs, pull_model_pack
from facefleet.recognition.pack_files import known_packs
from facefleet.settings import Settings


def write_model(path: Path, side: int | str, outputs: int) -> None:
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, side, side])
    answers = [helper.make_tensor_value_info(f"o{n}", TensorProto.FLOAT, None) for n in range(outputs)]
    nodes = [helper.make_node("Identity", ["pixels"], [answer.name]) for answer in answers]
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(helper.make_graph(nodes, path.stem, [pixels], answers)), path)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    directory = tmp_path / "pack"
    write_model(directory / "a_landmarks.onnx", 192, 1)
    write_model(directory / "b_genderage.onnx", 96, 1)
    write_model(directory / "c_recognition.onnx", 112, 1)
    write_model(directory / "d_detector.onnx", "side", 9)
    return directory


def settings(tmp_path: Path, model_pack: str | Path, **more: object) -> Settings:
    return Settings(model_pack=str(model_pack), model_dir=tmp_path / "insightface", **more)


def test_a_directory_is_routed_by_inputs_and_outputs(tmp_path: Path, pack: Path) -> None:
    found = find_model_pack(settings(tmp_path, pack))
    assert (found.detector.name, found.embedder.name) == ("d_detector.onnx", "c_recognition.onnx")
    assert found.detection_threshold == 0.5
    assert not found.drawn_people
    assert len(found.model_version) == 16
    assert int(found.model_version, 16) >= 0


def test_the_version_follows_the_two_files_only(tmp_path: Path, pack: Path) -> None:
    before = find_model_pack(settings(tmp_path, pack)).model_version
    (pack / "a_landmarks.onnx").unlink()
    assert find_model_pack(settings(tmp_path, pack)).model_version == before
    other = onnx.load(pack / "c_recognition.onnx")
    other.doc_string = "trained again"
    onnx.save(other, pack / "c_recognition.onnx")
    assert find_model_pack(settings(tmp_path, pack)).model_version != before


def test_pack_json_gives_facts_and_its_manifest_is_enforced(tmp_path: Path, pack: Path) -> None:
    sha256 = hashlib.sha256((pack / "d_detector.onnx").read_bytes()).hexdigest()
    facts = {
        "detection_threshold": 0.6,
        "licence": "CC0",
        "drawn_people": True,
        "manifest": {"d_detector.onnx": sha256},
    }
    (pack / "pack.json").write_text(json.dumps(facts))
    found = find_model_pack(settings(tmp_path, pack))
    assert (found.detection_threshold, found.licence, found.drawn_people) == (0.6, "CC0", True)
    with (pack / "d_detector.onnx").open("ab") as file:
        file.write(b"\x00")
    with pytest.raises(ModelPackMismatch, match=r"d_detector\.onnx is not the file its manifest names"):
        find_model_pack(settings(tmp_path, pack))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("{", "pack.json"), ('{"detection_threshold": 7}', "detection_threshold"), ('{"treshold": 0.5}', "treshold")],
)
def test_a_pack_json_that_is_not_understood_is_refused(tmp_path: Path, pack: Path, text: str, sentence: str) -> None:
    (pack / "pack.json").write_text(text)
    with pytest.raises(ModelPackMismatch, match=sentence):
        find_model_pack(settings(tmp_path, pack))


def test_a_manifest_that_names_a_missing_file_is_refused(tmp_path: Path, pack: Path) -> None:
    (pack / "pack.json").write_text('{"manifest": {"gone.onnx": "00"}}')
    with pytest.raises(ModelPackMismatch, match=r"lacks gone\.onnx"):
        find_model_pack(settings(tmp_path, pack))


def test_a_directory_without_the_two_models_is_refused(tmp_path: Path, pack: Path) -> None:
    (pack / "c_recognition.onnx").unlink()
    with pytest.raises(ModelPackMismatch, match="no ONNX file in it is a face embedder"):
        find_model_pack(settings(tmp_path, pack))
    (pack / "broken.onnx").write_text("this is no model")
    with pytest.raises(ModelPackMismatch, match=r"broken\.onnx is not a readable"):
        find_model_pack(settings(tmp_path, pack))


def test_a_missing_pack_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        ModelPackNotFound, match=r"facefleet models pull buffalo_l --accept-license.*FACEFLEET_MODEL_PACK"
    ):
        find_model_pack(settings(tmp_path, "buffalo_l"))
    with pytest.raises(ModelPackNotFound, match="neither a directory nor one of demo, buffalo_l"):
        find_model_pack(settings(tmp_path, tmp_path / "nowhere"))


def test_a_known_pack_with_other_files_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / "insightface" / "models" / "buffalo_sc"
    directory.mkdir(parents=True)
    (directory / "det_500m.onnx").write_bytes(b"not it")
    with pytest.raises(ModelPackMismatch, match=r"det_500m\.onnx"):
        find_model_pack(settings(tmp_path, "buffalo_sc"))


def test_nothing_is_fetched_before_the_licence_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "download", lambda *_args, **_kwargs: pytest.fail("fetched"))
    said = r"non-commercial research.*`facefleet models pull buffalo_l --accept-license`.*FACEFLEET_MODEL_PACK=demo"
    with pytest.raises(LicenseNotAccepted, match=said):
        pull_model_pack("buffalo_l", settings(tmp_path, "demo"))


def test_a_machine_that_cannot_fetch_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(storage, "download", fail)
    with pytest.raises(ModelPackNotFound, match=r"could not be fetched.*FACEFLEET_MODEL_PACK.*demo"):
        pull_model_pack("buffalo_l", settings(tmp_path, "demo", accept_license=True))
    assert not (tmp_path / "insightface" / "models" / "buffalo_l").exists()


def test_what_is_fetched_is_verified_before_it_is_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def download(sub_dir: str, name: str, root: str) -> None:
        print("progress")
        directory = Path(root, sub_dir, name)
        directory.mkdir(parents=True)
        for file_name, _ in (known_packs()[name].detector, known_packs()[name].embedder):
            (directory / file_name).write_bytes(b"forged")

    monkeypatch.setattr(storage, "download", download)
    with pytest.raises(ModelPackMismatch):
        pull_model_pack("antelopev2", settings(tmp_path, "demo", accept_license=True))
    assert list((tmp_path / "insightface" / "models").iterdir()) == []
    assert capsys.readouterr().out == ""


def test_the_list_names_every_pack_and_whether_it_is_there(tmp_path: Path, pack: Path) -> None:
    listings = {listing.name: listing for listing in list_model_packs(settings(tmp_path, pack))}
    assert set(listings) == {"demo", "buffalo_l", "buffalo_s", "buffalo_sc", "antelopev2", str(pack)}
    assert listings[str(pack)].installed
    assert not listings["buffalo_l"].installed
    assert "non-commercial" in listings["buffalo_l"].licence
