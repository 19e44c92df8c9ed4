"""Generators in other runtimes' formats, written from the graph of their flatbuffer."""
