import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { parseRecipe } from "@coalmine/recipe";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { processesIn, processRig, until } from "../../simulator/core-device/testing/process-rig.ts";
import { coreDevice } from "../artifacts-setup.ts";

/**
 * Components as others write them for Greengrass, unchanged but for the bucket, on a process device; each with what the
 * nucleus is documented to do with it.
 */
const folder = join(import.meta.dirname, "components");
const hasPython = works("python3", "--version");
const needPython = new Set(["com.example.HelloWorld", "org.others.PythonListener"]);

let rig: Awaited<ReturnType<typeof processRig>>;
let root: string;
beforeAll(async () => {
  rig = await processRig(await coreDevice());
  const identity = await rig.operator.register("core-1");
  root = await rig.rootOf(identity);
  await chmod(rig.folder, 0o755);
  const components: Record<string, { componentVersion: string }> = {};
  for (const name of readdirSync(folder)) {
    const { component, version } = await publish(join(folder, name));
    if (hasPython || !needPython.has(component)) components[component] = { componentVersion: version };
  }
  // Where whoever set the machine up has put the SDK.
  const environment = { NODE_PATH: join(import.meta.dirname, "../../node_modules") };
  await rig.start(root, { environment });
  await rig.operator.invoke("greengrass", "CreateDeployment", {
    targetArn: "arn:aws:iot:us-east-1:123456789012:thinggroup/fleet",
    components,
    deploymentPolicies: { failureHandlingPolicy: "DO_NOTHING" },
  });
}, 120_000);
afterAll(() => rig.close());

test(
  "a run script that ends well leaves its component FINISHED, with what it said in its log",
  { skip: !hasPython },
  async () => {
    await reaches("com.example.HelloWorld", "FINISHED");
    await says(
      "com.example.HelloWorld",
      "stdout. Hello, world! Greetings from your first Greengrass component.",
    );
  },
);

test("a startup script that ends leaves its component RUNNING with what it left behind [core-device-4.27]", async () => {
  await reaches("org.others.ShellDaemon", "RUNNING");
  await says("org.others.ShellDaemon", "stdout. started by inner on core-1.");
});

test("the first manifest that fits selects of the global lifecycle; a skipped step went well, what is not configured stays as it is written", async () => {
  await reaches("org.others.Selected", "FINISHED");
  await says(
    "org.others.Selected",
    'port 8080 list [1,{"two":true}] unknown {configuration:/nothing} version 2.18.0 in org.others.Selected.',
  );
  expect(await rig.logOf(root, "org.others.Selected")).not.toContain("installed");
});

test("a component that fails twice is recovered and started again at once", async () => {
  await says("org.others.Recovering", "stderr. try 2.");
  await reaches("org.others.Recovering", "RUNNING");
  const log = await rig.logOf(root, "org.others.Recovering");
  expect(log.match(/stdout\. recovered\./g)).toHaveLength(2);
});

test("a run script that outlasts its timeout three times is BROKEN; a deployment that saw it run has succeeded", async () => {
  await reaches("org.others.TooSlow", "BROKEN");
  expect(await rig.operator.effective("core-1")).toEqual(["SUCCEEDED"]);
});

test("a component with the official client publishes what its policy allows, and is told what it does not", async () => {
  await says("org.others.NodePublisher", "stdout. published 3.");
  await says("org.others.NodePublisher", "Principal org.others.NodePublisher is not authorized to perform");
});

test("a component that writes its own frames hears others", { skip: !hasPython }, async () => {
  await says("org.others.PythonListener", "heard others/clock True.");
  expect(await rig.logOf(root, "org.others.PythonListener")).toContain("answer {}");
});

test("stopping the device runs their shutdown scripts and leaves nothing behind [core-device-4.27]", async () => {
  const device = rig.children.at(-1);
  device?.kill("SIGTERM");
  if (device?.exitCode === null) await once(device, "exit");
  expect(await rig.logOf(root, "org.others.ShellDaemon")).toContain("stdout. stopped by outer.");
  expect(await processesIn(root)).toEqual([]);
});

async function publish(from: string): Promise<{ component: string; version: string }> {
  const files = readdirSync(from);
  const recipeFile = files.find((file) => file.startsWith("recipe.")) ?? "";
  const text = readFileSync(join(from, recipeFile), "utf8").replaceAll("s3://BUCKET/", "s3://artifacts/");
  const recipe = parseRecipe(text, recipeFile);
  for (const { uri } of recipe.manifests.flatMap(({ artifacts }) => artifacts)) {
    const Key = uri.replace("s3://artifacts/", "");
    const file = Key.split("/").at(-1) ?? "";
    const script = file.replace(/\.zip$/, ".js");
    const bytes = readFileSync(join(from, script));
    const Body = file.endsWith(".zip") ? zipSync({ [script]: bytes }) : new Uint8Array(bytes);
    await rig.cloud.cloud.invoke("s3", "PutObject", { Bucket: "artifacts", Key, Body });
  }
  const created = await rig.cloud.cloud.invoke("greengrass", "CreateComponentVersion", {
    inlineRecipe: Buffer.from(text),
  });
  const { arn } = z.object({ arn: z.string() }).parse(created);
  await until(`${recipe.componentName} is DEPLOYABLE`, async () => {
    const answer = await rig.cloud.cloud.invoke("greengrass", "DescribeComponent", { arn });
    return Described.parse(answer).status.componentState === "DEPLOYABLE";
  });
  return { component: recipe.componentName, version: recipe.componentVersion };
}

const Described = z.object({ status: z.object({ componentState: z.string() }) });

const Installed = z.object({
  installedComponents: z.array(z.object({ componentName: z.string(), lifecycleState: z.string() })),
});

async function reaches(component: string, state: string): Promise<void> {
  await until(`${component} is ${state}`, async () => {
    const answer = await rig.operator
      .invoke("greengrass", "ListInstalledComponents", {
        coreDeviceThingName: "core-1",
        topologyFilter: "ALL",
      })
      .catch(() => ({ installedComponents: [] }));
    return Installed.parse(answer).installedComponents.some(
      ({ componentName, lifecycleState }) => componentName === component && lifecycleState === state,
    );
  });
}

async function says(component: string, line: string): Promise<void> {
  await until(`${component} says ${line}`, async () => (await rig.logOf(root, component)).includes(line));
}

function works(program: string, ...words: string[]): boolean {
  try {
    execFileSync(program, words, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
