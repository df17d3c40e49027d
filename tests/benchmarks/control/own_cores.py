"""What the controls would do on a machine that has only the cores they are given."""

import os

import onnxruntime


def keep_to_own_cores() -> None:
    """Give ONNX Runtime as many threads as this process has cores.

    By itself it makes one for each core of the machine and binds it there, past any affinity: pinned to two cores of
    four, a control would work on all four.
    """
    make = onnxruntime.InferenceSession.__init__

    def make_on_own_cores(session: onnxruntime.InferenceSession, *args: object, **kwargs: object) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        make(session, *args, **({"sess_options": options} | kwargs))

    onnxruntime.InferenceSession.__init__ = make_on_own_cores
