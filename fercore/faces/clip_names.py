"""How clips are named, and how much of them is looked at; apart from `clips`, which takes FFmpeg to
import.
"""

SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts",
    ".3gp", ".ogv", ".wmv", ".flv",
}  # fmt: skip
NAMED = "MP4, MOV, WebM, MKV or AVI"  # what is named of them
PER_SECOND = 5.0  # frames that are looked at where nothing else is said
MAX_SECONDS = 120.0
