"""One loaded model on ONNX Runtime or OpenVINO. The libraries' errors are translated here and nowhere else."""

import queue
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from facefleet.errors import ModelPackMismatch, RecognizerUnavailable, RuntimeUnavailable
from facefleet.recognition.compiled_models import CompiledModels, openvino_core
from facefleet.recognition.graphs import INPUT_NAME, ModelSource

CUDA = "CUDAExecutionProvider"
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


class OnnxSession:
    """ONNX Runtime: one shared session, one thread per call, no spinning.

    Threads that spin while they wait take a third of the throughput of their neighbours.
    """

    def __init__(self, model: bytes, providers: list[Any]) -> None:
        import onnxruntime  # noqa: PLC0415  # its libraries take a second, which a process on OpenVINO does without

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
        if wants_cuda and CUDA not in self._session.get_providers():
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
        if any(output.partial_shape.is_dynamic for output in compiled.outputs):
            raise ModelPackMismatch("A model's outputs have no fixed shape: use FACEFLEET_RUNTIME=onnxruntime.")
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
