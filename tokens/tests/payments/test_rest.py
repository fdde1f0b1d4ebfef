"""A purchase over REST, each answer held against the schema."""

from tokens.models import TokenPackage
from tokens.tests.payments.shop import PACKAGE_TOKENS, PRICE_CENTS, Shop
from tokens.tests.test_api import BASE
from tradingarena.tests.described import check


def test_a_purchase_over_rest_is_as_described(shop: Shop, package: TokenPackage) -> None:
    client, wanted = shop.client, {"package": package.slug}
    begun = check(client, "post", f"{BASE}/checkout", body=wanted, **{"Idempotency-Key": "one"})
    again = check(client, "post", f"{BASE}/checkout", body=wanted, **{"Idempotency-Key": "one"})
    assert begun.status_code == 201
    assert again.json() == begun.json()
    one = begun.json()["payment_id"]
    assert check(client, "post", f"{BASE}/confirm", body={"payment_id": one}).json()["status"] == "open"
    shop.stripe.pay(begun.json()["session_id"])
    shop.settle()
    told = check(client, "get", f"{BASE}/payments/{{payment_id}}", f"{BASE}/payments/{one}").json()
    assert (told["status"], told["amount_cents"]) == ("paid", PRICE_CENTS)
    assert [row["payment_id"] for row in check(client, "get", f"{BASE}/payments").json()["results"]] == [one]
    assert check(client, "get", f"{BASE}/wallet").json()["balance_tokens"] == PACKAGE_TOKENS
