"""How busy and how full the GPUs of this machine are, as the driver's own command tells."""

import subprocess
from dataclasses import dataclass
from threading import Event

import structlog

from facefleet.metrics import Metrics

POLL_INTERVAL_S = 5.0
_TIMEOUT_S = 10.0
_MIB = 1024**2

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GpuLoad:
    """One GPU at one moment, whoever uses it."""

    #: Of the machine, as text: it becomes a label.
    index: str
    #: Share of the time in which something ran, 0-1.
    busy: float
    used_bytes: float
    total_bytes: float


def read_gpus(command: str) -> list[GpuLoad]:
    """Ask `nvidia-smi`; a GPU that does not tell, e.g. a slice of one, is left out.

    Raises:
        OSError: the command cannot be run, or fails.
    """
    query = "--query-gpu=index,utilization.gpu,memory.used,memory.total"
    try:
        asked = [command, query, "--format=csv,noheader,nounits"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)  # noqa: S603  found by us
    except subprocess.SubprocessError as error:
        raise OSError(str(error)) from error
    rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines()]
    return [
        GpuLoad(index, float(percent) / 100, float(used) * _MIB, float(total) * _MIB)
        for index, percent, used, total in rows
        if all(cell.isdecimal() for cell in (percent, used, total))
    ]


def watch_gpus(command: str, metrics: Metrics, stopping: Event) -> None:
    """Show the load of every GPU in the metrics, again and again, until `stopping` or until the command fails."""
    while not stopping.is_set():
        try:
            gpus = read_gpus(command)
        except OSError as error:
            log.warning("the GPU's load is not shown any more", error=str(error))
            return
        for gpu in gpus:
            metrics.gpu_busy.labels(gpu.index).set(gpu.busy)
            metrics.gpu_memory_bytes.labels(gpu.index, "used").set(gpu.used_bytes)
            metrics.gpu_memory_bytes.labels(gpu.index, "total").set(gpu.total_bytes)
        stopping.wait(POLL_INTERVAL_S)
