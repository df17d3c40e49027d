"""OpenVINO models compiled for this CPU, kept in files: reading one takes a third of the time that compiling does.

OpenVINO's own cache writes its files in place while other processes may have them mapped, which ends these. Here a file
is whole or absent, begins with a checksum of the rest, and is read into memory.
"""

import hashlib
import io
import logging
import os
import tempfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from facefleet.recognition.graphs import ModelSource
from facefleet.recognition.openvino_loading import import_openvino

_CHECKSUM_BYTES = 4


@dataclass(frozen=True)
class CompiledModels:
    """A folder of compiled models. Several threads and processes may use it at once."""

    #: OpenVINO's; untyped.
    core: Any
    #: Made when missing; where it cannot be written, models are compiled each time.
    folder: Path

    def compile(self, model: ModelSource, shape: tuple[int, ...], options: dict[str, Any]) -> Any:  # noqa: ANN401  untyped
        """Compile a model for one input shape, or read what was compiled before.

        Args:
            model: has one input; it is loaded only when nothing was kept.
            shape: of the input.
            options: OpenVINO's properties.

        Raises:
            RuntimeError: OpenVINO cannot compile it.
            ModelPackMismatch: it cannot be loaded.
        """
        path = self.folder / f"{self._name(model, shape, options)}.blob"
        with suppress(OSError):
            checksum, blob = (whole := path.read_bytes())[:_CHECKSUM_BYTES], whole[_CHECKSUM_BYTES:]
            if _checksum_of(blob) == checksum:
                try:
                    return self.core.import_model(blob, "CPU", options)
                except RuntimeError as error:
                    logging.getLogger(__name__).debug("compiled again: %s", error)
        read = self.core.read_model(model.load())
        read.reshape(list(shape))
        compiled = self.core.compile_model(read, "CPU", options)
        self._keep(path, compiled)
        return compiled

    def _name(self, model: ModelSource, shape: tuple[int, ...], options: dict[str, Any]) -> str:
        """Hash all that the result depends on: the model, what is asked for, the runtime and the CPU."""
        machine = [self.core.get_property("CPU", name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")]
        all_of_it = repr((model.key, shape, sorted(options.items()), import_openvino().__version__, machine))
        return hashlib.sha256(all_of_it.encode()).hexdigest()[:32]

    def _keep(self, path: Path, compiled: Any) -> None:  # noqa: ANN401  untyped
        blob = io.BytesIO()
        compiled.export_model(blob)
        content = blob.getvalue()
        with suppress(OSError):  # no room, or not ours to write: the next start takes longer
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self.folder, prefix=".compiled-")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(_checksum_of(content) + content)
                Path(name).rename(path)
            except OSError:
                Path(name).unlink(missing_ok=True)


def _checksum_of(content: bytes) -> bytes:
    """Tell a file that a disk has spoilt; a hash takes eight times as long, half a second for the largest packs."""
    return zlib.crc32(content).to_bytes(_CHECKSUM_BYTES, "little")


@cache
def openvino_core() -> Any:  # noqa: ANN401  untyped
    """Return the one core of the process.

    The CPU plugin of each core gives the thread a signal stack and takes it away at its end. Cores that end in another
    order than they began leave the thread with a stack that is gone, and the next signal ends the process.
    """
    openvino = import_openvino()
    # The first use of its table of types builds it; two threads that did so at once would wait for each other for ever.
    openvino.Type.u8.to_dtype()
    return openvino.Core()
