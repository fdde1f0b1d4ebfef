"""Forms in Stripe's bracket syntax, good and bad, alone and over HTTP."""

import pytest

from tradingarena.localstack.fakestripe import FakeStripe
from tradingarena.localstack.fakestripe.errors import ApiError
from tradingarena.localstack.fakestripe.forms import decode
from tradingarena.localstack.fakestripe.params import Params
from tradingarena.tests.fakestripe.support import raw


def test_brackets_become_nested_values() -> None:
    form = b"a=1&b[c][d]=2&b[c][e]=x%20y&l[0][q]=1&l[1][q]=2&t[]=one&t[]=two&m[0]=zero&e="
    assert decode(form) == {
        "a": "1",
        "b": {"c": {"d": "2", "e": "x y"}},
        "l": {"0": {"q": "1"}, "1": {"q": "2"}},
        "t": {"0": "one", "1": "two"},
        "m": {"0": "zero"},
        "e": "",
    }


def test_names_may_be_percent_encoded_and_text_may_be_any() -> None:
    assert decode("line_items%5B0%5D%5Bname%5D=%E2%82%AC+%F0%9F%8E%89") == {"line_items": {"0": {"name": "€ 🎉"}}}


def test_the_last_of_several_values_counts() -> None:
    assert decode("a=1&a=2") == {"a": "2"}


def test_a_list_is_read_in_the_order_of_its_indices() -> None:
    params = Params(decode("l[10]=c&l[2]=b&l[0]=a&m[0]=zero"))
    assert params.texts("l") == ["a", "b", "c"]
    assert params.metadata("m") == {"0": "zero"}
    params.done()


@pytest.mark.parametrize(
    "form",
    [
        b"a=1&a[b]=2",
        b"a[b]=2&a=1",
        b"a[b=1",
        b"a]b[=1",
        b"[a]=1",
        b"=1",
        b"a=%ff",
        b"\xff=1",
        b"a" + b"[b]" * 20 + b"=1",
        b"&".join(b"a%d=1" % number for number in range(2_001)),
    ],
)
def test_a_form_that_is_none_is_refused(stripe: FakeStripe, form: bytes) -> None:
    with pytest.raises(ApiError):
        decode(form)
    status, _, body = raw(stripe, "POST", "/v1/refunds", form)
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_another_content_type_is_refused(stripe: FakeStripe, kind: str) -> None:
    status, _, body = raw(stripe, "POST", "/v1/refunds", b'{"charge": "ch_1"}', Content_Type=kind)
    assert status == 400
    assert "application/x-www-form-urlencoded" in body["error"]["message"]


def test_a_form_larger_than_a_megabyte_is_refused(stripe: FakeStripe) -> None:
    assert raw(stripe, "POST", "/v1/refunds", b"charge=" + b"x" * 1_100_000)[0] == 413


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=101", "limit=ten", "limit=" + "9" * 400, "starting_after=evt_none", "ending_before=evt_none",
        "starting_after=a&ending_before=b", "created=now", "created[gte]=now", "created[around]=1", "colour=red",
        "type=a&types[]=b", "types=a", "types[x]=a", "expand[]=nothing", "expand[]=data.nothing", "type[]=a", "type=",
    ],
)  # fmt: skip
def test_a_bad_filter_is_refused(stripe: FakeStripe, query: str) -> None:
    with stripe.state.store.change():
        stripe.state.emit("refund.created", {"object": "refund", "id": "re_1"})
    status, _, body = raw(stripe, "GET", f"/v1/events?{query}")
    assert status in {400, 404}
    assert body["error"]["type"] == "invalid_request_error"
