from pathlib import Path

import pytest

from skill_arcade.wire.packet import FramePacket
from tests.support.session_harness import SessionHarness


@pytest.mark.parametrize("game", ["breakout", "tower-of-hanoi"])
def test_O10_preview_is_sent_as_keyframe_before_start(tmp_path: Path, game: str) -> None:
    harness = SessionHarness(tmp_path, game)
    preview = FramePacket.unpack(harness.previews[-1])
    assert (preview.is_preview, preview.frame) == (True, 0)
    assert (preview.encoded.key, preview.encoded.x, preview.encoded.y) == (True, 0, 0)
    harness.send("start")
    prepared_reset = FramePacket.unpack(harness.packets[0])
    assert not prepared_reset.is_preview
    assert preview.encoded == prepared_reset.encoded
    harness.send("leave")
    assert len(harness.previews) == 1
    harness.session.tick(harness.now + 2_000_000)
    harness.session.prepare()
    assert len(harness.previews) == 2
