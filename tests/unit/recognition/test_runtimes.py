import pytest

from facefleet.errors import RuntimeUnavailable
from facefleet.recognition import runtimes
from facefleet.settings import Settings


def test_two_onnx_runtimes_are_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "version", lambda _: "1.0")
    with pytest.raises(RuntimeUnavailable, match=r"Both onnxruntime and onnxruntime-gpu.*Uninstall"):
        runtimes.choose_runtime(Settings())


def test_a_gpu_that_was_asked_for_never_falls_back() -> None:
    with pytest.raises(RuntimeUnavailable, match="FACEFLEET_DEVICE is cuda"):
        runtimes.choose_runtime(Settings(device="cuda"))


def test_the_cpu_runtime_that_was_asked_for_is_taken() -> None:
    assert "ONNX Runtime" in runtimes.choose_runtime(Settings(runtime="onnxruntime", device="cpu")).description
