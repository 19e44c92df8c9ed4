"""A generator as its flatbuffer describes it: read, and followed without running it."""
