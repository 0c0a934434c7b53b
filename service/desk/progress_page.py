"""My progress, and how the office's backlog burns down."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
