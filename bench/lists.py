"""Hot lists of the API against a plain DRF serializer on the same data, with the same sign-in and page (README.md)."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.harness import Report, installation, median
from bench.viewers import make_conference

PEOPLE, PLANS = 1000, 500
ROUNDS = 5
#: Requests of a round.
REQUESTS = 20

#: A view, what makes a request for it, and its arguments.
Call = tuple[Callable[..., Any], Callable[[], Any], dict[str, Any]]


def rate(view: Callable[..., Any], request: Callable[[], Any], **arguments: Any) -> tuple[float, int]:
    """Requests per second, and how many objects a page has."""
    began = time.perf_counter()
    for _ in range(REQUESTS):
        response = view(request(), **arguments)
        if hasattr(response, "render"):
            response.render()
    seconds = time.perf_counter() - began
    return REQUESTS / seconds, len(json.loads(response.content)["results"])


def main() -> int:
    report = Report("lists of the API")
    with installation(SPARKLE_USER_REQUESTS_PER_MINUTE="1000000"):
        from rest_framework.test import APIRequestFactory, force_authenticate

        from apps.conferences.api.views import ParticipantListView, PlanViewSet
        from apps.conferences.models import Plan, PlanPerson
        from bench.plain_lists import ParticipantList, PlanList

        conference, participants = make_conference(PEOPLE, "lists")
        owner = participants[0].user
        plans = Plan.objects.bulk_create(Plan(owner=owner, title=f"计划{index}") for index in range(PLANS))
        people = [PlanPerson(plan=plan, name="某", position=place, numbers=[]) for plan in plans for place in range(5)]
        PlanPerson.objects.bulk_create(people)
        factory = APIRequestFactory()

        def ask(path: str) -> Callable[[], Any]:
            def request() -> Any:
                made = factory.get(path, HTTP_HOST="127.0.0.1")
                force_authenticate(made, owner)
                return made

            return request

        pairs: dict[str, tuple[Call, Call]] = {
            f"participants, page of {size}": (
                (ParticipantListView.as_view(), ask(f"/?page_size={size}"), {"conference_id": conference.pk}),
                (ParticipantList.as_view(), ask(f"/?page_size={size}"), {"conference_id": conference.pk}),
            )
            for size in (100, 1000)
        }
        pairs["plans"] = (PlanViewSet.as_view({"get": "list"}), ask("/"), {}), (PlanList.as_view(), ask("/"), {})
        for name, (ours, peer) in pairs.items():
            found: dict[str, list[float]] = {"ours": [], "plain": []}
            for turn in range(ROUNDS + 1):
                mine, objects = rate(ours[0], ours[1], **ours[2])
                theirs, same = rate(peer[0], peer[1], **peer[2])
                assert objects == same
                if turn:
                    found["ours"].append(mine)
                    found["plain"].append(theirs)
            report.figure(f"{name} ({objects} objects): ours", f"{median(found['ours']):,.0f} requests/s")
            report.figure(f"{name} ({objects} objects): plain serializer", f"{median(found['plain']):,.0f} requests/s")
            report.at_least(f"{name}: ours to plain", median(found["ours"]) / median(found["plain"]), 4)
    return report.status


if __name__ == "__main__":
    sys.exit(main())
