"""Files taken apart: what kinds of picture files are made of, byte by byte, with bounds."""
