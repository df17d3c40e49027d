from pathlib import Path
from threading import Event, Thread

import pytest

from facefleet.metrics import Metrics
from tests.fixtures.processes import wait_until
from workers.gpu_metrics import GpuLoad, read_gpus, watch_gpus

MIB = 1024**2


def nvidia_smi(folder: Path, script: str) -> str:
    """A command that answers what NVIDIA's would, when it is asked for the same."""
    command = folder / "nvidia-smi"
    asked = "--query-gpu=index,utilization.gpu,memory.used,memory.total --format=csv,noheader,nounits"
    command.write_text(f'#!/bin/sh\n[ "$*" = "{asked}" ] || exit 2\n{script}\n')
    command.chmod(0o755)
    return str(command)


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, {"gpu": "0", **labels})


def test_each_gpu_is_read_and_one_that_does_not_tell_left_out(tmp_path: Path) -> None:
    command = nvidia_smi(tmp_path, "printf '0, 37, 1024, 81559\\n1, [N/A], 5, 40960\\n'")
    assert read_gpus(command) == [GpuLoad("0", 0.37, 1024 * MIB, 81559 * MIB)]


@pytest.mark.parametrize("script", ["exit 9", "kill -9 $$"])
def test_a_driver_that_fails_is_an_error_of_the_system(tmp_path: Path, script: str) -> None:
    with pytest.raises(OSError, match="nvidia-smi"):
        read_gpus(nvidia_smi(tmp_path, script))


def test_the_load_is_shown_until_the_command_fails(tmp_path: Path) -> None:
    metrics, stopping = Metrics(), Event()
    command = nvidia_smi(tmp_path, "echo '0, 50, 1, 4'")
    watcher = Thread(target=watch_gpus, args=(command, metrics, stopping))
    watcher.start()
    try:
        wait_until(lambda: sample(metrics, "facefleet_gpu_memory_bytes", kind="total") == 4 * MIB, "all is shown")
        assert sample(metrics, "facefleet_gpu_memory_bytes", kind="used") == MIB
        assert sample(metrics, "facefleet_gpu_busy_ratio") == 0.5
    finally:
        stopping.set()
        watcher.join()
    stopping.clear()
    watch_gpus(nvidia_smi(tmp_path, "exit 9"), metrics, stopping)  # returns by itself
