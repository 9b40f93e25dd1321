"""Lossless frame codec."""
