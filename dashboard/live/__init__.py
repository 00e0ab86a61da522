"""The webcam: frames in one thread, the page in another."""
