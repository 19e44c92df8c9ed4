"""Generators in other runtimes' formats, written from the graph of their flatbuffer."""

FORMATS = ("onnx", "tflite", "ncnn", "saved_model", "keras")
