import io
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo

from cartoonize.errors import EncodeError
from cartoonize.media.codec import EncodeOptions, Frame, Metadata, Photo, decode, encode
from cartoonize.media.containers import jpeg, png
from cartoonize.media.metadata import Found

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" dc:title="T">'
    b"<xmp:Thumbnails>old</xmp:Thumbnails></rdf:Description></x:xmpmeta>"
)
XMP_RESET = XMP.replace(b'"6"', b'"1"').replace(b"<xmp:Thumbnails>old</xmp:Thumbnails>", b"")


def exif(**extra):
    source = Image.Exif()
    source.endian = "<"
    source[Base.Make] = "Maker"
    source[Base.Orientation] = 1
    source[Base.XPTitle] = "T".encode("utf-16-le")
    source[Base.ImageWidth] = 9999  # about the old file: breaks a TIFF when carried over
    source[IFD.Exif] = {
        Base.DateTimeOriginal: "2020:01:02 03:04:05",
        Base.ExposureTime: TiffImagePlugin.IFDRational(1, 250),
        Base.MakerNote: bytes(range(256)),
        Base.ExifImageWidth: 9999,
        IFD.Interop: {1: "R98"},
    }
    source[IFD.GPSInfo] = {1: "N", 2: (1.0, 2.0, 3.5)}
    for tag, value in extra.items():
        source[Base[tag]] = value
    return source.tobytes()


def with_thumbnail(data):
    """Put a second directory with a thumbnail behind an EXIF block, as cameras do."""
    tiff = bytearray(data[6:])
    start = int.from_bytes(tiff[4:8], "little")
    count = int.from_bytes(tiff[start : start + 2], "little")
    link = start + 2 + 12 * count
    tiff[link : link + 4] = len(tiff).to_bytes(4, "little")
    thumbnail = b"\xff\xd8THUMBNAIL\xff\xd9"
    entries = [(0x0201, len(tiff) + 2 + 24 + 4), (0x0202, len(thumbnail))]
    tiff += len(entries).to_bytes(2, "little")
    for tag, value in entries:
        tiff += tag.to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little")
        tiff += value.to_bytes(4, "little")
    return data[:6] + bytes(tiff + bytes(4) + thumbnail)


def saved(image_format, image=None, **arguments):
    stream = io.BytesIO()
    (image or Image.new("RGB", (6, 4), (9, 90, 200))).save(stream, image_format, **arguments)
    return stream.getvalue()


def carrying(image_format, **extra):
    """A picture of a format with EXIF, XMP and a resolution in it, as far as the format holds them."""
    if image_format == "PNG":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        return saved("PNG", exif=exif(**extra), pnginfo=info, dpi=(300, 150))
    if image_format == "TIFF":
        source = Image.Exif()
        source.load(exif(**extra))
        for tag in (Base.ImageWidth,):
            del source[tag]
        source[700] = XMP
        return saved("TIFF", exif=source, dpi=(300, 150))
    return saved(image_format, exif=exif(**extra), xmp=XMP, dpi=(300, 150))


def reread(data):
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        found = image.getexif()
        details = found.get_ifd(IFD.Exif)
        interop = found.get_ifd(IFD.Interop) if IFD.Interop in details else {}
        return image.info, found, details, found.get_ifd(IFD.GPSInfo), interop


@pytest.mark.parametrize("target", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_metadata_travels_from_any_format_to_any(source, target):
    photo = decode(carrying(source))
    encoded = encode(photo, EncodeOptions(target))
    # The library writes one pointer wrong in the TIFF the test starts from.
    assert photo.notes == (("a damaged tag of its EXIF left out",) if source == "TIFF" else ())
    assert encoded.notes == ()
    info, first, details, place, interop = reread(encoded.data)
    assert first[Base.Make] == "Maker"
    assert first.get(Base.Orientation, 1) == 1
    assert first.get(Base.ImageWidth, 6) == 6
    assert bytes(first[Base.XPTitle]) == "T".encode("utf-16-le")
    assert details[Base.DateTimeOriginal] == "2020:01:02 03:04:05"
    assert float(details[Base.ExposureTime]) == pytest.approx(1 / 250)
    assert details[Base.MakerNote] == bytes(range(256))
    assert Base.ExifImageWidth not in details
    assert place == {1: "N", 2: (1.0, 2.0, 3.5)}
    if source != "TIFF":
        assert interop[1] == "R98"
    assert info["xmp"].rstrip(b"\0") == XMP_RESET
    if {source, target} <= {"JPEG", "PNG", "TIFF"}:
        assert tuple(map(float, info["dpi"])) == pytest.approx((300, 150), rel=1e-3)


def test_result_of_a_tiff_with_metadata_is_compressed_and_exact():
    pixels = np.random.default_rng(0).integers(0, 256, (60, 70, 3), np.uint8)
    metadata = decode(carrying("JPEG")).metadata
    data = encode(Photo((Frame(pixels),), metadata, "JPEG"), EncodeOptions("TIFF")).data
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["compression"] == "tiff_lzw"
        assert (np.asarray(image) == pixels).all()


@pytest.mark.parametrize("target", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_strip_leaves_nothing(target):
    data = encode(decode(carrying("JPEG")), EncodeOptions(target, strip_metadata=True)).data
    assert b"Maker" not in data
    assert b"adobe:ns:meta" not in data
    info, first, *_ = reread(data)
    assert not info.get("icc_profile")
    assert set(first) <= {Base.Orientation} or target == "TIFF"


def test_thumbnail_is_dropped():
    data = saved("JPEG", exif=with_thumbnail(exif()))
    _, first, *_ = reread(data)
    assert first.get_ifd(IFD.IFD1)  # the test's own picture has one
    photo = decode(data)
    assert photo.metadata.exif is not None
    assert b"THUMBNAIL" not in photo.metadata.exif
    assert not reread(encode(photo, EncodeOptions("JPEG")).data)[1].get_ifd(IFD.IFD1)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])  # pillow_heif turns by it
def test_an_orientation_in_xmp_alone_means_nothing_and_is_reset(image_format):
    arguments = {"xmp": XMP}
    if image_format == "PNG":
        arguments = {"pnginfo": PngInfo()}
        arguments["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    if image_format == "TIFF":
        arguments = {"tiffinfo": {700: XMP}}
    photo = decode(saved(image_format, **arguments))
    assert photo.frames[0].pixels.shape == (4, 6, 3)
    assert photo.metadata.xmp == XMP_RESET


def test_orientation_as_an_element_of_xmp_is_reset():
    photo = decode(saved("JPEG", xmp=b"<tiff:Orientation>8</tiff:Orientation>", exif=exif(Orientation=8)))
    assert photo.metadata.xmp == b"<tiff:Orientation>1</tiff:Orientation>"


@pytest.mark.parametrize(
    "block",
    [b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0garbage!", exif()[:100], b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(99)],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's about the same bytes
def test_broken_exif_does_not_fail_a_picture(block):
    data = saved("PNG")
    chunk = b"eXIf" + block[6:]
    crc = zlib.crc32(chunk).to_bytes(4, "big")
    photo = decode(data[:33] + (len(chunk) - 4).to_bytes(4, "big") + chunk + crc + data[33:])
    assert photo.frames[0].pixels[0, 0].tolist() == [9, 90, 200]
    assert encode(photo, EncodeOptions("JPEG")).data


def test_damaged_tags_cost_those_tags_and_not_the_others():
    whole = exif()
    photo = decode(saved("JPEG", exif=whole[:150]))
    assert photo.notes == ("2 damaged tags of its EXIF left out",)
    assert reread(encode(photo, EncodeOptions("JPEG")).data)[1][Base.Make] == "Maker"


@pytest.mark.parametrize("where", [33, -12])
def test_text_that_unpacks_to_gigabytes_does_not_fail_a_picture(where):
    data = saved("PNG")
    body = b"zTXt" + b"Comment\0\0" + zlib.compress(bytes(80 << 20))
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    photo = decode(data[:where] + chunk + data[where:])
    assert photo.frames[0].pixels[0, 0].tolist() == [9, 90, 200]
    assert photo.notes == ("a part of its metadata is damaged and was left out",)


def test_a_broken_photoshop_block_does_not_fail_a_jpeg():
    data = saved("JPEG", quality=95)
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x04"
    data = data[:2] + b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block + data[2:]
    assert decode(data).frames[0].pixels.shape == (4, 6, 3)


def test_bare_files_show_the_same_picture():
    for data in (carrying("PNG"), carrying("JPEG")):
        bare = png.take_apart(data).still() if data.startswith(png.SIGNATURE) else jpeg.take_apart(data).bare
        assert b"Maker" not in bare
        with Image.open(io.BytesIO(bare)) as image, Image.open(io.BytesIO(data)) as original:
            assert (np.asarray(image) == np.asarray(original)).all()


def test_metadata_too_large_for_jpeg_is_left_out_with_a_note():
    big = Image.Exif()
    big[Base.Make] = "Maker"
    big[IFD.Exif] = {Base.MakerNote: bytes(70_000)}
    photo = decode(saved("PNG", exif=big.tobytes()))
    encoded = encode(Photo(photo.frames, Metadata(photo.metadata.exif, bytes(70_000)), "PNG"), EncodeOptions("JPEG"))
    assert [note.split(" is ")[0] for note in encoded.notes] == ["its EXIF", "its XMP"]
    assert not reread(encoded.data)[1]
    assert len(encode(photo, EncodeOptions("WEBP")).data) > 70_000


def test_metadata_that_the_encoder_refuses_is_left_out_with_a_note():
    photo = Photo((Frame(np.zeros((2, 2, 3), np.uint8)),), Metadata(dpi=(1e30, 1)), "JPEG")
    assert encode(photo, EncodeOptions("PNG")).notes == ("its metadata cannot be written here and was left out",)
    with pytest.raises(EncodeError, match="cannot be written as AVIF"):
        encode(photo, EncodeOptions("AVIF", quality=1000))


@pytest.mark.parametrize(
    "dpi",
    [(0, 0), (1, 1), (float("nan"), 9), (float("inf"), 9), (1e9, 9), 3, "xy", (TiffImagePlugin.IFDRational(0, 0), 9)],
)
def test_senseless_resolutions_are_dropped(dpi):
    assert Found(dpi=dpi).metadata(None, None, recolored=False)[0].dpi is None
