"""Opens a clip safely, whatever its kind, and gives its frames, a few a second, one by one.

A frame is decoded, looked at and let go: of a clip of any length one is in memory. Only files that
hold their pictures themselves are read, so that none makes this machine open another address.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from PIL import Image

from fercore.errors import ConfigError, ImageError
from fercore.faces.clip_names import MAX_SECONDS, NAMED, PER_SECOND
from fercore.faces.decoding import MAX_BYTES
from fercore.wording import duration

MOST_PER_SECOND = 30.0  # frames that are looked at
MAX_SIDE, MAX_PIXELS = 4096, 3840 * 2160  # of a frame: 4K
LOOKED_AT_SIDE = 1920  # pixels; larger frames are reduced as they are decoded
# Frames that a decoder may keep: those that others refer to and the next one; H.264's as many
# again, that wait for their turn.
_KEPT, _KEPT_OF_H264 = 17, 34
_MAX_FRAMES = 240  # a second that are decoded, whatever the clip declares
_MAX_DAMAGED = 500  # places that are passed over
_OPTIONS = {
    "format_whitelist": "mov,matroska,webm,avi,mpeg,mpegts,mpegvideo,ogg,asf,flv",
    "protocol_whitelist": "none",
}
# What FFmpeg raises is an OSError or a ValueError too, but not always.
_DAMAGED = (av.FFmpegError, OSError, ValueError, RuntimeError, MemoryError)
_NARROWEST = 0.4  # width by height of a pixel; others than that are a mistake
_TOLERANCE = 1e-3  # seconds by which a frame may be early


class Frame(NamedTuple):
    """An upright RGB picture, its time in seconds after the first one, and its size in shares of
    the clip's own.
    """

    at: float
    picture: Image.Image
    scale: float = 1.0


class Clip:
    """A clip that is open until `close`, or the end of a `with` block; iterating gives its frames.

    seconds: how long it is, as far as it is looked at; None where it does not say. notes: sentences
    on what was not looked at, whole once the last frame was given. bytes_needed: the most that its
    decoder may keep.
    """

    def __init__(
        self,
        source: Path | BinaryIO,
        name: str = "",
        *,
        per_second: float = PER_SECOND,
        longest: float = MAX_SECONDS,
        most: int = MAX_BYTES,
    ) -> None:
        """most: bytes that its decoder may keep.

        Raises `ConfigError` for another rate or length, `ImageError` for what is no clip, has no
        moving picture, or too large frames: such are not decoded.
        """
        if not 0 < per_second <= MOST_PER_SECOND:
            raise ConfigError(f"From above 0 to {MOST_PER_SECOND:.0f} frames a second are read.")
        if not longest > 0:
            raise ConfigError("A clip is looked at for more than 0 seconds.")
        self.name = name or (str(source) if isinstance(source, Path) else "the clip")
        self.per_second, self.longest, self.notes = per_second, longest, list[str]()
        self.bytes_needed, self._most = 0, most
        self._file = self._opened(source) if isinstance(source, Path) else source
        try:
            self._container = self._read(self._file)
            self._stream = self._picture_stream()
            self._prepare(self._stream.codec_context)
        except BaseException:
            if isinstance(source, Path):
                self._file.close()
            raise
        self.seconds = self._declared()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._container.close()
        self._file.close()

    def __iter__(self) -> Iterator[Frame]:
        """Raises `ImageError` where not one frame can be read."""
        due, at = 0.0, -1.0
        for at, frame in self._timed():
            if at >= self.longest:
                self.notes.append(f"Only its first {duration(self.longest)} are looked at.")
                break
            if at >= due - _TOLERANCE:
                due = (math.floor((at + _TOLERANCE) * self.per_second) + 1) / self.per_second
                yield Frame(at, *self._upright(frame))
        if at < 0:
            raise ImageError(f"{self.name}: no picture in it can be read. It is damaged or cut.")
        if self.seconds and at < min(self.seconds - 1, 0.9 * self.seconds):
            self.notes.append(
                f"It ends after {duration(at)} of {duration(self.seconds)}: it is cut short."
            )

    def _timed(self) -> Iterator[tuple[float, av.VideoFrame]]:
        """Every frame with its time, by the clip's own clock: rates may vary."""
        first, at = None, 0.0
        step = 1 / float(self._stream.average_rate or 25)
        most = _MAX_FRAMES * self.longest
        for number, frame in enumerate(self._decoded()):
            if number >= most:
                self.notes.append(f"It has more than {_MAX_FRAMES} frames a second.")
                return
            stamp = frame.time
            first = stamp if first is None else first
            told = number * step if stamp is None or first is None else stamp - first
            at = max(at, told)
            yield at, frame

    def _decoded(self) -> Iterator[av.VideoFrame]:
        packets, damaged = self._container.demux(self._stream), 0
        while damaged < _MAX_DAMAGED:
            try:
                packet = next(packets, None)
                frames = packet.decode() if packet else []
            except _DAMAGED:
                damaged += 1
                continue
            if packet is None:
                break
            for frame in frames:
                assert isinstance(frame, av.VideoFrame)
                self._check_size(frame.format)
                yield frame
        if damaged:
            self.notes.append(f"Passed over in it: {damaged} damaged places.")

    def _opened(self, path: Path) -> BinaryIO:
        try:
            if path.exists() and not path.is_file():
                raise ImageError(f"{self.name}: this is no file that can be read.")
            return path.open("rb")
        except FileNotFoundError as error:
            raise ImageError(f"{self.name}: there is no such file.") from error
        except (OSError, ValueError) as error:
            raise ImageError(f"{self.name}: this is no file that can be read.") from error

    def _read(self, file: BinaryIO) -> InputContainer:
        if not file.seek(0, 2):
            raise ImageError(f"{self.name}: the file is empty.")
        file.seek(0)
        options = {"max_pixels": str(MAX_PIXELS), "threads": "1"}
        try:
            return av.open(file, "r", options=options, container_options=_OPTIONS)
        except _DAMAGED as error:
            raise ImageError(
                f"{self.name}: this is not a clip that can be read, or it is cut short. Use "
                f"{NAMED}."
            ) from error

    def _picture_stream(self) -> VideoStream:
        streams = [
            stream
            for stream in self._container.streams.video
            if not stream.disposition & Disposition.attached_pic
        ]
        if not streams:
            raise ImageError(f"{self.name}: there is no moving picture in it.")
        return streams[0]

    def _prepare(self, decoder: VideoCodecContext | None) -> None:
        if decoder is None:
            raise ImageError(f"{self.name}: how it is coded is not known here.")
        if decoder.format:
            self._check_size(decoder.format)
        decoder.thread_count = 1  # each thread would keep frames of its own
        decoder.options = {"max_pixels": str(MAX_PIXELS)}

    def _check_size(self, frame: av.VideoFormat) -> None:
        pixels = frame.width * frame.height
        kept = _KEPT_OF_H264 if self._stream.codec_context.name == "h264" else _KEPT
        needed = kept * pixels * frame.padded_bits_per_pixel // 8
        self.bytes_needed = max(self.bytes_needed, needed)
        large = max(frame.width, frame.height) > MAX_SIDE or pixels > MAX_PIXELS
        if large or needed > self._most:
            raise ImageError(
                f"{self.name}: frames of {frame.width}×{frame.height} pixels are too large. Reduce "
                "it to Full HD, 1920×1080."
            )

    def _declared(self) -> float | None:
        stream, container = self._stream, self._container
        if stream.duration and stream.time_base:
            seconds = float(stream.duration * stream.time_base)
        elif container.duration:
            seconds = container.duration / av.time_base
        else:
            return None
        return min(seconds, self.longest) if seconds > 0 else None

    def _upright(self, frame: av.VideoFrame) -> tuple[Image.Image, float]:
        """As a player shows it, its pixels square, turned by its metadata; and by what it was
        reduced.
        """
        wide = float(self._stream.sample_aspect_ratio or 1)
        wide = wide if _NARROWEST <= wide <= 1 / _NARROWEST else 1.0
        shown = frame.width * wide, frame.height
        scale = min(1.0, LOOKED_AT_SIDE / max(shown))
        width, height = (max(1, round(scale * side)) for side in shown)
        picture: Image.Image = frame.to_image(  # type: ignore[no-untyped-call]
            width=width, height=height
        )
        if frame.rotation:
            picture = picture.rotate(frame.rotation, expand=True)
        return picture, scale
