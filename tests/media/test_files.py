import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from cartoonize.errors import AlreadyThereError, DecodeError, EncodeError
from cartoonize.media import files
from cartoonize.media.files import read_bounded, remove_leftovers, replacing, write_atomically, write_problem


def fail_with(number):
    def fail(*_args, **_kwargs):
        raise OSError(number, os.strerror(number))

    return fail


def test_writes_and_creates_folders(tmp_path):
    target = tmp_path / "ä" / "b" / "c.png"
    write_atomically(target, b"data", overwrite=False)
    assert target.read_bytes() == b"data"
    assert os.listdir(target.parent) == ["c.png"]


def test_result_has_the_permissions_of_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", b"", overwrite=True)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize("hard_links", [True, False])
def test_never_replaces_unless_told(tmp_path, monkeypatch, hard_links):
    if not hard_links:
        monkeypatch.setattr(os, "link", fail_with(errno.EPERM))
    target = tmp_path / "a.png"
    write_atomically(target, b"old", overwrite=False)
    with pytest.raises(EncodeError, match="already exists: use --overwrite"):
        write_atomically(target, b"new", overwrite=False)
    assert target.read_bytes() == b"old"
    write_atomically(target, b"new", overwrite=True)
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.png"]


def test_of_many_writers_one_wins(tmp_path):
    failed = []

    def write(number):
        try:
            write_atomically(tmp_path / "a", bytes([number]) * 1000, overwrite=False)
        except EncodeError:
            failed.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) == 7
    assert set((tmp_path / "a").read_bytes()) == set(range(8)) - set(failed)


def test_the_longest_name_fits_and_a_longer_one_is_explained(tmp_path):
    write_atomically(tmp_path / ("x" * 251 + ".png"), b"", overwrite=False)
    with pytest.raises(EncodeError, match="too long") as caught:
        write_atomically(tmp_path / ("x" * 252 + ".png"), b"", overwrite=False)
    assert "\n" not in str(caught.value)
    assert len(os.listdir(tmp_path)) == 1


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "no space left"), (errno.EROFS, "read-only"), (errno.EIO, "cannot be written")]
)
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch, number, words, overwrite):
    target = tmp_path / "a.png"
    if overwrite:
        target.write_bytes(b"old")
    for name in ("link", "replace"):
        monkeypatch.setattr(os, name, fail_with(number))
    with pytest.raises(EncodeError, match=words):
        write_atomically(target, b"new", overwrite=overwrite)
    assert os.listdir(tmp_path) == (["a.png"] if overwrite else [])


def test_the_content_is_on_the_disk_before_the_name(tmp_path, monkeypatch):
    order = []
    fsync, link = os.fsync, os.link
    monkeypatch.setattr(os, "fsync", lambda descriptor: order.append(os.fstat(descriptor).st_size) or fsync(descriptor))
    monkeypatch.setattr(os, "link", lambda *paths: order.append("named") or link(*paths))
    write_atomically(tmp_path / "a", b"four", overwrite=False)
    assert order == [4, "named"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_disk_full_while_writing(tmp_path, monkeypatch):
    import builtins

    real = open

    def full(path, mode):
        real(path, mode).close()
        return real("/dev/full", "wb")

    monkeypatch.setattr(builtins, "open", full)
    with pytest.raises(EncodeError, match="no space left on the disk"):
        write_atomically(tmp_path / "a", b"x" * 100_000, overwrite=False)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("hard_links", [True, False])
def test_interrupt_leaves_nothing(tmp_path, monkeypatch, hard_links):
    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", interrupt if hard_links else fail_with(errno.ENOTSUP))
    monkeypatch.setattr(files, "_renamed", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", b"x", overwrite=False)
    assert os.listdir(tmp_path) == []


def content(path):
    return path.read_bytes() if path.exists() else None


@pytest.mark.parametrize("in_one_step", [True, False])
def test_without_hard_links_a_name_is_never_there_without_its_content(tmp_path, monkeypatch, in_one_step):
    monkeypatch.setattr(os, "link", fail_with(errno.EPERM))
    if not in_one_step:
        monkeypatch.setattr(files, "_renamed", lambda *_: False)
    seen = []
    for name in ("unlink", "rename", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *paths, real=real: (seen.append(content(tmp_path / "a")), real(*paths)))
    monkeypatch.setattr(Path, "touch", fail_with(errno.EIO))
    write_atomically(tmp_path / "a", b"first", overwrite=False)
    assert set(seen) <= {None, b"first"}
    with pytest.raises(AlreadyThereError):
        write_atomically(tmp_path / "a", b"second", overwrite=False)
    assert (tmp_path / "a").read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["a"]


def test_leftovers_of_killed_runs_are_removed_and_nothing_else(tmp_path):
    old, young = ".0123456789ab.part", ".ba9876543210.part"
    others = [".0123456789ab.part.txt", "photo.part", ".short.part"]
    for name in (old, young, *others):
        (tmp_path / name).touch()
        if name != young:
            os.utime(tmp_path / name, (0, 0))
    (tmp_path / ".aaaaaaaaaaaa.part").mkdir()
    remove_leftovers(tmp_path)
    assert set(os.listdir(tmp_path)) == {young, *others, ".aaaaaaaaaaaa.part"}


def test_a_file_or_a_folder_in_the_way(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "file" / "a.png", tmp_path / "file" / "b" / "a.png"):
        with pytest.raises(EncodeError, match="expected a folder"):
            write_atomically(target, b"", overwrite=False)
    with pytest.raises(EncodeError, match="a folder has this name"):
        write_atomically(tmp_path / "folder", b"", overwrite=True)


@pytest.mark.skipif(not os.path.isdir("/proc/1"), reason="no /proc here")
def test_a_folder_that_takes_no_files():
    from pathlib import Path

    with pytest.raises(EncodeError):
        write_atomically(Path("/proc/cartoonize/a.png"), b"", overwrite=False)


def test_a_path_to_write_to_becomes_the_target_or_nothing(tmp_path):
    def write(data, then=None):
        with replacing(target) as partial:
            partial.write_bytes(data)
            if then:
                raise then

    target = tmp_path / "a.h5"
    write(b"old")
    with pytest.raises(KeyboardInterrupt):
        write(b"half", KeyboardInterrupt)
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.h5"]


def test_what_cannot_be_written_is_told_before(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert write_problem(tmp_path / "a.jpg") is None
    assert write_problem(tmp_path / "new/folder/a.jpg") is None
    assert write_problem(tmp_path / "file") is None
    assert "too long" in str(write_problem(tmp_path / ("x" * 300)))
    assert "expected a folder" in str(write_problem(tmp_path / "file/a.jpg"))
    assert "a folder has this name" in str(write_problem(tmp_path))
    (tmp_path / "link").symlink_to("nowhere")
    assert "expected a folder" in str(write_problem(tmp_path / "link/a.jpg"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("mode", [0o500, 0o600])
def test_folder_that_may_not_be_written_to_or_searched_is_told_before(tmp_path: Path, mode: int) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(mode)
    problems = [write_problem(locked / "a.jpg"), write_problem(locked / "new/a.jpg")]
    locked.chmod(0o700)
    assert all("not allowed" in str(problem) for problem in problems)


def test_folders_deeper_than_python_recurses_are_made(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(1100):
        folder /= "d"
    write_atomically(folder / "a.txt", b"deep", overwrite=False)
    assert (folder / "a.txt").read_bytes() == b"deep"
    (folder / "a.txt").unlink()
    while folder != tmp_path:  # pytest's own clearing up recurses
        folder.rmdir()
        folder = folder.parent


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_a_stream_that_never_ends_is_read_to_a_bound() -> None:
    with open("/dev/zero", "rb") as endless, pytest.raises(DecodeError, match="more than 3 MiB came in"):
        read_bounded(endless, 3 * 2**20)
