"""Contests that come again: a contest as the model, the days and the time, and what was made of it."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from tradingarena.core.models import UUIDModel


class Schedule(UUIDModel):
    """When contests with the terms of another one are made and opened, again and again."""

    class Weekday(models.IntegerChoices):
        MONDAY = 1, "Monday"
        TUESDAY = 2, "Tuesday"
        WEDNESDAY = 3, "Wednesday"
        THURSDAY = 4, "Thursday"
        FRIDAY = 5, "Friday"
        SATURDAY = 6, "Saturday"
        SUNDAY = 7, "Sunday"

    model = models.ForeignKey(
        "competitions.Competition",
        models.PROTECT,
        related_name="schedules",
        help_text="the contest whose terms and length are taken; a draft does, and may be changed at any time",
    )
    title = models.CharField(
        max_length=100, help_text="of the contests that are made; {date} becomes the day of the start, as in 5 Mar"
    )
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=Weekday), help_text="the days of the week on which one starts, UTC"
    )
    starts_at = models.TimeField(help_text="time of the start, UTC")
    ahead_h = models.PositiveIntegerField(
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(336)],
        help_text="so many hours before its start a contest is made and opened for entries",
    )
    enabled = models.BooleanField(default=True)
    last_trouble = models.CharField(max_length=300, blank=True, help_text="why the last one could not be made")

    class Meta:
        ordering = ["title"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(weekdays__len__gt=0) & models.Q(ahead_h__gte=1, ahead_h__lte=336),
                name="schedule_has_days",
            )
        ]

    def __str__(self) -> str:
        return self.title


class ScheduledContest(models.Model):
    """A contest that a schedule has made: one for each start."""

    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="made", db_index=False)
    starts_at = models.DateTimeField(help_text="aware UTC")
    competition = models.OneToOneField("competitions.Competition", models.PROTECT, related_name="scheduled")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-starts_at"]
        constraints = [models.UniqueConstraint(fields=["schedule", "starts_at"], name="scheduled_once")]

    def __str__(self) -> str:
        return f"{self.schedule_id} at {self.starts_at:%Y-%m-%d %H:%M}"
