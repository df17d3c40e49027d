"""Model packs: directories with a detector and an embedder, in InsightFace's layout.

Imports no model runtime: the command line asks here for names and paths at every start.
"""

import contextlib
import hashlib
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from facefleet.errors import LicenseNotAccepted, ModelPackMismatch, ModelPackNotFound
from facefleet.recognition.pack_files import (
    INSIGHTFACE_THRESHOLD,
    USUAL_SIMILARITY_THRESHOLD,
    KnownPack,
    check_hash,
    hash_file,
    known_packs,
    read_facts,
    route_files,
)
from facefleet.settings import Settings

DEMO_PACK = "demo"
INSIGHTFACE_LICENCE = (
    "InsightFace's pretrained models are available for non-commercial research purposes only; "
    "see https://github.com/deepinsight/insightface#license. Commercial use needs a licence from InsightFace."
)
_MODEL_VERSION_DIGITS = 16


@dataclass(frozen=True, slots=True)
class ModelPack:
    """A detector and an embedder that are used together."""

    name: str
    directory: Path
    detector: Path
    embedder: Path
    #: 16 hexadecimal digits; templates of different versions are never compared. Of a quantized pack that passed its
    #: gate it is the version of the pack that it was made from: what that one indexed, this one finds.
    model_version: str
    detection_threshold: float
    #: Cosine similarity below which two faces are taken for two people, when nobody says otherwise.
    similarity_threshold: float
    licence: str
    #: Whether the pack knows drawn people only, as the bundled one does.
    drawn_people: bool
    #: 16 hexadecimal digits over the hashes of both files; empty: `model_version` is that.
    own_version: str = ""

    @property
    def title(self) -> str:
        """Name and version, for a person."""
        own = self.own_version or self.model_version
        kin = "" if own == self.model_version else f", compatible with {self.model_version}"
        return f"{self.name} ({own}{kin})"


@dataclass(frozen=True, slots=True)
class ModelPackListing:
    """One line of `facefleet models list`."""

    name: str
    directory: Path
    installed: bool
    licence: str


def find_model_pack(settings: Settings) -> ModelPack:
    """Find and verify the pack that `settings.model_pack` names.

    Raises:
        ModelPackNotFound: it is not on this machine; the message says what to do.
        ModelPackMismatch: a file is not the one its manifest names, or the directory is no model pack.
    """
    name = settings.model_pack
    directory = _directory_of(name, settings)
    if not directory.is_dir():
        raise ModelPackNotFound(_explain_missing(name, directory))
    known = known_packs().get(name)
    return _read_known_pack(name, directory, known) if known else _read_pack(name, directory)


def check_unchanged(pack: ModelPack) -> None:
    """Raise ModelPackMismatch when its files are no longer those that were found."""
    if _version_of(hash_file(pack.detector), hash_file(pack.embedder)) != (pack.own_version or pack.model_version):
        raise ModelPackMismatch(
            f"The files of the model pack {pack.directory} have changed; start this process again to use them."
        )


def list_model_packs(settings: Settings) -> list[ModelPackListing]:
    """List the packs that have a name, and the configured one when it is a path."""
    names = [DEMO_PACK, *known_packs()]
    if settings.model_pack not in names:
        names.append(settings.model_pack)
    listings = []
    for name in names:
        directory = _directory_of(name, settings)
        licence = INSIGHTFACE_LICENCE if name in known_packs() else ""
        installed = directory.is_dir()
        if installed and not licence:
            licence = read_facts(directory).licence
        listings.append(ModelPackListing(name, directory, installed, licence))
    return listings


def pull_model_pack(name: str, settings: Settings) -> ModelPack:
    """Fetch a public pack through InsightFace into its usual folder, verify it, and return it.

    A pack that is there already is verified and returned. Several processes may pull at once: each fetches into a
    folder of its own and the first to finish puts its folder in place.

    Raises:
        LicenseNotAccepted: `settings.accept_license` is off; the message is the licence.
        ModelPackNotFound: not a public pack, or this machine cannot fetch it.
        ModelPackMismatch: what was fetched is not the known pack.
    """
    if name not in known_packs():
        names = ", ".join(known_packs())
        raise ModelPackNotFound(f"{name} cannot be fetched: it is not one of {names}.")
    wanted = settings.model_copy(update={"model_pack": name})
    target = _directory_of(name, settings)
    if not target.is_dir():
        if not settings.accept_license:
            raise LicenseNotAccepted(
                f"{INSIGHTFACE_LICENCE} To accept these terms and fetch {name}, run `facefleet models pull {name} "
                "--accept-license` or set FACEFLEET_ACCEPT_LICENSE=true. To try Facefleet with drawn people, set "
                "FACEFLEET_MODEL_PACK=demo; to use a pack of your own, set it to the pack's folder."
            )
        _fetch(name, wanted, target)
    return find_model_pack(wanted)


def obtain_model_pack(settings: Settings) -> ModelPack:
    """Find the configured pack, fetching a public one on first use; errors as of finding and pulling."""
    if settings.model_pack in known_packs():
        return pull_model_pack(settings.model_pack, settings)
    return find_model_pack(settings)


def _directory_of(name: str, settings: Settings) -> Path:
    if name == DEMO_PACK:
        spec = find_spec("demo")
        roots = list(spec.submodule_search_locations or ()) if spec else []
        return Path(roots[0]) / "pack" if roots else Path("demo", "pack")
    if name in known_packs():
        return settings.model_dir.expanduser() / "models" / name
    return Path(name).expanduser()


def _explain_missing(name: str, directory: Path) -> str:
    otherwise = (
        "or set FACEFLEET_MODEL_PACK to a directory with a detector and an embedder (det_*.onnx and one recognition "
        "model), or to demo for drawn people."
    )
    if name in known_packs():
        return (
            f"The model pack {name} is not in {directory}. Fetch it with `facefleet models pull {name} "
            f"--accept-license`, copy it there from a machine that can fetch it, {otherwise}"
        )
    if name == DEMO_PACK:
        return "The demo pack is not part of this installation; set FACEFLEET_MODEL_PACK to another pack."
    names = ", ".join([DEMO_PACK, *known_packs()])
    return f"There is no model pack at {directory}: it is neither a directory nor one of {names}."


def _read_known_pack(name: str, directory: Path, known: KnownPack) -> ModelPack:
    if not (directory / known.detector[0]).is_file() and (directory / name).is_dir():
        directory /= name  # antelopev2's archive holds a folder of its own name
    paths = []
    for file_name, sha256 in (known.detector, known.embedder):
        path = directory / file_name
        if not path.is_file():
            raise ModelPackNotFound(f"The model pack {name} in {directory} lacks {file_name}; fetch it again.")
        check_hash(path, sha256)
        paths.append(path)
    return ModelPack(
        name,
        directory,
        detector=paths[0],
        embedder=paths[1],
        model_version=_version_of(known.detector[1], known.embedder[1]),
        detection_threshold=INSIGHTFACE_THRESHOLD,
        similarity_threshold=USUAL_SIMILARITY_THRESHOLD,
        licence=INSIGHTFACE_LICENCE,
        drawn_people=False,
    )


def _read_pack(name: str, directory: Path) -> ModelPack:
    facts = read_facts(directory)
    for file_name, sha256 in facts.manifest.items():
        if not (directory / file_name).is_file():
            raise ModelPackMismatch(f"The model pack {directory} lacks {file_name}, which its manifest names.")
        check_hash(directory / file_name, sha256)
    detector, embedder = route_files(directory)
    own_version = _version_of(hash_file(detector), hash_file(embedder))
    return ModelPack(
        name,
        directory,
        detector,
        embedder,
        facts.compatible_with.model_version if facts.compatible_with else own_version,
        detection_threshold=facts.detection_threshold,
        similarity_threshold=facts.similarity_threshold,
        licence=facts.licence,
        drawn_people=facts.drawn_people,
        own_version=own_version,
    )


def _version_of(*file_hashes: str) -> str:
    return hashlib.sha256("\n".join(file_hashes).encode()).hexdigest()[:_MODEL_VERSION_DIGITS]


def _fetch(name: str, wanted: Settings, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=target.parent) as root:
        _download(name, Path(root))
        find_model_pack(wanted.model_copy(update={"model_dir": Path(root)}))
        with contextlib.suppress(OSError):  # another process was first: its pack is as good
            Path(root, "models", name).rename(target)
    if not target.is_dir():
        raise ModelPackNotFound(f"The model pack {name} was fetched but cannot be moved to {target}.")


def _download(name: str, root: Path) -> None:
    try:
        from insightface.utils import storage  # noqa: PLC0415  # takes seconds, and only a first use needs it

        with contextlib.redirect_stdout(sys.stderr):  # it prints, and stdout belongs to results
            storage.download("models", name, root=str(root))
    except Exception as error:  # requests, zipfile and RuntimeError: to a person they are one thing
        raise ModelPackNotFound(
            f"The model pack {name} could not be fetched ({type(error).__name__}). On a machine without a way out copy "
            "the pack's folder from one that has it and set FACEFLEET_MODEL_PACK to it, or use the pack demo."
        ) from error
    if not (root / "models" / name).is_dir():
        raise ModelPackMismatch(f"What was fetched as {name} holds no model pack.")
