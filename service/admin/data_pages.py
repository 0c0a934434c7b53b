"""Labelled data: uploaded, mapped, checked, mended, added."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
