"""In which order Misclassified has its faces: by what is known of the model that says it."""

import pandas as pd
import streamlit as st

from dashboard.base.parameters import ORDERS
from dashboard.base.sureness import tells_how_sure
from dashboard.base.widgets import one_of, one_of_these
from fercore.groups.group import Group

_SORTED = {  # by what, and whether the smallest comes first; a mistake's margin is below zero
    "sure": ("confidence", False),
    "unsure": ("confidence", True),
    "loss": ("loss", False),
    "margin": ("margin", True),
    "seeds": ("wrong", False),
}
_AS_THEY_ARE = "as in the dataset"


def chosen_order(model: Group, part: str) -> str:
    """One of `ORDERS`, or '' for that of the dataset: nothing else is left of a single run where it
    is not known how sure it is, nor of a group but its seeds.
    """
    if not tells_how_sure(model, part):
        return _only_order("" if model.single else "seeds")
    orders = {key: words for key, words in ORDERS.items() if key != "seeds" or not model.single}
    one_of_these("order", list(orders), ORDERS.__getitem__)
    return one_of(
        "First", orders, "order",
        help_="Loss: how little the model gives to the label. Margin: how near the label was to "
        "being said.",
    )  # fmt: skip


def _only_order(order: str) -> str:
    """The order there is, told; and that it stands for another, where a link named one."""
    unnamed, words = next(iter(ORDERS)), ORDERS.get(order, _AS_THEY_ARE)
    one_of_these("order", [unnamed, order], (ORDERS | {unnamed: words}).__getitem__)
    st.caption(f"Order: {words}.")
    return order


def in_order(samples: pd.DataFrame, of: str, order: str) -> pd.DataFrame:
    """The lines of a sample table by what is said of model 'a' or 'b', in a `chosen_order`."""
    if not order:
        return samples
    column, ascending = _SORTED[order]
    return samples.sort_values(f"{of}_{column}", ascending=ascending, kind="stable", key=abs)
