"""How alike one person's faces look to a model."""

from dataclasses import dataclass
from typing import Self

from facefleet.errors import ConfigurationError
from facefleet.people.clustering import ClusterSettings
from facefleet.recognition.calibration import load_curve
from facefleet.recognition.model_pack import ModelPack, find_model_pack
from facefleet.recognition.pack_files import USUAL_SIMILARITY_THRESHOLD
from facefleet.recognition.similarity import usual_curve
from facefleet.settings import Settings


@dataclass(frozen=True)
class ModelRules:
    """Reads the calibration of a pack when it is asked for: another process may write it meanwhile."""

    settings: Settings
    #: None where no pack is at hand; its calibration is then guessed, as that of every other one is.
    pack: ModelPack | None

    @classmethod
    def at_hand(cls, settings: Settings) -> Self:
        """Those of the pack that the settings name, if it is on this machine: faces are grouped without it, too."""
        try:
            pack = find_model_pack(settings)
        except ConfigurationError:
            pack = None
        return cls(settings, pack)

    def of(self, model_version: str) -> ClusterSettings:
        """Settings of a grouping of faces of this model version.

        Raises:
            ConfigurationError: the calibration's file is there but cannot be used.
        """
        curve = usual_curve(USUAL_SIMILARITY_THRESHOLD)
        if self.pack is not None and self.pack.model_version == model_version:
            curve = load_curve(self.pack, self.settings.data_dir)
        return ClusterSettings(
            curve=curve,
            min_cluster_size=self.settings.min_cluster_size,
            min_samples=self.settings.min_samples,
            cluster_epsilon=self.settings.cluster_epsilon,
            min_quality=self.settings.min_cluster_quality,
        )
