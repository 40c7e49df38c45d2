import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CodePipelineClient,
  GetPipelineStateCommand,
  ListPipelineExecutionsCommand,
} from "@aws-sdk/client-codepipeline";
import { silentLog } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HOME, startHomeRegion, type HomeRegion } from "../cli/system/home-region.ts";
import { places } from "../cli/system/state.ts";
import { Developer } from "./developer.ts";

/** A real push to a real hook: what a developer sees, and what the pipeline then does. */
const folder = mkdtempSync(join(tmpdir(), "coalmine-push-"));
const work = join(folder, "work");
const at = places(work, { COALMINE_STATE: join(folder, "base") });
let developer: Developer;
let home: HomeRegion;
let codepipeline: CodePipelineClient;

beforeAll(async () => {
  developer = new Developer(work);
  home = await startHomeRegion(at, silentLog, () => ({}));
  const { accessKeyId, secretAccessKey } = home.secrets;
  codepipeline = new CodePipelineClient({
    region: HOME.region,
    endpoint: home.cloud.endpoint,
    credentials: { accessKeyId, secretAccessKey },
  });
  developer.git("remote", "add", "fleet", at.repository);
}, 60_000);
afterAll(async () => {
  codepipeline.destroy();
  await home.close();
  rmSync(folder, { recursive: true, force: true });
});

test("what the repository began with is no push; the first push is, and the pusher reads what happens", async () => {
  developer.commit("two");
  const said = await developer.push("main");
  expect(said).toMatch(/coalmine: pipeline coalmine is new: Source → Check → .* → Verify/);
  expect(said).toMatch(/coalmine: [0-9a-f]{12} on main is on its way: execution /);
  // The commands of the first work stage ran in a checkout of the push.
  await expect.poll(() => summaryOf("Check", "Install"), { timeout: 20_000 }).toBe("checked two");
});

test("a push that changes the pipeline itself says so, and runs by its own definition", async () => {
  developer.define("echo looked");
  developer.commit("three");
  expect(await developer.push("main")).toMatch(
    /this push changes the pipeline itself: .*stage Check runs other commands/,
  );
  await expect.poll(() => summaryOf("Check", "Install"), { timeout: 20_000 }).toBe("looked three");
});

test("another branch has a pipeline of its own that ends before anything is published", async () => {
  expect(await developer.push("try/idea")).toMatch(
    /pipeline coalmine-try-idea is new: Source → Check → Build → Rehearse\s/,
  );
});

test("the hook's secrets are readable by their owner alone, and stand nowhere else in the repository", () => {
  expect(statSync(join(at.repository, "coalmine-hook.json")).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(at.repository, "hooks/post-receive"), "utf8")).not.toContain(
    home.secrets.secretAccessKey,
  );
});

test("a push while nothing runs is kept, and the pusher is told what to do", async () => {
  await home.close();
  developer.commit("four");
  expect(await developer.push("main")).toMatch(
    /is kept, but its pipeline did not start: .* Is `npm start` running\? Push again when it is\./,
  );
  expect(
    execFileSync("git", ["--git-dir", at.repository, "log", "-1", "--format=%s", "main"], {
      encoding: "utf8",
    }).trim(),
  ).toBe("four");
});

async function summaryOf(stage: string, action: string): Promise<string | undefined> {
  const { pipelineExecutionSummaries = [] } = await codepipeline.send(
    new ListPipelineExecutionsCommand({ pipelineName: "coalmine" }),
  );
  if (pipelineExecutionSummaries.length === 0) return undefined;
  const { stageStates = [] } = await codepipeline.send(new GetPipelineStateCommand({ name: "coalmine" }));
  return stageStates
    .find(({ stageName }) => stageName === stage)
    ?.actionStates?.find(({ actionName }) => actionName === action)?.latestExecution?.summary;
}
