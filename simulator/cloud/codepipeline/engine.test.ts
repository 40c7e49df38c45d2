import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { CloudEvents, ServiceError, type Caller, type Input } from "../service.ts";
import { memoryStore } from "../store/memory-store.ts";
import { PipelineEngine } from "./engine.ts";
import { tellExecutions } from "./execution-events.ts";
import type { ActionOutcome, ActionRequest } from "./run-action.ts";
import { codePipelineService } from "./service.ts";

const caller: Caller = {
  identity: { kind: "account", principalArn: "arn:aws:iam::123456789012:user/operator" },
};
const wait = { category: "Approval", owner: "AWS", provider: "Manual", version: "1" } as const;
const work = { category: "Compute", owner: "AWS", provider: "Commands", version: "1" } as const;
const source = {
  category: "Source",
  owner: "AWS",
  provider: "CodeStarSourceConnection",
  version: "1",
} as const;
const declaration = (executionMode: "QUEUED" | "SUPERSEDED") => ({
  name: "p",
  executionMode,
  stages: [
    { name: "Source", actions: [{ name: "Push", actionTypeId: source }] },
    { name: "Build", actions: [{ name: "Build", actionTypeId: work, commands: ["make"] }] },
    { name: "Promote", actions: [{ name: "Person", actionTypeId: wait }] },
    { name: "Verify", actions: [{ name: "Verify", actionTypeId: work, commands: ["check"] }] },
  ],
});

test("runs the stages in order, waits for an approval, and tells each action's summary", async () => {
  const { call, requests, finish, settle, told } = pipeline("SUPERSEDED");
  const { pipelineExecutionId } = await push("c1", call);
  await settle();
  expect(requests.map(({ stage, revisionId, commands }) => [stage, revisionId, commands])).toEqual([
    ["Build", "c1", ["make"]],
  ]);
  finish(0, { kind: "succeeded", summary: "4 artifacts" });
  await settle();
  const state = await call("GetPipelineState", { name: "p" });
  expect(state.stageStates[1].actionStates[0].latestExecution).toMatchObject({
    status: "Succeeded",
    summary: "4 artifacts",
  });
  const { token } = state.stageStates[2].actionStates[0].latestExecution;
  await call("PutApprovalResult", {
    pipelineName: "p",
    stageName: "Promote",
    actionName: "Person",
    token,
    result: { status: "Approved", summary: "looks well" },
  });
  await settle();
  finish(1, { kind: "succeeded", summary: "all report" });
  await settle();
  const execution = await call("GetPipelineExecution", { pipelineName: "p", pipelineExecutionId });
  expect(told).toMatchObject(
    ["STARTED", "SUCCEEDED"].map((state) => ({
      source: "aws.codepipeline",
      detailType: "CodePipeline Pipeline Execution State Change",
      resources: ["arn:aws:codepipeline:us-east-1:123456789012:p"],
      detail: { pipeline: "p", "execution-id": pipelineExecutionId, state, version: 1 },
    })),
  );
  expect(execution.pipelineExecution).toMatchObject({
    status: "Succeeded",
    artifactRevisions: [{ revisionId: "c1" }],
  });
});

test("a wait can be answered once, and only with its own token", async () => {
  const { call, finish, settle } = pipeline("SUPERSEDED");
  await push("c1", call);
  await settle();
  finish(0, { kind: "succeeded", summary: "" });
  await settle();
  const approve = (token: string) =>
    call("PutApprovalResult", {
      pipelineName: "p",
      stageName: "Promote",
      actionName: "Person",
      token,
      result: { status: "Rejected", summary: "no" },
    });
  await expect(approve("00000000-0000-4000-8000-000000000000")).rejects.toMatchObject({
    code: "InvalidApprovalTokenException",
  });
  const { token } = (await call("GetPipelineState", { name: "p" })).stageStates[2].actionStates[0]
    .latestExecution;
  await approve(token);
  await expect(approve(token)).rejects.toBeInstanceOf(ServiceError);
  expect(
    (await call("ListPipelineExecutions", { pipelineName: "p" })).pipelineExecutionSummaries[0],
  ).toMatchObject({ status: "Failed", statusSummary: "no" });
});

test("a failed command ends the execution with its last words", async () => {
  const { call, finish, settle } = pipeline("SUPERSEDED");
  const { pipelineExecutionId } = await push("c1", call);
  await settle();
  finish(0, { kind: "failed", summary: "recipe does not parse" });
  await settle();
  const { pipelineExecution } = await call("GetPipelineExecution", {
    pipelineName: "p",
    pipelineExecutionId,
  });
  expect(pipelineExecution).toMatchObject({ status: "Failed", statusSummary: "recipe does not parse" });
});

test("a newer push supersedes one that waits before a stage", async () => {
  const { call, requests, finish, settle } = pipeline("SUPERSEDED");
  for (const commit of ["c1", "c2", "c3"]) await push(commit, call);
  await settle();
  finish(0, { kind: "succeeded", summary: "" });
  await settle();
  expect(requests.map(({ revisionId }) => revisionId)).toEqual(["c1", "c3"]);
  const { pipelineExecutionSummaries } = await call("ListPipelineExecutions", { pipelineName: "p" });
  expect(pipelineExecutionSummaries.map((one: { status: string }) => one.status)).toEqual([
    "InProgress",
    "Superseded",
    "InProgress",
  ]);
});

test("in QUEUED mode each push waits for the one before it to end", async () => {
  const { call, requests, finish, settle } = pipeline("QUEUED");
  await push("c1", call);
  await push("c2", call);
  await settle();
  finish(0, { kind: "failed", summary: "" });
  await settle();
  expect(requests.map(({ revisionId }) => revisionId)).toEqual(["c1", "c2"]);
});

test("commands that a stop cut off run again at the next start", async () => {
  const first = pipeline("SUPERSEDED");
  await push("c1", first.call);
  await first.settle();
  first.engine.close();
  const second = pipeline("SUPERSEDED", first.store);
  expect(second.engine.resume()).toEqual(["p Build/Build of c1"]);
  await second.settle();
  second.finish(0, { kind: "succeeded", summary: "" });
  await second.settle();
  expect((await second.call("GetPipelineState", { name: "p" })).stageStates[2].latestExecution.status).toBe(
    "InProgress",
  );
});

function push(
  commit: string,
  call: (operation: string, input: object) => Promise<Input>,
): Promise<{ pipelineExecutionId: string }> {
  return call("StartPipelineExecution", {
    name: "p",
    sourceRevisions: [{ actionName: "Push", revisionType: "COMMIT_ID", revisionValue: commit }],
  });
}

function pipeline(mode: "QUEUED" | "SUPERSEDED", store = memoryStore()) {
  const clock = new DrivenClock(0, () => new Promise((done) => setImmediate(done)));
  const requests: ActionRequest[] = [];
  const events = new CloudEvents();
  const told: object[] = [];
  events.on((event) => told.push(event));
  const place = { region: "us-east-1", accountId: "123456789012" };
  const finishers: ((outcome: ActionOutcome) => void)[] = [];
  const engine = new PipelineEngine({
    clock,
    random: new SeededRandom("pipeline"),
    store,
    changed: tellExecutions(events, place),
    run: (request) => {
      requests.push(request);
      return new Promise((done) => {
        finishers.push(done);
        request.signal.addEventListener("abort", () => done({ kind: "failed", summary: "aborted" }));
      });
    },
  });
  const service = codePipelineService(store, engine, place, () => clock.now());
  const call = async (operation: string, input: object): Promise<Input> =>
    service.operations[operation]?.(input, caller);
  if (store.table("codepipeline-pipelines").get("p") === undefined)
    void call("CreatePipeline", { pipeline: declaration(mode) });
  return {
    store,
    engine,
    call,
    requests,
    told,
    finish: (index: number, outcome: ActionOutcome) => finishers[index]?.(outcome),
    settle: () => clock.settle(),
  };
}
