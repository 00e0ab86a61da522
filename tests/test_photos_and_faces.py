"""From a photo to faces: what can be opened, what is found, what the model sees."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from fercore.errors import ImageError
from fercore.faces import Box, find_faces, preprocess
from fercore.photos import MAX_PIXELS, open_photo
from fercore.predictor import Predictor


def encoded(image: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return Image.fromarray(astronaut())


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
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


BAD = {
    "not an image": (b"hello", "not a picture"),
    "empty": (b"", "empty"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
}


@pytest.mark.parametrize(("content", "sentence"), BAD.values(), ids=BAD)
def test_bad_photos(content, sentence):
    with pytest.raises(ImageError, match=sentence) as caught:
        open_photo(content, "mine.jpg")
    assert "mine.jpg" in str(caught.value)


def test_cut_jpeg(photo):
    content = encoded(photo, "JPEG")
    with pytest.raises(ImageError, match="damaged or cut short"):
        open_photo(content[: len(content) // 2], "mine.jpg")


def test_too_many_pixels_are_refused_before_decoding():
    side = int(MAX_PIXELS**0.5) + 100
    huge = bytearray(encoded(Image.new("1", (8, 8)), "PNG"))
    huge[16:24] = side.to_bytes(4, "big") * 2  # the size that its header declares
    import zlib

    huge[29:33] = zlib.crc32(bytes(huge[12:29])).to_bytes(4, "big")
    with pytest.raises(ImageError, match="too many"):
        open_photo(bytes(huge), "huge.png")


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


def test_no_face():
    assert find_faces(Image.new("RGB", (640, 480), "grey")).boxes == []


def test_a_small_tight_picture_is_the_face(faces):
    found = find_faces(Image.fromarray(faces.images[0]))
    assert found.whole
    assert found.boxes == [Box(0, 0, 48)]


def test_preprocess_leaves_a_48_pixel_face_as_it_is(faces):
    face = preprocess(Image.fromarray(faces.images[0]), Box(0, 0, 48))
    assert np.array_equal(face, faces.images[0])


def test_preprocess_repeats_the_border():
    face = preprocess(Image.new("L", (100, 100), 77), Box(-40, -30, 90))
    assert face.shape == (48, 48)
    assert (face == 77).all()


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
