"""A server on this machine that stands in for those that have FER2013: real HTTP, no network.

`/file/NAME` gives the file whole, `/slow/NAME` half of it and the rest once `go` is set,
`/broken/NAME` breaks off in the middle each time, `/page/NAME` a web page, anything else 404. It
goes on where it is asked to. Kaggle's two calls are answered too, as kagglehub makes them.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

ETAG = '"the same"'


class StandIn(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.content = content
        self.asked: list[tuple[str, str | None]] = []  # path and Range of each request
        self.go = threading.Event()

    def url(self, kind: str, name: str = "fer2013.csv.zip") -> str:
        return f"http://127.0.0.1:{self.server_port}/{kind}/{name}"


class _Answer(BaseHTTPRequestHandler):
    server: StandIn

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path, asked = urlsplit(self.path).path, self.headers["Range"]
        self.server.asked.append((path, asked))
        kind = path.split("/")[1]
        if kind == "page":
            self._say(b"<html>sign in</html>", "text/html")
        elif kind in ("file", "slow", "broken"):
            self._give(kind, asked)
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        """Kaggle's API, addressed through a proxy: which version there is, then the archive."""
        self.rfile.read(int(self.headers["Content-Length"]))
        name = urlsplit(self.path).path.split("/")[-1]
        self.server.asked.append((name, None))
        if name == "GetDataset":
            self._say(json.dumps({"currentVersionNumber": 1}).encode(), "application/json")
        else:
            self._give("file", None)

    def _say(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _give(self, kind: str, asked: str | None) -> None:
        content, begin = self.server.content, 0
        if asked and self.headers["If-Range"] == ETAG:
            begin = int(asked.removeprefix("bytes=").split("-")[0])
        rest = content[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Type", "application/zip")
        self.send_header("ETag", ETAG)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        with suppress(ConnectionError):  # who asked has gone
            if kind != "file":
                self.wfile.write(rest[: max(len(rest) // 2, 1)])
                self.wfile.flush()
                rest = rest[max(len(rest) // 2, 1) :]
            if kind == "slow":
                self.server.go.wait(60)
            if kind != "broken":
                self.wfile.write(rest)
        self.close_connection = True


@contextmanager
def stand_in(content: bytes) -> Iterator[StandIn]:
    """The server with a file to give, ended at the end."""
    with StandIn(content) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.go.set()
            server.shutdown()
