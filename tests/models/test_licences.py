from models.catalog import load_catalog
from models.licences import LICENCES, licence


def test_every_licence_of_the_catalogue_is_described():
    assert {model.licence for model in load_catalog().values()} <= set(LICENCES)


def test_what_limits_use_is_to_be_accepted():
    for name in ("InsightFace-NC", "S-Lab-1.0", "ResearchRAIL", "OpenRAIL-M", "unknown", "Apache-2.0+NC"):
        assert licence(name).restrictive
    for name in ("MIT", "Apache-2.0", "BSD-3-Clause", "CC-BY-4.0", "GPL-3.0", "AGPL-3.0"):
        assert not licence(name).restrictive


def test_a_licence_nobody_described_counts_as_restrictive():
    assert licence("Proprietary-9").restrictive
    assert licence("Proprietary-9").name == "Proprietary-9"


def test_summaries_are_one_sentence_without_a_full_stop():
    for each in LICENCES.values():
        assert each.summary
        assert not each.summary.endswith(".")
