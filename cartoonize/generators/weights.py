"""Where generator weights come from: built-in names, the authors' release in the user's cache, and paths."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from cartoonize.errors import UnknownWeightsError, WeightsError
from cartoonize.generators import authors_release
from cartoonize.generators.authors_release import RELEASED

Kind: TypeAlias = Literal["flatbuffer", "keras", "onnx", "checkpoint"]

OWN_LICENCE = "MIT"  # of what nobody else's weights have taught
_LICENCES = {"fast": authors_release.LICENCE, "quality": authors_release.LICENCE, "comic": OWN_LICENCE}
BUILTIN = tuple(_LICENCES)
_CHECKPOINT_FILE = re.compile(r"(.+)(?:\.index|\.data-\d{5}-of-\d{5})", re.DOTALL)
_EXPECTED = "a .tflite, .onnx, .weights.h5 or .keras file, or a TensorFlow 1 checkpoint"
_OTHERS = {  # by their names: what is in them is not looked at
    ".pth": "PyTorch",
    ".pt": "PyTorch",
    ".ckpt": "PyTorch",
    ".ts": "PyTorch",
    ".safetensors": "arrays alone",
    ".npz": "arrays alone",
    ".pb": "a TensorFlow graph",
    ".mlmodel": "Core ML",
    ".mlpackage": "Core ML",
    ".param": "ncnn",
    ".engine": "TensorRT",
}
MAX_BYTES = 512 * 1024**2  # the paper's generator has 6 MB; nothing near this is one


@dataclass(frozen=True)
class Weights:
    """Weights that exist: `path` is the file, or the prefix of a TensorFlow 1 checkpoint."""

    path: Path
    kind: Kind

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that hold the arrays."""
        return checkpoint_files(self.path) if self.kind == "checkpoint" else (self.path,)


@dataclass(frozen=True)
class WeightsInfo:
    """One line of `cartoonize weights list`; `size` in bytes, `location` None when it is not on this machine."""

    name: str
    size: int | None
    licence: str
    location: Path | None
    note: str


def builtin_folder() -> Path:
    """Return the folder of the built-in weights: inside an installed wheel, beside the package in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "builtin_weights"
    return installed if installed.is_dir() else package.parent / "weights"


def locate(weights: str | Path) -> Weights:
    """Find weights by built-in name, "whitebox" or path, and recognise their kind by content; loads nothing.

    A path is a `.tflite` or `.onnx`, a `.weights.h5` or `.keras` of ours, or the authors' TensorFlow 1 checkpoint (its
    prefix, one of its files, or its folder). Raises WeightsError when the name is unknown or the file is none of these.
    """
    name = str(weights)
    if name == RELEASED:
        return _released()
    try:
        if name in BUILTIN:
            return _recognise(builtin_folder() / f"{name}.tflite")
        return _recognise_path(Path(weights).expanduser())
    except OSError as error:
        if name in BUILTIN:
            raise WeightsError(_not_installed(builtin_folder() / f"{name}.tflite", error)) from error
        raise WeightsError(f"{weights}: {error.strerror or error}") from error
    except RuntimeError as error:  # ~NOBODY
        raise WeightsError(f"{weights}: {error}") from error


def keras_weights(weights: Weights) -> Weights:
    """Return the same weights in a form Keras can load; raises WeightsError when there is none.

    Of a flatbuffer that is the `.weights.h5` that trainings leave beside it.
    """
    if weights.kind not in ("flatbuffer", "onnx"):
        return weights
    beside = weights.path.with_suffix(".weights.h5")
    if weights.kind == "flatbuffer" and beside.is_file():
        return _recognise(beside)
    raise WeightsError(
        f"{weights.path}: a {weights.path.suffix} file has no weights for Keras, neither to train from nor to export as"
        " saved_model or keras: give the .weights.h5 it was made from"
    )


def checkpoint_files(prefix: Path) -> tuple[Path, Path]:
    """Return the two files of a TensorFlow checkpoint."""
    return prefix.with_name(prefix.name + ".index"), prefix.with_name(prefix.name + ".data-00000-of-00001")


def verify(name: str) -> None:
    """Check named weights on this machine; raises WeightsError with expected, received and what to do.

    The release is checked against the authors' git blob ids, built-in weights against `SHA256SUMS` beside them.
    """
    if name == RELEASED:
        authors_release.verify()
        return
    if name not in BUILTIN:
        raise UnknownWeightsError(_unknown(name))
    path = builtin_folder() / "SHA256SUMS"
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            expected, file_name = line.split()
            path = builtin_folder() / file_name
            if file_name.split(".")[0] == name and (received := _sha256([path])) != expected:
                raise WeightsError(f"{path}: expected SHA-256 {expected}, found {received}; reinstall cartoonize")
    except OSError as error:
        raise WeightsError(_not_installed(path, error)) from error


def fingerprint(weights: Weights) -> str:
    """Return the SHA-256 (hex) of the weights' content."""
    return _sha256(weights.files)


def listing() -> list[WeightsInfo]:
    """Return every named weights, found or not."""
    folder = builtin_folder()
    infos = []
    for name in BUILTIN:
        path = folder / f"{name}.tflite"
        there = path.is_file()
        size, note = (path.stat().st_size, "built in") if there else (None, "missing: reinstall cartoonize")
        infos.append(WeightsInfo(name, size, _LICENCES[name], path if there else None, note))
    here = authors_release.is_here()
    note = "the authors' release" + ("" if here else f"; get it with `cartoonize weights fetch {RELEASED}`")
    infos.append(
        WeightsInfo(
            RELEASED,
            authors_release.TOTAL_BYTES,
            authors_release.LICENCE,
            authors_release.release_folder() if here else None,
            note,
        )
    )
    return infos


def at_hand() -> tuple[str, ...]:
    """Return the names of the weights that are on this machine."""
    return tuple(info.name for info in listing() if info.location)


def _not_installed(path: Path, error: OSError) -> str:
    return f"{path}: {error.strerror or error}; reinstall cartoonize"


def _released() -> Weights:
    if not authors_release.is_here():
        raise WeightsError(
            f"the released weights are not on this machine: run `cartoonize weights fetch {RELEASED}` once"
        )
    return Weights(authors_release.release_folder() / "model-33999", "checkpoint")


def _recognise_path(path: Path) -> Weights:
    if path.is_dir():
        if exported := [*path.glob("exports/step_*.tflite"), *path.glob("student.tflite")]:
            return _recognise(max(exported))  # of a training's folder, the newest by its step
        prefixes = sorted(p.with_suffix("") for p in path.glob("*.index"))
        if not prefixes and ((path / "saved_model.pb").is_file() or path.suffix in _OTHERS):
            raise WeightsError(_other(path, _OTHERS.get(path.suffix, "a TensorFlow SavedModel")))
        if len(prefixes) != 1:
            raise WeightsError(f"{path}: expected a folder with one checkpoint (*.index), found {len(prefixes)}")
        return _recognise_checkpoint(prefixes[0])
    if match := _CHECKPOINT_FILE.fullmatch(path.name):
        return _recognise_checkpoint(path.with_name(match[1]))
    if path.is_file():
        return _recognise(path)
    if checkpoint_files(path)[0].is_file():
        return _recognise_checkpoint(path)
    raise UnknownWeightsError(_unknown(str(path)))


def _recognise(path: Path) -> Weights:
    with path.open("rb") as file:
        head = file.read(8)
    if path.stat().st_size > MAX_BYTES:
        raise WeightsError(f"{path}: larger than any generator ({MAX_BYTES:,} bytes)")
    if head[4:8] == b"TFL3":
        return Weights(path, "flatbuffer")
    if head == b"\x89HDF\r\n\x1a\n" or (head[:4] == b"PK\x03\x04" and path.suffix == ".keras"):
        return Weights(path, "keras")
    if head[:1] == b"\x08" and path.suffix == ".onnx":  # its first field, the version: there is no other mark
        return Weights(path, "onnx")
    if path.suffix in _OTHERS:
        raise WeightsError(_other(path, _OTHERS[path.suffix]))
    raise WeightsError(f"{path}: not weights: expected {_EXPECTED}")


def _other(path: Path, kind: str) -> str:
    return (
        f"{path}: not weights: expected {_EXPECTED}; what this may be ({kind}) has to be exported as ONNX first,"
        " for pictures of any size"
    )


def _recognise_checkpoint(prefix: Path) -> Weights:
    index, data = checkpoint_files(prefix)
    for file in (index, data):
        if not file.is_file():
            raise WeightsError(f"{file}: missing; a checkpoint is {index.name} and {data.name}")
        if file.stat().st_size > MAX_BYTES:
            raise WeightsError(f"{file}: larger than any generator ({MAX_BYTES:,} bytes)")
    # The index is a LevelDB table; its last eight bytes are the format's magic number.
    if index.read_bytes()[-8:] != bytes.fromhex("57fb808b247547db"):
        raise WeightsError(f"{index}: not a TensorFlow checkpoint index, or truncated")
    return Weights(prefix, "checkpoint")


def _unknown(name: str) -> str:
    names = (*BUILTIN, RELEASED)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"expected {', '.join(names)} or the path of a weights file"
    return f"no weights called {name!r}: {hint}"


def _sha256(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
