"""What travels with a picture besides its pixels: EXIF, XMP, IPTC, texts, colour profile, resolution."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cartoonize.media import profiles
from cartoonize.media.containers import iptc, jpeg
from cartoonize.media.containers.tags import Value
from cartoonize.media.exif import Exif, embed_in_tiff, read_exif

_XMP_TAG, _IPTC_TAG, _PREDICTOR_TAG = 700, 33723, 317
_JPEG_SEGMENT = 65_533  # most bytes in one JPEG segment
_BLOCKS = frozenset({"JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"})
_HOLDS = {
    "EXIF": _BLOCKS,
    "XMP": _BLOCKS,
    "IPTC": frozenset({"JPEG", "TIFF"}),
    "comment": frozenset({"PNG", "JPEG", "GIF"}),
    "texts": frozenset({"PNG"}),
}
_COMMENT = "Comment"
_MOST_TEXT = 1 << 20
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""


@dataclass(frozen=True)
class Metadata:
    """What a result carries over: bytes ready to embed, `dpi` in pixels per inch, `loop` as times played (0: forever).

    `exif` has its orientation reset to 1 and no thumbnail; `icc` is the profile the pixels are in (sRGB, or None, which
    means sRGB); `loop` is None for a still; `texts` are pairs of keyword and text.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    loop: int | None = None
    iptc: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()


@dataclass
class Found:
    """What a file holds besides its pixels, as it stands there.

    hdr: codes of the colours where they are HDR. damaged: tags of EXIF that could not be read. parts: what else is in
    the file, in words. is_broken: whether something of all this could not be unpacked.
    """

    exif: Exif = field(default_factory=Exif)
    damaged: int = 0
    xmp: bytes | None = None
    icc: bytes | None = None
    iptc: bytes | None = None
    hdr: tuple[int, int] | None = None
    dpi: object = None
    texts: dict[str, str] = field(default_factory=dict)
    parts: set[str] = field(default_factory=set)
    is_broken: bool = False

    @classmethod
    def of(cls, blocks: dict[str, bytes]) -> Found:
        """Take up blocks by kind: "exif", "xmp", "icc", "iptc", "comment"."""
        found = cls(xmp=blocks.get("xmp"), icc=blocks.get("icc"), iptc=blocks.get("iptc"))
        if blocks.get("comment"):
            found.texts[_COMMENT] = blocks["comment"].decode("utf-8", "replace")
        if blocks.get("exif"):
            found.exif, found.damaged = read_exif(blocks["exif"])
        return found

    def take_codes(self, primaries: int, transfer: int) -> None:
        """Take up colours as ITU-T H.273 codes them, where there is no profile."""
        self.icc = profiles.of_codes(primaries, transfer)
        self.hdr = (primaries, transfer) if transfer in (profiles.PQ, profiles.HLG) else None

    def metadata(self, icc: bytes | None, loop: int | None, *, recolored: bool) -> tuple[Metadata, tuple[str, ...]]:
        """Return what a result carries over, and notes; `recolored` where the pixels were converted to sRGB."""
        exif = self.exif.in_srgb() if recolored else self.exif
        block = exif.upright().to_bytes() if exif.directories else None
        packet, claimed = self._packet(recolored=recolored)
        notes = []
        if self.damaged:
            many = "a damaged tag" if self.damaged == 1 else f"{self.damaged} damaged tags"
            notes.append(f"{many} of its EXIF left out" if block else "its EXIF is damaged and was left out")
        if self.is_broken:
            notes.append("a part of its metadata is damaged and was left out")
        if self.xmp and packet is None:
            notes.append("its XMP is damaged and was left out")
        if parts := sorted(self.parts | claimed):
            notes.append(f"left out: its {' and its '.join(parts)}")
        texts = tuple((key, text) for key, text in self.texts.items() if len(text) <= _MOST_TEXT)
        return Metadata(block, packet, icc, _dpi(self.dpi), loop, self.iptc, texts), tuple(notes)

    def _packet(self, *, recolored: bool) -> tuple[bytes | None, frozenset[str]]:
        """Return the XMP fit for a result, and the parts of the file that it spoke of."""
        if not self.xmp:
            return None, frozenset()
        from cartoonize.media.xmp import cleaned

        made = cleaned(self.xmp, recolored=recolored)
        return made.packet, made.parts


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Apply an EXIF orientation (1 to 8)."""
    return image.transpose(_TURN[orientation]) if orientation in _TURN else image


def save_options(metadata: Metadata, image_format: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the arguments of Pillow's `save` that embed `metadata`, and notes about what the format cannot hold.

    What Pillow cannot embed unchanged is added to the file by `completed`.
    """
    kept, notes = _fitting(metadata, image_format)
    options: dict[str, Any] = {"icc_profile": kept.icc, "dpi": kept.dpi}
    comment = dict(kept.texts).get(_COMMENT)
    if image_format in ("JPEG", "GIF") and comment:
        options["comment"] = comment.encode()
    if image_format == "PNG":
        options["pnginfo"] = _png_texts(kept)
    if image_format == "TIFF":
        options["tiffinfo"] = {_PREDICTOR_TAG: 2}  # differences of neighbours: a third of the size under LZW
    else:
        options |= {"exif": _for_pillow(kept.exif, image_format), "xmp": None if image_format == "PNG" else kept.xmp}
    return {name: value for name, value in options.items() if value}, notes


def completed(data: bytes, metadata: Metadata, image_format: str) -> bytes:
    """Add to a file what Pillow does not write, or would encode anew."""
    metadata, _ = _fitting(metadata, image_format)
    if image_format == "AVIF" and metadata.loop is not None:
        from cartoonize.media.containers.bmff import without_times

        return without_times(data)
    if image_format == "JPEG" and metadata.iptc:
        return jpeg.with_segment(data, 0xED, iptc.PREFIX + iptc.photoshop_blocks(metadata.iptc))
    if image_format == "TIFF" and (metadata.exif or metadata.xmp or metadata.iptc):
        further = {_XMP_TAG: metadata.xmp, _IPTC_TAG: metadata.iptc}
        values = {
            tag: Value(7 if tag == _IPTC_TAG else 1, len(block), block) for tag, block in further.items() if block
        }
        return embed_in_tiff(data, read_exif(metadata.exif)[0] if metadata.exif else Exif(), values)
    return data


def _fitting(metadata: Metadata, image_format: str) -> tuple[Metadata, tuple[str, ...]]:
    """Return what of the metadata a format holds, and notes about the rest."""
    texts = dict(metadata.texts)
    comment = {key: text for key, text in texts.items() if key == _COMMENT}
    parts: dict[str, Any] = {"EXIF": metadata.exif, "XMP": metadata.xmp, "IPTC": metadata.iptc, "comment": comment}
    parts["texts"] = {key: text for key, text in texts.items() if key != _COMMENT}
    lost = [name for name, part in parts.items() if part and image_format not in _HOLDS[name]]
    notes = [f"left out: its {', '.join(lost)}: {image_format} holds none"] if lost else []
    if image_format == "JPEG" and len(comment.get(_COMMENT, "").encode()) > _JPEG_SEGMENT:
        lost.append("comment")
        notes.append("its comment is larger than the 64 KB a JPEG can hold and was left out")
    for name in ("EXIF", "XMP", "IPTC"):
        if (
            image_format == "JPEG"
            and parts[name]
            and len(parts[name]) > _JPEG_SEGMENT - len(jpeg.PREFIXES[name.lower()])
        ):
            lost.append(name)
            notes.append(f"its {name} is larger than the 64 KB a JPEG can hold and was left out")
    held = {name: None if name in lost else part for name, part in parts.items()}
    kept = tuple((held["comment"] or {}).items()) + tuple((held["texts"] or {}).items())
    fitting = Metadata(held["EXIF"], held["XMP"], metadata.icc, metadata.dpi, metadata.loop, held["IPTC"], kept)
    return fitting, tuple(notes)


def _for_pillow(exif: bytes | None, image_format: str) -> bytes | None:
    """Return EXIF as Pillow leaves it alone: that of an AVIF it encodes anew where it has an orientation."""
    return read_exif(exif)[0].without_orientation().to_bytes() if exif and image_format == "AVIF" else exif


def _png_texts(metadata: Metadata) -> PngInfo | None:
    info = PngInfo()
    for keyword, text in metadata.texts:
        info.add_itxt(keyword[:79], text)
    if metadata.xmp:
        info.add_itxt("XML:com.adobe.xmp", metadata.xmp.decode("utf-8", "replace"))
    return info if info.chunks else None


def _dpi(dpi: object) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in dpi)  # type: ignore[attr-defined]  # what is no pair fails below
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # 1 is what files say that do not know; JPEG holds 16 bits.
    return (x, y) if isfinite(x + y) and min(x, y) > 1 and max(x, y) <= 65_535 else None
