"""Real clips, coded by FFmpeg: scikit-image's astronaut moving over a grey ground."""

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import numpy as np
from av.video.stream import VideoStream
from PIL import Image
from skimage.data import astronaut

SIZE = (480, 360)
RATE = 10
FACE_X, FACE_Y = 224, 118  # about the middle of the face in the astronaut's picture


def portrait(side: int = 300) -> Image.Image:
    """The astronaut's head, square."""
    return Image.fromarray(astronaut()).crop((74, 0, 374, 300)).resize((side, side))


def scene(*places: tuple[int, int], side: int = 200, size: tuple[int, int] = SIZE) -> Image.Image:
    """A grey frame with a head at each place."""
    frame = Image.new("RGB", size, "grey")
    for place in places:
        frame.paste(portrait(side), place)
    return frame


def walk(seconds: float, *, side: int = 200) -> Iterator[Image.Image]:
    """One head that goes to the right, by 140 pixels a second."""
    for number in range(round(seconds * RATE)):
        yield scene((round(140 * number / RATE), 80), side=side)


def clip_of(
    frames: Iterable[Image.Image], *, codec: str = "libx264", form: str = "mp4",
    pixels: str = "yuv420p", rate: int = RATE, times: Iterable[float] = (), sound: bool = False,
    options: dict[str, str] | None = None,
) -> bytes:  # fmt: skip
    """A clip's file. times: of each frame in seconds, where they are not evenly spaced."""
    buffer, at, frames = io.BytesIO(), list(times), list(frames)
    with av.open(buffer, "w", format=form) as container:
        streams: list = []
        if frames:
            stream = container.add_stream(codec, rate=rate, options=options)
            assert isinstance(stream, VideoStream)
            stream.width, stream.height, stream.pix_fmt = *frames[0].size, pixels
            stream.codec_context.time_base = Fraction(1, 1000)
            streams.append(
                (stream, _pictures(frames, at or [n / rate for n in range(len(frames))]))
            )
        if sound:
            streams.append((container.add_stream("aac", rate=48_000, layout="mono"), _silence()))
        for stream, given in streams:
            for frame in (*given, None):
                container.mux(stream.encode(frame))
    return buffer.getvalue()


def _pictures(frames: list[Image.Image], times: list[float]) -> Iterator[av.VideoFrame]:
    for frame, at in zip(frames, times, strict=True):
        picture = av.VideoFrame.from_image(frame)
        picture.pts, picture.time_base = round(1000 * at), Fraction(1, 1000)
        yield picture


def _silence() -> Iterator[av.AudioFrame]:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.float32), "fltp", "mono")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    yield frame


def turned(mp4: bytes) -> bytes:
    """The same, which players turn by a quarter clockwise: the matrix in its track's header."""
    place = mp4.index(b"tkhd") + 4 + 4 + 20 + 8 + 8  # version, times and track, space, layer…volume
    assert mp4[place : place + 4] == (1 << 16).to_bytes(4, "big")
    matrix = [0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30]
    coded = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    return mp4[:place] + coded + mp4[place + 36 :]
