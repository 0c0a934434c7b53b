"""The ground floor: from a complaint's text to a suggestion. Knows no web, no database and no training."""

__version__ = "0.1.0"
