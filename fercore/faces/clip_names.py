"""How clips are named; apart from `clips`, which takes FFmpeg to import."""

SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts",
    ".3gp", ".ogv", ".wmv", ".flv",
}  # fmt: skip
NAMED = "MP4, MOV, WebM, MKV or AVI"  # what is named of them
