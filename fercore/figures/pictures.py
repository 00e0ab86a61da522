"""Pictures that a page has in itself."""

from base64 import b64encode
from io import BytesIO

from PIL import Image


def png_url(picture: Image.Image) -> str:
    """A picture as a data URL, every pixel as it is."""
    file = BytesIO()
    picture.save(file, "PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
