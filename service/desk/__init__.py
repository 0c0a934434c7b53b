"""The review desk: pages under `/desk`."""
