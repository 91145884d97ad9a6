import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import compose, crop_matrix, invert
from models.neural.align import Alignment, crop
from models.paste_back import PasteBack, aligned_face
from models.scratch import Scratch


def noise(seed, height, width, smooth=1):
    """(height, width, 3): random, in squares of `smooth` pixels."""
    small = np.random.default_rng(seed).integers(0, 256, (height // smooth + 1, width // smooth + 1, 3))
    return np.kron(small, np.ones((smooth, smooth, 1)))[:height, :width].astype(np.uint8)


def disc(size, radius=0.4, soft=0.1):
    """(size, size): 255 in the middle, less over `soft` of the side, 0 outside."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    return np.clip(255 * (radius - np.hypot(x, y)) / soft, 0, 255).astype(np.uint8)


def bilinear(picture, x, y):
    """`picture` in float64 at (x, y); beyond its edge, the edge goes on."""
    height, width = picture.shape[:2]
    low_x, low_y = np.floor(x), np.floor(y)
    share_x, share_y = x - low_x, y - low_y
    if picture.ndim == 3:
        share_x, share_y = share_x[..., None], share_y[..., None]

    def at(dx, dy):
        rows = np.clip(low_y + dy, 0, height - 1).astype(int)
        columns = np.clip(low_x + dx, 0, width - 1).astype(int)
        return picture[rows, columns].astype(float)

    upper = at(0, 0) * (1 - share_x) + at(1, 0) * share_x
    lower = at(0, 1) * (1 - share_x) + at(1, 1) * share_x
    return upper * (1 - share_y) + lower * share_y


def plainly(picture, bgr, alpha, matrix):
    """The formula over the whole picture, in float64. Outside the square nothing counts."""
    counted = bgr.astype(float) * alpha[..., None] / 255
    at = where_of(picture, matrix)
    face = bilinear(np.pad(counted, ((1, 1), (1, 1), (0, 0))), *(at + 1))
    share = (bilinear(np.pad(alpha, 1), *(at + 1)) / 255)[..., None]
    return picture * (1 - share) + face


def interpolated_apart(picture, bgr, alpha, matrix):
    """As other programs do it: face and alpha are brought into the frame first, and multiplied there."""
    at = where_of(picture, matrix)
    share = (bilinear(np.pad(alpha, 1), *(at + 1)) / 255)[..., None]
    return picture * (1 - share) + bilinear(bgr, *at) * share


def where_of(picture, matrix):
    """(2, H, W): the place in the square of each pixel of the picture."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    return np.tensordot(matrix[:, :2], np.stack([x, y]), axes=1) + matrix[:, 2][:, None, None]


def pasted(picture, bgr, alpha, matrix):
    result = picture.copy()
    PasteBack().paste(result, aligned_face(bgr, alpha), Alignment(matrix, alpha.shape[0]))
    return result


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31 - 1),
    size=st.sampled_from([16, 33, 64, 128, 256]),
    centre=st.tuples(st.floats(-30, 190), st.floats(-30, 150)),
    ratio=st.floats(0.3, 1.95),
    angle=st.floats(-4, 4),
    kind=st.sampled_from(["disc", "noise", "full", "corner"]),
)
def test_it_is_the_plain_formula(seed, size, centre, ratio, angle, kind):
    """Any pose, also partly or wholly outside, any size, any alpha."""
    picture, bgr = noise(seed, 120, 160), noise(seed + 1, size, size)
    alpha = {
        "disc": disc(size),
        "noise": noise(seed + 2, size, size)[:, :, 0],
        "full": np.full((size, size), 255, np.uint8),
        "corner": np.where(np.add.outer(np.arange(size), np.arange(size)) < size, 200, 0).astype(np.uint8),
    }[kind]
    matrix = crop_matrix(centre, size / ratio, angle, size)
    expected = plainly(picture, bgr, alpha, matrix)
    error = abs(pasted(picture, bgr, alpha, matrix) - expected)
    assert error.mean() < 1
    assert error.max() <= 3


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_it_is_the_plain_formula_at_the_networks_sizes(size):
    picture, bgr = noise(1, 540, 960, smooth=4), noise(2, size, size, smooth=8)
    matrix = crop_matrix((500.3, 260.7), 560, 0.2, size)
    expected = plainly(picture, bgr, disc(size), matrix)
    error = abs(pasted(picture, bgr, disc(size), matrix) - expected)
    covered = error[expected.round() != picture]
    assert covered.size > 100_000
    assert covered.mean() < 0.6
    assert error.max() <= 2


def test_whole_pixels_and_a_full_alpha_are_exact():
    picture, bgr = noise(1, 60, 80), noise(2, 32, 32)
    matrix = np.array([[1.0, 0.0, -20], [0.0, 1.0, -10]])
    result = pasted(picture, bgr, np.full((32, 32), 255, np.uint8), matrix)
    expected = picture.copy()
    expected[10:42, 20:52] = bgr
    np.testing.assert_array_equal(result, expected)


@settings(max_examples=40, deadline=None)
@given(centre=st.tuples(st.integers(-40, 140), st.integers(-40, 100)), seed=st.integers(0, 99))
def test_what_alpha_leaves_out_is_not_touched(centre, seed):
    picture, alpha = noise(seed, 60, 100), disc(64, radius=0.3, soft=0.01)
    result = pasted(picture, noise(seed + 1, 64, 64), alpha, crop_matrix(centre, 50, 0.4, 64))
    y, x = np.mgrid[:60, :100]
    outside = np.hypot(x - centre[0], y - centre[1]) > 0.3 * 50 + 3
    np.testing.assert_array_equal(result[outside], picture[outside])


@pytest.mark.parametrize(
    ("alpha", "matrix"),
    [
        (np.zeros((64, 64), np.uint8), crop_matrix((40, 30), 40, 0.0, 64)),
        (disc(64), crop_matrix((-500, 30), 40, 0.3, 64)),
        (disc(64), crop_matrix((40, 5000), 40, 0.3, 64)),
        (disc(64), crop_matrix((1e9, -1e9), 40, 0.3, 64)),
    ],
    ids=["empty", "left", "below", "far"],
)
def test_nothing_to_paste_is_harmless(alpha, matrix):
    picture = noise(1, 60, 80)
    before = picture.copy()
    assert not PasteBack().paste(picture, aligned_face(noise(2, 64, 64), alpha), Alignment(matrix, 64))
    np.testing.assert_array_equal(picture, before)


def test_a_face_smaller_than_a_pixel_is_harmless():
    picture = noise(1, 60, 80)
    before = picture.copy()
    face = aligned_face(noise(2, 64, 64), disc(64))
    PasteBack().paste(picture, face, Alignment(crop_matrix((40.5, 30.5), 1e-3, 0.3, 64), 64))
    np.testing.assert_array_equal(picture, before)


def test_a_face_larger_than_the_frame_covers_it():
    picture = noise(1, 40, 50)
    face = aligned_face(np.full((64, 64, 3), 90, np.uint8), np.full((64, 64), 255, np.uint8))
    assert PasteBack().paste(picture, face, Alignment(crop_matrix((25, 20), 400, 0.7, 64), 64))
    assert (picture == 90).all()


@pytest.mark.parametrize("row", [0, 59])
@pytest.mark.parametrize("column", [0, 79])
def test_the_frames_outermost_pixels_are_pasted_too(row, column):
    picture = np.zeros((60, 80, 3), np.uint8)
    face = aligned_face(np.full((64, 64, 3), 200, np.uint8), np.full((64, 64), 255, np.uint8))
    PasteBack().paste(picture, face, Alignment(crop_matrix((column, row), 30, 0.0, 64), 64))
    assert (picture[row, column] == 200).all()


def test_pasted_again_elsewhere_it_moves_exactly_with_its_alignment():
    """Old pixels, new landmarks: what is pasted 17 to the right and 9 down is the same, there."""
    black, bgr = np.zeros((200, 240, 3), np.uint8), noise(2, 64, 64)
    face, paste = aligned_face(bgr, disc(64)), PasteBack()
    before = crop_matrix((90.25, 80.5), 70, 0.3, 64)
    after = compose(before, np.array([[1.0, 0.0, -17], [0.0, 1.0, -9]]))
    first, second = black.copy(), black.copy()
    paste.paste(first, face, Alignment(before, 64))
    paste.paste(second, face, Alignment(after, 64))
    np.testing.assert_array_equal(second[9:, 17:], first[:-9, :-17])
    assert first.any()


@settings(max_examples=30, deadline=None)
@given(
    centre=st.tuples(st.floats(60, 140), st.floats(60, 120)),
    side=st.floats(40, 90),
    angle=st.floats(-3, 3),
)
def test_pasted_again_it_turns_and_grows_with_the_face(centre, side, angle):
    """Cut out of the frame by the alignment it was pasted with, it is the face again."""
    bgr = noise(2, 64, 64, smooth=16)
    where = Alignment(crop_matrix(centre, side, angle, 64), 64)
    picture = np.zeros((180, 200, 3), np.uint8)
    face, paste = aligned_face(bgr, np.full((64, 64), 255, np.uint8)), PasteBack()
    paste.paste(picture, face, Alignment(crop_matrix((100, 90), 60, 0.0, 64), 64))
    picture[:] = 0
    paste.paste(picture, face, where)
    flat = np.zeros((64, 64), bool)
    for row in range(4):
        for column in range(4):
            flat[row * 16 + 5 : row * 16 + 11, column * 16 + 5 : column * 16 + 11] = True
    assert abs(crop(picture, where)[flat].astype(int) - bgr[flat]).max() <= 2


def test_a_square_much_finer_than_the_frame_is_averaged_down():
    """Stripes of one pixel, five of which fall on a pixel of the frame, are grey and do not flicker."""
    bgr = np.zeros((320, 320, 3), np.uint8)
    bgr[:, ::2] = 255
    face, paste = aligned_face(bgr, np.full((320, 320), 255, np.uint8)), PasteBack()
    for shift in (0.0, 0.1, 0.37):
        picture = np.zeros((100, 100, 3), np.uint8)
        paste.paste(picture, face, Alignment(crop_matrix((50 + shift, 50), 61, 0.0, 320), 320))
        inner = picture[30:70, 30:70].astype(int)
        assert 90 < inner.min() <= inner.max() < 165


@pytest.mark.parametrize("ratio", [2.0, 2.7, 5.3])
@pytest.mark.parametrize("size", [97, 256])
def test_what_is_averaged_down_lies_where_it_should(ratio, size):
    alpha = np.zeros((size, size), np.uint8)
    alpha[size // 4 : size // 2, size // 3 : size // 2] = 255
    picture = np.zeros((120, 160, 3), np.uint8)
    matrix = crop_matrix((80.3, 60.6), size / ratio, 0.0, size)
    PasteBack().paste(
        picture, aligned_face(np.full((size, size, 3), 255, np.uint8), alpha), Alignment(matrix, size)
    )
    weight = picture[:, :, 0] / 255
    y, x = np.mgrid[:120, :160]
    middle = invert(matrix) @ [(size // 3 + size // 2 - 1) / 2, (size // 4 + size // 2 - 1) / 2, 1]
    found = [(weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()]
    assert found == pytest.approx(middle, abs=0.1)
    area = (size // 2 - size // 4) * (size // 2 - size // 3) / ratio**2
    assert weight.sum() == pytest.approx(area, rel=0.15)


def test_a_second_face_made_from_the_picture_so_far_brings_no_bare_one_back():
    """Its square reaches over the first face; there it carries what was pasted, not what was there."""
    picture = np.full((100, 160, 3), 250, np.uint8)
    first = Alignment(crop_matrix((60, 50), 60, 0.0, 64), 64)
    second = Alignment(crop_matrix((90, 50), 80, 0.2, 64), 64)
    paste, covered = PasteBack(), np.full((64, 64), 255, np.uint8)
    paste.paste(picture, aligned_face(np.full((64, 64, 3), 20, np.uint8), covered), first)
    paste.paste(picture, aligned_face(crop(picture, second), disc(64)), second)
    inner = picture[30:70, 40:80]
    assert (inner < 30).all()


def test_buffers_are_used_again_and_the_face_is_not_changed():
    bgr, alpha = noise(2, 64, 64), disc(64)
    kept = bgr.copy(), alpha.copy()
    paste, store = PasteBack(), Scratch()
    for seed in range(3):
        face = aligned_face(bgr, alpha, store)
        whole = face.bgra.copy()
        picture, twin = noise(seed, 90, 90), noise(seed, 90, 90)
        matrix = crop_matrix((45 + seed, 40), 30 + 20 * seed, 0.1 * seed, 64)
        paste.paste(picture, face, Alignment(matrix, 64))
        np.testing.assert_array_equal(face.bgra, whole)
        PasteBack().paste(twin, aligned_face(bgr, alpha), Alignment(matrix, 64))
        np.testing.assert_array_equal(picture, twin)
    assert np.shares_memory(aligned_face(bgr, alpha, store).bgra, face.bgra)
    assert not np.shares_memory(aligned_face(bgr, alpha).bgra, aligned_face(bgr, alpha).bgra)
    np.testing.assert_array_equal(bgr, kept[0])
    np.testing.assert_array_equal(alpha, kept[1])


def test_only_what_counts_is_carried():
    alpha = np.zeros((64, 64), np.uint8)
    alpha[10:20, 30:50] = 7
    face = aligned_face(noise(1, 64, 64), alpha)
    assert (face.x, face.y, face.bgra.shape) == (29, 9, (12, 22, 4))


def test_wrong_shapes_sizes_and_alignments_are_refused():
    with pytest.raises(ValueError, match="square"):
        aligned_face(noise(1, 64, 60), disc(64))
    with pytest.raises(ValueError, match="square"):
        aligned_face(noise(1, 64, 64), disc(32))
    face, picture = aligned_face(noise(1, 64, 64), disc(64)), noise(2, 50, 50)
    matrix = crop_matrix((25, 25), 30, 0.0, 64)
    with pytest.raises(ValueError, match="128"):
        PasteBack().paste(picture, face, Alignment(matrix, 128))
    with pytest.raises(ValueError, match="finite"):
        PasteBack().paste(picture, face, Alignment(matrix * np.nan, 64))
    with pytest.raises(np.linalg.LinAlgError):
        PasteBack().paste(picture, face, Alignment(np.zeros((2, 3)), 64))
