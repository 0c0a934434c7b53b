"""What other wishes for precision would change."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
