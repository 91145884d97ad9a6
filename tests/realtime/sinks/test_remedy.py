from realtime.sinks.remedy import virtual_camera_remedy


def test_each_system_has_its_own() -> None:
    assert "v4l2loopback" in virtual_camera_remedy("linux")
    assert "exclusive_caps=1" in virtual_camera_remedy("linux")
    assert "OBS" in virtual_camera_remedy("darwin")
    assert "Unity Capture" in virtual_camera_remedy("win32")
