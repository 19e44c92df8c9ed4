from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from cartoonize import Cartoonizer
from cartoonize.errors import WeightsError
from cartoonize.generators import weights
from cartoonize.generators.conversion import flatbuffer, keras_model
from cartoonize.generators.converted import cached_flatbuffer
from cartoonize.generators.generator import load
from cartoonize.generators.weights import builtin_folder, locate


@pytest.mark.parametrize("name", weights.BUILTIN)
def test_built_in_weights_are_there_and_as_published(name: str) -> None:
    assert locate(name).kind == "flatbuffer"
    weights.verify(name)


def test_verify_notices_a_changed_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(builtin_folder(), tmp_path / "weights")
    monkeypatch.setattr(weights, "builtin_folder", lambda: tmp_path / "weights")
    with (tmp_path / "weights" / "fast.tflite").open("r+b") as file:
        file.seek(1000)
        file.write(b"x")
    with pytest.raises(WeightsError, match=r"fast\.tflite: expected SHA-256 .* reinstall"):
        weights.verify("fast")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("fsat", "did you mean 'fast'"), ("witebox", "did you mean 'whitebox'"), ("no/such/file.h5", "expected fast,")],
)
def test_unknown_names_get_a_hint(name: str, hint: str) -> None:
    with pytest.raises(WeightsError, match=hint):
        locate(name)


def test_whitebox_is_never_fetched_unasked(own_cache: Path) -> None:
    with pytest.raises(WeightsError, match="cartoonize weights fetch whitebox"):
        locate("whitebox")
    assert not own_cache.exists()


def test_listing_says_what_is_where(own_cache: Path) -> None:
    *built_in, whitebox = weights.listing()
    assert [info.name for info in built_in] == ["fast", "quality", "comic"]
    for info in built_in:
        assert info.location == builtin_folder() / f"{info.name}.tflite"
        assert info.size == info.location.stat().st_size
    assert whitebox.location is None
    assert whitebox.size == 5_869_861
    assert {info.name: info.licence for info in (*built_in, whitebox)} == {
        **dict.fromkeys(("fast", "quality", "whitebox"), "CC BY-NC-SA 4.0"),
        "comic": "MIT",
    }


def test_the_cards_of_built_in_weights_say_the_licences_of_the_list() -> None:
    for info in weights.listing():
        if info.name in weights.BUILTIN:
            assert load(info.name).card.licence == info.licence


@pytest.mark.parametrize("form", ["model-33999", "model-33999.index", "model-33999.data-00000-of-00001", ""])
def test_a_checkpoint_is_found_by_prefix_file_or_folder(shared: Path, form: str) -> None:
    located = locate(shared / "pretrained" / form)
    assert located.kind == "checkpoint"
    assert located.path == shared / "pretrained" / "model-33999"


WRONG_FILES = {
    "empty.tflite": (b"", "not weights"),
    "text.h5": (b"these are no weights", "not weights"),
    "zip.npz": (b"PK\x03\x04rest", "arrays alone.* exported as ONNX"),
    "pickle.pt": (b"\x80\x04K\x01.", "PyTorch.* exported as ONNX"),
    "model.safetensors": (b"\x02\0\0\0\0\0\0\0{}", "arrays alone.* exported as ONNX"),
    "model.mlmodel": (b"\x08\x04\x12\x10", "Core ML.* exported as ONNX"),
    "frozen.pb": (b"\x0a\x30\x0a\x05photo", "TensorFlow graph.* exported as ONNX"),
    "model.index": (b"short", "missing; a checkpoint is"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_wrong_files_get_one_line_that_names_them(name: str, tmp_path: Path) -> None:
    content, reason = WRONG_FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=reason) as caught:
        locate(tmp_path / name)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_saved_model_is_named_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(WeightsError, match=r"TensorFlow SavedModel.* exported as ONNX"):
        locate(tmp_path)


def truncated(source: Path, target: Path, keep: float) -> Path:
    content = source.read_bytes()
    target.write_bytes(content[: int(len(content) * keep)])
    return target


@pytest.mark.parametrize("keep", [0.001, 0.5, 0.99])
@pytest.mark.parametrize("suffix", [".tflite", ".weights.h5"])
def test_truncated_files_of_ours(suffix: str, keep: float, tmp_path: Path, own_cache: Path) -> None:
    path = truncated(builtin_folder() / f"fast{suffix}", tmp_path / f"cut{suffix}", keep)
    with pytest.raises(WeightsError) as caught:
        Cartoonizer(path)
    assert "\n" not in str(caught.value)
    assert not list(own_cache.rglob("*.tflite"))


@pytest.mark.parametrize(("index", "data"), [(0.5, 1.0), (1.0, 0.5), (1.0, 0.0)])
def test_truncated_checkpoints(shared: Path, tmp_path: Path, own_cache: Path, index: float, data: float) -> None:
    for name, keep in {"model-33999.index": index, "model-33999.data-00000-of-00001": data}.items():
        truncated(shared / "pretrained" / name, tmp_path / name, keep)
    with pytest.raises(WeightsError) as caught:
        Cartoonizer(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(own_cache.rglob("*.tflite"))


def test_somebody_elses_flatbuffer_is_refused(shared: Path) -> None:
    with pytest.raises(WeightsError, match="not a generator: expected float32"):
        Cartoonizer(shared / "pretrained" / "whitebox_cartoon_gan_fp16.tflite")


def test_arrays_of_another_network_are_refused(tmp_path: Path, own_cache: Path) -> None:
    with h5py.File(tmp_path / "other.weights.h5", "w") as file:
        variables = file.create_group("layers/dense/vars")
        variables.attrs["name"] = "dense"
        variables["0"], variables["1"] = np.zeros((3, 4)), np.zeros(4)
    with pytest.raises(WeightsError, match="fit none of the generators"):
        keras_model(locate(tmp_path / "other.weights.h5"))


def test_arrays_kept_outside_the_file_are_refused(tmp_path: Path, own_cache: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(64))
    with h5py.File(tmp_path / "sly.weights.h5", "w") as file:
        variables = file.create_group("layers/conv2d/vars")
        variables.attrs["name"] = "conv"
        variables.create_dataset("0", (4,), "f4", external=[(str(tmp_path / "secret"), 0, 64)])
        variables["1"] = np.zeros(4)
    with pytest.raises(WeightsError, match="pointing outside the file"):
        Cartoonizer(tmp_path / "sly.weights.h5")


@pytest.mark.slow
def test_every_form_of_the_same_weights_gives_the_same_picture(tmp_path: Path, own_cache: Path) -> None:
    model = keras_model(locate("fast"))
    model.save(tmp_path / "model.keras")
    (tmp_path / "model.tflite").write_bytes(flatbuffer(model))
    photo = np.random.default_rng(0).integers(0, 256, (33, 50, 3), np.uint8)
    expected = Cartoonizer("fast")(photo).astype(int)
    (tmp_path / "h5.tflite").write_bytes(flatbuffer(keras_model(locate(builtin_folder() / "fast.weights.h5"))))
    for path in (tmp_path / "model.keras", tmp_path / "model.tflite", tmp_path / "h5.tflite"):
        assert np.abs(Cartoonizer(path)(photo) - expected).max() <= 1


def test_a_keras_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, own_cache: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(200 * 1024**2))
    with pytest.raises(WeightsError, match="bytes of weights"):
        Cartoonizer(tmp_path / "bomb.keras")


def test_a_keras_file_with_damaged_compression_is_refused(tmp_path: Path, own_cache: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(range(256)) * 400)
    data = bytearray((tmp_path / "bad.keras").read_bytes())
    data[60:64] = b"\xff" * 4
    (tmp_path / "bad.keras").write_bytes(data)
    with pytest.raises(WeightsError, match="damaged"):
        Cartoonizer(tmp_path / "bad.keras")


def test_conversion_happens_once_per_content(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = shutil.copy(builtin_folder() / "fast.weights.h5", tmp_path / "a.weights.h5")
    second = shutil.copy(first, tmp_path / "b.weights.h5")
    left = own_cache / "converted" / ".0123456789ab.part"  # of a conversion that was killed long ago
    left.parent.mkdir(parents=True)
    left.touch()
    os.utime(left, (0, 0))
    path = cached_flatbuffer(locate(first))
    assert path.is_relative_to(own_cache)
    monkeypatch.setattr("cartoonize.generators.converted._convert", lambda *args: pytest.fail("converted twice"))
    assert cached_flatbuffer(locate(second)) == path
    assert [p.name for p in own_cache.rglob("*") if p.is_file()] == [path.name]


def test_training_needs_weights_that_keras_can_load(tmp_path: Path) -> None:
    path = shutil.copy(builtin_folder() / "fast.tflite", tmp_path / "mine.tflite")
    with pytest.raises(WeightsError, match=r"give the \.weights\.h5"):
        keras_model(locate(path))


def test_a_missing_built_in_file_says_to_reinstall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "builtin_folder", lambda: tmp_path)
    with pytest.raises(WeightsError, match=r"fast\.tflite: No such file.*; reinstall cartoonize"):
        locate("fast")
    with pytest.raises(WeightsError, match=r"SHA256SUMS: No such file.*; reinstall cartoonize"):
        weights.verify("fast")
    assert weights.listing()[0].location is None
    assert "reinstall" in weights.listing()[0].note
    shutil.copy(builtin_folder() / "SHA256SUMS", tmp_path)
    with pytest.raises(WeightsError, match=r"fast\.tflite: No such file.*; reinstall cartoonize"):
        weights.verify("fast")


@pytest.mark.parametrize("name", ["style.data-v2.tflite", "a.index.tflite", "x.data-00000-of-0001.tflite"])
def test_a_flatbuffer_is_not_taken_for_a_checkpoint_by_its_name(name: str, tmp_path: Path) -> None:
    shutil.copy(builtin_folder() / "fast.tflite", tmp_path / name)
    assert locate(tmp_path / name).kind == "flatbuffer"


def hdf5_with(path: Path, **links: h5py.ExternalLink | h5py.SoftLink) -> Path:
    with h5py.File(path, "w") as file:
        variables = file.create_group("layers/conv2d/vars")
        variables.attrs["name"] = "conv"
        variables["0"], variables["1"] = np.zeros((3, 3, 3, 4)), np.zeros(4)
        for name, link in links.items():
            if name == "layers":
                del file["layers"]
                file["layers"] = link
            else:
                del variables[name[-1]]
                variables[name[-1]] = link
    return path


@pytest.mark.parametrize("where", ["layers", "array0", "array1"])
def test_links_out_of_the_file_are_not_followed(where: str, tmp_path: Path, own_cache: Path) -> None:
    """Opening what this link points to would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    path = hdf5_with(tmp_path / "sly.weights.h5", **{where: h5py.ExternalLink(str(tmp_path / "pipe"), "/x")})
    with pytest.raises(WeightsError, match="points outside"):
        Cartoonizer(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_keras_file_compressed_otherwise_is_refused(method: int, tmp_path: Path, own_cache: Path) -> None:
    with zipfile.ZipFile(tmp_path / "odd.keras", "w", method) as archive:
        archive.writestr("model.weights.h5", bytes(1000))
    with pytest.raises(WeightsError, match="compressed in a way that Keras does not write"):
        Cartoonizer(tmp_path / "odd.keras")


def test_a_keras_file_that_lies_about_its_size(shared: Path, own_cache: Path) -> None:
    with pytest.raises(WeightsError, match="zip_lie") as caught:
        Cartoonizer(shared / "inputs" / "hostile" / "zip_lie.keras")
    assert "\n" not in str(caught.value)


def test_the_folder_of_a_training_stands_for_its_newest_export(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    for step in (900, 1000, 10):
        shutil.copy(builtin_folder() / "fast.tflite", tmp_path / "exports" / f"step_{step:08d}.tflite")

    assert locate(tmp_path).path.name == "step_00001000.tflite"
