"""Read recordings back: what researchers call."""
