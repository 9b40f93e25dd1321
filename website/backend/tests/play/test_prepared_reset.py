from pathlib import Path

import pytest

from skill_arcade.wire.packet import KEYFRAME, PREVIEW, FramePacket
from tests.support.session_harness import SessionHarness


@pytest.mark.parametrize("game", ["breakout", "tower-of-hanoi-4"])
def test_O10_the_page_has_the_picture_before_it_asks_for_the_game(tmp_path: Path, game: str) -> None:
    table = SessionHarness(tmp_path, game)
    ahead = FramePacket.unpack(table.previews[-1])
    assert (ahead.flags & ~8, ahead.frame, ahead.x, ahead.y) == (PREVIEW | KEYFRAME, 0, 0, 0)
    table.send("start")
    prepared_reset = FramePacket.unpack(table.packets[0])
    assert prepared_reset.flags == ahead.flags & ~PREVIEW
    assert (ahead.data, ahead.palette) == (prepared_reset.data, prepared_reset.palette)
    table.send("leave")
    assert len(table.previews) == 1
    table.session.tick(table.now + 2_000_000)
    table.session.prepare()
    assert len(table.previews) == 2
