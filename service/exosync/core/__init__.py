"""The pure rules: values and decisions, without I/O, clock or environment."""
