"""The audit itself: every kind of wrong must be seen, or the kill loop proves nothing."""
import unittest

from audit import Entry, audit

EVENTS = [{"seq": 1, "id": 11, "name": "subscription.created"},
          {"seq": 2, "id": 12, "name": "subscription.activated"},
          {"seq": 3, "id": 13, "name": "subscription.purged"}]


def entry(seq, form="standard", event=None, sha="a", delivered=True, genuine=True, stream=7):
    return Entry(form, event or 10 + seq, stream, seq, f"{sha}{seq}", delivered, genuine)


GOOD = [entry(1), entry(2), entry(3), entry(1, "cloudesire"), entry(2, "cloudesire")]


class Audit(unittest.TestCase):
    def run_audit(self, entries, events=None, streams=(7,)):
        return audit(lambda _: EVENTS if events is None else events, entries, streams)

    def test_a_good_run_is_clean(self):
        report = self.run_audit(GOOD)
        self.assertTrue(report.clean(), report.problems)
        self.assertEqual((report.delivered, report.duplicates), (5, 0))

    def test_a_failed_attempt_and_its_repetition_are_fine(self):
        report = self.run_audit([entry(1, delivered=False), *GOOD])
        self.assertTrue(report.clean(), report.problems)
        self.assertEqual(report.duplicates, 0)

    def test_a_duplicate_is_counted_and_allowed(self):
        report = self.run_audit([*GOOD[:1], *GOOD])
        self.assertTrue(report.clean(), report.problems)
        self.assertEqual(report.duplicates, 1)

    def test_a_lost_event_is_seen(self):
        self.assertEqual(self.run_audit(GOOD[:4]).lost, 1)
        self.assertEqual(self.run_audit([]).lost, 5)

    def test_an_attempt_that_never_succeeded_is_a_loss(self):
        self.assertEqual(self.run_audit([*GOOD[:4], entry(2, "cloudesire", delivered=False)]).lost,
                         1)

    def test_an_event_before_its_time_is_seen(self):
        self.assertEqual(self.run_audit([entry(2), *GOOD]).order_violations, 1)
        # Also when the earlier one was tried, but not delivered.
        early = [entry(1, delivered=False), entry(2), *GOOD]
        self.assertEqual(self.run_audit(early).order_violations, 1)

    def test_other_bytes_are_seen(self):
        self.assertEqual(self.run_audit([*GOOD, entry(3, sha="b")]).changed_bytes, 1)

    def test_a_bad_signature_is_seen(self):
        self.assertEqual(self.run_audit([*GOOD, entry(3, genuine=False)]).bad_signatures, 1)

    def test_phantoms_are_seen(self):
        self.assertEqual(self.run_audit([*GOOD, entry(4, event=99)]).phantoms, 1)
        self.assertEqual(self.run_audit([*GOOD, entry(2, event=11)]).phantoms, 1)
        self.assertEqual(self.run_audit([*GOOD, entry(1, stream=8)]).phantoms, 1)
        # The Cloudesire form does not carry this one.
        self.assertEqual(self.run_audit([*GOOD, entry(3, "cloudesire")]).phantoms, 1)

    def test_a_gap_in_the_sequence_is_seen(self):
        self.assertFalse(self.run_audit([], events=[EVENTS[0], EVENTS[2]]).clean())


if __name__ == "__main__":
    unittest.main()
