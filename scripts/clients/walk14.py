"""Walks a pool through its life with azure-batch 14.x: walk14.py ENDPOINT ACCOUNT KEY."""

import datetime
import sys

from azure.batch import BatchServiceClient, models
from azure.batch.batch_auth import SharedKeyCredentials

from steps import done, expect, step, wait

ENDPOINT, ACCOUNT, KEY = sys.argv[1:4]
client = BatchServiceClient(SharedKeyCredentials(ACCOUNT, KEY), batch_url=ENDPOINT)
IMAGE = models.VirtualMachineConfiguration(
    image_reference=models.ImageReference(
        publisher="canonical", offer="0001-com-ubuntu-server-jammy", sku="22_04-lts", version="latest"
    ),
    node_agent_sku_id="batch.node.ubuntu 22.04",
)


def refuse(status, code, call, *given):
    try:
        call(*given)
    except models.BatchErrorException as error:
        seen = (error.response.status_code, error.error.code)
        expect(seen == (status, code), f"{seen}, not {(status, code)}")
        return
    sys.exit(f"not refused with {status} {code}")


def steady(name, dedicated):
    return wait(
        f"{name} to be steady at {dedicated}",
        lambda: client.pool.get(name),
        lambda pool: (pool.allocation_state.value, pool.current_dedicated_nodes) == ("steady", dedicated),
    )


client.pool.add(
    models.PoolAddParameter(
        id="old", vm_size="STANDARD_D2S_V5", virtual_machine_configuration=IMAGE, target_dedicated_nodes=2
    )
)
refuse(409, "PoolExists", client.pool.add, models.PoolAddParameter(id="OLD", vm_size="standard_d2s_v5", virtual_machine_configuration=IMAGE, target_dedicated_nodes=0))
pool = steady("old", 2)
expect(pool.vm_size == "standard_d2s_v5", pool.vm_size)
step("a pool is created and grows to 2")

client.job.add(models.JobAddParameter(id="old-job", pool_info=models.PoolInformation(pool_id="old")))
many = [models.TaskAddParameter(id=f"t{number}", command_line="/bin/true") for number in range(20)]
added = client.task.add_collection("old-job", many).value
expect(all(one.status == models.TaskAddStatus.success for one in added), added)
wait("tasks to end", lambda: client.job.get_task_counts("old-job").task_counts.completed, lambda done: done == 20)
expect(len(list(client.task.list("old-job", models.TaskListOptions(max_results=7)))) == 20, "pages of 7")
step("20 tasks are added in one call and end")

client.pool.enable_auto_scale(
    "old", auto_scale_formula="$TargetDedicatedNodes = 3;", auto_scale_evaluation_interval=datetime.timedelta(minutes=6)
)
run = client.pool.evaluate_auto_scale("old", "$TargetDedicatedNodes = 1 + 1;")
expect(run.error is None and "$TargetDedicatedNodes=2" in run.results, run.results)
run = client.pool.evaluate_auto_scale("old", "$TargetDedicatedNodes = $Nothing;")
expect(run.error.code == "AutoScalingFormulaEvaluationError", run.error)
steady("old", 3)
refuse(409, "OperationInvalidForCurrentState", client.pool.resize, "old", models.PoolResizeParameter(target_dedicated_nodes=1))
step("a formula is enabled, others are evaluated, the pool follows the first")
client.pool.disable_auto_scale("old")
client.pool.resize("old", models.PoolResizeParameter(target_dedicated_nodes=1, target_low_priority_nodes=0))
refuse(409, "PoolBeingResized", client.pool.resize, "old", models.PoolResizeParameter(target_dedicated_nodes=2))
steady("old", 1)
step("it is disabled, the pool shrinks to 1, and no second resize meanwhile")

node = next(iter(client.compute_node.list("old")))
client.compute_node.disable_scheduling("old", node.id)
wait("the node to be offline", lambda: client.compute_node.get("old", node.id).state.value, lambda state: state == "offline")
client.pool.remove_nodes("old", models.NodeRemoveParameter(node_list=[node.id]))
steady("old", 0)
counts = [count for count in client.account.list_pool_node_counts() if count.pool_id == "old"]
expect(len(counts) == 1, counts)
step("a node is cordoned and removed")

client.pool.patch("old", models.PoolPatchParameter(metadata=[models.MetadataItem(name="a", value="b")]))
expect(client.pool.get("old").metadata[0].value == "b", "metadata")
client.job.terminate("old-job", "enough")
client.job.delete("old-job")
client.pool.delete("old")
wait("the pool to be gone", lambda: [pool.id for pool in client.pool.list()], lambda ids: "old" not in ids)
refuse(404, "PoolNotFound", client.pool.get, "old")
step("metadata is patched, job and pool are deleted")
done("azure-batch 14.x")
