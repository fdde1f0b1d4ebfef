"""What beat sends is known to the worker, has a reason on its line above, and does not pile up."""

from pathlib import Path

from tradingarena import schedule
from tradingarena.celery import app

SOURCE = Path(schedule.__file__).read_text(encoding="utf-8")


def test_everything_that_beat_sends_is_known_to_the_worker():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in schedule.BEAT_SCHEDULE.values()} <= set(app.tasks)


def test_what_was_not_taken_in_time_is_not_done_twice():
    for entry in schedule.BEAT_SCHEDULE.values():
        assert entry["options"]["expires"] <= entry["schedule"]


def test_every_entry_says_why_it_is_there():
    lines = SOURCE.splitlines()
    for name in schedule.BEAT_SCHEDULE:
        place = next(number for number, line in enumerate(lines) if f'"{name}"' in line)
        assert lines[place - 1].strip().startswith("# "), name
