"""Film files <-> frames: containers, colours, decoding, encoding in segments, joining; everything that needs PyAV."""
