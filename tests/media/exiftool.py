"""What ExifTool, which has nothing to do with our reader, finds in a file."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

EXIFTOOL = shutil.which("exiftool")

# Tags that say how one file keeps its picture, or what ExifTool computes from others.
ABOUT_THE_FILE = re.compile(
    r"SourceFile|ExifTool:|System:|File:|Composite:|ICC|JFIF:|JUMBF|APP14|Ducky|MPF|MPImage|Photoshop:|PhotoMechanic|PNG:"
    r"|PNG-pHYs:|RIFF:|Meta:|QuickTime:|GIF:|IFD1:|PrintIM:|SubIFD|Adobe:|HEIC:"
    r"|(IFD0|SubIFD\d*):(ImageWidth|ImageHeight|BitsPerSample|Compression|Photometric.*|Strip.*|SamplesPerPixel"
    r"|RowsPerStrip|PlanarConfiguration|Predictor|SubfileType|YCbCr.*|Tile.*|ExtraSamples|SampleFormat|ColorMap"
    r"|ReferenceBlackWhite|FillOrder|Thumbnail.*|WhitePoint|PrimaryChromaticities|TransferFunction)"
)
CHANGED = re.compile(
    r"(IFD0|XMP-tiff):(Orientation|XResolution|YResolution|ResolutionUnit|ImageWidth|ImageHeight)"
    r"|ExifIFD:ExifImage(Width|Height)|XMP-exif:ExifImage(Width|Height)|XMP-xmp:Thumbnail.*|XMP-(GCamera|Container|hdrgm).*"
    r"|InteropIFD:RelatedImage(Width|Height)|ExifIFD:ColorSpace|XMP-(exif:ColorSpace|photoshop:ICCProfileName)"
    r"|InteropIFD:InteropIndex|XMP-xmpNote:.*|XMP-x:XMPToolkit|IPTC:EnvelopeRecordVersion"
)
"""Tags that a result says otherwise, or no longer, on purpose."""


def tags_of(path: Path) -> dict[str, Any]:
    """Return the tags of a file by group and name."""
    assert EXIFTOOL
    command = [EXIFTOOL, "-j", "-G1", "-n", "-u", "-m", "-b", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)
    found: dict[str, Any] = json.loads(ended.stdout or "[{}]")[0]
    return found


def lost(source: Path, result: Path, notes: tuple[str, ...]) -> dict[str, Any]:
    """Return the tags of a source that are not in its result though no note names them."""
    before, after = tags_of(source), tags_of(result)
    named = " ".join(notes)
    # ExifTool 12 takes a directory for another where their offsets, counted from different places, are the same.
    confused = "references previous" in str(after.get("ExifTool:Warning"))
    groups = {
        "InteropIFD": confused,
        "IPTC": "IPTC" in named,
        "GeoTiff": "GeoTIFF" in named,
        "XMP": "XMP" in named or "extended" in named,
    }
    missing = {}
    for name, value in before.items():
        if ABOUT_THE_FILE.match(name) or CHANGED.match(name) or after.get(name) == value:
            continue
        if not any(told for group, told in groups.items() if name.startswith(group)):
            missing[name] = (value, after.get(name))
    return missing
