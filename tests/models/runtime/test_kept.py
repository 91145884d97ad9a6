from pathlib import Path

from models.runtime.kept import kept_folder


def test_the_folder_is_the_users_choice_or_the_users_cache():
    assert kept_folder("toy", "1.2", {"REALTIME_CACHE": "/kept"}) == Path("/kept/toy/1.2")
    assert kept_folder("toy", "1.2", {}).parts[-2:] == ("toy", "1.2")
    assert kept_folder("toy", "1.2", {}).parent.parent.name == "realtime"
