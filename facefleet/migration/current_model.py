"""The model that an installation works with, and who may start with another one: nobody."""

from facefleet.errors import ModelPackMismatch
from facefleet.ledger.engine import Ledger


def require_current_model(ledger: Ledger, model_version: str) -> None:
    """Refuse to start with another model than the last migration switched to; without one, every model may.

    Raises:
        ModelPackMismatch: the sentence says which to set.
    """
    current = ledger.shelf.current()
    if current is not None and current.to_version != model_version:
        raise ModelPackMismatch(
            f"this installation was migrated to the model pack {current.to_pack} (version {current.to_version}); this "
            f"process has version {model_version}: set FACEFLEET_MODEL_PACK={current.to_pack}, or go back with "
            "`facefleet migrate --back`"
        )
