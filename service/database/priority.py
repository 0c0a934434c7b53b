"""Where a complaint stands in the queue of those who review: the highest first."""

from router_model.policy import Route

_BY_ROUTE = {
    Route.EMERGENCY: 1_000.0,
    Route.REVIEW: 100.0,
    Route.INCOMPLETE: 50.0,
    Route.EXTERNAL: 50.0,
    Route.PREFILL: 10.0,
    Route.AUTO: 0.0,
}


def priority(route: Route, agency_p: float | None) -> float:
    """By route; within one, the less sure comes first."""
    return _BY_ROUTE[route] + 1.0 - (agency_p or 0.0)


def among_the_unsure(chance: float) -> float:
    """A place, by a chance from 0 to 1, that does not tell those complaints from others that a person has to see."""
    return _BY_ROUTE[Route.REVIEW] + chance
