"""Files that are no pictures of ours: what they are, by their content or their name, and what to do with them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from cartoonize.media.formats import RAW_SUFFIXES

_PICTURE = "convert it to PNG or JPEG first"
_ADVICE = {
    "a film": "give its name a film's extension, such as .mp4",
    "a sound file": "expected a picture",
    "a RAW photo": "develop it to JPEG or TIFF with the camera's program first",
    "a PDF document": "export its pages as pictures first",
    "a PostScript document": "export its pages as pictures first",
    "an SVG drawing": "export it as PNG first",
    "a web page": "the download of the picture went wrong, get the picture itself",
    "an archive": "unpack it first",
}

_SIGNATURES: tuple[tuple[str, str], ...] = (
    ("a RAW photo", r"....ftypcrx |II\*\0....CR|FUJIFILMCCD-RAW|IIU\0|II[RS]O|IIRS|MMOR|FOVb|\0MRM"),
    ("a film", r"....ftyp(?!avi[fs]|mi[af]f|m[is]f1|he[iv])|....moov|\x1aE\xdf\xa3|RIFF....AVI "),
    ("a film", r"FLV\x01|\0\0\x01[\xba\xb3]|G.{187}G|0&\xb2u|OggS"),
    ("a sound file", r"RIFF....WAVE|ID3|fLaC|\xff[\xfb\xf3\xf2]|MThd|FORM....AIF"),
    ("a PDF document", r".{0,1000}?%PDF-"),
    ("a PostScript document", r"%!PS|\xc5\xd0\xd3\xc6"),
    ("a large Photoshop document", r"8BPS\0\x02"),
    ("a portable anymap of the kind PAM", r"P7\n"),
    ("an OpenEXR picture", r"v/1\x01"),
    ("a Radiance picture", r"#\?(?:RADIANCE|RGBE)"),
    ("an SVG drawing", r"\s*(?:\xef\xbb\xbf)?(?:<\?xml.{0,1000}?|<!--.{0,1000}?)?\s*(?:<!DOCTYPE svg|<svg)"),
    ("a web page", r"\s*(?:\xef\xbb\xbf)?(?:<!DOCTYPE html|<html|<head)"),
    ("an archive", r"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ"),
)
_BY_CONTENT = tuple((kind, re.compile(pattern.encode("latin-1"), re.DOTALL | re.I)) for kind, pattern in _SIGNATURES)

_BY_NAME = {
    "film": "mp4 m4v mov avi mkv webm mpg mpeg mts m2ts ts wmv flv 3gp ogv",
    "sound": "mp3 wav flac m4a ogg aac wma aif aiff mid",
    "document": "pdf ps eps doc docx odt txt md html htm",
    "other picture": "svg psd psb jxl jp2 j2k ico cur ppm pgm pbm pnm qoi dds exr hdr tga pcx xcf ai",
}
_KIND_OF_SUFFIX = {f".{suffix}": kind for kind, suffixes in _BY_NAME.items() for suffix in suffixes.split()}
_KIND_OF_SUFFIX |= dict.fromkeys(RAW_SUFFIXES, "RAW photo")

HEAD = 1100
"""Bytes of a file's beginning that its kind is known by."""


def of_content(head: bytes) -> str | None:
    """Say what a file is, in a line, by its first HEAD bytes, and what to do with it; None when that is not known."""
    for kind, pattern in _BY_CONTENT:
        if pattern.match(head):
            return f"is {kind}: {_ADVICE.get(kind, _PICTURE)}"
    return None


def of_name(path: PurePath) -> str:
    """Name the kind of a file that is not read, for counting: "film", "RAW photo" and so on, or "other"."""
    return _KIND_OF_SUFFIX.get(path.suffix.lower(), "other")


def counted(paths: Sequence[PurePath]) -> str:
    """Count files by kind, in words: "1 film, 12 RAW photos, 3 others"."""
    counts = Counter(map(of_name, paths))
    ordered = sorted(counts, key=lambda kind: (kind == "other", kind.casefold()))
    return ", ".join(f"{counts[kind]} {kind}{'s' if counts[kind] > 1 else ''}" for kind in ordered)
