"""Every tag of a source is in its result, was meant to change or is named in a note: as ExifTool finds them."""

from __future__ import annotations

import subprocess
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cartoonize.media.codec import EncodeOptions, decode, encode

from .exiftool import EXIFTOOL, lost, tags_of

pytestmark = pytest.mark.skipif(EXIFTOOL is None, reason="exiftool is not here (Debian: libimage-exiftool-perl)")

TAGS = {
    "EXIF:Artist": "José Müller, 東京",
    "EXIF:Copyright": "© 2024 Ana",
    "EXIF:ImageDescription": "Café",
    "EXIF:Make": "Canon",
    "EXIF:Model": "EOS",
    "EXIF:Software": "x",
    "EXIF:ModifyDate": "2024:01:02 03:04:05",
    "EXIF:DateTimeOriginal": "2024:01:02 03:04:05",
    "EXIF:OffsetTimeOriginal": "+02:00",
    "EXIF:ExposureTime": "1/250",
    "EXIF:FNumber": "2.8",
    "EXIF:ISO": "100",
    "EXIF:UserComment": "ein Wort, 語",
    "EXIF:LensModel": "50 mm",
    "EXIF:LensInfo": "24 70 2.8 4",
    "EXIF:SubjectArea": "1 2 3 4",
    "EXIF:CameraOwnerName": "Ñandú",
    "EXIF:XPTitle": "Título",
    "EXIF:Rating": "4",
    "EXIF:HostComputer": "h",
    "EXIF:GPSLatitude": "48.1",
    "EXIF:GPSLatitudeRef": "N",
    "EXIF:GPSLongitude": "11.5",
    "EXIF:GPSLongitudeRef": "E",
    "EXIF:GPSAltitude": "520",
    "EXIF:GPSAreaInformation": "München",
    "EXIF:InteropIndex": "R98",
    "EXIF:Orientation#": "6",
    "XMP-dc:Title": "Titel",
    "XMP-dc:Subject": "a",
    "XMP-xmp:Rating": "3",
    "XMP-photoshop:City": "東京",
    "XMP-tiff:Orientation#": "6",
    "XMP-mwg-rs:RegionAppliedToDimensionsW": "100",
}
IPTC = {"IPTC:City": "Wien", "IPTC:Caption-Abstract": "Grüße", "IPTC:Keywords": "a"}


def a_photo(path: Path) -> Path:
    y, x = np.mgrid[0:48, 0:64]
    Image.fromarray(np.stack([x * 3, y * 4, x + y], -1).astype(np.uint8)).save(path)
    tags = TAGS | (IPTC if path.suffix in (".jpg", ".tif") else {})
    arguments = [f"-{name}={value}" for name, value in tags.items()]
    command = [str(EXIFTOOL), "-q", "-m", "-overwrite_original", "-codedcharacterset=utf8", *arguments, str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return path


QUICK = {("jpg", "jpg"), ("tif", "png"), ("png", "tif"), ("webp", "avif")}
PAIRS = [
    pytest.param(source, target, marks=() if (source, target) in QUICK else pytest.mark.slow)
    for source, target in product(["jpg", "png", "webp", "tif"], ["jpg", "png", "webp", "tif", "avif"])
]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_nothing_is_lost_from_any_format_to_any(tmp_path: Path, source: str, target: str) -> None:
    photo = a_photo(tmp_path / f"a.{source}")
    decoded = decode(photo)
    formats = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF", "avif": "AVIF"}
    encoded = encode(decoded, EncodeOptions(formats[target]))
    result = tmp_path / f"result.{target}"
    result.write_bytes(encoded.data)
    assert lost(photo, result, decoded.notes + encoded.notes) == {}
    tags = tags_of(result)
    assert tags["IFD0:Artist"] == "José Müller, 東京"
    assert tags.get("IFD0:Orientation", 1) == 1
    assert tags.get("XMP-tiff:Orientation", 1) == 1
    assert "ExifTool:Error" not in tags


def test_the_judge_sees_what_is_lost(tmp_path: Path) -> None:
    photo = a_photo(tmp_path / "a.jpg")
    Image.open(photo).save(tmp_path / "b.jpg")
    missing = lost(photo, tmp_path / "b.jpg", ())
    assert "IFD0:Artist" in missing
    assert "IPTC:City" in missing
    assert "IPTC:City" not in lost(photo, tmp_path / "b.jpg", ("left out: its IPTC: PNG holds none",))
