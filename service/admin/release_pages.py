"""Releases side by side, promoted, rolled back, in the shadow."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
