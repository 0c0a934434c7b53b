"""What needs an admin now, and the guided path from empty to the first suggestion."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
