"""The candle cache. Quotes themselves live on the bus, not in the database."""

from django.db import models


class Candle(models.Model):
    """What one side of one pair did in one span of time. A span without quotes has no row."""

    class Timeframe(models.TextChoices):
        M1 = "1m"
        M5 = "5m"
        M15 = "15m"
        H1 = "1h"
        H4 = "4h"
        D1 = "1d"

    class Side(models.TextChoices):
        BID = "bid"
        ASK = "ask"

    pair = models.CharField(max_length=7)
    timeframe = models.CharField(max_length=3, choices=Timeframe)
    side = models.CharField(max_length=3, choices=Side)
    opens_at = models.DateTimeField(help_text="aware UTC, the span's first moment")
    open = models.DecimalField(max_digits=12, decimal_places=5)
    high = models.DecimalField(max_digits=12, decimal_places=5)
    low = models.DecimalField(max_digits=12, decimal_places=5)
    close = models.DecimalField(max_digits=12, decimal_places=5)
    ticks = models.PositiveIntegerField(default=0, help_text="quotes in the span; 0 where a source does not tell")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pair", "timeframe", "side", "opens_at"], name="candle_once"),
            models.CheckConstraint(
                condition=models.Q(
                    low__gt=0, high__gte=models.F("low"), open__gte=models.F("low"), open__lte=models.F("high")
                )
                & models.Q(close__gte=models.F("low"), close__lte=models.F("high")),
                name="candle_low_open_close_high",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pair} {self.timeframe} {self.side} {self.opens_at:%Y-%m-%d %H:%M}"
