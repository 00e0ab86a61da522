"""From a photo or a video to 48×48 grey faces."""

from fercore.faces.detection import Box, crops, find_faces, preprocess

__all__ = ["Box", "crops", "find_faces", "preprocess"]
