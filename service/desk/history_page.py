"""Who decided what, and why."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
