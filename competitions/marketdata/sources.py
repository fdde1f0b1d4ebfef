"""Makes the configured source of quotes, or says in one sentence why it cannot. The commands' arguments end here."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from django.conf import settings

from competitions.engine.instruments import INSTRUMENTS, needed_pairs
from competitions.marketdata.providers.base import Provider
from competitions.marketdata.providers.polygon import PolygonProvider
from competitions.marketdata.providers.recording import Recording, RecordingError
from competitions.marketdata.providers.replay import ReplayProvider
from competitions.marketdata.providers.simulated import SimulatedProvider

NAMES = ("simulated", "replay", "polygon")


class SourceError(Exception):
    """Raised when a source cannot be made as configured; says what to change."""


def fed_pairs() -> tuple[str, ...]:
    """Give the pairs to feed: those of FEED_PAIRS and what values them in dollars, or all 28.

    Raises: SourceError: one of them is not traded here.
    """
    wanted = [pair.strip().upper().replace("-", "/") for pair in settings.FEED_PAIRS if pair.strip()]
    unknown = [pair for pair in wanted if pair not in INSTRUMENTS]
    if unknown:
        raise SourceError(f"FEED_PAIRS names {', '.join(unknown)}, which is not traded here")
    needed = needed_pairs(wanted) if wanted else INSTRUMENTS.keys()
    return tuple(pair for pair in INSTRUMENTS if pair in needed)


def make(
    name: str, *, files: Sequence[str] = (), speed: Decimal | None = Decimal(1), again: bool = False, anew: bool = False,
    start_ms: int = 0,
) -> Provider:  # fmt: skip
    """Make a source.

    Raises: SourceError: something is missing or contradictory.
    """
    if name == "simulated":
        return SimulatedProvider(
            seed=settings.SIMULATED_SEED, pairs=fed_pairs(), always_open=settings.SIMULATED_ALWAYS_OPEN
        )
    if name == "polygon":
        if not settings.POLYGON_API_KEY:
            raise SourceError(
                "POLYGON_API_KEY is not set: set it, or use the simulated market (MARKET_DATA_PROVIDER=simulated)"
            )
        return PolygonProvider(
            settings.POLYGON_API_KEY,
            ws_url=settings.POLYGON_WS_URL,
            rest_url=settings.POLYGON_REST_URL,
            pairs=fed_pairs(),
            pair_form=settings.POLYGON_PAIR_FORM,
        )
    if name == "replay":
        try:
            return ReplayProvider(Recording(resolve(files), start_ms), speed=speed, again=again, anew=anew)
        except RecordingError as error:
            raise SourceError(str(error)) from error
    raise SourceError(f"{name!r} is no source of quotes: choose one of {', '.join(NAMES)}")


def resolve(files: Sequence[str]) -> list[Path]:
    """Find recordings where they were named, or below FX_DATA_DIR and its ticks.

    Raises: SourceError: none was named, or one does not exist.
    """
    roots = [Path()]
    if settings.FX_DATA_DIR:
        roots += [Path(settings.FX_DATA_DIR), Path(settings.FX_DATA_DIR) / "ticks"]
    if not files:
        raise SourceError("the replay needs files of recorded quotes: name them, or set REPLAY_FILES")
    found: list[Path] = []
    for name in files:
        places = [root / ending for root in roots for ending in (name, f"{name}.csv.gz")]
        place = next((place for place in places if place.exists()), None)
        if place is None:
            raise SourceError(
                f"{name}: there is no such file, neither here nor below FX_DATA_DIR ({settings.FX_DATA_DIR or 'not set'})"
            )
        if not place.is_file():
            raise SourceError(f"{name}: this is not a file")
        found.append(place)
    return found
