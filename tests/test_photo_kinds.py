"""Photos as they come from phones, scanners, browsers and Python: read, scaled or refused, told."""

import json
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image
from skimage.data import astronaut
from typer.testing import CliRunner

from fercore.cli.app import app
from fercore.errors import ImageError
from fercore.faces.photo_files import find_photos
from fercore.faces.photos import open_photo, read_photo
from fercore.predict.predictor import Predictor
from tests.test_photos_and_faces import encoded


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return Image.fromarray(astronaut()).crop((60, 0, 380, 256))


def far(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures' shades; without end where their sizes differ."""
    if one.size != other.size:
        return float("inf")
    return float(np.abs(np.asarray(one, int) - np.asarray(other.convert("RGB"), int)).mean())


def heic(photo: Image.Image, **options) -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    return encoded(photo, "HEIF", **options)


def with_orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = value
    return exif


def test_an_iphones_photo_is_read_upright(photo):
    lying = photo.rotate(90, expand=True)
    assert far(open_photo(heic(photo)), photo) < 5
    assert far(open_photo(heic(lying, exif=with_orientation(6).tobytes())), photo) < 5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_opened_picture_and_its_file_give_the_same(photo, tmp_path, orientation):
    path = tmp_path / "me.png"
    photo.save(path, exif=with_orientation(orientation))
    from_path, from_picture = open_photo(path), open_photo(Image.open(path))
    assert far(from_path, from_picture) == 0
    assert far(open_photo(from_path), from_path) == 0  # and is not turned a second time


def test_sixteen_bits_from_python_are_the_same_as_from_the_file(photo):
    deep = Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257)
    assert far(open_photo(deep), photo.convert("L")) < 1
    assert far(open_photo(encoded(deep, "PNG")), open_photo(deep)) == 0


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("form", ["TIFF", "PNG"])
def test_fewer_bits_in_sixteen_are_not_dark(photo, bits, form):
    grey = np.asarray(photo.convert("L"))
    values = (grey.astype(np.uint32) * (2**bits - 1) // 255).astype(np.uint16)
    picture, notes = read_photo(encoded(Image.fromarray(values), form))
    assert far(picture, photo.convert("L")) < 2
    assert f"{bits} bits" in notes[0]


def test_floats_of_a_tiff_are_scaled_and_what_has_no_scale_is_refused(photo):
    grey = np.asarray(photo.convert("L")).astype(np.float32)
    for scale in (1 / 255, 1):
        picture, notes = read_photo(encoded(Image.fromarray(grey * scale), "TIFF"))
        assert far(picture, photo.convert("L")) < 2
        assert notes
    for bad in (grey - 100, np.where(grey > 9, np.nan, grey)):
        with pytest.raises(ImageError, match="no numbers from 0 up"):
            open_photo(encoded(Image.fromarray(bad.astype(np.float32)), "TIFF"), "me.tif")


def test_deeper_shades_are_scaled_by_their_own_range(photo):
    grey = np.asarray(photo.convert("L")).astype(np.int32)
    picture, notes = read_photo(encoded(Image.fromarray(grey * 70_000), "TIFF"))
    assert np.asarray(picture).max() > 60
    assert "26 bits" in notes[0]


def test_a_negative_in_sixteen_bits_is_turned(photo):
    values = 65535 - np.asarray(photo.convert("L")).astype(np.uint16) * 257
    content = encoded(Image.fromarray(values), "TIFF", tiffinfo={262: 0})
    assert far(open_photo(content), photo.convert("L")) < 2


def sixteen_bit_colours(values: np.ndarray) -> bytes:
    """A PNG of 16-bit RGB, which Pillow reads and cannot write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + check

    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([16, 2, 0, 0, 0])
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def test_colours_of_twelve_bits_in_sixteen_are_refused_not_shown_black(photo):
    values = np.asarray(photo).astype(np.uint32)
    assert far(open_photo(sixteen_bit_colours(values * 257)), photo) < 1
    with pytest.raises(ImageError, match=r"scan\.png: .*16 bits and fill fewer"):
        open_photo(sixteen_bit_colours(values * 16), "scan.png")


def with_odd_exif(photo: Image.Image) -> bytes:
    """A JPEG whose EXIF holds 0/0, as phones write where they measured nothing."""
    exif = with_orientation(6)
    exif[ExifTags.Base.XResolution] = (0, 0)
    exif[ExifTags.Base.Make] = "x" * 40
    return encoded(photo.rotate(90, expand=True), "JPEG", exif=exif, quality=95)


def with_long_text(photo: Image.Image) -> bytes:
    content = encoded(photo, "PNG")
    text = b"note\0\0" + zlib.compress(b"a" * (3 << 20))
    kind = b"zTXt"
    chunk = len(text).to_bytes(4, "big") + kind + text + zlib.crc32(kind + text).to_bytes(4, "big")
    return content[:33] + chunk + content[33:]


def with_broken_text(photo: Image.Image) -> bytes:
    content = encoded(photo, "PNG")
    return content[:33] + (4).to_bytes(4, "big") + b"tEXtab\0c" + bytes(4) + content[33:]


def without_the_end(photo: Image.Image) -> bytes:
    return encoded(photo, "JPEG", quality=95)[:-2]


def broken_exif(photo: Image.Image) -> bytes:
    content = encoded(photo, "JPEG", quality=95, exif=with_orientation(1))
    return content.replace(b"Exif\0\0MM\0*", b"Exif\0\0MMxx").replace(
        b"Exif\0\0II*\0", b"Exif\0\0IIxx"
    )


WHOLE = {
    "odd numbers in EXIF": (with_odd_exif, False),
    "a broken EXIF header": (broken_exif, False),
    "a long text": (with_long_text, True),
    "a text with a wrong check sum": (with_broken_text, True),
    "no end mark": (without_the_end, True),
}


@pytest.mark.parametrize(("make", "told"), WHOLE.values(), ids=WHOLE)
def test_whole_pixels_are_read_and_the_rest_is_noted(photo, make, told):
    picture, notes = read_photo(make(photo))
    assert far(picture, photo) < 5
    assert bool(notes) == told


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_pixels_is_refused(photo, progressive):
    content = encoded(photo, "JPEG", progressive=progressive)
    for length in (len(content) - 10, len(content) // 2):
        with pytest.raises(ImageError, match="damaged or cut short"):
            open_photo(content[:length])


@pytest.mark.parametrize("mode", ["CMYK", "P", "LA", "1", "RGBA", "L", "YCbCr", "HSV", "PA", "LAB"])
def test_pictures_of_every_mode_are_taken_or_refused_with_a_sentence(photo, mode):
    start = photo.convert({"LA": "RGBA", "PA": "P"}.get(mode, "RGB"))
    picture = Image.new(mode, (64, 64)) if mode == "LAB" else start.convert(mode)
    assert open_photo(picture).mode == "RGB"


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF", "TIFF", "AVIF"])
def test_of_several_frames_the_first_is_taken_and_that_is_said(form):
    first, second = (Image.new("RGB", (60, 60), colour) for colour in ("red", "blue"))
    film = encoded(first, form, save_all=True, append_images=[second])
    picture, notes = read_photo(film)
    red, _green, blue = np.asarray(picture)[5, 5]
    assert red > 200 > 50 > blue
    pages = "several pages: the first" if form == "TIFF" else "an animation: its first frame"
    assert notes == (f"It {'has' if form == 'TIFF' else 'is'} {pages} alone is looked at.",)
    assert not read_photo(encoded(first, form)).notes


def test_arrays_of_photos_are_taken(photo):
    assert far(open_photo(np.asarray(photo)), photo) == 0
    grey = photo.convert("L")
    assert far(open_photo(np.asarray(grey)[:, ::-1][:, ::-1]), grey) == 0


NO_PHOTOS = {
    "None": (None, "NoneType is no photo: give a path, a Pillow picture, or a NumPy array"),
    "a list": ([[1, 2]], "list is no photo"),
    "floats": (np.zeros((9, 9)), r"float64 of shape \(9, 9\) is no photo. Give uint8"),
    "four channels": (np.zeros((9, 9, 4), np.uint8), r"shape \(9, 9, 4\)"),
    "channels first": (np.zeros((3, 9, 9), np.uint8), r"shape \(3, 9, 9\)"),
    "nothing": (np.zeros((0, 9), np.uint8), r"shape \(0, 9\)"),
    "no path": ("a\0b", "no file that can be read"),
}


@pytest.mark.parametrize(("given", "sentence"), NO_PHOTOS.values(), ids=NO_PHOTOS)
def test_what_is_no_photo_is_refused_in_a_sentence(two_runs, given, sentence):
    with pytest.raises(ImageError, match=sentence):
        Predictor.from_run("first")(given)


def test_a_predictor_takes_paths_pictures_and_arrays_alike(two_runs, photo, tmp_path):
    predictor = Predictor.from_run("first")
    photo.rotate(90, expand=True).save(tmp_path / "me.png", exif=with_orientation(6))
    expected = predictor(photo)[0].probs
    for given in (
        tmp_path / "me.png",
        str(tmp_path / "me.png"),
        Image.open(tmp_path / "me.png"),
        np.asarray(photo),
        encoded(photo, "PNG"),
    ):
        np.testing.assert_array_equal(predictor(given)[0].probs, expected)


def test_probabilities_are_asked_of_faces_alone(two_runs, faces):
    predictor = Predictor.from_run("first")
    assert predictor.probs(faces.images[:2]).shape == (2, 7)
    for bad in (
        faces.images[:1] / 255,
        np.zeros((1, 64, 64), np.uint8),
        faces.images[0],
        faces.images[:1].astype(np.int64),
        None,
    ):
        with pytest.raises(ImageError, match=r"uint8 from 0 to 255 of shape \(N, 48, 48\)"):
            predictor.probs(bad)


@pytest.fixture
def trip(tmp_path, photo):
    """A folder as it comes from a phone and a browser."""
    folder = tmp_path / "trip"
    folder.mkdir()
    (folder / "a.JFIF").write_bytes(encoded(photo, "JPEG"))
    (folder / "b.HEIC").write_bytes(heic(photo))
    (folder / "film.mov").write_bytes(b"film")
    (folder / "list.txt").write_text("words")
    (folder / "._a.jpg").write_bytes(b"macOS")
    (folder / "Thumbs.db").write_bytes(b"Windows")
    return folder


def predict(*arguments):
    return CliRunner().invoke(app, ["predict", *map(str, arguments), "--run", "first", "--json"])


def test_what_is_passed_over_in_a_folder_is_counted_and_named(two_runs, trip):
    result = predict(trip)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert [face["photo"].split("/")[-1] for face in told["faces"]] == ["a.JFIF", "b.HEIC"]
    assert told["notes"] == [
        f"{trip}: 2 files are no pictures and are passed over: film.mov, list.txt."
    ]


def test_a_picture_that_cannot_be_read_is_named_and_fails(two_runs, trip):
    (trip / "raw.DNG").write_bytes(b"raw")
    result = predict(trip)
    assert result.exit_code == 1
    assert "raw.DNG: this is not a picture that can be read" in result.stderr


def test_links_to_folders_are_followed_once(tmp_path, trip):
    album = tmp_path / "album"
    album.mkdir()
    for name in ("first", "second"):
        (album / name).symlink_to(trip)
    (album / "round").symlink_to(album)
    (album / "nowhere.jpg").symlink_to(tmp_path / "gone.jpg")
    photos, problems, notes = find_photos([album])
    assert [path.relative_to(album).as_posix() for path in photos] == [
        "first/a.JFIF",
        "first/b.HEIC",
    ]
    assert not problems
    told = " ".join(notes)
    for name in ("'second' is a link to a folder that is read already", "'round' is a link"):
        assert name in told
    assert "'nowhere.jpg' is a link to nothing" in told


@pytest.mark.parametrize(
    "form", ['"{}"', "'{}'", "“{}”", "file://{}", " {} ", "file://localhost{}"]
)
def test_paths_as_they_are_pasted(two_runs, tmp_path, photo, form):
    path = tmp_path / "my face.png"
    photo.save(path)
    given = str(path).replace(" ", "%20") if "file:" in form else str(path)
    result = predict(form.format(given))
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["faces"]) == 1


def test_a_name_that_is_no_text_is_told(two_runs, tmp_path, photo):
    odd = tmp_path / "b\udcff.png"
    odd.write_bytes(encoded(photo, "PNG"))
    result = predict(tmp_path)
    assert result.exit_code == 0, result.output
    assert "b\\udcff.png" in json.loads(result.stdout)["faces"][0]["photo"]
