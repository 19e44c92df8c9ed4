"""The reader of TensorFlow 1 checkpoints, against TensorFlow's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from cartoonize import Cartoonizer
from cartoonize.errors import WeightsError
from cartoonize.generators.checkpoint import read_index
from cartoonize.generators.crc32c import crc32c
from cartoonize.generators.weights_files import read_checkpoint


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with the release's names, and others that are no arrays of a generator."""
    rng = np.random.default_rng(0)
    prefix = tmp_path_factory.mktemp("checkpoint") / "model-1"
    arrays = {
        f"generator/block_{n}/conv{k}/{part}": rng.normal(size=shape).astype(np.float32)
        for n in range(9)
        for k in (1, 2)
        for part, shape in (("weights", (3, 3, 5, 7)), ("biases", (7,)))
    }
    arrays |= {"global_step": np.int64(3), "generator/scalar": np.float32(2)}
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(arrays),
        shape_and_slices=[""] * len(arrays),
        tensors=[tf.constant(value) for value in arrays.values()],
    )
    return prefix


def files(prefix: Path) -> tuple[Path, Path]:
    return prefix.with_name(prefix.name + ".index"), prefix.with_name(prefix.name + ".data-00000-of-00001")


def test_reads_what_tensorflow_reads(checkpoint: Path) -> None:
    index, data = files(checkpoint)
    reader = tf.train.load_checkpoint(str(checkpoint))
    entries = read_index(index)
    assert set(entries) == set(reader.get_variable_to_shape_map()) - {"global_step"}
    for name, entry in entries.items():
        np.testing.assert_array_equal(entry.read(data.read_bytes()), reader.get_tensor(name))


def test_reads_the_release_as_tensorflow_does(shared: Path) -> None:
    prefix = shared / "pretrained" / "model-33999"
    reader = tf.train.load_checkpoint(str(prefix))
    arrays = read_checkpoint(prefix)
    assert len(arrays) == 18
    np.testing.assert_array_equal(arrays["conv_3"][0], reader.get_tensor("generator/Conv_3/weights"))
    np.testing.assert_array_equal(arrays["conv"][0][:, :, ::-1], reader.get_tensor("generator/Conv/weights"))


def test_mutated_checkpoints_are_refused_or_read(checkpoint: Path, tmp_path: Path) -> None:
    """TensorFlow's own reader aborts the process on a third of such files."""
    index, data = (path.read_bytes() for path in files(checkpoint))
    copy = tmp_path / "model-1"
    rng = np.random.default_rng(0)
    refused = 0
    for n in range(300):
        changed = bytearray(index)
        for _ in range(1 + n % 3):
            changed[rng.integers(len(changed))] = rng.integers(256)
        if n % 4 == 0:
            changed = changed[: rng.integers(len(changed))] + changed[-48:]
        files(copy)[0].write_bytes(changed)
        files(copy)[1].write_bytes(data)
        try:
            read_checkpoint(copy)
        except WeightsError as error:
            refused += 1
            assert "\n" not in str(error)  # noqa: PT017
    assert refused > 250  # checksums notice most


def test_a_changed_array_is_noticed(checkpoint: Path, tmp_path: Path) -> None:
    index, data = (path.read_bytes() for path in files(checkpoint))
    copy = tmp_path / "model-1"
    files(copy)[0].write_bytes(index)
    files(copy)[1].write_bytes(data[:1000] + bytes([data[1000] ^ 1]) + data[1001:])
    with pytest.raises(WeightsError, match="another checksum"):
        read_checkpoint(copy)


def test_the_one_that_aborted_the_process(shared: Path, own_cache: Path) -> None:
    with pytest.raises(WeightsError, match="damaged or truncated") as caught:
        Cartoonizer(shared / "inputs" / "hostile" / "k1")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (bytes(range(32)), 0x46DD794E)],
)
def test_the_checksum_of_rfc_3720(data: bytes, expected: int) -> None:
    assert crc32c(data) == expected


@pytest.mark.parametrize("size", [4, 5, 4095, 4096, 5000, 20_011])
def test_the_checksum_of_long_data_is_that_of_one_byte_after_the_other(size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    assert crc32c(data) == state ^ 0xFFFFFFFF
