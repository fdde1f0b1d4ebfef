"""A local server that speaks the forex protocol of Polygon.io (Massive), faults included. For development and tests.

No app imports it. What it speaks and which faults it knows: docs/market-data.md#fakepolygon.
"""

from tradingarena.localstack.fakepolygon.faults import Fault, FaultError, read_script
from tradingarena.localstack.fakepolygon.server import FakePolygon

__all__ = ["FakePolygon", "Fault", "FaultError", "read_script"]
