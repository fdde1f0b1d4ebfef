"""What every page says about its market, and that every module of the site's scripts finds what it imports."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import Client, override_settings

from tradingarena.context import market_label

STATIC = Path(__file__).resolve().parents[2] / "static"


@pytest.mark.parametrize(
    ("provider", "url", "label"),
    [
        ("simulated", "wss://socket.massive.com/forex", "Simulated market"),
        ("replay", "wss://socket.massive.com/forex", "Replayed market"),
        ("polygon", "ws://127.0.0.1:9000/forex", "Test feed"),
        ("polygon", "wss://notmassive.com/forex", "Test feed"),
        ("polygon", "wss://socket.massive.com/forex", ""),
        ("polygon", "wss://socket.polygon.io/forex", ""),
    ],
)
def test_a_market_that_is_not_the_real_one_says_so(provider: str, url: str, label: str) -> None:
    assert market_label(provider, url)[0] == label


@pytest.mark.django_db
@pytest.mark.parametrize("value", ['"><script>', "purple", ""])
def test_an_unknown_theme_is_the_dark_one(value: str) -> None:
    client = Client()
    client.cookies["theme"] = value
    client.cookies["palette"] = value
    content = client.get("/rules").content.decode()
    assert 'data-theme="dark" data-palette="green-red"' in content


def test_collected_modules_import_hashed_modules_that_exist(tmp_path: Path) -> None:
    storages = {"staticfiles": {"BACKEND": "tradingarena.staticfiles.ModuleManifestStorage"}}
    with override_settings(
        STATIC_ROOT=tmp_path,
        STORAGES=storages,
        STATICFILES_DIRS=[STATIC],
        INSTALLED_APPS=["django.contrib.staticfiles"],
    ):
        call_command("collectstatic", interactive=False, verbosity=0)
        entry = staticfiles_storage.path(staticfiles_storage.stored_name("js/pages/trade.js"))
    seen: set[Path] = set()
    left = [Path(entry)]
    while left:
        module = left.pop()
        if module in seen:
            continue
        seen.add(module)
        for target in re.findall(r"""(?:from|import)\s*["'](\.[^"']+)["']""", module.read_text()):
            assert re.search(r"\.[0-9a-f]{12}\.m?js$", target), f"{module.name} imports {target}"
            found = (module.parent / target).resolve()
            assert found.is_file(), f"{module.name} imports {target}"
            left.append(found)
    assert any("lightweight-charts" in module.name for module in seen)
    assert len(seen) > 15
    # what the heaviest page loads, charts included, as it travels
    assert sum(module.with_name(f"{module.name}.br").stat().st_size for module in seen) <= 100_000
