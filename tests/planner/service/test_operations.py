"""google.longrunning.Operations over a real socket."""

from __future__ import annotations

import time

import grpc
import pytest
from google.longrunning import operations_pb2

from planner.service.gen.fulcrum.v1 import plan_pb2


def progress_of(operation):
    progress = plan_pb2.PlanProgress()
    assert operation.metadata.Unpack(progress)
    return progress


def test_the_metadata_is_the_latest_progress(shared_server):
    operation = shared_server.create("{fleet: demo, steps: 3, pause_s: 0.01}")
    assert progress_of(operation).state == plan_pb2.Plan.STATE_QUEUED

    done = shared_server.wait(operation)

    progress = progress_of(done)
    assert progress.plan == operation.name.replace("operations/", "plans/")
    assert progress.state == plan_pb2.Plan.STATE_OPTIMAL
    assert (progress.sequence, progress.phase, progress.bound) == (3, "step 2", 2.0)


def test_waiting_ends_at_its_timeout_or_before_the_deadline(server):
    operation = server.create("{fleet: demo, pause_s: 600}")
    request = operations_pb2.WaitOperationRequest(name=operation.name)
    start = time.monotonic()

    assert not server.operations.WaitOperation(request, timeout=1.0).done

    request.timeout.FromMilliseconds(100)
    assert not server.operations.WaitOperation(request, timeout=30).done
    assert time.monotonic() - start < 10


def test_waiting_for_what_is_done_returns_at_once(shared_server):
    done = shared_server.wait(shared_server.create())
    request = operations_pb2.WaitOperationRequest(name=done.name)

    assert shared_server.operations.WaitOperation(request, timeout=30) == done
    assert (
        shared_server.operations.GetOperation(operations_pb2.GetOperationRequest(name=done.name), timeout=10)
        == done
    )


def test_operations_are_listed_in_pages(server):
    names = [server.create().name for _ in range(3)]

    first = server.operations.ListOperations(operations_pb2.ListOperationsRequest(page_size=2), timeout=10)
    second = server.operations.ListOperations(
        operations_pb2.ListOperationsRequest(
            name="operations", page_size=2, page_token=first.next_page_token
        ),
        timeout=10,
    )

    assert [operation.name for operation in [*first.operations, *second.operations]] == names[::-1]
    assert not second.next_page_token


@pytest.mark.parametrize("fields", [{"filter": "done=true"}, {"name": "plans"}])
def test_what_cannot_be_asked_is_refused(shared_server, fields):
    with pytest.raises(grpc.RpcError) as refused:
        shared_server.operations.ListOperations(operations_pb2.ListOperationsRequest(**fields), timeout=10)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_cancelling_twice_or_after_the_end_changes_nothing(shared_server):
    done = shared_server.wait(shared_server.create())
    cancel = operations_pb2.CancelOperationRequest(name=done.name)
    shared_server.operations.CancelOperation(cancel, timeout=10)
    shared_server.operations.CancelOperation(cancel, timeout=10)

    assert shared_server.wait(done) == done


def test_operations_are_not_deleted(shared_server):
    with pytest.raises(grpc.RpcError) as refused:
        shared_server.operations.DeleteOperation(
            operations_pb2.DeleteOperationRequest(name="operations/" + "0" * 32), timeout=10
        )
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
