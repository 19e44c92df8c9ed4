from __future__ import annotations

import pytest

from cartoonize.remote.urls import Url, UrlError, is_url, no_name_on_windows, parse, unsafe_place


@pytest.mark.parametrize(
    ("text", "root", "key", "tail", "name"),
    [
        ("s3://b/in/a b#?%20.jpg", "s3://b/", "in/a b#?%20.jpg", "", "a b#?%20.jpg"),
        ("S3://Bucket", "s3://Bucket/", "", "", ""),
        ("gs://b/in/", "gs://b/", "in/", "", ""),
        ("az://container/a//b.jpg", "az://container/", "a//b.jpg", "", "b.jpg"),
        ("https://h:8/p/a%20b.jpg?w=1&x=/y", "https://h:8/", "p/a%20b.jpg", "?w=1&x=/y", "a b.jpg"),
        ("https://h/p/..%2f..%2fetc.jpg", "https://h/", "p/..%2f..%2fetc.jpg", "", "etc.jpg"),
        ("zip://a/*.jpg::s3://b/x.zip", "zip://", "a/*.jpg", "::s3://b/x.zip", "*.jpg"),
        ("zip://::photos.zip", "zip://", "", "::photos.zip", ""),
        ("zip:///a.jpg::file:///tmp/x%20y.zip", "zip://", "a.jpg", "::/tmp/x y.zip", "a.jpg"),
    ],
)
def test_parts_of_an_address(text: str, root: str, key: str, tail: str, name: str) -> None:
    url = parse(text)
    assert url == Url(root, key, tail)
    assert url.name == name


@pytest.mark.parametrize("text", ["s3://b/in/a b#?%20.jpg", "zip://a/*.jpg::s3://b/x.zip", "https://h/a%20b.jpg?w=1"])
def test_an_address_reads_as_it_was_written(text: str) -> None:
    assert str(parse(text)) == text


def test_stem_and_suffix_are_those_of_a_path() -> None:
    url = Url("s3://b/", "a.b/photo.v2.JPG")
    assert (url.stem, url.suffix) == ("photo.v2", ".JPG")
    assert Url("s3://b/", "a.b/photo").suffix == ""
    assert Url("s3://b/", ".jpg").suffix == ""


def test_file_addresses_are_paths() -> None:
    assert parse("file:///a%20b/c.jpg") == "/a b/c.jpg"
    assert parse("file://localhost/out/") == "/out/"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ftp://h/a.jpg", "ftp:// is not supported"),
        ("s3:///a.jpg", "expected s3://BUCKET/NAME"),
        ("abfs://c@account.dfs.core.windows.net/a.jpg", "the account is told by the environment"),
        ("https:///a.jpg", "names no host"),
        ("https://[x/a.jpg", "Invalid IPv6"),
        ("file://server/a.jpg", "file:///PATH"),
        ("zip://a.jpg", "zip://NAMES::ARCHIVE"),
        ("zip://a.jpg::s3://", "zip://NAMES::ARCHIVE"),
        ("zip://a.jpg::zip://b.zip::c.zip", "inside a zip"),
        ("simplecache::s3://b/a.jpg", "expected s3://"),
        ("s3://b/a.jpg::x", "expected s3://"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(UrlError, match=r"^.+$") as caught:
        parse(text)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["photo.jpg", "C:\\photo.jpg", "c:/photo.jpg", "a:b.jpg", "./s3:/b", "-", ""])
def test_paths_are_no_addresses(text: str) -> None:
    assert not is_url(text)


@pytest.mark.parametrize("text", ["s3://b/[ab].jpg", "zip://*::x.zip"])
def test_signs_make_patterns(text: str) -> None:
    url = parse(text)
    assert isinstance(url, Url)
    assert url.is_pattern
    assert not Url("https://h/", "a[1].jpg").is_pattern


@pytest.mark.parametrize(
    "place", ["../a.jpg", "a/../../b.jpg", "/etc/a.jpg", "a\\..\\b.jpg", "\\a.jpg", "./a.jpg", "a\0.jpg", ""]
)
def test_names_that_lead_out_of_a_folder(place: str) -> None:
    assert unsafe_place(place)


@pytest.mark.parametrize("place", ["a.jpg", "a/b..jpg", "..a/b.jpg", "a//b.jpg", " /a.jpg"])
def test_names_that_stay_inside(place: str) -> None:
    assert not unsafe_place(place)


@pytest.mark.parametrize(
    "part", ["CON.jpg", "nul", "com1 .jpg", "LPT\u00b9.png", "a:b.jpg", "a?.jpg", "a\tb.jpg", "a.", "a "]
)
def test_names_that_windows_takes_for_others(part: str) -> None:
    assert no_name_on_windows(part)


@pytest.mark.parametrize("part", ["", "console.jpg", "com10.jpg", ".a.jpg", "a b#%.jpg", "null.jpg", "\u6587.jpg"])
def test_names_that_windows_has(part: str) -> None:
    assert not no_name_on_windows(part)
