"""Where staff look at one complaint after the other."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
