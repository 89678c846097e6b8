"""Walks a pool through its whole life with azure-batch 15.x: walk.py ENDPOINT ACCOUNT KEY."""

import datetime
import sys

from azure.batch import BatchClient, models
from azure.core import MatchConditions
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError

from steps import done, expect, refused, step, wait

ENDPOINT, ACCOUNT, KEY = sys.argv[1:4]
IMAGE = models.VirtualMachineConfiguration(
    image_reference=models.BatchVmImageReference(
        publisher="canonical", offer="0001-com-ubuntu-server-jammy", sku="22_04-lts", version="latest"
    ),
    node_agent_sku_id="batch.node.ubuntu 22.04",
)
client = BatchClient(ENDPOINT, AzureNamedKeyCredential(ACCOUNT, KEY), polling_interval=1)


def refuse(status, code, call, *given, **named):
    """Calls what must be refused; no retries, for 503 would be asked again until it is over."""
    try:
        call(*given, retry_total=0, **named)
    except HttpResponseError as error:
        return refused(error, status, code)
    sys.exit(f"{call.__name__} was not refused with {status} {code}")


def options(name, **settings):
    return models.BatchPoolCreateOptions(
        id=name, vm_size="standard_d2s_v5", virtual_machine_configuration=IMAGE, **settings
    )


def steady(name, dedicated, spot=0):
    pool = wait(
        f"{name} to be steady at {dedicated} + {spot}",
        lambda: client.get_pool(name),
        lambda pool: pool.allocation_state == "steady"
        and (pool.current_dedicated_nodes, pool.current_low_priority_nodes) == (dedicated, spot),
    )
    return pool


def counts(name):
    found = list(client.list_pool_node_counts(filter=f"poolId eq '{name}'"))
    expect(len(found) == 1, found)
    return found[0]


def resize(name, dedicated, spot, **named):
    wanted = models.BatchPoolResizeOptions(target_dedicated_nodes=dedicated, target_low_priority_nodes=spot)
    return client.begin_resize_pool(name, wanted, polling_interval=1, **named)


def tasks(prefix, count, **settings):
    return [
        models.BatchTaskCreateOptions(id=f"{prefix}{number}", command_line="/bin/true", **settings)
        for number in range(count)
    ]


def proof():
    stranger = BatchClient(ENDPOINT, AzureNamedKeyCredential(ACCOUNT, "c3RyYW5nZXI="))
    body = refuse(403, "AuthenticationFailed", stranger.get_pool, "walk")
    details = {pair["key"]: pair["value"] for pair in body["values"]}
    expect("string to sign: 'GET\n" in details["AuthenticationErrorDetail"], body)
    step("a wrong key is refused, with the text that was signed")
    agents = {image.node_agent_sku_id for image in client.list_supported_images(filter="osType eq 'linux'")}
    expect("batch.node.ubuntu 22.04" in agents, agents)
    step(f"{len(agents)} agents for Linux images")


def birth():
    client.create_pool(options("walk", target_dedicated_nodes=2, task_slots_per_node=2))
    pool = client.get_pool("WALK")
    expect((pool.id, pool.target_dedicated_nodes, pool.state) == ("walk", 2, "active"), pool)
    expect(client.pool_exists("walk"), "the pool exists")
    step("a pool is created and found by its id in any case")
    refuse(409, "PoolExists", client.create_pool, options("Walk", target_dedicated_nodes=0))
    refuse(404, "PoolNotFound", client.get_pool, "nowhere")
    bad = options("bad", target_dedicated_nodes=-1)
    refuse(400, "InvalidPropertyValue", client.create_pool, bad)
    step("a second pool of that id, an unknown pool and a negative target are refused")
    steady("walk", 2)
    wait("two idle nodes", lambda: counts("walk").dedicated, lambda nodes: nodes.idle == 2)
    nodes = list(client.list_nodes("walk", select=["id", "state", "isDedicated"]))
    expect(len(nodes) == 2 and all(node.is_dedicated for node in nodes), nodes)
    step("two nodes boot and are idle")


def work():
    job = models.BatchJobCreateOptions(id="job", pool_info=models.BatchPoolInfo(pool_id="walk"))
    client.create_job(job)
    refuse(409, "JobExists", client.create_job, job)
    client.create_task("job", tasks("single-", 1)[0])
    refuse(409, "TaskExists", client.create_task, "job", tasks("single-", 1)[0])
    added = client.create_tasks("job", tasks("many-", 150)).result_values
    expect(len(added) == 150 and all(one.status.lower() == "success" for one in added), added)
    step("a job, a task, and 150 tasks in collections of at most 100")
    wait(
        "tasks to run in every slot",
        lambda: client.get_job_task_counts("job").task_slot_counts,
        lambda slots: slots.running == 4,
    )
    wait("busy nodes", lambda: counts("walk").dedicated, lambda nodes: nodes.running == 2)
    step("four slots of two nodes run tasks")
    pages = list(client.list_tasks("job", max_results=60).by_page())
    sizes = [len(list(page)) for page in pages]
    expect(sizes == [60, 60, 31], sizes)
    some = list(client.list_tasks("job", filter="startswith(id,'single')", select=["id", "state"]))
    expect([task.id for task in some] == ["single-0"] and some[0].command_line is None, some)
    step("tasks are listed by pages, filtered and cut down to what is asked for")


FORMULA = """
share = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5);
wanted = share < 20 ? 2 : avg($PendingTasks.GetSample(TimeInterval_Minute * 5)) / 2;
$TargetDedicatedNodes = max(1, min(5, wanted));
$NodeDeallocationOption = taskcompletion;
"""


def autoscale():
    formula = models.BatchPoolEvaluateAutoScaleOptions(auto_scale_formula="$TargetDedicatedNodes = 7;")
    refuse(409, "OperationInvalidForCurrentState", client.evaluate_pool_auto_scale, "walk", formula)
    step("no formula is evaluated for a pool without one")
    as_it_is = models.BatchPoolEnableAutoScaleOptions(auto_scale_formula="$TargetDedicatedNodes = 2;")
    client.enable_pool_auto_scale("walk", as_it_is)
    refuse(503, "TooManyEnableAutoScaleRequests", client.enable_pool_auto_scale, "walk", as_it_is)
    enable = models.BatchPoolEnableAutoScaleOptions(
        auto_scale_formula=FORMULA, auto_scale_evaluation_interval=datetime.timedelta(minutes=5)
    )
    client.enable_pool_auto_scale("walk", enable)
    step("a formula is enabled; another only 30 seconds later, which the SDK waits for")
    run = client.evaluate_pool_auto_scale("walk", formula)
    expect(run.error is None and run.results.startswith("$TargetDedicatedNodes=7;"), run)
    step(f"a good formula: {run.results}")
    unknown = models.BatchPoolEvaluateAutoScaleOptions(auto_scale_formula="$TargetDedicatedNodes = nothing;")
    run = client.evaluate_pool_auto_scale("walk", unknown)
    expect(run.error.code == "AutoScalingFormulaEvaluationError", run)
    told = "; ".join(pair.value for pair in run.error.error_values or [])
    step(f"a formula that fails is no refusal: {told}")
    broken = models.BatchPoolEnableAutoScaleOptions(auto_scale_formula="$TargetDedicatedNodes = ;")
    try:
        client.create_pool(options("broken", enable_auto_scale=True, auto_scale_formula=broken.auto_scale_formula))
        sys.exit("a formula that cannot be read was taken")
    except HttpResponseError as error:
        expect(error.response.status_code == 400, error)
    step("a formula that cannot be read is refused")
    pool = steady("walk", 5)
    expect(pool.auto_scale_run.error is None and "$TargetDedicatedNodes=5" in pool.auto_scale_run.results, pool)
    step(f"the formula grows the pool to 5: {pool.auto_scale_run.results}")
    try:
        resize("walk", 1, 0, retry_total=0)
        sys.exit("a pool with a formula was resized")
    except HttpResponseError as error:
        refused(error, 409, "OperationInvalidForCurrentState")
    step("a pool with a formula is not resized by hand")
    wait(
        "all tasks to be done",
        lambda: client.get_job_task_counts("job").task_counts,
        lambda tasks: tasks.completed == 151,
    )
    steady("walk", 1)
    step("the formula shrinks the pool to 1 when the work is done")
    client.disable_pool_auto_scale("walk")
    expect(not client.get_pool("walk").enable_auto_scale, "the formula is off")
    step("the formula is disabled")


def by_hand():
    etag = client.get_pool("walk").etag
    resize("walk", 3, 0, etag=etag, match_condition=MatchConditions.IfNotModified).result()
    steady("walk", 3)
    step("a resize of the version that was read; the SDK waits for its end")
    wanted = models.BatchPoolResizeOptions(target_dedicated_nodes=9)
    guard = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
    refuse(412, "ConditionNotMet", client.begin_resize_pool, "walk", wanted, **guard)
    step("a resize of an older version is refused")
    # In this pool the scenario lets machines wait.
    client.create_pool(options("slow", target_dedicated_nodes=0))
    resize("slow", 4, 2)
    refuse(409, "PoolBeingResized", client.begin_resize_pool, "slow", wanted)
    step("a second resize while one is under way is refused")
    client.begin_stop_pool_resize("slow", polling_interval=1).result()
    pool = client.get_pool("slow")
    expect(pool.allocation_state == "steady", pool)
    codes = [error.code for error in pool.resize_errors]
    expect(codes == ["ResizeStopped", "ResizeStopped"], codes)
    expect((pool.target_dedicated_nodes, pool.current_dedicated_nodes) == (4, 0), pool)
    step("a stopped resize leaves target and nodes apart, with ResizeStopped for each kind of node")


def preemption():
    # In this pool the scenario takes spot machines away.
    client.create_pool(options("spot", target_low_priority_nodes=6))
    seen = wait("preempted nodes", lambda: counts("spot").low_priority, lambda nodes: nodes.preempted > 0)
    expect(seen.total == 6, seen)
    step(f"{seen.preempted} of {seen.total} spot nodes are preempted, and stay in the total")
    preempted = list(client.list_nodes("spot", filter="state eq 'preempted'"))
    expect(all(not node.is_dedicated for node in preempted), preempted)
    step(f"{len(preempted)} nodes are listed by that state")


def drain():
    node = next(iter(client.list_nodes("walk")))
    let_end = models.BatchNodeDisableSchedulingOptions(node_disable_scheduling_option="taskcompletion")
    client.disable_node_scheduling("walk", node.id, let_end)
    wait("the node to be offline", lambda: client.get_node("walk", node.id).state, lambda state: state == "offline")
    step("a node is cordoned and offline")
    remove = models.BatchNodeRemoveOptions(node_ids=[node.id], node_deallocation_option="requeue")
    client.begin_remove_nodes("walk", remove, polling_interval=1).result()
    pool = steady("walk", 2)
    expect(pool.target_dedicated_nodes == 2, pool)
    wait("the node to be gone", lambda: [other.id for other in client.list_nodes("walk")], lambda ids: node.id not in ids)
    step("it is removed, and the target is one lower")
    other = next(iter(client.list_nodes("walk")))
    client.disable_node_scheduling("walk", other.id, let_end)
    client.enable_node_scheduling("walk", other.id)
    wait("the node to be idle", lambda: client.get_node("walk", other.id).state, lambda state: state == "idle")
    step("another is cordoned and let work again")


def quotas():
    client.create_pool(options("large", target_dedicated_nodes=600))
    pool = wait(
        "the quota to be reached",
        lambda: client.get_pool("large"),
        lambda pool: pool.allocation_state == "steady" and pool.resize_errors,
    )
    codes = [error.code for error in pool.resize_errors]
    expect(codes == ["AccountCoreQuotaReached"], codes)
    expect(pool.current_dedicated_nodes < 600, pool)
    step(f"600 nodes of two cores meet the quota at {pool.current_dedicated_nodes}: {codes[0]}")


def paging():
    for number in range(25):
        client.create_pool(options(f"page-{number:02}", target_dedicated_nodes=0))
    pages = list(client.list_pools(max_results=10, filter="startswith(id,'page-')").by_page())
    ids = [[pool.id for pool in page] for page in pages]
    expect([len(page) for page in ids] == [10, 10, 5], ids)
    expect(sum(ids, []) == [f"page-{number:02}" for number in range(25)], ids)
    step("25 pools come in pages of 10")
    everyone = list(client.list_pool_node_counts())
    expect(len(everyone) >= 25, len(everyone))
    step(f"node counts of {len(everyone)} pools come in pages of ten")
    refuse(400, "InvalidQueryParameterValue", lambda **named: list(client.list_pools(filter="color eq 'red'", **named)))
    step("a filter by what there is not is refused")


def death():
    client.begin_delete_job("job", polling_interval=1).result()
    refuse(404, "JobNotFound", client.get_job, "job")
    step("the job is deleted")
    names = [pool.id for pool in client.list_pools(select=["id"])]
    for name in names:
        client.begin_delete_pool(name, polling_interval=1)
    wait("every pool to be gone", lambda: [pool.id for pool in client.list_pools(select=["id", "state"])], lambda ids: not ids)
    refuse(404, "PoolNotFound", client.get_pool, "walk")
    step(f"{len(names)} pools are deleted")


for part in (proof, birth, work, autoscale, by_hand, preemption, drain, quotas, paging, death):
    part()
done("azure-batch 15.x")
