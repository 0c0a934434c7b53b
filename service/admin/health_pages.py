"""How the portal fares: volumes, accuracy, drift, emergencies."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
