import hashlib

import pytest

from models.catalog import parse_catalog
from models.errors import ModelError
from models.fetch import State, ensure, state
from models.pins import read_pins
from tests.fakes.fetching import (
    CONTENT,
    OTHER,
    RecordingProgress,
    entry,
    from_web,
    left_in,
)
from tests.fakes.index import FileServer, serve
from tests.fakes.onnx_file import described_network

ONNX = described_network({"x": (1, 3, 8, 8)}, {"y": (1, 4)})
OTHER_ONNX = described_network({"x": (1, 3, 8, 8)}, {"y": (1, 5)})
PAGE = b"<!DOCTYPE html><html><body>sign in first</body></html>"


def unhashed(server, *paths, name="toy", **values):
    """An entry of an ONNX file whose checksum nobody knows."""
    urls = ", ".join(f'"{server.url(path)}"' for path in paths)
    text = entry(name, b" ", f'{{ kind = "https", urls = [{urls}] }}')
    lines = [line for line in text.splitlines() if not line.startswith(("sha256", "size_bytes"))]
    text = "\n".join(lines).replace(f"{name}.bin", f"{name}.onnx").replace("nhwc", "nchw")
    return text + "".join(f"\n{key} = {value}" for key, value in values.items()) + "\n"


class TestTrust:
    def test_a_file_whose_checksum_nobody_knows_is_refused(self, folder):
        with serve(FileServer({"/toy.onnx": ONNX})) as server:
            with pytest.raises(ModelError, match="nobody has said which sha256 toy has") as caught:
                ensure(["toy"], folder, RecordingProgress(), parse_catalog(unhashed(server, "/toy.onnx")))
            assert server.requests == []
        assert "realtime models fetch toy --trust" in caught.value.hint
        assert not folder.exists()

    def test_trusted_once_it_is_pinned_and_needs_no_trust_again(self, folder):
        with serve(FileServer({"/toy.onnx": ONNX}, cuts=[20])) as server:
            catalog = parse_catalog(unhashed(server, "/toy.onnx"))
            ensure(["toy"], folder, RecordingProgress(), catalog, trust=True)
            assert (folder / "toy.onnx").read_bytes() == ONNX
            assert read_pins(folder) == {"toy.onnx": hashlib.sha256(ONNX).hexdigest()}
            assert state(catalog["toy"], folder) is State.PRESENT
            ensure(["toy"], folder, RecordingProgress(), catalog)
            (folder / "toy.onnx").unlink()
            ensure(["toy"], folder, RecordingProgress(), catalog)
            assert [wanted for _, wanted in server.requests] == [None, "bytes=20-", None]
        assert left_in(folder) == ["pins.json", "toy.onnx"]

    def test_a_file_that_changed_is_an_error_with_both_checksums(self, folder):
        with serve(FileServer({"/toy.onnx": ONNX})) as server:
            catalog = parse_catalog(unhashed(server, "/toy.onnx"))
            ensure(["toy"], folder, RecordingProgress(), catalog, trust=True)
            (folder / "toy.onnx").write_bytes(OTHER_ONNX)
            assert state(catalog["toy"], folder) is State.CHANGED
            with pytest.raises(ModelError, match="has changed") as caught:
                ensure(["toy"], folder, RecordingProgress(), catalog, trust=True)
        for content in (ONNX, OTHER_ONNX):
            assert hashlib.sha256(content).hexdigest() in caught.value.message
        assert (folder / "toy.onnx").read_bytes() == OTHER_ONNX

    def test_a_server_that_changed_its_file_is_an_error_with_both_checksums(self, folder):
        with serve(FileServer({"/toy.onnx": ONNX})) as server:
            catalog = parse_catalog(unhashed(server, "/toy.onnx"))
            ensure(["toy"], folder, RecordingProgress(), catalog, trust=True)
            (folder / "toy.onnx").unlink()
            server.files["/toy.onnx"] = OTHER_ONNX
            with pytest.raises(ModelError, match="cannot be fetched") as caught:
                ensure(["toy"], folder, RecordingProgress(), catalog, trust=True)
        for content in (ONNX, OTHER_ONNX):
            assert hashlib.sha256(content).hexdigest() in caught.value.message
        assert left_in(folder) == ["pins.json"]

    def test_a_file_put_there_by_hand_is_checked_and_pinned(self, folder):
        folder.mkdir()
        (folder / "toy.onnx").write_bytes(ONNX)
        catalog = parse_catalog(unhashed(FileServer({}), "/toy.onnx"))
        assert state(catalog["toy"], folder) is State.UNPINNED
        with pytest.raises(ModelError, match="nobody has said"):
            ensure(["toy"], folder, RecordingProgress(), catalog)
        ensure(["toy"], folder, RecordingProgress(), catalog, trust=True)
        assert state(catalog["toy"], folder) is State.PRESENT

    @pytest.mark.parametrize("content", [PAGE, ONNX[:-9]], ids=["web page", "truncated"])
    def test_a_bad_file_put_there_by_hand_is_not_trusted(self, folder, content):
        folder.mkdir()
        (folder / "toy.onnx").write_bytes(content)
        with pytest.raises(ModelError, match=r"web page|not a whole ONNX file"):
            ensure(
                ["toy"],
                folder,
                RecordingProgress(),
                parse_catalog(unhashed(FileServer({}), "/toy.onnx")),
                trust=True,
            )
        assert read_pins(folder) == {}

    def test_a_page_in_place_of_a_model_is_passed_over(self, folder):
        with serve(FileServer({"/page": PAGE, "/toy.onnx": ONNX})) as server:
            catalog = parse_catalog(unhashed(server, "/page", "/toy.onnx"))
            ensure(["toy"], folder, RecordingProgress(), catalog, trust=True)
        assert (folder / "toy.onnx").read_bytes() == ONNX

    def test_when_every_mirror_sends_a_page_it_is_called_one(self, folder):
        with (
            serve(FileServer({"/page": PAGE})) as server,
            pytest.raises(ModelError, match="is a web page, not a model"),
        ):
            ensure(["toy"], folder, RecordingProgress(), parse_catalog(unhashed(server, "/page")), trust=True)
        assert left_in(folder) == []

    def test_a_model_of_another_kind_is_not_trusted(self, folder):
        wrong = described_network({"x": (1, 3, 16, 16)}, {"y": (1, 4)})
        with (
            serve(FileServer({"/toy.onnx": wrong})) as server,
            pytest.raises(ModelError, match="is not of the family toy") as caught,
        ):
            ensure(
                ["toy"], folder, RecordingProgress(), parse_catalog(unhashed(server, "/toy.onnx")), trust=True
            )
        assert "(1, 3, 16, 16)" in caught.value.message
        assert left_in(folder) == []

    def test_halves_of_two_mirrors_are_never_put_together(self, folder):
        # The first one ends in the middle, for good; the second has another file of the same kind.
        cuts = [30, *[0] * 20]
        with (
            serve(FileServer({"/toy.onnx": ONNX}, cuts=cuts)) as first,
            serve(FileServer({"/toy.onnx": OTHER_ONNX})) as second,
        ):
            text = unhashed(first, "/toy.onnx")
            text = text.replace('.onnx"]', f'.onnx", "{second.url("/toy.onnx")}"]')
            ensure(["toy"], folder, RecordingProgress(), parse_catalog(text), trust=True)
        assert (folder / "toy.onnx").read_bytes() == OTHER_ONNX
        assert second.requests == [("/toy.onnx", None)]


class TestLicences:
    def restricted(self, server, **values):
        text = from_web(server.url("/toy.bin"))
        return parse_catalog(text.replace('licence = "MIT"', 'licence = "GPEN-NC"'))

    def test_nobody_who_cannot_ask_fetches_a_restricted_model(self, folder):
        with serve(FileServer({"/toy.bin": CONTENT})) as server:
            with pytest.raises(
                ModelError, match=r"comes under the licence GPEN-NC: .*non-commercial"
            ) as caught:
                ensure(["toy"], folder, RecordingProgress(), self.restricted(server))
            assert server.requests == []
        assert '--accept-licence "GPEN-NC"' in caught.value.hint

    def test_a_permit_is_asked_before_the_fetch_and_not_for_what_is_there(self, folder):
        asked = []
        with serve(FileServer({"/toy.bin": CONTENT})) as server:
            catalog = self.restricted(server)
            for _ in range(2):
                ensure(
                    ["toy"],
                    folder,
                    RecordingProgress(),
                    catalog,
                    permit=lambda model: asked.append((model.name, left_in(folder.parent))),
                )
        assert asked == [("toy", [])]
        ensure(["toy"], folder, RecordingProgress(), catalog)

    def test_what_a_model_needs_comes_with_it_licences_and_all(self, folder):
        with serve(FileServer({"/toy.bin": CONTENT, "/two.bin": OTHER})) as server:
            text = from_web(server.url("/toy.bin")).replace("[model.toy]", '[model.toy]\nneeds = ["two"]')
            text += entry("two", OTHER, f'{{ kind = "https", urls = ["{server.url("/two.bin")}"] }}').replace(
                "MIT", "unknown"
            )
            catalog = parse_catalog(text)
            with pytest.raises(ModelError, match="two comes under the licence unknown"):
                ensure(["toy"], folder, RecordingProgress(), catalog)
            assert server.requests == []
            files = ensure(["toy"], folder, RecordingProgress(), catalog, permit=lambda model: None)
        assert files == {"toy": folder / "toy.bin", "two": folder / "two.bin"}


class TestManual:
    def test_a_file_that_nobody_offers(self, folder):
        text = entry("toy", CONTENT, '{ kind = "manual", how = "made by tf2onnx" }')
        catalog = parse_catalog(text)
        with pytest.raises(ModelError, match=r"nobody offers its file as it is .made by tf2onnx") as caught:
            ensure(["toy"], folder, RecordingProgress(), catalog)
        assert str(folder / "toy.bin") in caught.value.hint
        folder.mkdir()
        (folder / "toy.bin").write_bytes(CONTENT)
        assert ensure(["toy"], folder, RecordingProgress(), catalog) == {"toy": folder / "toy.bin"}
