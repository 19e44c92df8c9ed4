"""Every combination of format, mode, depth, compression and the like that Pillow, tifffile and libvips write.

`combinations()` yields a name and the bytes of a file. `EXCEPTIONS` tells where another decoder sees something else,
and why.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import product
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from cartoonize.media.profiles import _PRIMARIES, _profile

from .test_png import animation, chromaticities_chunk, gamma_chunk, written

EXCEPTIONS = (
    ("vips", r"(jpeg|tiff pillow) CMYK", "takes CMYK without a profile for that of a press; browsers do as we do"),
    ("vips", r"png .*(gamma|chromaticities|cicp)", "takes colours from profiles alone; browsers from these as well"),
    ("vips", r"tiff .*(zstd|lzma)", "the libtiff in its wheel does not unpack these"),
    ("vips", r"tiff (pillow F|tifffile f4 [12])", "takes grey floating-point numbers from 0 to 255"),
    ("vips", r"tiff tifffile u. 2 separate strips", "sees other samples than were written; `test_tiff.py` has those"),
    ("chromium", r"webp turned [2-8]", "does not turn WebPs by EXIF; libvips does as we do"),
    ("chromium", r"avif (RGBA|vips \d+ 4)", "takes transparency for the range of video; libvips as we do"),
)
"""(decoder, pattern of names, why it differs): of all others no difference is above `LIMIT`."""

LIMIT = 3.0
"""Levels of 8 bits, on average over a picture."""

_WIDTH, _HEIGHT = 72, 50


def colours(channels: int = 3) -> NDArray[np.uint8]:
    """Soft colours, none out of sRGB's gamut in any of the spaces; in the fourth channel transparency."""
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    planes = [60 + x * 2, 70 + y * 2, 190 - x - y, 40 + x * 2 + y][:channels]
    return np.stack(planes, -1).clip(0, 255).astype(np.uint8)


def picture(mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(colours()[..., 0].astype(np.uint16) * 257)
    if mode == "F":
        return Image.fromarray(colours()[..., 0].astype(np.float32) / 255)
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        return ImageCms.profileToProfile(Image.fromarray(colours()), srgb, lab, outputMode="LAB")
    return Image.fromarray(colours(4)).convert(mode)


# What a compression of TIFF packs alone: libtiff refuses the rest, and some versions of Pillow crash then.
_ONLY = {"jpeg": ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"), "group3": ("1",), "group4": ("1",)}


def profiles() -> dict[str, bytes | None]:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return {"none": None, "srgb": srgb, "p3": _profile("P3", _PRIMARIES[12][1], None)}


def saved(image: Image.Image, image_format: str, **arguments: Any) -> bytes | None:
    """None where this version does not write it."""
    stream = io.BytesIO()
    try:
        image.save(stream, image_format, **arguments)
    except (OSError, ValueError, KeyError):
        return None
    return stream.getvalue()


def combinations() -> Iterator[tuple[str, bytes]]:
    """Yield them all, each by a name of its own."""
    for make in (
        _jpegs,
        _pngs,
        _webps,
        _tiffs_of_pillow,
        _tiffs_of_tifffile,
        _tiffs_of_vips,
        _bmps,
        _gifs,
        _avifs,
        _others,
    ):
        for name, data in make():
            if data is not None:
                yield name, data


def _jpegs() -> Iterator[tuple[str, bytes | None]]:
    for mode, sampling, progressive, (profile, icc) in product(
        ("L", "RGB", "CMYK"), ("4:4:4", "4:2:2", "4:2:0"), (False, True), profiles().items()
    ):
        if mode == "CMYK" and profile != "none":
            continue
        kind = "progressive" if progressive else "baseline"
        arguments = {"quality": 95, "subsampling": sampling, "progressive": progressive, "icc_profile": icc}
        yield f"jpeg {mode} {sampling} {kind} {profile}", saved(picture(mode), "JPEG", **arguments)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield f"jpeg turned {orientation}", saved(picture("RGB"), "JPEG", exif=exif, quality=95)
    for sampling in ("4:1:1", "4:4:0"):
        code = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{sampling.replace(':', '')}")
        how = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, code]
        yield f"jpeg RGB {sampling}", cv2.imencode(".jpg", colours()[..., ::-1], how)[1].tobytes()
    yield "jpeg restarts", saved(picture("RGB"), "JPEG", quality=95, restart_marker_rows=1)
    yield "jpeg rgb", saved(picture("RGB"), "JPEG", quality=95, keep_rgb=True)


def _pngs() -> Iterator[tuple[str, bytes | None]]:
    for mode, (profile, icc) in product(("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), profiles().items()):
        yield f"png {mode} {profile}", saved(picture(mode), "PNG", icc_profile=icc)
    for kind, depth in ((0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (4, 8), (4, 16), (6, 8), (6, 16)):
        channels = {0: 1, 2: 3, 4: 2, 6: 4}[kind]
        samples = colours(4)[..., [0, 1, 2, 3] if channels > 2 else [0, 3]][..., :channels].astype(np.uint16)
        samples = samples * 257 if depth == 16 else samples >> (8 - depth)
        yield f"png type {kind} depth {depth}", written(kind, depth, samples)
        if kind in (0, 2):
            key = samples[_HEIGHT // 2, _WIDTH // 2].astype(">u2").tobytes()
            yield f"png type {kind} depth {depth} key", written(kind, depth, samples, _chunk(b"tRNS", key))
        yield f"png type {kind} depth {depth} gamma", written(kind, depth, samples, gamma_chunk(60_000))
    p3 = chromaticities_chunk(0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
    samples = colours().astype(np.uint16)
    yield "png chromaticities", written(2, 8, samples, gamma_chunk(45_455), p3)
    yield "png cicp", written(2, 8, samples, _chunk(b"cICP", bytes([12, 13, 0, 1])))
    for palette in ({"transparency": 3}, {"transparency": bytes(range(0, 256, 2))}):
        yield f"png palette {type(palette['transparency']).__name__}", saved(picture("P"), "PNG", **palette)
    yield "png animated", animation((0, 0, 8, 8, 0, 0, (255, 0, 0, 255)), (2, 2, 2, 2, 1, 0, (0, 0, 255, 128)))
    for bits, interlace in product((1, 2, 4, 8, 16), (False, True)):
        image = _vips(colours()[..., 0] if bits < 8 else colours(4))
        image = (image * 257).cast("ushort").copy(interpretation="rgb16") if bits == 16 else image
        arguments = {"interlace": interlace} | ({"bitdepth": bits} if bits < 8 else {})
        yield f"png vips {bits} {'interlaced' if interlace else 'plain'}", image.pngsave_buffer(**arguments)


def _webps() -> Iterator[tuple[str, bytes | None]]:
    for mode, lossless, (profile, icc) in product(("RGB", "RGBA"), (False, True), profiles().items()):
        name = f"webp {mode} {'lossless' if lossless else 'lossy'} {profile}"
        yield name, saved(picture(mode), "WEBP", lossless=lossless, icc_profile=icc, quality=95, exact=True)


def _tiffs_of_pillow() -> Iterator[tuple[str, bytes | None]]:
    modes = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "I;16", "F")
    packed = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group3", "group4", "zstd", "lzma")
    for mode, compression in product(modes, packed):
        if mode not in _ONLY.get(compression, modes):
            continue
        image = picture(mode)
        yield f"tiff pillow {mode} {compression}", saved(image, "TIFF", compression=compression)
        if compression in ("tiff_lzw", "tiff_adobe_deflate", "zstd") and mode not in ("1", "P"):
            data = saved(image, "TIFF", compression=compression, tiffinfo={317: 3 if mode == "F" else 2})
            yield f"tiff pillow {mode} {compression} predictor", data
    for orientation, compression in product(range(1, 9), ("raw", "tiff_lzw")):
        tags = {274: orientation}
        yield (
            f"tiff turned {orientation} {compression}",
            saved(picture("RGB"), "TIFF", compression=compression, tiffinfo=tags),
        )
    for profile, icc in profiles().items():
        yield f"tiff profile {profile}", saved(picture("RGB"), "TIFF", icc_profile=icc)


def _tiffs_of_tifffile() -> Iterator[tuple[str, bytes | None]]:
    for kind, channels, planar, tiled, order, big in product(
        ("u1", "u2", "f4"), (1, 2, 3, 4), ("contig", "separate"), (False, True), "<>", (False, True)
    ):
        samples = (colours(4)[..., [0, 1, 2, 3] if channels > 2 else [0, 3]][..., :channels]).astype(float)
        samples = (samples * {"u1": 1, "u2": 257, "f4": 1 / 255}[kind]).astype(kind).squeeze()
        samples = np.moveaxis(samples, -1, 0) if planar == "separate" and channels > 1 else samples
        stream = io.BytesIO()
        tifffile.imwrite(
            stream, samples, metadata=None, bigtiff=big, byteorder=order, tile=(32, 48) if tiled else None,
            photometric="rgb" if channels > 2 else "minisblack", compression="zlib" if tiled else None,
            planarconfig=planar if channels > 1 else None, extrasamples=["unassalpha"] if channels in (2, 4) else None,
        )  # fmt: skip
        name = f"{kind} {channels} {planar} {'tiled' if tiled else 'strips'} {order} {'big' if big else 'classic'}"
        yield f"tiff tifffile {name}", stream.getvalue()


def _tiffs_of_vips() -> Iterator[tuple[str, bytes | None]]:
    compressions = ("none", "lzw", "deflate", "packbits", "jpeg", "zstd", "webp")
    for bands, bits, compression, tiled in product((1, 3, 4), (8, 16), compressions, (False, True)):
        if bits == 16 and compression in ("jpeg", "webp"):
            continue
        image = _vips(colours(bands) if bands > 1 else colours()[..., 0])
        if bits == 16:
            image = (image * 257).cast("ushort").copy(interpretation="grey16" if bands == 1 else "rgb16")
        arguments = {"compression": compression, "tile": tiled, "tile_width": 32, "tile_height": 32, "Q": 95}
        yield f"tiff vips {bands} {bits} {compression} {'tiled' if tiled else 'strips'}", _tiffsave(image, arguments)
    grey = _vips(colours()[..., 0])
    for bits, miniswhite in product((1, 2, 4, 8), (False, True)):
        yield f"tiff vips grey {bits} {miniswhite}", _tiffsave(grey, {"bitdepth": bits % 8, "miniswhite": miniswhite})
    rgb = _vips(colours())
    yield "tiff vips pyramid", _tiffsave(rgb, {"pyramid": True, "tile": True, "tile_width": 32, "tile_height": 32})
    yield "tiff vips big", _tiffsave(rgb, {"bigtiff": True})
    yield "tiff vips premultiplied", _tiffsave(_vips(colours(4)), {"premultiply": True})
    yield "tiff vips labs", _tiffsave(rgb.colourspace("labs"), {})
    yield "tiff vips scrgb", _tiffsave(rgb.colourspace("scrgb"), {})


def _bmps() -> Iterator[tuple[str, bytes | None]]:
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        yield f"bmp {mode}", saved(picture(mode), "BMP")
    yield "bmp 565", bmp(16, (0xF800, 0x07E0, 0x001F, 0))
    yield "bmp 555", bmp(16, (0x7C00, 0x03E0, 0x001F, 0))
    yield "bmp 1555", bmp(16, (0x7C00, 0x03E0, 0x001F, 0x8000))
    yield "bmp 4444", bmp(16, (0x0F00, 0x00F0, 0x000F, 0xF000))
    yield "bmp rgba", bmp(32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000))
    yield "bmp bgra", bmp(32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000))
    yield "bmp bgrx", bmp(32, (0xFF0000, 0xFF00, 0xFF, 0))
    yield "bmp 10 bits", bmp(32, (0x3FF00000, 0xFFC00, 0x3FF, 0))


def bmp(bits: int, masks: tuple[int, int, int, int]) -> bytes:
    """A BMP of version 4 whose channels lie where the masks say."""
    import struct

    packed = np.zeros((_HEIGHT, _WIDTH), np.uint32)
    for channel, mask in zip(np.moveaxis(colours(4), -1, 0), masks, strict=True):
        if mask:
            shift, most = (mask & -mask).bit_length() - 1, mask >> ((mask & -mask).bit_length() - 1)
            packed |= ((channel.astype(np.uint64) * most + 127) // 255).astype(np.uint32) << shift
    rows = packed[::-1].astype("<u2" if bits == 16 else "<u4").tobytes()
    info = struct.pack("<IiiHHIIiiII4I", 108, _WIDTH, _HEIGHT, 1, bits, 3, len(rows), 2835, 2835, 0, 0, *masks)
    info += b"BGRs" + bytes(48)
    return b"BM" + struct.pack("<IHHI", 14 + len(info) + len(rows), 0, 0, 14 + len(info)) + info + rows


def _gifs() -> Iterator[tuple[str, bytes | None]]:
    yield "gif still", saved(picture("P"), "GIF")
    yield "gif clear", saved(picture("P"), "GIF", transparency=3)
    yield "gif interlaced", saved(picture("P"), "GIF", interlace=True)
    yield "gif animated", saved(picture("P"), "GIF", save_all=True, append_images=[picture("L")])


def _avifs() -> Iterator[tuple[str, bytes | None]]:
    for mode, sampling, (profile, icc) in product(
        ("L", "RGB", "RGBA"), ("4:4:4", "4:2:2", "4:2:0", "4:0:0"), profiles().items()
    ):
        data = saved(picture(mode), "AVIF", subsampling=sampling, quality=95, icc_profile=icc)
        yield f"avif {mode} {sampling} {profile}", data
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield f"avif turned {orientation}", saved(picture("RGB"), "AVIF", exif=exif.tobytes(), quality=95)
    for bits, bands in product((8, 10, 12), (3, 4)):
        image = _vips(colours(bands))
        image = image if bits == 8 else (image * 257).cast("ushort").copy(interpretation="rgb16")
        try:
            data = image.heifsave_buffer(compression="av1", bitdepth=bits, Q=95, subsample_mode="off")
        except Exception:
            data = None
        yield f"avif vips {bits} {bands}", data


def _others() -> Iterator[tuple[str, bytes | None]]:
    for mode in ("L", "RGB"):
        yield f"ppm {mode}", saved(picture(mode), "PPM")
    for image_format, orientation in product(("PNG", "WEBP"), range(1, 9)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = saved(picture("RGB"), image_format, exif=exif.tobytes(), quality=95)
        yield f"{image_format.lower()} turned {orientation}", data
    yield "ico", saved(picture("RGBA"), "ICO", sizes=[(_WIDTH, _HEIGHT)])


def _chunk(name: bytes, content: bytes) -> bytes:
    from cartoonize.media.containers.png import chunk

    return chunk(name, content)


def _vips(pixels: NDArray[np.uint8]) -> Any:
    import pyvips

    return pyvips.Image.new_from_array(
        np.ascontiguousarray(pixels), interpretation="b-w" if pixels.ndim == 2 else "srgb"
    )


def _tiffsave(image: Any, arguments: dict[str, Any]) -> bytes | None:
    import pyvips

    try:
        return bytes(image.tiffsave_buffer(**arguments))
    except pyvips.Error:
        return None
