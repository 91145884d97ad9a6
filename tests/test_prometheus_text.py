import pytest

from tests.prometheus_text import read_metrics

GOOD = '# HELP a_total Counted.\n# TYPE a_total counter\na_total{b="c\\"\\\\\\n",d="é"} 1.5e3\na_total 2\n'


def test_what_the_format_allows_is_read():
    family = read_metrics(GOOD)["a_total"]
    assert (family.kind, family.meaning) == ("counter", "Counted.")
    assert family.value(b='c"\\\n', d="é") == 1500
    assert family.value() == 2
    assert read_metrics("# HELP a b\n# TYPE a gauge\na NaN\n")["a"].labels() == [{}]


@pytest.mark.parametrize(
    "bad",
    [
        "a_total 1\n",
        GOOD.rstrip("\n"),
        GOOD + "a_total 3\n",
        GOOD + "b 3\n",
        GOOD + "\n",
        GOOD + "# HELP a_total Again.\n# TYPE a_total counter\na_total 1\n",
        GOOD + "a_total{} 3\n",
        GOOD + 'a_total{b="c"}\n',
        GOOD + 'a_total{b="c"} x\n',
        GOOD + 'a_total{b="c",b="d"} 1\n',
        GOOD + 'a_total{b="c" d="e"} 1\n',
        GOOD + 'a_total{b="c"d"} 1\n',
        GOOD + 'a_total{b="\\x"} 1\n',
        GOOD + 'a_total{1b="c"} 1\n',
        GOOD + 'a_total{b="c"} -1\n',
        GOOD + 'a_total{b="c"} 0x1\n',
        "# HELP a b\n# TYPE a counter\na 1\n",
        "# HELP a_total b\n# TYPE a_total gauge\na_total 1\n",
        "# HELP a b\n# TYPE a number\na 1\n",
        "# TYPE a gauge\na 1\n",
        '# HELP a b\n# TYPE a summary\na{quantile="1.5"} 1\n',
    ],
)
def test_what_it_does_not_is_refused(bad):
    with pytest.raises((ValueError, KeyError)):
        read_metrics(bad)
