"""What a PNG says beside its picture: profile, EXIF, texts and the blocks that programs hide in texts, colours."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import cast

from cartoonize.media.containers.iptc import iptc_of
from cartoonize.media.profiles import Chromaticities, of_gamma

KNOWN = (b"iCCP", b"zTXt", b"iTXt", b"tEXt", b"eXIf", b"gAMA", b"cHRM", b"sRGB", b"cICP")
"""Names of the chunks that are understood here."""

_MOST_UNPACKED = 16 << 20  # of a profile or a text
_XMP, _RAW = "XML:com.adobe.xmp", "Raw profile type "  # the second is ImageMagick's way, for any block
_XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"


@dataclass
class Blocks:
    """Blocks by kind: "exif", "xmp", "icc", "iptc", and "gAMA" and the like under their own names; texts by keyword.

    damaged: how many could not be unpacked.
    """

    kinds: dict[str, bytes] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    damaged: int = 0

    @property
    def codes(self) -> tuple[int, int] | None:
        """Its primaries and transfer as ITU-T H.273 codes them, which go before a profile."""
        content = self.kinds.get("cICP", b"")
        return (content[0], content[1]) if len(content) == 4 and content[2] == 0 else None

    @property
    def profile_by_numbers(self) -> bytes | None:
        """A profile made of gAMA and cHRM, which count where there is neither sRGB nor a profile."""
        gamma, points = self.kinds.get("gAMA", b""), self.kinds.get("cHRM", b"")
        if "sRGB" in self.kinds or len(gamma) != 4 or gamma == bytes(4):
            return None
        numbers = struct.unpack(">8I", points) if len(points) == 32 else None
        chromaticities = cast("Chromaticities", tuple(n / 100_000 for n in numbers)) if numbers else None
        return of_gamma(100_000 / int.from_bytes(gamma, "big"), chromaticities)

    def add(self, name: bytes, content: bytes) -> None:
        """Take up a chunk by its name and content; of blocks of a kind the first counts."""
        try:
            if name == b"iCCP":
                self.kinds.setdefault("icc", _unpacked(content.split(b"\0", 1)[1][1:]))
            elif name == b"eXIf":
                self.kinds.setdefault("exif", content)
            elif name in (b"gAMA", b"cHRM", b"sRGB", b"cICP"):
                self.kinds.setdefault(name.decode(), content)
            else:
                self._add_text(*_text(name, content))
        except (ValueError, IndexError, zlib.error):
            self.damaged += 1

    def _add_text(self, keyword: str, text: bytes, encoding: str) -> None:
        if keyword == _XMP:
            self.kinds.setdefault("xmp", text)
        elif keyword.startswith(_RAW):
            kind = {"APP1": "exif", "8bim": "iptc"}.get(keyword[len(_RAW) :], keyword[len(_RAW) :])
            block = bytes.fromhex(text.decode("ascii").strip().split("\n", 2)[2].replace("\n", ""))
            if block.startswith(_XMP_PREFIX):
                kind, block = "xmp", block[len(_XMP_PREFIX) :]
            self.kinds.setdefault(kind, iptc_of(block) if block.startswith(b"8BIM") else block)
        else:
            self.texts.setdefault(keyword, text.decode(encoding, "replace"))


def _text(name: bytes, content: bytes) -> tuple[str, bytes, str]:
    """Return keyword, text and its encoding."""
    keyword, _, rest = content.partition(b"\0")
    if name == b"tEXt":
        return keyword.decode("latin-1"), rest, "latin-1"
    if name == b"zTXt":
        return keyword.decode("latin-1"), _unpacked(rest[1:]), "latin-1"
    packed, text = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[2]  # behind its language and the translated keyword
    return keyword.decode("latin-1"), _unpacked(text) if packed else text, "utf-8"


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(data, _MOST_UNPACKED)
    if unpacker.unconsumed_tail:
        raise ValueError("larger than any real one")
    return content
