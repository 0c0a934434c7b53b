"""Users, their roles, and keys."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
