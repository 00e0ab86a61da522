"""How the webcam page keeps up: rate, latency, share of frames with a face, the server's memory.

Starts the dashboard and opens the page in headless Chromium, whose camera is a film of a real face
that wanders, at 640×480 and 30 frames a second. Rate, latency and share are read from the page, as
its user reads them: each is over the half-minute before. Latency is from a frame's arrival until it
is drawn. Both default models look at every frame. Linux only, for the memory.

    python benchmarks/webcam.py --seconds 120
"""

import argparse
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from skimage.data import astronaut

from fercore.jobs.hardware import describe_hardware

ROOT = Path(__file__).parents[1]
FRAMES, PER_SECOND = 180, 30  # of the film, which is played again and again
WARM_UP, STEP = 10, 30  # seconds
PACE = re.compile(
    r"(?P<median_ms>\d+) ms a frame, 95 % within (?P<p95_ms>\d+) ms · "
    r"(?P<frames_per_second>[\d.]+) frames a second · a face in (?P<face_percent>[\d.]+) %"
)


def write_film(path: Path) -> None:
    """Raw 4:2:0 frames of scikit-image's astronaut, wandering over a grey wall."""
    face = Image.fromarray(astronaut()).crop((64, 0, 448, 384))
    with path.open("wb") as film:
        film.write(f"YUV4MPEG2 W640 H480 F{PER_SECOND}:1 Ip A1:1 C420jpeg\n".encode())
        for turn in np.linspace(0, 2 * np.pi, FRAMES, endpoint=False):
            picture = Image.new("RGB", (640, 480), "grey")
            picture.paste(face, (round(128 + 90 * np.sin(turn)), round(60 + 40 * np.cos(turn))))
            luma, *colours = picture.convert("YCbCr").split()
            planes = [luma, *(plane.resize((320, 240)) for plane in colours)]
            film.write(b"FRAME\n" + b"".join(plane.tobytes() for plane in planes))


def start_server() -> tuple[subprocess.Popen, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py"]
    options = ["--server.headless=true", f"--server.port={address.rsplit(':', 1)[1]}"]
    server = subprocess.Popen(
        command + options, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=5).close()
            return server, address
        except OSError:
            time.sleep(0.1)
    sys.exit("The dashboard did not start.")


def resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    (kilobytes,) = re.findall(r"VmRSS:\s+(\d+) kB", status)
    return int(kilobytes) / 1024


def read_pace(page: Page) -> dict[str, float]:
    words = page.get_by_text("frames a second").first.inner_text()
    found = PACE.search(words)
    assert found, words
    return {name: float(value) for name, value in found.groupdict().items()}


def watch(page: Page, server: subprocess.Popen, address: str, seconds: int) -> dict:
    page.goto(f"{address}/webcam")
    player = page.frame_locator('iframe[title*="webrtc"]')
    player.get_by_role("button", name=re.compile("start", re.I)).click()
    page.get_by_text("frames a second").first.wait_for()
    page.wait_for_timeout(1000 * WARM_UP)
    memory, paces = [resident_mib(server.pid)], []
    for _ in range(max(1, seconds // STEP)):
        page.wait_for_timeout(1000 * STEP)
        memory.append(resident_mib(server.pid))
        paces.append(read_pace(page))
    return {
        "frames_per_second_lowest": min(pace["frames_per_second"] for pace in paces),
        "latency_ms_median_highest": max(pace["median_ms"] for pace in paces),
        "latency_ms_p95_highest": max(pace["p95_ms"] for pace in paces),
        "face_percent_lowest": min(pace["face_percent"] for pace in paces),
        f"server_memory_mib_every_{STEP}_s": [round(value, 1) for value in memory],
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seconds", type=int, default=120)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        film = Path(folder) / "face.y4m"
        write_film(film)
        flags = [
            "--no-sandbox",
            "--disable-gpu",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        ]
        server, address = start_server()
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        try:
            context = chromium.new_context(permissions=["camera"])
            result = watch(context.new_page(), server, address, options.seconds)
        finally:
            chromium.close()
            server.terminate()
    machine = describe_hardware("cpu", "fp32")
    print(json.dumps({"seconds": options.seconds} | result | {"machine": machine}, indent=2))


if __name__ == "__main__":
    main()
