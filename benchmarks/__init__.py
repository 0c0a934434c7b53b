"""Measurements, not tests: `make bench` prints each with the command that makes it."""
