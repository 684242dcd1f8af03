"""Conservation (spec/reliability.md R26): accepted = delivered + parked + cancelled + pending.

`pending` as the daemon shows it is what its other counters leave of `accepted`, so that equation
alone can never fail. Here it is held against what lies on disk: the lanes, which say what waits and
what is parked, and the attempts, which say what was delivered.
"""
import collections
import time

SECONDS_TO_REST = 3
SECONDS_AFTER_PAUSE = 20

# counters: as shown; waiting, parked: of the lanes; delivered: attempts that ended so.
Account = collections.namedtuple("Account", "endpoint counters waiting parked delivered")


def read_account(admin, endpoint):
    """What the lanes and the attempts of an endpoint say, and its counters."""
    counters = admin.get(f"/admin/queue/{endpoint}")["counters"]
    lanes = list(admin.all(f"/v1/endpoints/{endpoint}/lanes"))
    parked = sum(lane["state"] == "parked" for lane in lanes)
    # The head of a parked lane is parked, what stands behind it waits.
    waiting = sum(lane["backlog"] for lane in lanes) - parked
    delivered = sum(1 for _ in admin.all(f"/v1/endpoints/{endpoint}/attempts?outcome=delivered"))
    return Account(endpoint, counters, waiting, parked, delivered)


def problems(total, accounts, attempts_complete=True):
    """Every way in which counters and disk disagree, as sentences; deleted endpoints have no
    account, and what they leave behind is in `total` alone."""
    found = []
    for what, n in [("all", total), *((f"endpoint {a.endpoint}", a.counters) for a in accounts)]:
        ended = n["delivered"] + n["parked"] + n["cancelled"]
        if n["accepted"] != ended + n["pending"] or min(n.values()) < 0:
            found.append(f"{what}: {n} does not add up")
    for a in accounts:
        n = a.counters
        if n["pending"] != a.waiting:
            found.append(f"endpoint {a.endpoint}: {n['pending']} pending, its lanes hold "
                         f"{a.waiting}")
        # With on_exhausted `skip` an event is parked without a lane.
        if n["parked"] < a.parked:
            found.append(f"endpoint {a.endpoint}: {n['parked']} parked, its lanes hold {a.parked}")
        if n["delivered"] < a.delivered or (attempts_complete and n["delivered"] > a.delivered):
            found.append(f"endpoint {a.endpoint}: {n['delivered']} delivered, its attempts show "
                         f"{a.delivered}")
    for name in ("accepted", "delivered", "parked"):
        summed = sum(a.counters[name] for a in accounts)
        if total[name] < summed:
            found.append(f"all: {total[name]} {name}, the endpoints have {summed}")
    waiting = sum(a.waiting for a in accounts)
    if total["pending"] != waiting:
        found.append(f"all: {total['pending']} pending, all lanes hold {waiting}")
    return found


def read_at_rest(admin):
    """Total and accounts that belong together, or None when something moved meanwhile."""
    total = admin.get("/admin/status")["deliveries"]
    accounts = [read_account(admin, one["id"]) for one in admin.all("/v1/endpoints")]
    if admin.get("/admin/status")["deliveries"] != total:
        return None
    return total, accounts


def settled(admin, attempts_complete, seconds):
    """The total when counters and disk agree, or what is wrong with them."""
    limit = time.monotonic() + seconds
    found = ["it never came to rest"]
    while time.monotonic() < limit:
        figures = read_at_rest(admin)
        if figures is None:
            continue
        found = problems(*figures, attempts_complete)
        if not found:
            return figures[0], []
        time.sleep(0.05)
    return None, found


def check(admin, attempts_complete=True):
    """Waits until counters and disk agree; whatever is lost or counted twice stays so. Where
    retries go on all the time, the endpoints are paused for it."""
    total, found = settled(admin, attempts_complete, SECONDS_TO_REST)
    if found:
        for endpoint in admin.all("/v1/endpoints?state=active"):
            admin.post(f"/v1/endpoints/{endpoint['id']}/pause")
        total, found = settled(admin, attempts_complete, SECONDS_AFTER_PAUSE)
    if found:
        raise AssertionError("conservation: " + "; ".join(found[:10]))
    return total
