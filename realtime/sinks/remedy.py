"""What a user does to have a virtual camera."""

import sys

__all__ = ["virtual_camera_remedy"]


def virtual_camera_remedy(platform: str = sys.platform) -> str:
    """The steps on this system, in one line."""
    if platform == "linux":
        return (
            "sudo apt install v4l2loopback-dkms, then "
            'sudo modprobe v4l2loopback devices=1 exclusive_caps=1 card_label="realtime"'
        )
    if platform == "darwin":
        return "install OBS 30 or newer, and start and stop its virtual camera once"
    return "install OBS (it brings a virtual camera) or Unity Capture"
