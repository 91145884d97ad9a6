from hypothesis import given
from hypothesis import strategies as st

from models.engines.progress import BuildProgress, Milestones, Phases


def test_steps_of_inner_phases_count_as_parts_of_the_outer_one():
    phases = Phases()
    assert phases.start("all", None, 2).share == 0
    phases.start("tactics", "all", 4)
    assert [phases.step("tactics", step).share for step in range(4)] == [0.125, 0.25, 0.375, 0.5]
    phases.finish("tactics")
    assert phases.step("all", 0).share == 0.5
    assert phases.step("all", 1).share == 1.0
    assert phases.finish("all").phase == "all"


NAMES = st.sampled_from("abcd")


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("start"), NAMES, st.one_of(st.none(), NAMES), st.integers(-1, 5)),
            st.tuples(st.just("step"), NAMES, st.integers(0, 9)),
            st.tuples(st.just("finish"), NAMES),
        ),
        max_size=40,
    )
)
def test_whatever_is_reported_the_share_rises_from_0_to_1_at_most(events):
    phases, before = Phases(), 0.0
    for name, *arguments in events:
        now = getattr(phases, name)(*arguments)
        assert before <= now.share <= 1.0
        before = now.share


def said(shares, every=0.1):
    milestones = Milestones(every)
    return [share for share in shares if milestones.passes(BuildProgress(share, "Tactics"))]


def test_a_line_for_each_tenth():
    assert said([n / 100 for n in range(101)]) == [n / 10 for n in range(1, 11)]
    assert said([0.0, 0.05, 0.1, 0.1, 0.35, 0.39, 0.2, 1.0]) == [0.1, 0.35, 1.0]


@given(st.lists(st.floats(0, 1)), st.sampled_from([0.05, 0.1, 0.25]))
def test_never_more_lines_than_steps(shares, every):
    lines = said(shares, every)
    assert len(lines) <= round(1 / every)
    assert lines == sorted(lines)
