"""Nothing that is loaded to run models tells others of it."""

import subprocess
import sys
from pathlib import Path

import pytest

#: Libraries that report their use stay silent there.
CONTINUOUS_INTEGRATION = {"CI", "TF_BUILD", "JENKINS_URL"}


@pytest.mark.parametrize(
    "load",
    [
        "from facefleet.recognition.compiled_models import openvino_core; openvino_core()",
        "from facefleet.recognition.quantization import _require_nncf; _require_nncf()",
    ],
)
def test_nobody_is_told_that_it_is_used(load: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CONTINUOUS_INTEGRATION:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    program = f"{load}; import sys; print(bool(sys.modules.get('openvino_telemetry')))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
    assert list(tmp_path.iterdir()) == [], "no id is kept"
