"""A complaint known by its words alone, so that it is known again where no text is kept."""

import hashlib

from router_model.cleaning import cleaned
from router_model.complaint import Complaint
from router_model.tokens import normal_words


def seen_key(complaint: Complaint) -> int:
    """A 64-bit key of a complaint's words; equal for texts that differ only in case, spacing and signs."""
    return cleaned_key(cleaned(complaint)[0])


def cleaned_key(complaint: Complaint) -> int:
    """`seen_key` of a complaint that was cleaned already."""
    words = " ".join(normal_words(complaint.words))
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest(), "big")
