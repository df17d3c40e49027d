"""Chooses what runs the models: ONNX Runtime or OpenVINO on the CPU, ONNX Runtime on an NVIDIA GPU."""

import logging
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import numpy as np

from facefleet.errors import RecognizerUnavailable, RuntimeUnavailable
from facefleet.recognition.batcher import BatchPolicy
from facefleet.recognition.graphs import ModelSource, identity_graph
from facefleet.recognition.model_sessions import CUDA, ModelSession, OnnxSession, OpenVinoSession
from facefleet.settings import Settings


@dataclass(frozen=True, slots=True)
class Runtime:
    """A way to run models, chosen once at start."""

    #: For people: runtime, device and why it was chosen.
    description: str
    open_session: Callable[[ModelSource], ModelSession]
    batch_policy: BatchPolicy


def choose_runtime(settings: Settings) -> Runtime:
    """Choose what runs the models.

    `device=cuda` never falls back; `device=auto` takes a GPU only when it really runs something.

    Raises:
        RuntimeUnavailable: what was asked for cannot be used; the message says how to mend it.
    """
    _refuse_two_runtimes()
    if settings.device == "cuda" or (settings.device == "auto" and settings.runtime != "openvino"):
        obstacle = _find_cuda_obstacle(settings)
        if obstacle is None:
            return _cuda_runtime(settings)
        if settings.device == "cuda":
            raise RuntimeUnavailable(f"FACEFLEET_DEVICE is cuda, and the GPU cannot be used: {obstacle}")
        logging.getLogger(__name__).debug("no GPU: %s", obstacle)
    return _cpu_runtime(settings)


def _refuse_two_runtimes() -> None:
    if _is_installed("onnxruntime") and _is_installed("onnxruntime-gpu"):
        raise RuntimeUnavailable(
            "Both onnxruntime and onnxruntime-gpu are installed, and they overwrite each other's files. Uninstall "
            "both, then install one: onnxruntime-gpu for an NVIDIA GPU, else onnxruntime."
        )


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def _cpu_runtime(settings: Settings) -> Runtime:
    threads = settings.cpu_threads
    policy = BatchPolicy(max_size=1, max_wait_s=0.0, queue_size=settings.batch_queue_size, runners=threads)
    with_openvino = find_spec("openvino") is not None
    if settings.runtime == "openvino" and not with_openvino:
        raise RuntimeUnavailable("FACEFLEET_RUNTIME is openvino, which is not installed; install facefleet[openvino].")
    if with_openvino and settings.runtime != "onnxruntime":
        why = "asked for" if settings.runtime == "openvino" else "installed, and faster than ONNX Runtime"
        description = f"OpenVINO {version('openvino')} on {_name_cpu()}, {threads} threads ({why})"
        kept = settings.resolved_compiled_dir
        return Runtime(description, lambda model: OpenVinoSession(model, threads, kept), policy)
    why = "asked for" if settings.runtime == "onnxruntime" else "OpenVINO is not installed"
    description = f"ONNX Runtime {_onnxruntime_version()} on {_name_cpu()}, {threads} threads ({why})"
    return Runtime(description, lambda model: OnnxSession(model.load(), ["CPUExecutionProvider"]), policy)


def _cuda_runtime(settings: Settings) -> Runtime:
    policy = BatchPolicy(
        max_size=settings.gpu_batch_size,
        max_wait_s=settings.batch_max_wait_ms / 1000,
        queue_size=max(settings.batch_queue_size, settings.gpu_batch_size),
        runners=1,
    )
    why = "asked for" if settings.device == "cuda" else "found"
    description = f"ONNX Runtime {_onnxruntime_version()} on CUDA, batches of up to {policy.max_size} (GPU {why})"
    return Runtime(description, lambda model: OnnxSession(model.load(), _CUDA_PROVIDERS), policy)


#: Heuristic search: exhaustive search stops for seconds at each new batch size.
_CUDA_PROVIDERS = [(CUDA, {"cudnn_conv_algo_search": "HEURISTIC"}), "CPUExecutionProvider"]


def _find_cuda_obstacle(settings: Settings) -> str | None:
    """Say why a GPU cannot be used, or nothing when a model ran on it."""
    if settings.runtime == "openvino":
        return "FACEFLEET_RUNTIME is openvino, which runs on the CPU; set it to auto or onnxruntime."
    import onnxruntime  # noqa: PLC0415  # loads its libraries, which a process on OpenVINO does not need

    if CUDA not in onnxruntime.get_available_providers():
        return (
            "the installed ONNX Runtime has no CUDA provider. Uninstall onnxruntime and install facefleet[gpu] "
            "(make setup EXTRA=gpu)."
        )
    try:
        OnnxSession(identity_graph(), _CUDA_PROVIDERS).run(np.zeros((1, 1, 1, 3), np.uint8))
    except (RuntimeUnavailable, RecognizerUnavailable) as error:
        return str(error)
    return None


def _onnxruntime_version() -> str:
    return version("onnxruntime-gpu") if _is_installed("onnxruntime-gpu") else version("onnxruntime")


def _name_cpu() -> str:
    return f"the CPU ({platform.machine()})"
