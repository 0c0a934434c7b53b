"""The calls over HTTP: each parses, calls one function, and returns."""
