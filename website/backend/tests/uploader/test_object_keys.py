"""Keys of objects: a burst of uploads stays below the limit of a bucket for ordered keys."""

from collections import Counter
from uuid import UUID

import pytest

from skill_arcade.ids import new_episode_id
from skill_arcade.storage.objects.google import GoogleObjects, RetryPolicy
from skill_arcade.uploader.objects import find_episode, list_prefixes, object_key, quarantine_key
from tests.support.cloud.storage import storage_server


@pytest.mark.anyio
async def test_object_keys_of_a_burst_stay_below_the_limit_of_ordered_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tournament: 200 episodes that start in the same millisecond upload their first segments at once."""
    with storage_server() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
        server.bucket.max_writes_per_range, server.bucket.now = 12, lambda: 0.0
        once = RetryPolicy(connect=30, answer=30, first_wait=0.02, longest_wait=0.02, all_tries=1)
        store = GoogleObjects(server.bucket.name, workers=2, retry_policy=once)
        for number in range(200):
            episode = UUID(int=new_episode_id(1_800_000_000_000).int & ~(0xFF << 32) | number * 77 % 256 << 32)
            await store.put(object_key(episode, 0, "png"), b"frames")
        await store.close()
        assert len(server.bucket.objects) == 200


def test_object_keys_of_new_episodes_are_spread() -> None:
    first = Counter(object_key(new_episode_id(1_800_000_000_000), 0, "png").split("/")[1] for _ in range(2000))
    assert len(first) > 200
    assert max(first.values()) < 40


def test_object_keys_belong_to_their_episode() -> None:
    episode = new_episode_id()
    keys = [object_key(episode, 7, "png"), quarantine_key(episode, 7, "json"), f"episodes/{episode}/000007.png"]
    assert {find_episode(key) for key in keys} == {episode}
    assert all(key.startswith(list_prefixes(episode)) for key in keys)
    assert find_episode("episodes/no-id/000000.png") is None
