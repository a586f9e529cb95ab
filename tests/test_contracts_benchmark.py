"""A small sample of `benchmarks/contracts.py`: mutations of a tree that is written here."""

from collections import Counter

from benchmarks.contracts import detected
from benchmarks.mutations import mutations

TREE = {
    "shop/__init__.py": b"",
    "shop/prices.py": (
        b"MINIMUM_PRICE = 3\n\n\ndef total_price(net, country):\n    return net\n\n\n"
        b"class PriceList:\n    def read_prices(self):\n        return self.load_prices()\n\n"
        b"    def load_prices(self):\n        return []\n"
    ),
    "shop/checkout.py": (
        b"from shop.prices import MINIMUM_PRICE, PriceList, total_price\n\n\n"
        b"def place_order(net):\n    total_price(net, country=1)\n    return PriceList(), "
        b"MINIMUM_PRICE\n"
    ),
}


def test_every_mutation_is_found_and_no_twin_is_spoken_of() -> None:
    kinds: Counter[str] = Counter()
    for mutation in mutations(TREE, "python", most=5):
        kinds[mutation.kind] += 1
        said = [f"{each.title} {each.body}" for each in detected(TREE, mutation.broken).findings]
        assert any(mutation.name in each for each in said), mutation
        assert detected(TREE, mutation.twin).findings == [], mutation
    assert {"rename function", "rename class", "rename constant", "rename method"} <= set(kinds)
    assert {"remove function", "move class", "rename a file"} <= set(kinds)
    assert {"add a parameter to function", "rename a keyword of function"} <= set(kinds)
