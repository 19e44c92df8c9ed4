"""Generators in other runtimes' formats, read into the flatbuffer that engines take."""
