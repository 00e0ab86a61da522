"""Runs of models from elsewhere: from a table of their answers, or from their ONNX file."""
