"""FER2013 from Kaggle, through kagglehub. Needs a network, and for most sets no account."""

from pathlib import Path

from fercore.errors import DataError

# The original CSV. The better-known folder of JPEG files has other pixels, so that the rows of a
# run made on the CSV could not be found in it.
DATASET = "deadskull7/fer2013"


def download_fer2013() -> Path:
    """Download FER2013's CSV and return the path of the folder it is in.

    Raises `DataError` where the download fails, saying what to do by hand.
    """
    try:
        import kagglehub
    except ImportError as error:
        raise DataError(
            "The download needs kagglehub. Install it: pip install 'fercore[download]'."
        ) from error
    try:
        return Path(kagglehub.dataset_download(DATASET))
    except Exception as error:  # whatever kagglehub's client raises
        raise DataError(
            f"Downloading '{DATASET}' from Kaggle failed ({error}). Check the network, or download "
            "FER2013 in a browser and give its path with --data."
        ) from error
