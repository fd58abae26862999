"""The way of a message: foretold from what was read, tried, and followed by sending one."""
