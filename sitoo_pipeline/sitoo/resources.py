"""The catalogue of Sitoo's listable resources: one row of data for each.

Sitoo ignores a query parameter that it does not know, in silence, and then answers the whole list. So names of paths
and parameters are written here and nowhere else, and ``Resource.query`` refuses every other. To fetch one more
resource, add a row. How pages follow each other is in ``paging``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from sitoo_pipeline.sitoo import fields as documented
from sitoo_pipeline.sitoo.client import Params, Value
from sitoo_pipeline.sitoo.window import Window

_DOCS = "https://developer.sitoo.com"


@dataclass(frozen=True, kw_only=True)
class WindowParameters:
    """The two parameters that bound a resource in time, in epoch seconds.

    ``start`` is inclusive for every resource. ``end_is`` says the same of ``end``; where the documentation does not,
    the second of ``end`` is asked for too, rather than perhaps one too few.
    """

    start: str
    end: str
    end_is: Literal["inclusive", "exclusive", "undocumented"]

    def of(self, window: Window) -> dict[str, Value]:
        """The parameters for a window; an open one has no end."""
        end = window.end_second
        if end is not None and self.end_is == "inclusive":
            end -= 1
        return {self.start: window.first_second, self.end: end}


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource that Sitoo lists.

    Attributes:
        name: Its name in this pipeline.
        description: What one record is.
        documentation: Where Sitoo describes it.
        path: Below the base URL, with ``{siteid}`` and ``{registerid}`` where the scope needs them.
        scope: Whether it is asked for once, for each site, or for each cash register.
        key: The fields that name one record.
        paging: ``id_cursor``, ``offset``, ``added`` (a bare array in the order of ``dateadded``), or ``single`` (a bare
            array that is the whole answer).
        cursor: The field whose order the pages follow; with ``from`` and ``to`` appended it names its bounds.
        page_size: Records to ask for at once; for ``added`` the most that Sitoo gives.
        fields: The fields to ask for; None where Sitoo's own choice is all of them.
        window: The parameters that bound it in time; None where there are none.
        filters: Further parameters that it knows.
        fixed: Parameters that are always sent.
        fallback: What to fetch instead where Sitoo answers that there is no such resource.
    """

    name: str
    description: str
    documentation: str
    path: str
    scope: Literal["account", "site", "register"]
    key: tuple[str, ...]
    paging: Literal["id_cursor", "offset", "added", "single"]
    cursor: str = ""
    page_size: int = 1000
    fields: tuple[str, ...] | None = None
    window: WindowParameters | None = None
    filters: frozenset[str] = frozenset()
    fixed: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    fallback: Resource | None = None

    @property
    def layout(self) -> Literal["envelope", "array"]:
        """The form of its pages."""
        return "array" if self.paging in ("added", "single") else "envelope"

    def query(self, *, window: Window | None, extra: Params | None = None) -> dict[str, Value]:
        """The parameters of a request for ``window``, without those of paging.

        Raises:
            ValueError: A parameter that the resource does not know, or a window for one that has no dates.
        """
        if unknown := sorted((extra or {}).keys() - self.filters):
            known = ", ".join(sorted(self.filters)) or "none"
            raise ValueError(f"{self.name} has no parameter {', '.join(unknown)}; it has: {known}")
        if window is not None and self.window is None:
            raise ValueError(f"{self.name} cannot be asked for by time")
        bounds = self.window.of(window) if self.window and window else {}
        named: dict[str, Value] = {"fields": self.fields} if self.fields else {}
        return {**self.fixed, **named, **bounds, **(extra or {})}


def _reference(
    *, name: str, path: str, key: str, docs: str, description: str, fixed: Mapping[str, Value] | None = None
) -> Resource:
    """Reference data: a short list of which everything is read, page by page."""
    scope: Literal["account", "site"] = "site" if "{siteid}" in path else "account"
    fixed = MappingProxyType(dict(fixed or {}))
    return Resource(
        name=name,
        description=description,
        documentation=f"{_DOCS}/{docs}",
        path=path,
        scope=scope,
        key=(key,),
        paging="offset",
        fixed=fixed,
    )


_Z_REPORTS_OF_REGISTER = Resource(
    name="z_reports_of_register",
    description="A till's end-of-day report, asked for register by register; it does not say when it reached Sitoo",
    documentation=f"{_DOCS}/api-reference/cash-registers",
    path="/sites/{siteid}/cashregisters/{registerid}/zreports.json",
    scope="register",
    key=("registerid", "zreportid"),
    paging="offset",
    window=WindowParameters(start="datecreatedfrom", end="datecreatedto", end_is="undocumented"),
)

_Z_REPORTS = Resource(
    name="z_reports",
    description="A till's end-of-day report, in the order in which the reports reached Sitoo",
    documentation=f"{_DOCS}/api-reference/z-reports",
    path="/pos-z-reports.json",
    scope="account",
    key=("registerid", "zreportid"),
    paging="added",
    cursor="dateadded",
    page_size=500,
    window=WindowParameters(start="dateaddedfrom", end="dateaddedto", end_is="inclusive"),
    filters=frozenset({"eshopid", "store_id", "registerid"}),
    fallback=_Z_REPORTS_OF_REGISTER,
)

_CATALOGUE = (
    _reference(
        name="sites",
        path="/sites.json",
        key="eshopid",
        docs="introduction",
        description="An e-shop of the account; its number is part of the other paths",
    ),
    _reference(
        name="stores",
        path="/sites/{siteid}/stores.json",
        key="storeid",
        docs="api-reference/stores",
        description="A shop",
    ),
    _reference(
        name="warehouses",
        path="/sites/{siteid}/warehouses.json",
        key="warehouseid",
        docs="api-reference/warehouses",
        description="A place with stock; a store's sales leave one of its warehouses",
    ),
    _reference(
        name="cash_registers",
        path="/sites/{siteid}/cashregisters.json",
        key="registerid",
        docs="api-reference/cash-registers",
        description="A till",
        fixed={"includenotregistered": True},  # old sales are on tills that are gone
    ),
    _reference(
        name="product_groups",
        path="/sites/{siteid}/productgroups.json",
        key="vatid",
        docs="api-reference/product-groups",
        description="A kind of goods with its VAT rate: goods, services or gift cards",
    ),
    Resource(
        name="products",
        description="An article, also one that is not sold any more; its group says whether it is a gift card",
        documentation=f"{_DOCS}/api-reference/products",
        path="/sites/{siteid}/products.json",
        scope="site",
        key=("productid",),
        paging="offset",
        fields=documented.PRODUCT,
        filters=frozenset({"sku", "productid", "datelastmodified"}),
        fixed=MappingProxyType({"includeinactive": True}),  # old sales are of articles that are gone
    ),
    Resource(
        name="orders",
        description="A sale, a return, a booking or a parked cart",
        documentation=f"{_DOCS}/api-reference/orders",
        path="/orders.json",
        scope="account",
        key=("orderid",),
        paging="id_cursor",
        cursor="orderid",
        fields=documented.ORDER,
        window=WindowParameters(start="orderdatefrom", end="orderdateto", end_is="undocumented"),
        filters=frozenset(
            {"eshopid", "externalid", "orderid", "orderidfrom", "orderidto", "orderstate", "paymentstate", "ordertype"}
            | {"receiptid", "creditorderid", "warehouseid", "email"}
        ),
    ),
    # The path of the account's z-reports is documented without the ending that all others have, so both are tried.
    replace(_Z_REPORTS, path="/pos-z-reports", fallback=_Z_REPORTS),
    Resource(
        name="warehouse_transactions",
        description="A change of stock: a sale, a return, a move, a stocktaking",
        documentation=f"{_DOCS}/api-reference/warehouse-transactions",
        path="/sites/{siteid}/warehousetransactions.json",
        scope="site",
        key=("warehousetransactionid",),
        paging="id_cursor",
        cursor="warehousetransactionid",
        window=WindowParameters(start="datecreatedfrom", end="datecreatedto", end_is="exclusive"),
        filters=frozenset(
            {"warehousetransactionid", "warehousetransactionidfrom", "warehousetransactionidto", "warehouseid"}
            | {"transactiontype"}
        ),
    ),
    Resource(
        name="custom_metrics",
        description="A custom metric of the dashboard: its key, and what its values are grouped by",
        documentation=f"{_DOCS}/api-reference/dashboard-custom-metrics",
        path="/custom_metrics.json",
        scope="account",
        key=("key",),
        paging="single",
        filters=frozenset({"keys"}),
    ),
    Resource(
        name="custom_metric_values",
        description="The values of a custom metric; of one per date and store, each date of a store",
        documentation=f"{_DOCS}/api-reference/dashboard-custom-metrics",
        path="/custom_metric_values.json",
        scope="account",
        key=("key", "date", "store_id"),
        paging="single",
        filters=frozenset({"keys", "date", "num_days", "store_id"}),
    ),
)

RESOURCES: Mapping[str, Resource] = MappingProxyType({resource.name: resource for resource in _CATALOGUE})
