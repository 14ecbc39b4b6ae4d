"""The table of admission, read as a supervisor would: one line a case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import Band, Outcome
from contract.passes import Problem
from kiosk.rules.admission import TABLE, Decision, Facts, Knowledge, decide

FEVER, LOW, NORMAL, NO_TARGET, UNKNOWN = Band.FEVER, Band.LOW, Band.NORMAL, Band.NO_TARGET, Band.UNKNOWN
STALE, ABSENT = Knowledge.STALE, Knowledge.ABSENT

CASES = [
    ("a good pass, no reading yet", Facts(None), None, ()),
    ("a good pass, normal", Facts(None, reading=NORMAL), "admit", ()),
    ("fever, once", Facts(None, reading=FEVER), "retake", ("fever",)),
    ("fever, twice", Facts(None, reading=FEVER, tries=(FEVER,)), "refer", ("fever",)),
    ("fever, then normal", Facts(None, reading=NORMAL, tries=(FEVER,)), "admit", ()),
    ("two fevers, then normal", Facts(None, reading=NORMAL, tries=(FEVER, FEVER)), "refer", ("fever",)),
    ("low, once", Facts(None, reading=LOW), "retake", ("low",)),
    ("low, twice", Facts(None, reading=LOW, tries=(LOW,)), "refer", ("low",)),
    ("low, then fever", Facts(None, reading=FEVER, tries=(LOW,)), "retake", ("fever",)),
    ("nobody before the thermometer", Facts(None, reading=NO_TARGET), "retake", ("no_reading",)),
    ("no reading three times", Facts(None, reading=UNKNOWN, tries=(NO_TARGET, UNKNOWN)), "refer", ("no_reading",)),
    ("going out needs no reading", Facts(None, needs_reading=False), "admit", ()),
    ("isolating", Facts(None, isolating=True), "refer", ("isolating",)),
    ("isolating, going out", Facts(None, isolating=True, needs_reading=False), "refer", ("isolating",)),
    ("colour: refer", Facts(None, colour_gate="refer"), "refer", ("colour_refer",)),
    ("colour: homecoming", Facts(None, colour_gate="homecoming"), "refer", ("homecoming",)),
    ("colour: ask", Facts(None, ask_symptoms=True, reading=NORMAL), "admit", ("ask_symptoms",)),
    ("passback", Facts(None, passback=True, reading=NORMAL), "refer", ("passback",)),
    ("over the household's quota", Facts(None, over_quota=True, needs_reading=False), "refer", ("quota",)),
    ("over it, by an old list", Facts(None, STALE, over_quota=True), "refer", ("quota", "stale_directory")),
    ("just gone out, and over it", Facts(None, passback=True, over_quota=True), "refer", ("passback",)),
    ("not the time to go out", Facts(None, outside_window=True, needs_reading=False), "refer", ("outing_window",)),
    ("isolating, at no time to go out", Facts(None, isolating=True, outside_window=True), "refer", ("isolating",)),
    ("revoked, and over the quota", Facts(Problem.REVOKED, over_quota=True), "refuse", ("revoked",)),
    ("out for too long", Facts(None, reading=NORMAL, out_too_long=True), "admit", ("out_too_long",)),
    ("out for too long, with a fever", Facts(None, reading=FEVER, out_too_long=True), "retake", ("fever",)),
    ("old list, normal", Facts(None, STALE, reading=NORMAL), "admit", ("stale_directory",)),
    ("no list, normal", Facts(None, ABSENT, reading=NORMAL), "admit", ("no_directory",)),
    ("no pass", Facts(Problem.NOT_A_PASS), "refuse", ("not_a_pass",)),
    ("damaged", Facts(Problem.DAMAGED), "refuse", ("damaged",)),
    ("unknown key, fresh list", Facts(Problem.UNKNOWN_KEY), "refuse", ("unknown_key",)),
    ("unknown key, old list", Facts(Problem.UNKNOWN_KEY, STALE), "refer", ("unknown_key",)),
    ("unknown key, no list", Facts(Problem.UNKNOWN_KEY, ABSENT), "refer", ("unknown_key",)),
    ("forged", Facts(Problem.FORGED, STALE), "refuse", ("forged",)),
    ("a later format", Facts(Problem.BAD_CLAIMS), "refer", ("bad_claims",)),
    ("expired", Facts(Problem.EXPIRED, reading=NORMAL), "refuse", ("expired",)),
    ("not yet valid", Facts(Problem.NOT_YET_VALID), "refuse", ("not_yet_valid",)),
    ("another compound's", Facts(Problem.OTHER_COMPOUND), "refuse", ("other_compound",)),
    ("revoked", Facts(Problem.REVOKED, isolating=True), "refuse", ("revoked",)),
    ("one of a party, others to come", Facts(None, reading=NORMAL, more=True), None, ()),
    ("one of a party has a fever", Facts(None, reading=FEVER, more=True), "retake", ("fever",)),
    ("the gate is closed", Facts(None, reading=NORMAL, closed=True), "refer", ("gate_closed",)),
    ("going out of a closed gate", Facts(None, needs_reading=False, closed=True), "admit", ("while_closed",)),
    ("back from a key area", Facts(None, homecoming=True), "refer", ("homecoming",)),
    ("an outsider from a key area", Facts(None, key_area=True), "refer", ("key_area",)),
    ("nobody asked the household", Facts(None, reading=NORMAL, host_unconfirmed=True), "refer", ("host_not_confirmed",)),
    ("the boot is shut", Facts(None, reading=NORMAL, boot_unchecked=True), "refer", ("boot_unchecked",)),
    ("no such booking", Facts(None, reading=NORMAL, booking_problem="no_booking"), "refer", ("no_booking",)),
    ("booked for another hour", Facts(None, reading=NORMAL, booking_problem="booking_not_now"), "refer", ("booking_not_now",)),
    ("a restart in between", Facts(None, reading=NORMAL, from_journal=True), "refer", ("after_restart",)),
    ("drawn to be asked", Facts(None, reading=NORMAL, question=True), "refer", ("ask_dwelling",)),
    ("an enrolment pass", Facts(Problem.WRONG_KIND), "refuse", ("wrong_kind",)),
]


@pytest.mark.parametrize("facts, outcome, reasons", [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_decide(facts: Facts, outcome: str | None, reasons: tuple[str, ...]) -> None:
    assert decide(facts) == (None if outcome is None else Decision(Outcome(outcome), reasons))


def test_every_row_of_the_table_decides_a_case() -> None:
    used = {next(row.case for row in TABLE if row.applies(case[1])) for case in CASES}
    assert used == {row.case for row in TABLE} - {"anything else", "no pass for this gate: bad_claims"}


FACTS = st.builds(
    Facts, st.none() | st.sampled_from(Problem), st.sampled_from(Knowledge), st.booleans(),
    st.sampled_from(["admit", "refer", "homecoming"]), *[st.booleans()] * 6,
    st.none() | st.sampled_from(Band), st.lists(st.sampled_from(Band), max_size=4).map(tuple),
    *[st.booleans()] * 6, st.sampled_from([None, "no_booking", "booking_not_now"]), *[st.booleans()] * 3,
)  # fmt: skip


@given(FACTS)
def test_nobody_is_let_in_but_on_a_good_pass_and_a_normal_reading(facts: Facts) -> None:
    made = decide(facts)
    if made is not None and made.outcome is Outcome.ADMIT:
        assert facts.problem is None
        assert not facts.isolating
        assert not facts.passback
        assert facts.colour_gate == "admit"
        assert facts.reading is NORMAL or not facts.needs_reading
        if facts.needs_reading:
            waived = (facts.more, facts.closed, facts.host_unconfirmed, facts.boot_unchecked, facts.from_journal, facts.question)
            assert not any(waived)
            assert facts.booking_problem is None
        assert not facts.over_quota
        assert not facts.outside_window
        assert not facts.homecoming
        assert not facts.key_area


@given(FACTS)
def test_a_good_pass_is_never_refused(facts: Facts) -> None:
    made = decide(facts)
    assert facts.problem is not None or made is None or made.outcome is not Outcome.REFUSE


@given(FACTS)
def test_a_retake_ends(facts: Facts) -> None:
    made = decide(facts)
    if made is not None and made.outcome is Outcome.RETAKE and facts.reading in (FEVER, LOW):
        assert facts.reading not in facts.tries
