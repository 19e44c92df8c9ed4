from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

import cartoonize
from cartoonize import Cartoonizer
from cartoonize.errors import AlreadyThereError, ArgumentError, CartoonizeError, DecodeError, EngineError
from cartoonize.generators.finishing import finish
from cartoonize.media import codec
from cartoonize.method.retouch import Retouch

from .conftest import psnr, read


@pytest.fixture(scope="module")
def fast() -> Cartoonizer:
    return Cartoonizer("fast")


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (721, 33), (1, 90), (2, 3)])
@pytest.mark.parametrize("size", [None, 64, "full"])
def test_any_size_comes_back_in_its_own_size(shape: tuple[int, int], size: Any) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    result = Cartoonizer("fast", size=size)(photo)
    assert result.shape == photo.shape
    assert result.dtype == np.uint8


def test_a_very_long_photo(fast: Cartoonizer) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (9000, 150, 3), np.uint8)
    assert fast(photo).shape == photo.shape


def test_a_working_size_that_takes_all_memory_is_refused(fast: Cartoonizer) -> None:
    with pytest.raises(EngineError, match="too many pixels to work at, 1440000x720: choose a smaller --size"):
        Cartoonizer("fast", size=720)(np.zeros((1, 2000, 3), np.uint8))


def test_output_size_work_stops_at_the_working_size(coffee: NDArray[np.uint8]) -> None:
    assert Cartoonizer("fast", size=100, output_size="work")(coffee).shape == (100, 150, 3)


def test_the_full_size_result_agrees_with_the_working_size_one(coffee: NDArray[np.uint8]) -> None:
    """Brought up and shrunk again it is the picture the generator made: the bring-up adds edges, not another look."""
    small = Cartoonizer("fast", size=200, output_size="work")(coffee)
    full = Cartoonizer("fast", size=200)(coffee)
    shrunk = np.asarray(Image.fromarray(full).resize(small.shape[1::-1], Image.Resampling.BOX))
    assert psnr(small, shrunk) > 28


def test_detail_zero_is_the_generators_own_output(coffee: NDArray[np.uint8]) -> None:
    from cartoonize.generators.engines.litert import LiteRTEngine
    from cartoonize.generators.generator import load
    from cartoonize.method.pixels import to_image, to_network

    raw = to_image(LiteRTEngine(load("fast"), 1)(to_network(coffee)[np.newaxis])[0]).astype(int)
    assert np.abs(Cartoonizer("fast", smooth=0.0)(coffee) - raw).max() <= 1
    assert np.abs(Cartoonizer("fast", smooth=1.0)(coffee) - raw).max() > 20


@pytest.mark.parametrize("output_size", ["photo", "work"])
def test_knobs_at_their_defaults_are_the_identity(coffee: NDArray[np.uint8], output_size: Any) -> None:
    photo, work = coffee[:150, :170], coffee[:75, :85]
    output = np.random.default_rng(0).uniform(-1, 1, (*work.shape[:2], 3)).astype(np.float32)
    plain = finish(photo, work, output, 1.0, output_size)
    asked = finish(photo, work, output, 1.0, output_size, Retouch(lines=0, keep_colors=0, strength=1))
    np.testing.assert_array_equal(plain, asked)
    own_lines = np.dstack([output, np.full(work.shape[:2], 0.9, np.float32)])  # a look that draws ink
    np.testing.assert_array_equal(finish(photo, work, own_lines, 1.0, output_size, Retouch(lines=0)), plain)
    assert finish(photo, work, own_lines, 1.0, output_size).max() < 30


@pytest.mark.parametrize(
    "retouch", [Retouch(), Retouch(lines=1), Retouch(strength=0.5), Retouch(keep_colors=1)], ids=str
)
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("size", [100, "full"])
def test_a_photo_that_is_used_up_gives_the_same_result(
    coffee: NDArray[np.uint8], retouch: Retouch, grey: bool, size: Any
) -> None:
    part = coffee[:160, :240]
    photo = np.repeat(part[..., :1], 3, axis=2) if grey else part.copy()
    cartoonizer = Cartoonizer("fast", size=size, retouch=retouch)
    expected = cartoonizer(photo)
    used_up = codec.Photo((codec.Frame(photo),), codec.Metadata(), "PNG")
    result = cartoonizer.photo(used_up).frames[0].pixels
    np.testing.assert_array_equal(result, expected)
    assert (result is photo) == (size == 100 and not retouch.needs_photo), "there is no second picture of its size"


@pytest.mark.parametrize("output_size", ["photo", "work"])
def test_strength_0_is_the_photo_itself(coffee: NDArray[np.uint8], output_size: Any) -> None:
    cartoonizer = Cartoonizer("fast", size=100, output_size=output_size, retouch=Retouch(lines=2, strength=0))
    work, _ = cartoonizer.generate(coffee)
    np.testing.assert_array_equal(cartoonizer(coffee), coffee if output_size == "photo" else work)


def test_lines_draw_on_a_look_that_has_none(coffee: NDArray[np.uint8]) -> None:
    plain, lined = (Cartoonizer("fast", retouch=Retouch(lines=lines))(coffee) for lines in (None, 1.0))
    assert (lined <= plain).all(), "ink only darkens"
    assert 0.01 < np.mean(lined.max(axis=2) < plain.max(axis=2) * 0.5) < 0.2


def test_detail_is_an_earlier_name_of_smooth(coffee: NDArray[np.uint8]) -> None:
    expected = Cartoonizer("fast", size=60, smooth=0.3)(coffee)
    np.testing.assert_array_equal(Cartoonizer("fast", size=60, detail=0.3)(coffee), expected)


@pytest.mark.parametrize("size", [None, 40])
def test_views_and_read_only_arrays_are_taken(coffee: NDArray[np.uint8], size: int | None) -> None:
    cartoonizer = Cartoonizer("fast", size=size)
    flipped = coffee[80:0:-1, 90:0:-1, ::-1]
    flipped.flags.writeable = False
    np.testing.assert_array_equal(cartoonizer(flipped), cartoonizer(flipped.copy()))


def test_threads_share_one_object(fast: Cartoonizer, coffee: NDArray[np.uint8]) -> None:
    photos = [coffee[: 80 + 4 * n, :100] for n in range(8)]
    expected = [fast(photo) for photo in photos]
    with ThreadPoolExecutor(4) as pool:
        for result, alone in zip(pool.map(fast, photos), expected, strict=True):
            np.testing.assert_array_equal(result, alone)


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4, 2), "u1"), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), "u1"), np.zeros(4, "u1"), [[1]], None, 3],
    ids=range(7),
)
def test_what_is_no_picture_is_refused(fast: Cartoonizer, image: Any) -> None:
    with pytest.raises(ValueError, match=r"^expected an? ") as raised:
        fast(image)
    assert isinstance(raised.value, CartoonizeError)


@pytest.mark.parametrize(
    "options",
    [
        {"smooth": 1.5},
        {"smooth": -0.1},
        {"smooth": float("nan")},
        {"smooth": "1"},
        {"detail": 2},
        {"size": 0},
        {"size": "big"},
        {"size": 10.5},
        {"size": True},
        {"output_size": "x"},
        {"device": "cuda"},
        {"threads": 0},
        {"threads": 1.5},
        {"retouch": {"lines": 3}},
        {"retouch": {"keep_colors": -1}},
    ],
    ids=str,
)
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be") as raised:
        Cartoonizer("fast", **{k: Retouch(**v) if k == "retouch" else v for k, v in options.items()})
    assert isinstance(raised.value, CartoonizeError)


REFUSALS: dict[str, Callable[[Cartoonizer, Path], object]] = {
    "no such weights": lambda _, folder: Cartoonizer("fats"),
    "no such file of weights": lambda _, folder: Cartoonizer(folder / "none.tflite"),
    "weights that are none": lambda _, folder: Cartoonizer(folder / "file"),
    "no GPU": lambda _, folder: Cartoonizer("fast", device="gpu"),
    "too large to work at": lambda _, folder: Cartoonizer("fast", size=720)(np.zeros((1, 2000, 3), np.uint8)),
    "a photo that is none": lambda fast, folder: fast(folder / "file"),
    "no such photo": lambda fast, folder: fast(folder / "none.png"),
    "from a file that is none": lambda fast, folder: fast.file(folder / "file", folder / "a.png"),
    "into a file that is there": lambda fast, folder: fast.file(folder / "a.jpg", folder / "there.png"),
    "into the photo itself": lambda fast, folder: fast.file(folder / "there.png", folder / "there.png"),
    "into another kind of file": lambda fast, folder: fast.file(folder / "a.jpg", folder / "a.txt"),
    "into a file that is no folder": lambda fast, folder: fast.file(folder / "a.jpg", folder / "file" / "a.png"),
    "quality": lambda fast, folder: fast.file(folder / "a.jpg", folder / "b.jpg", quality=0),
    "a film that is none": lambda fast, folder: fast.video(folder / "file", folder / "a.mp4"),
    "a film into a picture": lambda fast, folder: fast.video(folder / "file", folder / "a.png"),
    "a film into what is there": lambda fast, folder: fast.video(folder / "file", folder / "there.png"),
    "a frame that is none": lambda fast, folder: list(fast.frames([np.zeros((4, 4), np.uint8)])),
    "frames too steady": lambda fast, folder: list(cartoonize.frames([], steady=2)),
    "frames with other weights": lambda fast, folder: list(cartoonize.frames([], "fats")),
    "too much ink": lambda _, folder: Retouch(lines=3),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_every_refusal_is_one_line_of_a_value_error_of_ours(
    what: str, fast: Cartoonizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VK_DRIVER_FILES", "VK_ICD_FILENAMES"):  # also where there is a GPU
        monkeypatch.setenv(name, "/nonexistent")
    (tmp_path / "file").write_bytes(b"neither weights nor a picture")
    for name in ("a.jpg", "there.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    before = sorted(tmp_path.iterdir())

    with pytest.raises(ValueError, match=r"^[^\n]+$") as raised:
        REFUSALS[what](fast, tmp_path)

    assert isinstance(raised.value, CartoonizeError)
    assert sorted(tmp_path.iterdir()) == before


# Grey and transparent pictures, Pillow's and files


def grey(coffee: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(coffee).convert("L"))


@pytest.mark.parametrize("weights", ["fast", "quality"])
@pytest.mark.parametrize(
    "settings", [{}, {"size": 100}, {"size": 100, "output_size": "work"}, {"smooth": 0.0}], ids=str
)
def test_a_grey_photo_stays_grey(weights: str, settings: dict[str, Any], coffee: NDArray[np.uint8]) -> None:
    photo = np.repeat(grey(coffee[100:300, 200:440])[..., np.newaxis], 3, axis=2)
    result = Cartoonizer(weights, **settings)(photo)
    assert np.ptp(result, axis=2).max() == 0
    assert np.ptp(result) > 100, "and a picture"


def test_one_coloured_pixel_makes_a_photo_no_grey_one(fast: Cartoonizer, coffee: NDArray[np.uint8]) -> None:
    photo = np.repeat(grey(coffee)[..., np.newaxis], 3, axis=2)
    photo[123, 234, 0] ^= 1
    assert np.ptp(fast(photo), axis=2).max() > 0


def test_grey_arrays_come_back_as_they_are(fast: Cartoonizer, coffee: NDArray[np.uint8]) -> None:
    photo = grey(coffee)
    three = fast(np.repeat(photo[..., np.newaxis], 3, axis=2))
    np.testing.assert_array_equal(fast(photo), three[..., 0])
    np.testing.assert_array_equal(fast(photo[..., np.newaxis]), three[..., :1])


@pytest.mark.parametrize("settings", [{}, {"size": 50, "output_size": "work"}], ids=str)
def test_rgba_arrays_keep_their_alpha(settings: dict[str, Any], coffee: NDArray[np.uint8]) -> None:
    alpha = np.zeros(coffee.shape[:2], np.uint8)
    alpha[96:] = 255
    cartoonizer = Cartoonizer("fast", **settings)
    result = cartoonizer(np.dstack([coffee, alpha]))
    np.testing.assert_array_equal(result[..., :3], cartoonizer(coffee))
    assert set(np.unique(result[..., 3])) == {0, 255}
    assert (result[..., 3] == 255).mean() == pytest.approx(0.76)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16", "CMYK"])
def test_pillow_pictures_come_back_as_pillow_pictures(mode: str, fast: Cartoonizer, coffee: NDArray[np.uint8]) -> None:
    part = coffee[:200, :300]
    if mode == "I;16":
        picture = Image.fromarray(grey(part).astype(np.uint16) * 256)
    else:
        picture = Image.fromarray(part).convert("RGBA").convert(mode)
    result = fast(picture)
    assert isinstance(result, Image.Image)
    assert result.mode == {"P": "RGB", "1": "L", "I;16": "L", "CMYK": "RGB", "LA": "L", "RGBA": "RGB"}.get(mode, mode)
    assert result.size == picture.size
    if mode == "RGB":
        np.testing.assert_array_equal(np.asarray(result), fast(part))


def test_pillow_pictures_are_upright_in_srgb_and_keep_alpha(fast: Cartoonizer, coffee: NDArray[np.uint8]) -> None:
    picture = Image.fromarray(coffee)
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    picture.getexif()[0x0112] = 6
    picture.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    result = fast(picture)
    assert result.size == (400, 600)
    np.testing.assert_array_equal(
        np.asarray(result.getchannel("A")), np.asarray(picture.getchannel("A").transpose(Image.Transpose.ROTATE_270))
    )
    assert result.info["icc_profile"]


def test_a_path_is_read(fast: Cartoonizer, coffee: NDArray[np.uint8], tmp_path: Path) -> None:
    Image.fromarray(coffee).save(tmp_path / "a.png")
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        np.testing.assert_array_equal(np.asarray(fast(path)), fast(coffee))
    with pytest.raises(DecodeError, match="no such file"):
        fast(tmp_path / "b.png")


def test_a_file_becomes_the_file_that_the_command_line_makes(tmp_path: Path, coffee: NDArray[np.uint8]) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a cup", 6
    photo = Image.fromarray(coffee[::4, ::4])
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    photo.save(tmp_path / "a.png", exif=exif, dpi=(300, 300))
    notes = Cartoonizer("fast", size=50).file(tmp_path / "a.png", tmp_path / "new" / "a.jpg", quality=80)
    assert notes == ("transparency flattened on white",)
    target = tmp_path / "b.jpg"
    words = ["-m", "cartoonize", tmp_path / "a.png", "--size", "50", "--quality", "80", "--out", target]
    subprocess.run([sys.executable, *words], check=True, capture_output=True, timeout=600)
    assert (tmp_path / "new" / "a.jpg").read_bytes() == target.read_bytes()


def test_a_file_is_not_replaced_unasked_nor_the_photo_ever(fast: Cartoonizer, tmp_path: Path) -> None:
    photo, taken = tmp_path / "a.png", tmp_path / "b.png"
    Image.new("RGB", (8, 8)).save(photo)
    taken.write_bytes(b"mine")
    (tmp_path / "link.png").symlink_to(photo)
    with pytest.raises(AlreadyThereError):
        fast.file(photo, taken)
    assert taken.read_bytes() == b"mine"
    for target in (photo, tmp_path / "link.png"):
        with pytest.raises(ArgumentError, match="the photo itself"):
            fast.file(photo, target, overwrite=True)
    fast.file(photo, taken, overwrite=True)
    assert read(taken).shape == (8, 8, 3)
    with pytest.raises(ArgumentError, match="expected an extension out of"):
        fast.file(photo, tmp_path / "c.txt")
    with pytest.raises(ArgumentError, match="quality must be"):
        fast.file(photo, tmp_path / "c.jpg", quality=0)
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "b.png", "link.png"}


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(cartoonize.__file__).parent / "py.typed").is_file()


def test_broken_weights_are_an_error_not_a_black_picture(tmp_path: Path) -> None:
    from cartoonize.generators.conversion import flatbuffer, keras_model
    from cartoonize.generators.weights import locate

    model = keras_model(locate("fast"))
    kernel, bias = model.get_layer("merge").get_weights()
    model.get_layer("merge").set_weights([kernel * np.nan, bias])
    (tmp_path / "nan.tflite").write_bytes(flatbuffer(model))
    broken = Cartoonizer(tmp_path / "nan.tflite")
    with pytest.raises(EngineError, match="the weights are broken"):
        broken(np.zeros((8, 8, 3), np.uint8))


def test_the_card_in_the_file_sets_working_size_and_filter(tmp_path: Path, coffee: NDArray[np.uint8]) -> None:
    from cartoonize.generators.card import Card, with_card
    from cartoonize.generators.generator import load
    from cartoonize.method.guided_filter import filter_image

    (tmp_path / "mine.tflite").write_bytes(with_card(load("fast").content, Card(short_side=100, radius=3, eps=0.1)))
    mine = Cartoonizer(tmp_path / "mine.tflite", output_size="work")
    work, cartoon = mine.generate(coffee)
    assert work.shape == (100, 150, 3)
    np.testing.assert_array_equal(mine(coffee), filter_image(work, cartoon, 1.0, 3, 0.1))
    np.testing.assert_array_equal(work, Cartoonizer("fast", size=100).generate(coffee)[0])


SAMPLES = [
    "london1",
    "mountain5",
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("actress2", "china6", "food6", "party7")),
]


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_released_weights_give_the_released_pictures(sample: str, shared: Path, released: Path) -> None:
    """Parity: at least 50 dB where the release's crop to multiples of 8 does not reach."""
    photo = read(shared / "samples" / f"{sample}.jpg")
    expected = read(shared / "samples" / f"{sample}.release.png")
    result = Cartoonizer(released, output_size="work")(photo)
    height, width = (
        theirs if theirs == ours else theirs - 64
        for ours, theirs in zip(result.shape[:2], expected.shape[:2], strict=True)
    )
    assert psnr(result[:height, :width], expected[:height, :width]) >= 50
