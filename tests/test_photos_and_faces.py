"""From a photo to faces: what can be opened, what is found, what the model sees."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps
from skimage.data import astronaut, brick, coffee

from fercore.errors import ImageError
from fercore.faces.decoding import MAX_PIXELS
from fercore.faces.detection import Box, Found, Match, find_faces, preprocess, remarks
from fercore.faces.photo_files import find_photos
from fercore.faces.photos import open_photo
from fercore.predict.predictor import Predictor
from fercore.runs.listing import read_run
from tests.conftest import ROOT

SHIPPED = ("cnn-s0", "cnn_lstm-s0")


def encoded(image: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return Image.fromarray(astronaut())


@pytest.fixture(scope="module")
def head(photo) -> Image.Image:
    return photo.crop((120, 30, 330, 240)).resize((150, 150))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF"])
def test_formats(photo, form):
    opened = open_photo(encoded(photo, form), "me")
    assert (opened.mode, opened.size) == ("RGB", photo.size)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P", "1", "LA"])
def test_modes(photo, mode):
    form = "TIFF" if mode == "CMYK" else "PNG"
    assert open_photo(encoded(photo.convert(mode), form), "me").mode == "RGB"


def test_sixteen_bit_grey_keeps_its_picture(photo):
    grey = np.asarray(photo.convert("L")).astype(np.uint16) * 257
    opened = open_photo(encoded(Image.fromarray(grey), "PNG"), "me")
    difference = np.asarray(opened.convert("L")).astype(int) - np.asarray(photo.convert("L"))
    assert np.abs(difference).max() <= 1


def test_transparency_is_laid_on_white():
    glass = Image.new("RGBA", (60, 60), (0, 0, 0, 0))
    assert open_photo(encoded(glass, "PNG"), "me").getpixel((5, 5)) == (255, 255, 255)


def test_exif_orientation_is_honoured(photo):
    turned = photo.rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to see it upright
    upright = open_photo(encoded(turned, "PNG", exif=exif), "me")
    assert np.array_equal(np.asarray(upright), np.asarray(photo))


def test_a_cmyk_jpeg_keeps_its_colours(photo):
    opened = open_photo(encoded(photo.convert("CMYK"), "JPEG", quality=95), "print.jpg")
    difference = np.abs(np.asarray(opened, int) - np.asarray(photo, int))
    assert difference.mean() < 4


def test_an_animation_shows_its_first_frame():
    first, second = (Image.new("RGB", (60, 60), colour) for colour in ("red", "blue"))
    film = encoded(first, "GIF", save_all=True, append_images=[second])
    assert open_photo(film, "film.gif").getpixel((5, 5)) == (255, 0, 0)


def test_a_file_is_told_by_its_content_not_by_its_name(photo, tmp_path):
    path = tmp_path / "holiday.txt"
    path.write_bytes(encoded(photo, "PNG"))
    assert open_photo(path).size == photo.size


BAD = {
    "not an image": (b"hello", "not a picture"),
    "empty": (b"", "empty"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "not a picture"),
    "heic": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "damaged or cut short"),
    "video": (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00", "not a picture"),
}


@pytest.mark.parametrize(("content", "sentence"), BAD.values(), ids=BAD)
def test_bad_photos(content, sentence):
    with pytest.raises(ImageError, match=sentence) as caught:
        open_photo(content, "mine.jpg")
    assert "mine.jpg" in str(caught.value)


def test_a_file_that_is_not_there_and_a_folder(tmp_path):
    with pytest.raises(ImageError, match="there is no such file"):
        open_photo(tmp_path / "nothing.jpg")
    with pytest.raises(ImageError, match="no file that can be read"):
        open_photo(tmp_path)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
@pytest.mark.filterwarnings("ignore")  # Pillow warns of what we say in a sentence
def test_a_damaged_file_is_a_sentence_or_a_picture_and_never_a_trace(photo, form):
    whole = encoded(photo.resize((64, 64)), form)
    rng = np.random.default_rng(0)
    told = []
    for length in rng.integers(1, len(whole), 40):
        spoilt = bytearray(whole)
        spoilt[int(rng.integers(min(len(whole), 200)))] ^= 255
        for content in (whole[:length], bytes(spoilt)):
            try:
                assert open_photo(content, "mine").mode == "RGB"
            except ImageError as error:
                told.append(str(error))
    assert len(told) > 10
    assert all(sentence.startswith("mine: ") for sentence in told)


def test_cut_jpeg(photo):
    content = encoded(photo, "JPEG")
    with pytest.raises(ImageError, match="damaged or cut short"):
        open_photo(content[: len(content) // 2], "mine.jpg")


@pytest.mark.parametrize("side", [int(MAX_PIXELS**0.5) + 100, 30_000])
def test_too_many_pixels_are_refused_before_decoding(side):
    huge = bytearray(encoded(Image.new("1", (8, 8)), "PNG"))
    huge[16:24] = side.to_bytes(4, "big") * 2  # the size that its header declares
    huge[29:33] = zlib.crc32(bytes(huge[12:29])).to_bytes(4, "big")
    with pytest.raises(ImageError, match=r"too many.*Reduce it below 56 megapixels"):
        open_photo(bytes(huge), "huge.png")


def test_photos_are_named_by_file_folder_and_pattern(tmp_path):
    for name in ("a.jpg", "trip/b.PNG", "trip/deep/c.webp", "trip/notes.txt", "trip/.hidden/d.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    def names(*paths) -> list[str]:
        photos, problems, _notes = find_photos([tmp_path / path for path in paths])
        assert not problems
        return [photo.relative_to(tmp_path).as_posix() for photo in photos]

    assert names("trip") == ["trip/b.PNG", "trip/deep/c.webp"]
    assert names("*.jpg", "a.jpg", "trip/notes.txt") == ["a.jpg", "trip/notes.txt"]
    assert names("**/*.webp") == ["trip/deep/c.webp"]
    (tmp_path / "empty").mkdir()
    photos, problems, _notes = find_photos([tmp_path / "empty", tmp_path / "*.bmp"])
    assert not photos
    assert "no picture is in this folder" in problems[0]
    assert "no file matches" in problems[1]


def test_the_face_is_found_and_framed(photo):
    found = find_faces(photo)
    assert not found.whole
    box = found.boxes[0]
    x, y = box.left + box.side / 2, box.top + box.side / 2
    assert abs(x - 222) < 25  # Eileen Collins's face
    assert abs(y - 115) < 25
    assert 70 < box.side < 150


def test_a_large_photo_gives_the_same_box(photo):
    large = photo.resize((2048, 2048))
    small, big = find_faces(photo).boxes[0], find_faces(large).boxes[0]
    assert big.left / 4 == pytest.approx(small.left, abs=12)
    assert big.side / 4 == pytest.approx(small.side, abs=12)


@pytest.mark.parametrize("picture", [coffee, brick], ids=["coffee", "brick"])
def test_no_face(picture):
    photo = Image.fromarray(picture())
    found = find_faces(photo)
    assert found.boxes == []
    assert "No face was found" in remarks(found, photo.size)[0]


def test_forty_faces(head):
    crowd = Image.new("RGB", (8 * 170, 5 * 170), "grey")
    for place in range(40):
        face = ImageOps.mirror(head) if place % 2 else head
        crowd.paste(face, (place % 8 * 170 + 10, place // 8 * 170 + 10))
    boxes = find_faces(crowd).boxes
    cells = {(round(b.left + b.side / 2) // 170, round(b.top + b.side / 2) // 170) for b in boxes}
    assert len(boxes) == len(cells) == 40
    sides = [box.side for box in boxes]
    assert sides == sorted(sides, reverse=True)


@pytest.mark.parametrize(("side", "width"), [((700, 180, 180, 180), 4000), ((110, 60, 60), 1280)])
def test_faces_of_several_sizes_are_all_found(head, side, width):
    """A large face, or a chance hit, does not end the search for the small ones."""
    scene = Image.new("RGB", (width, 3 * width // 4), (120, 110, 100))
    places = [(width * (2 * n + 1) // (2 * len(side)), width // 3) for n in range(len(side))]
    for (x, y), own in zip(places, side):
        # the head takes about twice the face
        scene.paste(head.resize((2 * own, 2 * own)), (x - own, y - own))
    boxes = find_faces(scene).boxes
    assert len(boxes) == len(side)
    for x, y in places:
        assert any(
            abs(b.left + b.side / 2 - x) < b.side / 2 and abs(b.top + b.side / 2 - y) < b.side / 2
            for b in boxes
        )


def test_of_one_face_the_sure_match_counts(photo, monkeypatch):
    """Seen weakly at once and surely from nearer, beside another face that is sure at once."""
    at = [Match(0.1, 60.0, 60.0, 40.0, 0.0), Match(0.9, 300.0, 200.0, 120.0, 0.0)]
    nearer = [Match(1.1, 62.0, 60.0, 38.0, 0.0), Match(1.2, 301.0, 200.0, 118.0, 0.0)]
    monkeypatch.setattr(
        "fercore.faces.detection.detect", lambda grey, upsample=0: nearer if upsample else at
    )
    monkeypatch.setattr("fercore.faces.detection._sharpened", lambda grey, match: match)
    centres = [box.left + box.side / 2 for box in find_faces(photo).boxes]
    assert centres == pytest.approx([300, 62], abs=1)


def test_how_small_a_face_may_be_is_told_in_the_photos_pixels():
    assert "at least 40 pixels wide" in remarks(Found([], False), (900, 600))[0]
    assert "at least 125 pixels wide" in remarks(Found([], False), (4000, 3000))[0]


def test_a_face_cut_by_the_border_is_found_and_said(photo):
    cut = photo.crop((205, 20, 512, 300))
    found = find_faces(cut)
    assert found.boxes[0].left < -5
    assert "Cut by the photo's border: face 1" in remarks(found, cut.size)[0]
    assert preprocess(cut, found.boxes[0]).shape == (48, 48)


def test_a_face_on_its_side_is_found_by_turning_the_picture(photo):
    lying = photo.crop((100, 0, 350, 250)).rotate(55, Image.Resampling.BICUBIC)
    assert find_faces(lying, thorough=False).boxes == []
    (box,) = find_faces(lying).boxes
    assert 30 <= box.tilt <= 60


def test_a_dim_blurred_match_is_said_to_be_weak(photo, monkeypatch):
    monkeypatch.setattr("fercore.faces.detection.detect", lambda grey, upsample=0: [])
    scores = iter([[], [Match(-0.1, 250.0, 120.0, 90.0, 0.0)]])
    monkeypatch.setattr("fercore.faces.detection._matches", lambda *_, **__: next(scores, []))
    found = find_faces(photo)
    assert found.weak
    assert "it may be none" in remarks(found, photo.size)[0]


def test_preprocess_turns_a_tilted_face_upright(photo):
    straight = find_faces(photo).boxes[0]
    middle = straight.left + straight.side / 2, straight.top + straight.side / 2
    turned = photo.rotate(20, Image.Resampling.BICUBIC, center=middle)
    upright = preprocess(turned, straight._replace(tilt=20.0)).astype(int)
    assert np.abs(upright - preprocess(photo, straight)).mean() < 3


def test_a_very_small_picture_is_the_face(faces):
    picture = Image.fromarray(faces.images[0])
    assert find_faces(picture) == Found([Box(0, 0, 48)], whole=True)
    assert "the whole of it is taken" in remarks(find_faces(picture), picture.size)[0]


def test_a_small_tight_picture_is_the_face_where_none_is_found_in_it(head):
    assert find_faces(Image.new("L", (144, 120))) == Found([Box(12, 0, 120)], whole=True)
    assert not find_faces(head).whole


def test_a_strip_and_a_dot_are_no_faces():
    for size in ((160, 20), (20, 160), (3, 3), (1, 1)):
        assert find_faces(Image.new("RGB", size)).boxes == []


def test_preprocess_leaves_a_48_pixel_face_as_it_is(faces):
    face = preprocess(Image.fromarray(faces.images[0]), Box(0, 0, 48))
    assert np.array_equal(face, faces.images[0])


def test_preprocess_repeats_the_border():
    face = preprocess(Image.new("L", (100, 100), 77), Box(-40, -30, 90))
    assert face.shape == (48, 48)
    assert (face == 77).all()


def from_exif(photo: Image.Image) -> Image.Image:
    exif = Image.Exif()
    exif[0x0112] = 8  # turn by 90° counter-clockwise to see it upright
    return open_photo(encoded(photo.rotate(-90, expand=True), "JPEG", exif=exif), "me.jpg")


CHANGES = {
    "turned by EXIF": from_exif,
    "mirrored": ImageOps.mirror,
    "darkened": lambda photo: photo.point(lambda value: value * 0.3),
    "brightened": lambda photo: photo.point(lambda value: 128 + value / 2),
    "tilted by 20°": lambda photo: photo.rotate(20, Image.Resampling.BICUBIC),
    "tilted by −20°": lambda photo: photo.rotate(-20, Image.Resampling.BICUBIC),
    "half the size": lambda photo: photo.reduce(2),
    "three times the size": lambda photo: photo.resize((1536, 1536)),
    "grey": lambda photo: photo.convert("L"),
}


@pytest.fixture(scope="module")
def shipped() -> list[Predictor]:
    return [Predictor.from_run(read_run(ROOT / "artifacts" / "shipped" / run)) for run in SHIPPED]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_same_face_gives_the_same_expression_however_it_was_taken(photo, shipped, change):
    for predictor in shipped:
        (straight,) = predictor(photo)
        (changed,) = predictor(change(photo))
        assert changed.expression == straight.expression == "happy"
        assert changed.confidence == pytest.approx(straight.confidence, abs=0.15)


def test_predictor(two_runs, photo, tmp_path):
    predictor = Predictor.from_run("first")
    results = predictor(photo)
    assert len(results) >= 1
    assert results[0].face.shape == (48, 48)
    assert results[0].probs.sum() == pytest.approx(1, abs=1e-5)
    photo.save(tmp_path / "me.png")
    again = predictor(tmp_path / "me.png")
    np.testing.assert_array_equal(again[0].probs, results[0].probs)
    assert predictor(Image.new("RGB", (640, 480))) == []
