"""The VGG-style CNN in Keras, trained on noise; run by benchmarks/training.py in Keras's Python.

Reads {"parameters", "threads", "recipe"} as JSON; writes images per second by the way of feeding.
"""

import json
import sys
import time

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras.src.legacy.preprocessing.image import ImageDataGenerator

STEPS, WARM_UP = 60, 1  # steps of an epoch; epochs that prepare memory and kernels


def network(width: int, dropout: float, hidden: int = 1120) -> keras.Model:
    """fercore's `cnn`, layer by layer."""

    def convolution(x, filters: int, kernel: int = 3, stride: int = 1):
        x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization()(x))

    pixels = keras.Input((48, 48, 1))
    x = layers.Rescaling(1 / 65, offset=-129.5 / 65)(pixels)
    x = convolution(convolution(x, width, 5, 2), width)
    for factor in (2, 4):
        x = layers.MaxPooling2D()(x)
        x = convolution(convolution(x, factor * width), factor * width)
    x = layers.Dense(hidden, "relu")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(pixels, layers.Dense(7)(layers.Dropout(dropout)(x)))


def generator(images: np.ndarray, labels: np.ndarray, recipe: dict):
    light = recipe["augmentation"]
    feed = ImageDataGenerator(
        rotation_range=light["degrees"],
        width_shift_range=light["shift"],
        height_shift_range=light["shift"],
        zoom_range=light["scale"],
        horizontal_flip=light["flip"] > 0,
    )
    return feed.flow(images.astype("float32"), labels, batch_size=recipe["batch_size"])


def dataset(images: np.ndarray, labels: np.ndarray, recipe: dict) -> tf.data.Dataset:
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
    data = data.batch(recipe["batch_size"], drop_remainder=True)
    augmented = data.map(
        lambda x, y: (augment(tf.cast(x, tf.float32), training=True), y), tf.data.AUTOTUNE
    )
    return augmented.prefetch(tf.data.AUTOTUNE)


def images_per_second(model: keras.Model, feed, count: int, rate: float) -> float:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    model.fit(feed, epochs=WARM_UP, verbose=0)
    started = time.perf_counter()
    model.fit(feed, epochs=1, verbose=0)
    return count / (time.perf_counter() - started)


def main() -> None:
    question = json.load(sys.stdin)
    recipe = question["recipe"]
    tf.config.threading.set_intra_op_parallelism_threads(question["threads"])
    rng, count = np.random.default_rng(0), STEPS * recipe["batch_size"]
    images = rng.integers(0, 256, (count, 48, 48, 1), np.uint8)
    labels = rng.integers(0, 7, count)
    found = {}
    for name, feed in (("ImageDataGenerator", generator), ("tf.data", dataset)):
        model = network(recipe["model_arguments"].get("width", 24), 0.2)
        trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
        if trainable != question["parameters"]:
            sys.exit(f"Keras's model has {trainable} parameters, not {question['parameters']}.")
        batches = feed(images, labels, recipe)
        found[f"keras {name}"] = images_per_second(model, batches, count, recipe["learning_rate"])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
