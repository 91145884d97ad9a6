import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from models.build.agreement import Comparison, complaints
from models.entries import Limits, Tolerance

ARRAYS = hnp.arrays(np.float32, (1, 3, 4, 4), elements=st.floats(-100, 100, width=32))


def compared(*pairs, output_range=None):
    comparison = Comparison(output_range)
    for wanted, given_ in pairs:
        comparison.add({"out": wanted}, {"out": given_})
    return comparison.results()[0]


@given(ARRAYS)
def test_a_network_agrees_with_itself(array):
    one = compared((array, array.copy()))
    assert (one.max_abs, one.rms) == (0, 0)
    assert one.cosine == pytest.approx(1)
    assert complaints([one], Tolerance(max_abs=0, rms=0, psnr_db=100, cosine=0.999999)) == ()


@given(ARRAYS, ARRAYS)
def test_the_mean_is_below_the_worst_and_the_cosine_in_its_range(array, other):
    one = compared((array, other))
    assert 0 <= one.rms <= one.max_abs * (1 + 1e-6) + 1e-12
    assert -1 - 1e-9 <= one.cosine <= 1 + 1e-9


def test_figures_of_a_known_error():
    wanted = np.array([[[[0.0, 1.0]]] * 3], np.float32)
    one = compared((wanted, wanted + 0.1), (wanted, wanted - 0.1))
    assert one.picture
    assert one.told() == "out: max 0.1, RMS 0.1, PSNR 20.0 dB, cosine 0.99388"
    assert compared((wanted, wanted)).told() == "out: equal to the last bit"
    assert one.max_abs == pytest.approx(0.1)
    assert one.rms == pytest.approx(0.1)
    assert one.psnr_db == pytest.approx(20)
    assert compared((wanted, wanted + 0.1), output_range=(-1, 1)).psnr_db == pytest.approx(
        20 + 6.02, abs=0.01
    )


def test_the_worst_input_counts():
    good, bad = np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]])
    one = compared((good, good), (good, bad), (good, good))
    assert one.cosine == pytest.approx(math.sqrt(0.5))
    assert one.max_abs == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused_whatever_is_allowed(value):
    wanted = np.ones((1, 3, 2, 2), np.float32)
    spoiled = wanted.copy()
    spoiled[0, 0, 0, 0] = value
    (fault,) = complaints([compared((wanted, wanted), (wanted, spoiled))], Tolerance(max_abs=1e9))
    assert "not finite" in fault


def test_another_number_of_values_is_refused():
    (fault,) = complaints([compared((np.ones((2, 3)), np.ones((1, 3))))], Tolerance(rms=1e9))
    assert "another number" in fault


@pytest.mark.parametrize(
    ("tolerance", "told"),
    [
        (Tolerance(max_abs=0.05), "max error 0.1"),
        (Tolerance(rms=0.05), "RMS error 0.1"),
        (Tolerance(psnr_db=21), "PSNR 20.0 dB"),
        (Tolerance(cosine=0.9999), "cosine"),
        (Tolerance(), "PSNR 20.0 dB, at least 35"),
    ],
)
def test_each_limit_is_told_with_the_figure(tolerance, told):
    wanted = np.array([[[[0.0, 1.0]]] * 3], np.float32)
    (fault,) = complaints([compared((wanted, wanted + 0.1))], tolerance)
    assert fault.startswith("out: ")
    assert told in fault


@pytest.mark.parametrize("tolerance", [Tolerance(max_abs=0.2, rms=0.2), Tolerance(psnr_db=19, cosine=0.9)])
def test_what_is_within_every_limit_passes(tolerance):
    wanted = np.array([[[[0.0, 1.0]]] * 3], np.float32)
    assert complaints([compared((wanted, wanted + 0.1))], tolerance) == ()


def test_what_is_no_picture_is_asked_a_cosine_by_default():
    wanted = np.array([[1.0, 0.0]])
    assert complaints([compared((wanted, wanted * 2))], Tolerance()) == ()
    (fault,) = complaints([compared((wanted, np.array([[1.0, 0.5]])))], Tolerance())
    assert "cosine" in fault


def test_outputs_are_matched_by_name_else_by_order():
    comparison = Comparison()
    comparison.add(
        {"a": np.zeros((1, 2)), "b": np.ones((1, 2))}, {"b": np.ones((1, 2)), "a": np.zeros((1, 2))}
    )
    comparison.add(
        {"a": np.zeros((1, 2)), "b": np.ones((1, 2))}, {"c": np.zeros((1, 2)), "d": np.ones((1, 2))}
    )
    assert [(one.output, one.max_abs) for one in comparison.results()] == [("a", 0), ("b", 0)]


def logits_apart(wanted, given, tolerance, meanings):
    comparison = Comparison(logits={"conv2d_31"})
    comparison.add({"conv2d_31": np.array([wanted])}, {"conv2d_31": np.array([given])})
    return complaints(comparison.results(), tolerance, meanings)


@pytest.mark.parametrize(
    ("wanted", "given", "fine"),
    [(25.0, 17.0, True), (-30.0, -12.0, True), (0.1, -0.1, True), (0.5, -0.5, False), (2.0, -2.0, False)],
)
def test_a_logit_is_judged_as_the_probability_it_stands_for(wanted, given, fine):
    tolerance = Tolerance(max_abs=2.0, outputs={"presence": Limits(max_abs=0.1, sigmoid=True)})
    assert (not logits_apart(wanted, given, tolerance, {"conv2d_31": "presence"})) is fine


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_no_number_is_not_taken_for_a_probability(bad):
    tolerance = Tolerance(outputs={"presence": Limits(max_abs=0.1, sigmoid=True)})
    assert "not finite" in logits_apart(20.0, bad, tolerance, {"conv2d_31": "presence"})[0]


def test_each_output_is_held_to_its_own_limits_and_the_rest_to_the_general_ones():
    comparison = Comparison()
    reference = {"a": np.zeros(4), "b": np.zeros(4)}
    comparison.add(reference, {"a": np.full(4, 1.5), "b": np.full(4, 1.5)})
    tolerance = Tolerance(max_abs=1.0, outputs={"points": Limits(rms=2.0)})
    found = complaints(comparison.results(), tolerance, {"a": "points", "b": "other"})
    assert found == ("b: max error 1.5, at most 1 is allowed",)
    assert len(complaints(comparison.results(), tolerance)) == 2
    tight = Tolerance(max_abs=9.0, outputs={"points": Limits(rms=1.0)})
    found = complaints(comparison.results(), tight, {"a": "points", "b": "other"})
    assert found == ("a: RMS error 1.5, at most 1 is allowed",)
