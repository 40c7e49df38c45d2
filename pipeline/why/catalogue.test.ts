import { EffectiveDeploymentExecutionStatus } from "@aws-sdk/client-greengrassv2";
import {
  componentStatusCodes,
  deploymentErrorCodes,
  detailedDeploymentStatuses,
} from "@coalmine/contract/device-status";
import { expect, test } from "vitest";
import { RolloutRecord } from "../controller/audit.ts";
import { Look } from "../judge/bundle.ts";
import { Evidence } from "../rollout/evidence.ts";
import { catalogue, explainComponent, explainDeployment, explainExecution } from "./catalogue.ts";
import { outcomes, phases, verdicts } from "./phases.ts";

const deploymentCodes: readonly string[] = Object.values(deploymentErrorCodes).flat();

test("every word that a device, the judge or a rollout gives as a reason has an entry", () => {
  const records = RolloutRecord.options.map(({ shape }) => shape.kind.value);
  const unplanned = records.filter((kind) => !["planned", "told", "override"].includes(kind));
  const look = Evidence.options.find(({ shape }) => shape.kind.value === "look");
  const words = [
    ...deploymentCodes,
    ...Object.keys(deploymentErrorCodes),
    "COMPONENT_ERROR",
    "AWS_COMPONENT_ERROR",
    ...detailedDeploymentStatuses,
    ...componentStatusCodes,
    ...Object.values(EffectiveDeploymentExecutionStatus),
    ...Look.shape.failing.element.shape.how.options,
    ...(look !== undefined && "verdict" in look.shape ? look.shape.verdict.options : []),
    ...unplanned,
    ...Object.keys(phases),
    ...Object.keys(outcomes),
  ];
  expect(deploymentCodes).toHaveLength(103);
  expect(Object.keys(verdicts)).toHaveLength(4);
  expect(words.length).toBeGreaterThan(160);
  expect(words.filter((word) => !catalogue.has(word))).toEqual([]);
});

test("an entry is two halves of one sentence, and no two codes of a failed deployment mean the same", () => {
  for (const [word, halves] of catalogue)
    for (const half of halves) {
      expect(half.length, word).toBeGreaterThan(5);
      expect(half, word).not.toMatch(/[.;!?]$|^ | $|\n/);
    }
  const meanings = deploymentCodes.map((code) => catalogue.get(code)?.[0]);
  expect(new Set(meanings).size).toBe(meanings.length);
});

test("the innermost code that is known says most; an unknown one is told by its type", () => {
  const stack = [
    "DEPLOYMENT_FAILURE",
    "ARTIFACT_DOWNLOAD_ERROR",
    "CLOUD_API_ERROR",
    "ACCESS_DENIED",
    "NEW_CODE",
  ];
  expect(explainDeployment(stack, [])?.code).toBe("ACCESS_DENIED");
  expect(explainDeployment(["NEW_CODE"], ["DEVICE_ERROR"])).toMatchObject({
    code: "NEW_CODE",
    entry: [expect.stringContaining("device itself"), expect.any(String)],
  });
  expect(explainDeployment([], [])).toBeUndefined();
  expect(explainComponent(["NEW_CODE", "RUN_ERROR"])?.code).toBe("RUN_ERROR");
  expect(explainExecution("FAILED", "FAILED_UNABLE_TO_ROLLBACK: no room")[0]).toContain(
    "could not go back either",
  );
  expect(explainExecution("QUEUED", "")[0]).toBe("it has not begun its deployment");
  expect(explainExecution("NEW_STATUS", "")[0]).toContain("NEW_STATUS");
});
