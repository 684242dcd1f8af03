"""The audit of reliability.md 6.2: what vendors received, against what the API accepted.

Facts come from outside the daemon: the caller's notes of accepted commands and the receivers'
ledgers. The event list of the API says which events a committed change had.
"""
import collections

Entry = collections.namedtuple("Entry", "form event stream seq sha delivered genuine")
# form: "cloudesire" or "standard"; stream: the subscription's id; delivered: answered 2xx.


# Told in the standard form only (domain.md, 10.11).
NOT_IN_CLOUDESIRE_FORM = {"subscription.provisioning_overdue", "subscription.expiring",
                          "subscription.change_scheduled", "subscription.change_unscheduled",
                          "subscription.purged"}


class Report:
    def __init__(self):
        self.problems = []
        self.lost = 0
        self.phantoms = 0
        self.order_violations = 0
        self.changed_bytes = 0
        self.bad_signatures = 0
        self.duplicates = 0
        self.delivered = 0

    def complain(self, text):
        if len(self.problems) < 20:
            self.problems.append(text)

    def clean(self):
        return not (self.lost or self.phantoms or self.order_violations or self.changed_bytes
                    or self.bad_signatures)


def check_identity(report, entries):
    """The same event has the same bytes on every attempt, and a valid signature."""
    bytes_of = {}
    for entry in entries:
        if not entry.genuine:
            report.bad_signatures += 1
            report.complain(f"signature: {entry}")
        if bytes_of.setdefault((entry.form, entry.event), entry.sha) != entry.sha:
            report.changed_bytes += 1
            report.complain(f"other bytes: {entry}")


def check_stream(report, form, wanted, entries):
    """`wanted`: [(seq, event)] of the stream in this form, in order; `entries` as they arrived."""
    place = {event: index for index, (_, event) in enumerate(wanted)}
    next_index = 0
    times = collections.Counter()
    for entry in entries:
        index = place.get(entry.event)
        if index is None or wanted[index][0] != entry.seq:
            report.phantoms += 1
            report.complain(f"never accepted: {entry}")
            continue
        if index > next_index:
            report.order_violations += 1
            report.complain(f"before its time: {entry}")
        if entry.delivered:
            times[entry.event] += 1
            next_index = max(next_index, index + 1)
    report.delivered += len(times)
    report.duplicates += sum(times.values()) - len(times)
    for seq, event in wanted:
        if event not in times:
            report.lost += 1
            report.complain(f"{form}: event {event} (seq {seq}) was not delivered")


def audit(events_of, entries, streams, forms=("cloudesire", "standard")):
    """`events_of(stream)` gives the stream's events of the API, oldest first."""
    report = Report()
    check_identity(report, entries)
    arrived = collections.defaultdict(list)
    for entry in entries:
        arrived[entry.form, entry.stream].append(entry)
    for stream in streams:
        events = events_of(stream)
        numbers = [event["seq"] for event in events]
        if numbers != list(range(1, len(events) + 1)):
            report.lost += 1
            report.complain(f"subscription {stream}: the sequence has gaps: {numbers}")
        for form in forms:
            wanted = [(event["seq"], int(event["id"])) for event in events
                      if form == "standard" or event["name"] not in NOT_IN_CLOUDESIRE_FORM]
            check_stream(report, form, wanted, arrived.pop((form, stream), []))
    for (form, stream), strangers in arrived.items():
        report.phantoms += len(strangers)
        report.complain(f"{form}: subscription {stream} was never accepted")
    return report
