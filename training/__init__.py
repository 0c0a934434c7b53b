"""The middle floor: from labelled complaints to a release. Knows no web and no database."""
