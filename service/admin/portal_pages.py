"""The portal itself: agencies and categories with their dates, calendar, emergency numbers."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
