from pathlib import Path

import pytest

from skill_arcade.wire.packet import KEYFRAME, PREVIEW, FramePacket
from tests.support.session_harness import SessionHarness


@pytest.mark.parametrize("game", ["breakout", "tower-of-hanoi-4"])
def test_O10_preview_is_sent_as_keyframe_before_start(tmp_path: Path, game: str) -> None:
    harness = SessionHarness(tmp_path, game)
    preview = FramePacket.unpack(harness.previews[-1])
    assert (preview.flags & ~8, preview.frame, preview.x, preview.y) == (PREVIEW | KEYFRAME, 0, 0, 0)
    harness.send("start")
    prepared_reset = FramePacket.unpack(harness.packets[0])
    assert prepared_reset.flags == preview.flags & ~PREVIEW
    assert (preview.data, preview.palette) == (prepared_reset.data, prepared_reset.palette)
    harness.send("leave")
    assert len(harness.previews) == 1
    harness.session.tick(harness.now + 2_000_000)
    harness.session.prepare()
    assert len(harness.previews) == 2
