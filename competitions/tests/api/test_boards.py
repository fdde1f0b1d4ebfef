"""GET …/entries, …/leaderboard, …/results, …/results.csv and …/room."""

import csv
import io

from competitions.models import Competition, Entry
from competitions.selectors import room
from competitions.tests.factories import Desk, make_entry, make_order_body, make_user
from tradingarena.core import realtime
from tradingarena.tests.cast import Cast, anonymous, by_token, problem_of


def test_entries_come_in_order_of_joining_without_who_has_left(cast: Cast) -> None:
    make_entry(cast.sprint, cast.carol, status=Entry.Status.WITHDRAWN)
    page = anonymous().get(cast.path("/entries?limit=1")).json()
    names = [row["username"] for row in page["results"]]
    names += [row["username"] for row in anonymous().get(page["next"]).json()["results"]]
    assert names == ["alice", "bob"]


def test_the_board_is_paged_by_place(cast: Cast, desk: Desk) -> None:
    for number in range(5):
        make_entry(cast.sprint, make_user(f"rival{number}"), fills_count=1, last_equity_cents=10_000_100 + number)
    board = anonymous().get(cast.path("/leaderboard?place=1&limit=3")).json()
    assert board["total"] == 7
    first = board["results"]
    following = anonymous().get(board["next"]).json()
    assert following["results"][0] not in first
    assert anonymous().get(following["previous"]).json()["results"] == first
    empty = anonymous().get(cast.path("/leaderboard?place=50")).json()
    assert (empty["results"], empty["next"]) == ([], None)


def test_stored_standings_rank_by_equity_and_leave_the_idle_unranked(cast: Cast) -> None:
    Entry.objects.filter(pk=cast.bobs.pk).update(fills_count=1, last_equity_cents=10_500_000)
    rows = anonymous().get(cast.path("/leaderboard")).json()["results"]
    assert [(row["username"], row["rank"], row["return_bps"]) for row in rows] == [("bob", 1, 500), ("alice", None, 0)]


def test_results_wait_for_the_end(cast: Cast) -> None:
    for tail in ("/results", "/results.csv"):
        problem_of(anonymous().get(cast.path(tail)), 409, "no_results")


def test_results_are_the_same_as_json_and_csv(cast: Cast) -> None:
    Competition.objects.filter(pk=cast.sprint.pk).update(status="completed")
    for entry, rank, equity in ((cast.bobs, 1, 10_500_000), (cast.alices, 2, 9_000_001)):
        Entry.objects.filter(pk=entry.pk).update(rank=rank, final_equity_cents=equity, fills_count=1)
    body = anonymous().get(cast.path("/results")).json()
    assert (body["final"], [row["username"] for row in body["rankings"]]) == (True, ["bob", "alice"])
    assert body["rankings"][1]["return_bps"] == -1_000
    response = anonymous().get(cast.path("/results.csv"))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [(line["rank"], line["username"], line["final_equity_cents"]) for line in lines] == [
        ("1", "bob", "10500000"),
        ("2", "alice", "9000001"),
    ]


def test_the_snapshot_has_what_its_reader_may_see(cast: Cast, desk: Desk) -> None:
    client = by_token(cast.alice)
    client.post(cast.path("/orders"), make_order_body(), format="json")
    desk.decide()
    client.post(cast.path("/orders"), make_order_body(type="limit", price="1.00000"), format="json")
    own = client.get(cast.path("/room")).json()
    assert set(own["rooms"]) == {f"{kind}.{cast.sprint.pk}" for kind in ("arena", "closed")} | {
        f"account.{cast.alices.pk}"
    }
    assert own["own"]["account"]["entry_id"] == str(cast.alices.pk)
    assert [order["status"] for order in own["own"]["orders"]] == ["accepted"]
    assert own["own"]["positions"][0]["units"] == 100_000
    assert own["quotes"]["EUR/USD"]["bid"] == "1.08500"
    crowd = anonymous().get(cast.path("/room")).json()
    assert set(crowd["rooms"]) == {f"{kind}.{cast.sprint.pk}" for kind in ("arena", "tape")}
    assert crowd["own"] is None
    assert [deal["username"] for deal in crowd["deals"]] == ["alice"]
    # a rival does not see a trade that is still open
    assert by_token(cast.bob).get(cast.path("/room")).json()["deals"] == []


def test_the_snapshot_reads_how_far_rooms_are_before_the_rows(cast: Cast) -> None:
    seq = realtime.publish_fact(f"arena.{cast.sprint.pk}", "competition_update", {"status": "running"})
    snapshot = room.snapshot(cast.carol, cast.sprint)
    assert snapshot["rooms"][f"arena.{cast.sprint.pk}"]["seq"] == seq
