"""Files of recorded quotes: every way in which one can be broken is said with its line, before anything is played."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from competitions.marketdata import sources
from competitions.marketdata.providers.recorded_candles import HEADER
from competitions.marketdata.providers.recording import TICKS, Recording, RecordingError
from competitions.tests.marketdata.support import fresh_bus

GOOD = "1000,EUR/USD,1.10000,1.10010\n1001,EUR/USD,1.10001,1.10011\n"
BAR = "2014-05-05T08:00:00Z,EUR/USD,1.1,1.3,1.0,1.2,0,bid\n2014-05-05T08:00:00Z,EUR/USD,1.11,1.31,1.01,1.21,0,ask\n"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(text: str | bytes, name: str = "quotes.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return make


def ticks(rows: str) -> str:
    return f"{TICKS}\n{rows}"


BROKEN: list[tuple[str, str | bytes, str]] = [
    ("empty", "", r"line 1: the header must be"),
    ("no header", GOOD, r"line 1: the header must be .* not '1000,EUR/USD"),
    ("another header", "time,price\n1,2\n", r"line 1: the header must be"),
    ("header alone", ticks(""), r"there is no quote in this file"),
    ("a field missing", ticks(GOOD + "1002,EUR/USD,1.1\n"), r"line 4: 4 fields are needed, here are 3"),
    ("a field too many", ticks(GOOD + "1002,EUR/USD,1.1,1.2,9\n"), r"line 4: 4 fields are needed, here are 5"),
    ("an empty line", ticks(GOOD + "\n" + GOOD), r"line 4: an empty line"),
    ("time in words", ticks(GOOD + "noon,EUR/USD,1.1,1.2\n"), r"line 4: 'noon' is no time"),
    (
        "time in ISO",
        ticks("2014-05-05T08:00:00Z,EUR/USD,1.1,1.2\n"),
        r"line 2: '2014-05-05T08:00:00Z' is no time in Unix milliseconds",
    ),
    (
        "time in nanoseconds",
        ticks("1399248003074000000,EUR/USD,1.1,1.2\n"),
        r"line 2: .* is no time in Unix milliseconds",
    ),
    ("time 0", ticks("0,EUR/USD,1.1,1.2\n"), r"line 2: '0' is no time"),
    ("negative time", ticks("-5,EUR/USD,1.1,1.2\n"), r"line 2: '-5' is no time"),
    ("not sorted", ticks(GOOD + "999,EUR/USD,1.1,1.2\n"), r"line 4: 999 is earlier than the row before"),
    ("pair without slash", ticks("1000,EURUSD,1.1,1.2\n"), r"line 2: 'EURUSD' is no pair like EUR/USD"),
    ("empty pair", ticks("1000,,1.1,1.2\n"), r"line 2: '' is no pair"),
    ("price in words", ticks("1000,EUR/USD,cheap,1.2\n"), r"line 2: 'cheap' is no price"),
    ("empty price", ticks("1000,EUR/USD,,1.2\n"), r"line 2: '' is no price"),
    ("two points", ticks("1000,EUR/USD,1.1.1,1.2\n"), r"line 2: '1.1.1' is no price"),
    ("NaN", ticks("1000,EUR/USD,NaN,1.2\n"), r"line 2: 'NaN' is no price"),
    ("exponent", ticks("1000,EUR/USD,1e0,1.2\n"), r"line 2: '1e0' is no price"),
    ("not ASCII", ticks(GOOD) + "1002,EUR/USD,1.1,1.2€\n", r"no text in ASCII"),
    ("binary", b"\x00\x01\x02\x03" * 100, r"line 1: the header|ASCII"),
    ("gzip cut off", gzip.compress(ticks(GOOD * 500).encode())[:40], r"damaged or cut off"),
    ("gzip damaged", gzip.compress(ticks(GOOD).encode())[:20] + b"garbage" * 5, r"damaged or cut off"),
    ("unknown pairs only", ticks("1000,XAU/USD,1300.0,1300.5\n"), r"none of the pairs in these files is traded here"),
    ("candles of one side", f"{HEADER}\n{BAR.splitlines()[0]}\n", r"only where both sides are"),
    (
        "candle with a field missing",
        f"{HEADER}\n{BAR}2014-05-05T08:01:00Z,EUR/USD,1.1\n",
        r"line 4: 8 fields are needed, here are 3",
    ),
    ("candle not sorted", f"{HEADER}\n{BAR}2014-05-05T07:00:00Z,EUR/USD,1,1,1,1,0,bid\n", r"line 4: .* is earlier"),
    ("candle of no side", f"{HEADER}\n{BAR}2014-05-05T08:01:00Z,EUR/USD,1,1,1,1,0,mid\n", r"line 4: 'mid' is no side"),
    ("candle with a bad time", f"{HEADER}\n2014-99-05T08:00:00Z,EUR/USD,1,1,1,1,0,bid\n", r"line 2: .*"),
    ("candle within a minute", f"{HEADER}\n2014-05-05T08:00:30Z,EUR/USD,1,1,1,1,0,bid\n", r"line 2: .* is no minute"),
    ("candle with a bad price", f"{HEADER}\n2014-05-05T08:00:00Z,EUR/USD,1,x,1,1,0,bid\n", r"line 2: 'x' is no price"),
]


@pytest.mark.parametrize(("content", "said"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_broken_file_is_refused_with_its_line(content: str | bytes, said: str, write: Write) -> None:
    bus = fresh_bus()
    path = write(content)
    with pytest.raises(CommandError, match=said) as caught:
        call_command("replay_quotes", str(path), "--at-once")
    assert bus.last_id() == 0  # nothing half done
    assert "\n" not in str(caught.value)


def test_a_defect_on_the_last_of_many_lines_stops_the_replay_before_its_first_quote(write: Write) -> None:
    bus = fresh_bus()
    rows = "".join(f"{1000 + n},EUR/USD,1.10000,1.10010\n" for n in range(20_000))
    with pytest.raises(CommandError, match=r"line 20002: 'x' is no time"):
        call_command("replay_quotes", str(write(ticks(rows + "x,EUR/USD,1,2\n"))), "--at-once")
    assert bus.last_id() == 0


ARGUMENTS: list[tuple[list[str], str]] = [
    (["nowhere.csv.gz"], r"nowhere.csv.gz: there is no such file, neither here nor below FX_DATA_DIR"),
    (["/"], r"/: this is not a file"),
    (["{good}", "{good}"], "a file is named twice"),
    (["{good}", "--speed", "0"], "a speed lies between"),
    (["{good}", "--speed", "-1"], "a speed lies between"),
    (["{good}", "--speed", "NaN"], "a speed lies between"),
    (["{good}", "--speed", "fast"], "'fast' is no number"),
    (["{good}", "--speed", "2", "--at-once"], "not allowed with argument"),
    (["{good}", "--start", "yesterday"], "'yesterday' is no time"),
    (["{good}", "--start", "2030-01-01"], "the recording ends before the time to start at"),
    ([], "the following arguments are required: FILE"),
    (["{good}", "--loop"], "unrecognized arguments: --loop"),
]


@pytest.mark.parametrize(("arguments", "said"), ARGUMENTS, ids=[" ".join(row[0]) for row in ARGUMENTS])
def test_a_bad_argument_is_refused_clearly(arguments: list[str], said: str, write: Write) -> None:
    good = str(write(ticks(GOOD)))
    with pytest.raises(CommandError, match=said):
        call_command("replay_quotes", *[argument.format(good=good) for argument in arguments])


FEED_ARGUMENTS: list[tuple[list[str], dict[str, object], str]] = [
    (["--provider", "oracle"], {}, "invalid choice: 'oracle'"),
    (["--files", "x"], {}, "--files belongs to --provider replay, not to simulated"),
    (["--at-once"], {}, "belong to --provider replay"),
    (["--provider", "simulated", "--speed", "2"], {}, "belong to --provider replay"),
    (["--provider", "polygon"], {}, "POLYGON_API_KEY is not set"),
    (
        ["--provider", "polygon"],
        {"POLYGON_API_KEY": "k", "POLYGON_PAIR_FORM": "eurusd"},
        "'eurusd' is no form of a pair",
    ),
    (["--provider", "replay"], {}, "name them, or set REPLAY_FILES"),
    (["--provider", "replay", "--files", "gone.csv"], {}, "gone.csv: there is no such file"),
    ([], {"FEED_PAIRS": ["EUR/USD", "XAU/USD"]}, "FEED_PAIRS names XAU/USD, which is not traded here"),
    ([], {"MARKET_DATA_PROVIDER": "tea leaves"}, "'tea leaves' is no source of quotes"),
]


@pytest.mark.parametrize(("arguments", "configured", "said"), FEED_ARGUMENTS, ids=[row[2] for row in FEED_ARGUMENTS])
def test_run_feed_says_what_is_wrong(
    arguments: list[str], configured: dict[str, object], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        {"MARKET_DATA_PROVIDER": "simulated", "POLYGON_API_KEY": "", "REPLAY_FILES": []} | configured
    ).items():
        monkeypatch.setattr(settings, name, value)
    with pytest.raises(CommandError, match=said):
        call_command("run_feed", *arguments)


def test_feeding_some_pairs_feeds_what_values_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "FEED_PAIRS", ["eur-jpy"])
    assert set(sources.fed_pairs()) == {"EUR/JPY", "EUR/USD", "USD/JPY"}


def test_files_are_found_below_the_data_directory_by_name(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ticks").mkdir()
    packed = tmp_path / "ticks" / "some.csv.gz"
    packed.write_bytes(gzip.compress(ticks(GOOD).encode()))
    monkeypatch.setattr(settings, "FX_DATA_DIR", str(tmp_path))
    assert (
        sources.resolve(["some"])
        == sources.resolve(["some.csv.gz"])
        == sources.resolve(["ticks/some.csv.gz"])
        == [packed]
    )
    assert Recording([packed]).rows == 2


def test_several_files_are_one_recording_sorted_by_time_ties_in_the_order_of_the_files(write: Write) -> None:
    one = write(ticks("1000,EUR/USD,1.1,1.2\n1000,EUR/USD,1.3,1.4\n3000,EUR/USD,1.5,1.6\n"), "one.csv")
    two = write(ticks("1000,USD/JPY,100.0,100.1\n2000,USD/JPY,100.2,100.3\n"), "two.csv")
    assert [(row[0], row[3]) for row in Recording([one, two])] == [
        (1000, "1.1"),
        (1000, "1.3"),
        (1000, "100.0"),
        (2000, "100.2"),
        (3000, "1.5"),
    ]
    assert [row[3] for row in Recording([two, one])][:2] == ["100.0", "1.1"]
    assert [row[0] for row in Recording([one, two], 2000)] == [2000, 3000]


def test_the_name_tells_recordings_apart_by_their_content(write: Write) -> None:
    name = Recording([write(ticks(GOOD), "a.csv")]).name
    assert Recording([write(ticks(GOOD), "elsewhere.csv")]).name == name
    assert Recording([write(gzip.compress(ticks(GOOD).encode()), "a.csv.gz")]).name == name
    assert Recording([write(ticks(GOOD.replace("1.10010", "1.10011")), "a.csv")]).name != name
    assert Recording([write(ticks(GOOD), "b.csv")], 1001).name != name


def test_line_ends_of_both_kinds_are_read(write: Write) -> None:
    assert list(Recording([write(ticks(GOOD).replace("\n", "\r\n"))])) == list(Recording([write(ticks(GOOD), "b.csv")]))


def test_a_minute_becomes_four_quotes_of_both_sides(write: Write) -> None:
    falling = "2014-05-05T08:01:00Z,USD/JPY,101.9,102.0,101.0,101.1,0,ask\n2014-05-05T08:01:00Z,USD/JPY,101.8,101.9,100.9,101.0,0,bid\n"
    lonely = "2014-05-05T08:02:00Z,EUR/USD,1.1,1.3,1.0,1.2,0,bid\n"
    rows = list(Recording([write(f"{HEADER}\n{BAR}{falling}{lonely}")]))
    begin = 1_399_276_800_000
    assert [(time - begin, bid, ask) for time, _, pair, bid, ask in rows if pair == "EUR/USD"] == [
        (0, "1.1", "1.11"), (15_000, "1.0", "1.01"), (30_000, "1.3", "1.31"), (45_000, "1.2", "1.21"),
    ]  # fmt: skip
    assert [(time - begin, bid, ask) for time, _, pair, bid, ask in rows if pair == "USD/JPY"] == [
        (60_000, "101.8", "101.9"), (75_000, "101.9", "102.0"), (90_000, "100.9", "101.0"), (105_000, "101.0", "101.1"),
    ]  # fmt: skip


def test_an_unusable_recording_object_is_refused() -> None:
    with pytest.raises(RecordingError, match="no file"):
        Recording([])
