import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { model, type Client } from "aws-iot-device-sdk-v2/dist/greengrasscoreipc.js";
import { expect } from "vitest";
import * as z from "zod";
import { until } from "../../../simulator/core-device/testing/process-rig.ts";
import { CALLER, TARGET, type Exercises } from "./device-of-callers.ts";

const localDeployment = async (
  cli: Client,
  request: Parameters<Client["createLocalDeployment"]>[0] = {},
): Promise<string> => z.string().parse((await cli.createLocalDeployment(request)).deploymentId);

/** What `greengrass-cli` asks. */
export const commandLine: Exercises = {
  async ListComponents({ cli }) {
    expect((await cli.listComponents({})).components?.map((one) => one.componentName)).toContain(CALLER);
  },
  async GetComponentDetails({ cli, code }) {
    const { componentDetails } = await cli.getComponentDetails({ componentName: CALLER });
    expect(componentDetails).toMatchObject({
      version: "1.0.0",
      state: "RUNNING",
      configuration: { rate: 1 },
    });
    expect(await code("GetComponentDetails", cli.getComponentDetails({ componentName: "none" }))).toBe(
      "ResourceNotFoundError",
    );
    expect(await code("GetComponentDetails", cli.getComponentDetails({ componentName: "" }))).toBe(
      "InvalidArgumentsError",
    );
  },
  async RestartComponent({ cli, code, reaches }) {
    expect(await cli.restartComponent({ componentName: TARGET })).toMatchObject({
      restartStatus: "SUCCEEDED",
    });
    expect(await code("RestartComponent", cli.restartComponent({ componentName: "" }))).toBe(
      "InvalidArgumentsError",
    );
    // The nucleus gives an error that is not of this operation.
    expect(await code("RestartComponent", cli.restartComponent({ componentName: "none" }))).toBe(
      "no modelled error",
    );
    await reaches(TARGET, model.LifecycleState.RUNNING);
  },
  async StopComponent({ cli, code, reaches }) {
    expect(await cli.stopComponent({ componentName: TARGET })).toMatchObject({ stopStatus: "SUCCEEDED" });
    expect(await code("StopComponent", cli.stopComponent({ componentName: "" }))).toBe(
      "InvalidArgumentsError",
    );
    await reaches(TARGET, model.LifecycleState.FINISHED);
    await cli.restartComponent({ componentName: TARGET });
    await reaches(TARGET, model.LifecycleState.RUNNING);
  },
  async CreateLocalDeployment({ cli, code, root, rig }) {
    const recipes = join(rig.folder, "recipes");
    await mkdir(recipes, { recursive: true });
    const recipe = {
      RecipeFormatVersion: "2020-01-25",
      ComponentName: "com.example.Local",
      ComponentVersion: "1.0.0",
      Manifests: [{ Lifecycle: { Run: "exec sleep 100000" } }],
    };
    await writeFile(join(recipes, "com.example.Local-1.0.0.json"), JSON.stringify(recipe));
    const deploymentId = await localDeployment(cli, {
      recipeDirectoryPath: recipes,
      rootComponentVersionsToAdd: new Map([["com.example.Local", "1.0.0"]]),
    });
    await until("the local deployment succeeds", async () => {
      const { deployment } = await cli.getLocalDeploymentStatus({ deploymentId });
      return deployment?.status === model.DeploymentStatus.SUCCEEDED;
    });
    const create = (request: Parameters<Client["createLocalDeployment"]>[0]): Promise<string> =>
      code("CreateLocalDeployment", cli.createLocalDeployment(request));
    expect(await create({ groupName: "a:b" })).toBe("InvalidArgumentsError");
    expect(await create({ artifactsDirectoryPath: join(root, "packages") })).toBe(
      "InvalidArtifactsDirectoryPathError",
    );
  },
  async CancelLocalDeployment({ cli, code }) {
    const deploymentId = await localDeployment(cli);
    expect((await cli.cancelLocalDeployment({ deploymentId })).message).toContain(deploymentId);
    const unknown = { deploymentId: "00000000-0000-4000-8000-000000000000" };
    expect(await code("CancelLocalDeployment", cli.cancelLocalDeployment(unknown))).toBe(
      "ResourceNotFoundError",
    );
    expect(await code("CancelLocalDeployment", cli.cancelLocalDeployment({ deploymentId: "x" }))).toBe(
      "InvalidArgumentsError",
    );
  },
  async GetLocalDeploymentStatus({ cli, code }) {
    const deploymentId = await localDeployment(cli);
    expect((await cli.getLocalDeploymentStatus({ deploymentId })).deployment).toMatchObject({ deploymentId });
    const unknown = { deploymentId: "00000000-0000-4000-8000-000000000000" };
    expect(await code("GetLocalDeploymentStatus", cli.getLocalDeploymentStatus(unknown))).toBe(
      "ResourceNotFoundError",
    );
    // The nucleus gives an error that is not of this operation.
    expect(await code("GetLocalDeploymentStatus", cli.getLocalDeploymentStatus({ deploymentId: "x" }))).toBe(
      "no modelled error",
    );
  },
  async ListLocalDeployments({ cli }) {
    const deploymentId = await localDeployment(cli);
    const listed = (await cli.listLocalDeployments({})).localDeployments ?? [];
    expect(listed.map((one) => one.deploymentId)).toContain(deploymentId);
  },
  async CreateDebugPassword({ stranger, cli, code }) {
    const { username, password, passwordExpiration } = await cli.createDebugPassword({});
    expect([username, (password ?? "").length > 32, passwordExpiration instanceof Date]).toEqual([
      "debug",
      true,
      true,
    ]);
    expect(await code("CreateDebugPassword", stranger.createDebugPassword({}))).toBe("UnauthorizedError");
  },
};
