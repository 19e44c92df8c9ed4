"""The files that mutations begin with: small, whole, one of each kind, made here and nowhere kept."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import av
import numpy as np
import pillow_heif
import skimage.data
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from cartoonize.generators.weights import builtin_folder

PHOTO = Image.fromarray(skimage.data.chelsea()[60:108, 150:214])  # 64 x 48
_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def pictures() -> dict[str, bytes]:
    """Return pictures by file name, of every format that is read, with metadata, profiles, alpha and frames."""
    pillow_heif.register_heif_opener()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = _exif()
    clear = PHOTO.copy()
    clear.putalpha(Image.linear_gradient("L").resize(PHOTO.size))
    frames = {"save_all": True, "append_images": [PHOTO.rotate(90), PHOTO.rotate(180)], "duration": 40, "loop": 2}
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", _XMP.decode(), zip=True)
    deep = Image.fromarray(np.asarray(PHOTO.convert("L")).astype(np.uint16) * 257)
    return {
        "baseline.jpg": _saved(PHOTO, "JPEG", exif=exif, icc_profile=srgb, xmp=_XMP),
        "progressive.jpg": _saved(PHOTO, "JPEG", progressive=True, exif=exif),
        "cmyk.jpg": _saved(PHOTO.convert("CMYK"), "JPEG"),
        "rgb.png": _saved(PHOTO, "PNG", exif=exif, icc_profile=srgb, pnginfo=text, dpi=(300, 300)),
        "palette.png": _saved(PHOTO.quantize(16), "PNG", transparency=3),
        "deep.png": _saved(deep, "PNG"),
        "animated.png": _saved(PHOTO, "PNG", **frames),
        "lossy.webp": _saved(clear, "WEBP", exif=exif, icc_profile=srgb, xmp=_XMP),
        "animated.webp": _saved(PHOTO, "WEBP", **frames),
        "lzw.tif": _saved(clear, "TIFF", compression="tiff_lzw", icc_profile=srgb),
        "plain.tif": _saved(PHOTO, "TIFF", exif=exif),
        "deflate.tif": _saved(deep, "TIFF", compression="tiff_adobe_deflate"),
        "jpeg.tif": _saved(PHOTO, "TIFF", compression="jpeg"),
        "plain.bmp": _saved(PHOTO, "BMP"),
        "animated.gif": _saved(PHOTO, "GIF", **frames),
        "still.avif": _saved(PHOTO, "AVIF", exif=exif, icc_profile=srgb),
        "still.heic": _saved(PHOTO, "HEIF", exif=exif),
    }


def films(folder: Path) -> dict[str, bytes]:
    """Write films of eight frames into a folder, a container each, and return them by file name."""
    codecs = {"mp4": "libx264", "mkv": "libx264", "webm": "libvpx-vp9", "avi": "mpeg4", "ts": "mpeg2video"}
    for ending, codec in codecs.items():
        with av.open(str(folder / f"film.{ending}"), "w") as output:
            stream = output.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
            for number in range(8):
                picture = np.asarray(PHOTO)[:32, 2 * number :][:, :32]
                output.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")))
            output.mux(stream.encode(None))
    return {f"film.{ending}": (folder / f"film.{ending}").read_bytes() for ending in codecs}


def weights(folder: Path) -> dict[str, Path]:
    """Write weights of every kind into a folder and return them by file name; the checkpoint is its `.index`."""
    builtin = builtin_folder()
    found = {name: Path(shutil.copy(builtin / name, folder)) for name in ("fast.tflite", "fast.weights.h5")}
    packed = folder / "fast.keras"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(builtin / "fast.weights.h5", "model.weights.h5")
        archive.writestr("config.json", "{}")
    return found | {packed.name: packed, "model.index": _checkpoint(folder)}


def _checkpoint(folder: Path) -> Path:
    """Write a TensorFlow 1 checkpoint with the variables of the authors' release, all random, and return its index."""
    import tensorflow as tf

    from cartoonize.generators.architectures import build_unet

    names, arrays = [], []
    for layer in build_unet().layers:
        if layer.weights:
            scope = layer.name.replace("_conv", "/conv") if "block" in layer.name else layer.name.capitalize()
            names += [f"generator/{scope}/weights", f"generator/{scope}/biases"]
            arrays += layer.get_weights()
    tf.raw_ops.SaveV2(
        prefix=str(folder / "model"), tensor_names=names, shape_and_slices=[""] * len(names), tensors=arrays
    )
    return folder / "model.index"


def configurations(folder: Path) -> dict[str, tuple[str, str]]:
    """Return YAMLs by file name, with the command they are for; the folders they name exist in `folder`."""
    from cartoonize.training.whitebox.default_config import default_yaml

    for name in ("photos", "cartoons"):
        (folder / name).mkdir()
        PHOTO.save(folder / name / "a.png")
    tiny = (
        "run: run\ngroups:\n  - {name: one, photos: photos, cartoons: cartoons, weight: 1}\n"
        "patch_size: 64\nbatch_size: 1\nsteps: {pretrain: 1, train: 1}\nlosses: {preset: paper}\n"
    )
    recipe = Path(__file__).parents[2] / "examples" / "distill_fast.yaml"
    return {
        "default.yaml": ("train", default_yaml()),
        "tiny.yaml": ("train", tiny),
        "distill.yaml": ("distill", recipe.read_text(encoding="utf-8")),
    }


def _saved(image: Image.Image, image_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, image_format, **options)
    return stream.getvalue()


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112], exif[0x0132] = "a cat", 6, "2020:01:02 03:04:05"
    exif.get_ifd(0x8769)[0x829A] = 0.004
    exif.get_ifd(0x8769)[0x927C] = bytes(range(64))
    exif.get_ifd(0x8825)[1] = "N"
    return exif.tobytes()
