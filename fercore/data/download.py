"""FER2013 from Kaggle, through kagglehub. Needs a network, and for most sets no account."""

from pathlib import Path

from fercore.errors import DataError

DATASET = "msambare/fer2013"


def download_fer2013() -> Path:
    """Download Kaggle's folder tree of FER2013 and return its path.

    Raises `DataError` where the download fails, saying what to do by hand.
    """
    import kagglehub

    try:
        return Path(kagglehub.dataset_download(DATASET))
    except Exception as error:  # kagglehub raises whatever its HTTP client does
        raise DataError(
            f"Downloading '{DATASET}' from Kaggle failed ({error}). Check the network, or download "
            "FER2013 in a browser and give its path with --data."
        ) from error
