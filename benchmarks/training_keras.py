"""The VGG-style CNN in Keras, as it is usually trained; run in Keras's Python by other benchmarks.

Reads a question as JSON: {"parameters", "threads", "recipe"}, and for a training until an accuracy
also {"faces": an .npz of images and labels, "feed", "target", "limit": seconds}. Without faces it
writes images per second on drawn noise, by the way of feeding.
"""

import json
import resource
import sys
import time

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras.src.legacy.preprocessing.image import ImageDataGenerator

FACE = 48  # side of FER2013's images in pixels
STEPS, WARM_UP = 60, 1  # steps of an epoch; epochs that prepare memory and kernels
BATCH, RATE = 64, 1e-3  # of a training until an accuracy: Keras's usual ones
PATIENCE = 3  # epochs without a better PublicTest loss before the rate is halved


def network(side: int, width: int = 24, dropout: float = 0.2, hidden: int = 1120) -> keras.Model:
    """fercore's `cnn`, layer by layer."""

    def convolution(x, filters: int, kernel: int = 3, stride: int = 1):
        x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization()(x))

    pixels = keras.Input((side, side, 1))
    x = layers.Rescaling(1 / 65, offset=-129.5 / 65)(pixels)
    x = convolution(convolution(x, width, 5, 2), width)
    for factor in (2, 4):
        x = layers.MaxPooling2D()(x)
        x = convolution(convolution(x, factor * width), factor * width)
    x = layers.Dense(hidden, "relu")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(pixels, layers.Dense(7)(layers.Dropout(dropout)(x)))


def generator(images: np.ndarray, labels: np.ndarray, recipe: dict, batch: int):
    light = recipe["augmentation"]
    feed = ImageDataGenerator(
        rotation_range=light["degrees"],
        width_shift_range=light["shift"],
        height_shift_range=light["shift"],
        zoom_range=light["scale"],
        horizontal_flip=light["flip"] > 0,
    )
    return feed.flow(images.astype("float32"), labels, batch_size=batch)


def dataset(images: np.ndarray, labels: np.ndarray, recipe: dict, batch: int) -> tf.data.Dataset:
    light = recipe["augmentation"]
    augment = keras.Sequential(
        [
            layers.RandomFlip("horizontal"),
            layers.RandomRotation(light["degrees"] / 360, fill_mode="nearest"),
            layers.RandomTranslation(light["shift"], light["shift"], fill_mode="nearest"),
            layers.RandomZoom(light["scale"], fill_mode="nearest"),
        ]
    )
    data = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(images))
    data = data.batch(batch, drop_remainder=True)
    augmented = data.map(
        lambda x, y: (augment(tf.cast(x, tf.float32), training=True), y), tf.data.AUTOTUNE
    )
    return augmented.prefetch(tf.data.AUTOTUNE)


FEEDS = {"ImageDataGenerator": generator, "tf.data": dataset}


def compiled(question: dict, rate: float, side: int) -> keras.Model:
    known = ("width", "dropout", "hidden")
    arguments = question["recipe"]["model_arguments"]
    model = network(side, **{name: arguments[name] for name in known if name in arguments})
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    if trainable != question["parameters"]:
        sys.exit(f"Keras's model has {trainable} parameters, not {question['parameters']}.")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return model


def throughput(question: dict) -> dict[str, float]:
    """Images per second of `fit`, by the way of feeding."""
    recipe, rng = question["recipe"], np.random.default_rng(0)
    count = STEPS * recipe["batch_size"]
    side = recipe["model_arguments"].get("side", FACE)
    images = rng.integers(0, 256, (count, side, side, 1), np.uint8)
    labels = rng.integers(0, 7, count)
    found = {}
    for name, feed in FEEDS.items():
        model = compiled(question, recipe["learning_rate"], side)
        batches = feed(images, labels, recipe, recipe["batch_size"])
        model.fit(batches, epochs=WARM_UP, verbose=0)
        started = time.perf_counter()
        model.fit(batches, epochs=1, verbose=0)
        found[f"keras {name}"] = count / (time.perf_counter() - started)
    return found


class Until(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Ends a training at an accuracy on PublicTest, or after so many seconds."""

    def __init__(self, target: float, limit: float) -> None:
        super().__init__()
        self.target, self.limit, self.started = target, limit, time.perf_counter()
        self.epochs: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        seconds, accuracy = time.perf_counter() - self.started, logs["val_accuracy"]
        self.epochs.append({"seconds": seconds, "public": accuracy})
        print(f"keras epoch {epoch + 1}: {accuracy:.4f}, {seconds:.0f} s", file=sys.stderr)
        self.model.stop_training = accuracy >= self.target or seconds > self.limit


def until(question: dict) -> dict:
    """A training on the real faces until its PublicTest accuracy is reached."""
    faces = np.load(question["faces"])
    keras.utils.set_random_seed(0)
    model = compiled(question, RATE, FACE)
    watch = Until(question["target"], question["limit"])
    feed = FEEDS[question["feed"]](
        faces["images"][..., None], faces["labels"], question["recipe"], BATCH
    )
    model.fit(
        feed,
        epochs=1000,
        validation_data=(faces["public_images"][..., None], faces["public_labels"]),
        callbacks=[watch, keras.callbacks.ReduceLROnPlateau("val_loss", 0.5, PATIENCE)],
        verbose=0,
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return {"epochs": watch.epochs, "peak_mib": round(peak)}


def main() -> None:
    question = json.load(sys.stdin)
    tf.config.threading.set_intra_op_parallelism_threads(question["threads"])
    print(json.dumps(until(question) if "faces" in question else throughput(question)))


if __name__ == "__main__":
    main()
