"""Uploaded profiles: whole, once, of one tenant, and kept as long as a plan rests on them."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from planner.store.plan_profiles import ProfileGone
from planner.store.plans import PlanStore, RequestIdReused
from planner.store.profiles import ProfileDeleted, ProfileExists, ProfileQuotaFull, ProfileStore
from planner.store.records import NewPlan, NewProfile


@pytest.fixture
def profiles(store: PlanStore, clock) -> ProfileStore:
    return ProfileStore(store.database, clock)


def upload(
    name: str = "mine", digest: str = "a", size: int = 10, tenant: str = "red", **fields
) -> NewProfile:
    tables = {"gemm": digest.encode() * (size - 1), "hbm": b"\x00"}
    return NewProfile(
        tenant=tenant, name=name, digest=digest, manifest_json=f'"{digest}"', tables=tables, uploader="ci",
        **fields,
    )  # fmt: skip


def plan(store: PlanStore, tenant: str = "red", **profiles: str) -> str:
    return store.add(NewPlan(tenant=tenant, fleet="f", document="d", profiles=profiles))[0].id


def contents(profiles: ProfileStore, *digests: str, tenant: str = "red") -> list[bool]:
    return [profiles.content(tenant, digest) is not None for digest in digests]


def test_what_is_added_is_there_whole(profiles) -> None:
    record = profiles.add(upload())
    assert profiles.get("red", "mine") == record
    assert (record.digest, record.size_bytes, record.uploader) == ("a", 10, "ci")
    content = profiles.content("red", "a")
    assert content.manifest_json == '"a"' == record.manifest_json
    assert content.tables == {"gemm": b"a" * 9, "hbm": b"\x00"}


def test_a_content_is_read_in_parts(profiles) -> None:
    content = bytes(range(256)) * 40
    new = upload()
    profiles.add(replace(new, tables={"gemm": content, "hbm": b"\x00"}))
    assert profiles.sizes("red", "a") == ('"a"', {"gemm": len(content), "hbm": 1})
    parts = [profiles.part("red", "a", "gemm", start=at, count=999) for at in range(0, len(content), 999)]
    assert b"".join(parts) == content
    assert profiles.part("red", "a", "hbm", start=0, count=999) == b"\x00"
    assert profiles.part("red", "a", "moe", start=0, count=999) is None
    assert profiles.sizes("green", "a") is None
    assert profiles.part("green", "a", "gemm", start=0, count=999) is None


def test_a_tenant_has_its_own_names_and_contents(profiles) -> None:
    profiles.add(upload(tenant="red"))
    assert profiles.get("green", "mine") is None
    assert profiles.content("green", "a") is None
    assert not profiles.delete("green", "mine")
    profiles.add(upload(tenant="green", digest="b"))
    assert (profiles.digests("red"), profiles.digests("green")) == ({"mine": "a"}, {"mine": "b"})


def test_pages_are_in_order_of_code_points(profiles) -> None:
    names = ["a-b", "a.b", "a_b", "ab", "b", "0"]
    for name in names:
        profiles.add(upload(name))
    found, after = [], ""
    while page := profiles.page("red", limit=2, after=after):
        found += [record.name for record in page]
        after = found[-1]
    assert found == sorted(names)


def test_other_content_needs_leave_to_take_a_name(profiles) -> None:
    first = profiles.add(upload())
    assert profiles.add(upload()) == first
    with pytest.raises(ProfileExists):
        profiles.add(upload(digest="b"))
    assert profiles.add(upload(digest="b", replace_existing=True)).digest == "b"
    assert contents(profiles, "a", "b") == [False, True]


def test_a_retry_does_not_undo_what_came_later(profiles) -> None:
    first = upload(request_id="one", replace_existing=True)
    profiles.add(first)
    profiles.add(upload(digest="b", replace_existing=True))
    assert profiles.add(first).digest == "b"
    with pytest.raises(RequestIdReused):
        profiles.add(upload(digest="c", request_id="one", replace_existing=True))
    assert profiles.add(upload(tenant="green", digest="c", request_id="one")).digest == "c"
    assert profiles.delete("red", "mine")
    with pytest.raises(ProfileDeleted):
        profiles.add(first)


def test_a_refused_upload_leaves_nothing_and_may_come_again(profiles) -> None:
    new = upload(digest="b", request_id="one")
    profiles.add(upload())
    with pytest.raises(ProfileExists):
        profiles.add(new)
    assert contents(profiles, "b") == [False]
    profiles.delete("red", "mine")
    assert profiles.add(new).digest == "b"


def test_quotas(profiles) -> None:
    limits = {"most_profiles": 2, "most_bytes": 25}
    profiles.add(upload("one", "a"), **limits)
    profiles.add(upload("two", "b"), **limits)
    with pytest.raises(ProfileQuotaFull, match="has 2 profiles"):
        profiles.add(upload("three", "c"), **limits)
    with pytest.raises(ProfileQuotaFull, match="would have 30 bytes"):
        profiles.add(upload("two", "c", size=20, replace_existing=True), **limits)
    assert profiles.digests("red") == {"one": "a", "two": "b"}
    profiles.add(upload("two", "c", size=15, replace_existing=True), **limits)
    profiles.add(upload("one", "a", tenant="green"), **limits)


def test_a_plan_keeps_what_it_rests_on(store, profiles) -> None:
    profiles.add(upload())
    made = plan(store, mine="a")
    profiles.add(upload(digest="b", replace_existing=True))
    assert profiles.delete("red", "mine")
    assert contents(profiles, "a", "b") == [True, False]
    assert profiles.pinned(made) == {"mine": "a"}
    with pytest.raises(ProfileQuotaFull, match="those that only plans rest on included"):
        profiles.add(upload(digest="c", size=11), most_bytes=20)


def test_a_plan_on_what_is_gone_is_refused_and_not_stored(store, profiles) -> None:
    profiles.add(upload())
    profiles.delete("red", "mine")
    with pytest.raises(ProfileGone):
        plan(store, mine="a")
    profiles.add(upload(tenant="green"))
    with pytest.raises(ProfileGone):
        plan(store, mine="a")
    assert store.page(tenant="red", limit=9) == []


def test_of_a_plan_and_a_deletion_at_once_no_plan_loses_its_content(store, profiles) -> None:
    """Whichever is first: the plan is refused, or the content stays."""
    outcomes = set()
    for round_ in range(8):
        digest = f"{round_:x}"
        profiles.add(upload(digest=digest))
        barrier, made = threading.Barrier(2), []

        def ask(digest=digest, barrier=barrier, made=made) -> None:
            barrier.wait()
            try:
                made.append(plan(store, mine=digest))
            except ProfileGone:
                made.append(None)

        thread = threading.Thread(target=ask)
        thread.start()
        barrier.wait()
        assert profiles.delete("red", "mine")
        thread.join()
        assert contents(profiles, digest) == [made[0] is not None]
        outcomes.add(made[0] is None)
    assert outcomes


def test_uploads_at_once_keep_to_the_quota(profiles) -> None:
    refused = []

    def add(name: str) -> None:
        try:
            profiles.add(upload(name, name), most_profiles=3)
        except ProfileQuotaFull:
            refused.append(name)

    threads = [threading.Thread(target=add, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(profiles.digests("red")) == 3 == len(refused)
