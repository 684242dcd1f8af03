"""Prices, changes inside a period and averages, asked of the daemon: the figures there are."""
import unittest

import harness

MONTH = {"period_start": "2026-01-01T00:00:00Z", "period_end": "2026-01-31T00:00:00Z"}


def rate(scheme, *prices, **more):
    starts = [1, 10][:len(prices)]
    ranges = [{"from": start, "to": 9 if len(prices) > 1 and start == 1 else None,
               "unit_price": price} for start, price in zip(starts, prices)]
    return {"scheme": scheme, "currency": "EUR", "ranges": ranges, **more}


class Prices(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = harness.Daemon()
        cls.addClassCleanup(cls.daemon.cleanup)
        cls.daemon.start()
        cls.client = cls.daemon.client("marketplace")
        cls.shop = harness.Shop(cls.client)

    def plan(self, months=1, **resource):
        return self.client.post("/v1/plans", {
            "product_id": self.shop.product["id"], "name": "Priced",
            "billing_period_months": months, "resources": [{"name": "users", **resource}]})

    def quote(self, plan, **question):
        return self.client.post(f"/v1/plans/{plan['id']}/quote", question)

    def lines(self, plan, **question):
        return [(x["kind"], x["units"], x["amount"])
                for x in self.quote(plan, **question)["lines"]]

    def refused(self, plan, **question):
        with self.assertRaises(harness.Refused) as refusal:
            self.quote(plan, **question)
        self.assertEqual(refusal.exception.status, 422)
        return refusal.exception.body.decode()

    def test_fifteen_units_by_scheme(self):
        for scheme, prices, total in (("tiered", (5, 3), "63.00"), ("volume", (5, 3), "45.00"),
                                      ("stairstep", (30, 100), "100.00"),
                                      ("per_unit", ("2.50",), "37.50"), ("flat", (7,), "7.00")):
            plan = self.plan(rate=rate(scheme, *prices))
            with self.subTest(scheme):
                self.assertEqual(self.quote(plan, quantities={"users": 15})["totals"],
                                 {"EUR": total})

    def test_an_order_has_included_units_one_off_costs_and_periods(self):
        plan = self.plan(months=3, included=5, rate=rate("tiered", 5, 3, setup="10"))
        self.assertEqual(self.lines(plan, quantities={"users": 20}, months=12),
                         [("recurring", "15", "252.00"), ("setup", "15", "10.00")])
        self.assertEqual(self.lines(plan, quantities={"users": 5}), [])
        self.assertIn("/months", self.refused(plan, months=4))
        self.assertIn("/quantities/disks", self.refused(plan, quantities={"disks": 1}))

    def test_a_change_inside_the_period(self):
        plan = self.plan(rate=rate("per_unit", 3))
        change = {"previous": {"users": 10}, "quantities": {"users": 16},
                  "at": "2026-01-21T00:00:30Z", **MONTH}
        # 239 hours and a bit are 240 of 720: a third of the price.
        self.assertEqual(self.lines(plan, **change),
                         [("credit", "10", "-10.00"), ("debit", "16", "16.00")])
        self.assertEqual(self.quote(plan, **change)["totals"], {"EUR": "6.00"})
        self.assertIn("/at", self.refused(plan, **(change | {"at": "2026-03-01T00:00:00Z"})))
        self.assertIn("/period_start",
                      self.refused(plan, previous={"users": 1}, at=MONTH["period_start"]))

    def test_the_average_of_a_month(self):
        plan = self.plan(value_type="postpaid", rate=rate("per_unit", 2))
        samples = [{"at": "2026-01-01T00:00:00Z", "value": 10},
                   {"at": "2026-01-11T00:00:00Z", "value": 20},
                   {"at": "2026-01-26T00:00:00Z", "value": 15}]
        self.assertEqual(self.lines(plan, usage={"users": {"samples": samples}}, **MONTH),
                         [("usage", "15.833333", "31.67")])
        usage = {"users": {"samples": samples, "function": "peak"}}
        self.assertEqual(self.lines(plan, usage=usage, **MONTH), [("usage", "20", "40.00")])
        # Paid afterwards, so no part of an order.
        self.assertEqual(self.lines(plan, quantities={"users": 15}), [])
        # The product says how the metric is counted.
        self.client.patch(f"/v1/products/{self.shop.product['id']}",
                          {"metrics": [{"name": "users", "function": "peak"}]})
        self.assertEqual(self.lines(plan, usage={"users": {"samples": samples}}, **MONTH),
                         [("usage", "20", "40.00")])

    def test_rates_are_checked(self):
        for resource, pointer in (
                ({"rate": rate("tiered", 5, 3) | {"currency": "euro"}},
                 "/resources/0/rate/currency"),
                ({"rate": rate("flat", 5, 3)}, "/resources/0/rate/ranges"),
                ({"rate": rate("tiered", 1.5)}, "/resources/0/rate/ranges/0/unit_price"),
                ({"rate": rate("tiered", "1.0000001")}, "/resources/0/rate/ranges/0/unit_price"),
                ({"step": 0}, "/resources/0/step"), ({"overage": 1}, "/resources/0/overage")):
            with self.subTest(pointer), self.assertRaises(harness.Refused) as refusal:
                self.plan(**resource)
            self.assertEqual(refusal.exception.status, 422)
            self.assertIn(pointer, refusal.exception.body.decode())


if __name__ == "__main__":
    unittest.main()
