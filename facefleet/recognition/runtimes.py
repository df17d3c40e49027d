"""What runs the models: ONNX Runtime or OpenVINO on the CPU, ONNX Runtime on an NVIDIA GPU.

The libraries' errors are translated here and nowhere else.
"""

import logging
import platform
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from facefleet.errors import ModelPackMismatch, RecognizerUnavailable, RuntimeUnavailable
from facefleet.recognition.batcher import BatchPolicy
from facefleet.recognition.compiled_models import CompiledModels, openvino_core
from facefleet.recognition.graphs import INPUT_NAME, ModelSource, identity_graph
from facefleet.settings import Settings

_CUDA = "CUDAExecutionProvider"
_ERRORS_ONLY = 3
_FATAL_ONLY = 4


class ModelSession(Protocol):
    """One loaded model; `run` may be called from several threads."""

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Run the model.

        Args:
            batch: (N, H, W, 3) uint8 RGB.

        Returns:
            The model's outputs, in the file's order.

        Raises:
            RecognizerUnavailable: the runtime failed.
        """


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
_CUDA_PROVIDERS = [(_CUDA, {"cudnn_conv_algo_search": "HEURISTIC"}), "CPUExecutionProvider"]


def _find_cuda_obstacle(settings: Settings) -> str | None:
    """Say why a GPU cannot be used, or nothing when a model ran on it."""
    if settings.runtime == "openvino":
        return "FACEFLEET_RUNTIME is openvino, which runs on the CPU; set it to auto or onnxruntime."
    import onnxruntime  # noqa: PLC0415  # loads its libraries, which a process on OpenVINO does not need

    if _CUDA not in onnxruntime.get_available_providers():
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


class OnnxSession:
    """ONNX Runtime: one shared session, one thread per call, no spinning.

    Threads that spin while they wait take a third of the throughput of their neighbours.
    """

    def __init__(self, model: bytes, providers: list[Any]) -> None:
        import onnxruntime  # noqa: PLC0415  # see _find_cuda_obstacle

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = _ERRORS_ONLY
        wants_cuda = providers[0] != "CPUExecutionProvider"
        if wants_cuda:
            options.log_severity_level = _FATAL_ONLY
            onnxruntime.preload_dlls()
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=providers)
        except Exception as error:  # ONNX Runtime raises a class of its own for every cause
            raise RuntimeUnavailable(f"ONNX Runtime cannot load the model: {_first_line(error)}") from error
        self._session.disable_fallback()
        if wants_cuda and _CUDA not in self._session.get_providers():
            raise RuntimeUnavailable("CUDA or cuDNN does not load; check the NVIDIA driver and the libraries.")

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """See `ModelSession`."""
        try:
            outputs: list[NDArray[np.float32]] = self._session.run(None, {INPUT_NAME: batch})
        except Exception as error:  # as above
            raise RecognizerUnavailable(f"ONNX Runtime failed: {_first_line(error)}") from error
        return outputs


class OpenVinoSession:
    """OpenVINO on the CPU: one compiled model per input shape, one thread per request.

    Compiled for a fixed shape it is faster than with free dimensions, and a detector sees a handful of shapes. The
    precision is left to OpenVINO: bfloat16 where the CPU has it. Compiling takes half a second a shape, so what was
    compiled is kept in files.

    `_compiled` belongs to `_lock`, its models to who began to compile them, and each request to the thread that took it
    from its queue.
    """

    def __init__(self, model: ModelSource, threads: int, kept: Path) -> None:
        """Compile nothing yet.

        Args:
            model: loaded for shapes that were not kept.
            threads: requests that may run at once.
            kept: folder for compiled models.
        """
        self._models = CompiledModels(openvino_core(), kept)
        self._threads = threads
        self._model = model
        self._lock = threading.Lock()
        self._compiled: dict[tuple[int, ...], Future[queue.LifoQueue[_Request]]] = {}

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """See `ModelSession`."""
        try:
            requests = self._requests_for(batch.shape)
            request = requests.get()
            try:
                return request.run(batch)
            finally:
                requests.put(request)
        except ModelPackMismatch:
            raise
        except Exception as error:  # OpenVINO raises RuntimeError with a page of text
            raise RecognizerUnavailable(f"OpenVINO failed: {_first_line(error)}") from error

    def _requests_for(self, shape: tuple[int, ...]) -> "queue.LifoQueue[_Request]":
        with self._lock:
            compiled = self._compiled.get(shape)
            begins = compiled is None
            if compiled is None:
                compiled = self._compiled[shape] = Future()
        if begins:  # outside the lock: other shapes need not wait for this one
            try:
                compiled.set_result(self._compile(shape))
            except Exception as error:  # noqa: BLE001  goes to everyone who waits
                compiled.set_exception(error)
        return compiled.result()

    def _compile(self, shape: tuple[int, ...]) -> "queue.LifoQueue[_Request]":
        # Pinned threads of several processes would land on the same cores.
        options = {"NUM_STREAMS": self._threads, "INFERENCE_NUM_THREADS": self._threads, "ENABLE_CPU_PINNING": False}
        compiled = self._models.compile(self._model, shape, options)
        requests: queue.LifoQueue[_Request] = queue.LifoQueue()
        for _ in range(self._threads):
            requests.put(_Request(compiled))
        return requests


class _Request:
    """One run of a compiled model at a time. Its shapes are fixed, so its input and outputs stay where they are.

    `infer` of OpenVINO's binding looks for them each time and copies the outputs once more: 0.3 to 0.4 ms of Python.
    """

    def __init__(self, compiled: Any) -> None:  # noqa: ANN401  untyped
        self._request = compiled.create_infer_request()
        self._input = self._request.get_input_tensor().data
        self._outputs = [tensor.data for tensor in self._request.output_tensors]

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        np.copyto(self._input, batch)
        self._request.start_async()
        self._request.wait()
        return [np.array(output, dtype=np.float32) for output in self._outputs]


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__
