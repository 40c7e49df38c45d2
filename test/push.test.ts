import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CodePipelineClient,
  GetPipelineStateCommand,
  ListPipelineExecutionsCommand,
} from "@aws-sdk/client-codepipeline";
import { silentLog } from "@coalmine/runtime";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HOME, startHomeRegion, type HomeRegion } from "../cli/system/home-region.ts";
import { places } from "../cli/system/state.ts";

/** A real push to a real hook: what a developer sees, and what the pipeline then does. */
const folder = mkdtempSync(join(tmpdir(), "coalmine-push-"));
const work = join(folder, "work");
const at = places(work, { COALMINE_STATE: join(folder, "base") });
let home: HomeRegion;
let codepipeline: CodePipelineClient;

beforeAll(async () => {
  mkdirSync(join(work, "pipeline"), { recursive: true });
  define("echo checked");
  git("init", "--quiet", "--initial-branch=main");
  commit("one");
  home = await startHomeRegion(at, silentLog, () => ({}));
  const { accessKeyId, secretAccessKey } = home.secrets;
  codepipeline = new CodePipelineClient({
    region: HOME.region,
    endpoint: home.cloud.endpoint,
    credentials: { accessKeyId, secretAccessKey },
  });
  git("remote", "add", "fleet", at.repository);
}, 60_000);
afterAll(async () => {
  codepipeline.destroy();
  await home.close();
  rmSync(folder, { recursive: true, force: true });
});

test("what the repository began with is no push; the first push is, and the pusher reads what happens", async () => {
  commit("two");
  const said = await push("main");
  expect(said).toMatch(/coalmine: pipeline coalmine is new: Source → Check → .* → Verify/);
  expect(said).toMatch(/coalmine: [0-9a-f]{12} on main is on its way: execution /);
  // The commands of the first work stage ran in a checkout of the push.
  await expect.poll(() => summaryOf("Check", "Install"), { timeout: 20_000 }).toBe("checked two");
});

test("a push that changes the pipeline itself says so, and runs by its own definition", async () => {
  define("echo looked");
  commit("three");
  expect(await push("main")).toMatch(
    /this push changes the pipeline itself: .*stage Check runs other commands/,
  );
  await expect.poll(() => summaryOf("Check", "Install"), { timeout: 20_000 }).toBe("looked three");
});

test("another branch has a pipeline of its own that ends before anything is published", async () => {
  expect(await push("try/idea")).toMatch(
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
  commit("four");
  expect(await push("main")).toMatch(
    /is kept, but its pipeline did not start: .* Is `npm start` running\? Push again when it is\./,
  );
  expect(
    execFileSync("git", ["--git-dir", at.repository, "log", "-1", "--format=%s", "main"], {
      encoding: "utf8",
    }).trim(),
  ).toBe("four");
});

function define(command: string): void {
  const root = join(import.meta.dirname, "..");
  cpSync(join(root, "pipeline/definition.ts"), join(work, "pipeline/definition.ts"));
  const file = join(work, "pipeline/definition.ts");
  const own = `${command} "$(git log -1 --format=%s)"`;
  writeFileSync(
    file,
    readFileSync(file, "utf8").replace('"node pipeline/stages/install.ts"', JSON.stringify(own)),
  );
}

function git(...words: string[]): string {
  return execFileSync("git", words, { cwd: work, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function commit(message: string): void {
  git("add", "--all");
  git(
    "-c",
    "user.name=t",
    "-c",
    "user.email=t@example.com",
    "commit",
    "--quiet",
    "--allow-empty",
    "--message",
    message,
  );
}

/** Pushes HEAD; gives what the pusher reads, which git writes to standard error. Not synchronous: the cloud is here. */
async function push(branch: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    "sh",
    ["-c", `git push fleet HEAD:refs/heads/${branch} 2>&1`],
    {
      cwd: work,
    },
  );
  return stdout;
}

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
