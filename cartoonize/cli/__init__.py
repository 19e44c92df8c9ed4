"""Click: parse, call, say, exit code; imports anything, nobody imports it."""
