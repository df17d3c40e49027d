"""The recognizer is put together: processes that decode come up while this one loads modules and models."""

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from facefleet.recognition.sandbox_process import ForkServer
from facefleet.recognition.sandbox_wire import ChildOptions
from facefleet.settings import Settings

if TYPE_CHECKING:
    from facefleet.metrics import Metrics
    from facefleet.recognition.model_pack import ModelPack
    from facefleet.recognition.recognizer import Recognizer


def load_recognizer(
    settings: Settings, metrics: "Metrics | None" = None, pack: "ModelPack | None" = None
) -> "Recognizer":
    """Find the model pack, load it on the configured runtime and test it.

    Args:
        settings: which pack and runtime, and the limits.
        metrics: those of the process, which the time of every stage and the size of every batch go into.
        pack: that of the settings, where it was found already: its files are large, and hashed each time.

    Raises:
        ConfigurationError: the pack, the licence, the device or the runtime does not allow it.
        Overloaded: the machine has no room for the processes that decode.
    """
    with ExitStack() as undo:
        server = _start_fork_server(settings)
        if server:
            undo.callback(server.close)
        # What follows takes as long to load as the decoders of the other process do.
        from facefleet.recognition.face_models import load_models  # noqa: PLC0415
        from facefleet.recognition.model_pack import obtain_model_pack  # noqa: PLC0415
        from facefleet.recognition.recognizer import Recognizer, calm_libraries  # noqa: PLC0415
        from facefleet.recognition.runtimes import choose_runtime  # noqa: PLC0415
        from facefleet.recognition.sandbox import open_decoder  # noqa: PLC0415

        calm_libraries()
        decoder = undo.enter_context(closing(open_decoder(settings, server)))
        found, runtime = pack or obtain_model_pack(settings), choose_runtime(settings)
        models = load_models(found, runtime, settings.detection_size_px)
        decoder.prepare()
        undo.pop_all()
    return Recognizer(settings, found, runtime, models, decoder=decoder, metrics=metrics)


def _start_fork_server(settings: Settings) -> ForkServer | None:
    """Start the process that children are forked from, where children decode; returns at once."""
    if not settings.resolved_decode_processes:
        return None
    limits = (settings.max_photo_bytes, settings.max_photo_pixels, settings.decode_timeout_s)
    return ForkServer(ChildOptions(-1, *limits))
