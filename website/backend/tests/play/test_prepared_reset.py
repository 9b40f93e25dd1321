from pathlib import Path

import pytest

from skill_arcade.wire.packet import KEYFRAME, PREVIEW, FramePacket
from tests.support.session_harness import Table


@pytest.mark.parametrize("game", ["breakout", "tower-of-hanoi-4"])
def test_O10_the_page_has_the_picture_before_it_asks_for_the_game(tmp_path: Path, game: str) -> None:
    table = Table(tmp_path, game)
    ahead = FramePacket.unpack(table.ahead[-1])
    assert (ahead.flags & ~8, ahead.frame, ahead.x, ahead.y) == (PREVIEW | KEYFRAME, 0, 0, 0)
    table.say("start")
    opening = FramePacket.unpack(table.packets[0])
    assert opening.flags == ahead.flags & ~PREVIEW
    assert (ahead.data, ahead.palette) == (opening.data, opening.palette)
    table.say("leave")
    assert len(table.ahead) == 1
    table.session.tick(table.now + 2_000_000)
    table.session.prepare()
    assert len(table.ahead) == 2
