import numpy as np

from models.masks.view import View


def test_with_a_frame_the_landmarks_are_where_they_are_in_it(scene):
    made = scene()
    view = made.view(captured_ns=5)
    assert np.allclose(view.points_in_picture, made.points[:, :2], atol=0.01)
    assert view.picture is made.bgr
    assert view.captured_ns == 5
    assert view.size == view.crop.shape[0]


def test_without_a_frame_the_crop_is_all_there_is(scene):
    view: View = scene().view(framed=False)
    assert view.picture is view.crop
    assert view.points_in_picture is view.points
    assert (view.to_crop == np.eye(2, 3)).all()
    assert view.captured_ns == 0
