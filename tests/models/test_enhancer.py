import subprocess
import sys
from typing import get_args, get_type_hints

import pytest

from models.enhancer import ENHANCERS, NONE, open_enhancer
from models.errors import ModelError
from realtime.config import PipelineConfig


def test_none_is_no_enhancer():
    assert open_enhancer(NONE) is None


@pytest.mark.parametrize("name", ENHANCERS)
def test_each_opens_and_closes_twice(name):
    enhancer = open_enhancer(name)
    assert enhancer is not None
    enhancer.close()
    enhancer.close()


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(ModelError) as caught:
        open_enhancer("gloss")
    assert "gloss" in caught.value.message
    assert "detail" in caught.value.hint


def test_the_configuration_knows_them_all():
    allowed = get_args(get_type_hints(PipelineConfig)["enhancer"])
    assert set(allowed) == {NONE, *ENHANCERS}
    assert PipelineConfig().enhancer == NONE


def test_none_is_imported_before_it_is_opened():
    script = "import sys, models.enhancer\nprint('models.detail' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
