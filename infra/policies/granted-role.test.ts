import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CfnManagedPolicy, CfnRole } from "aws-cdk-lib/aws-iam";
import type { Stack } from "aws-cdk-lib/core";
import { afterAll, expect, test } from "vitest";
import * as z from "zod";
import { app } from "../app.ts";
import { policyCharactersMax } from "./granted-role.ts";

const folder = mkdtempSync(join(tmpdir(), "coalmine-ten-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("with a fleet in each of ten regions no role has longer policies, and no function more variables, than AWS takes", () => {
  const regions =
    "ap-northeast-1,ap-northeast-2,ap-south-1,ap-southeast-1,ap-southeast-2,ca-central-1,eu-central-1,eu-west-1,us-west-2";
  const { stacks } = app({ regions }, folder);
  const charactersOf = (stack: Stack, document: unknown): number =>
    JSON.stringify(stack.resolve(document))
      .replaceAll('{"Ref":"AWS::Partition"}', '"aws"')
      .replaceAll(/\{"Fn::Join":\["",(\["[^\]]*"\])\]\}/g, (_, parts: string) =>
        JSON.stringify(
          z
            .array(z.unknown())
            .parse(JSON.parse(parts))
            .map((part) => (typeof part === "string" ? part : JSON.stringify(part)))
            .join(""),
        ),
      ).length;
  const beside = new Map<unknown, number>();
  let longest = 0;
  for (const stack of stacks)
    for (const found of stack.node.findAll()) {
      if (found instanceof CfnManagedPolicy) {
        expect(charactersOf(stack, found.policyDocument), found.node.path).toBeLessThanOrEqual(
          policyCharactersMax.managed,
        );
        // Those for people are attached by whoever has people.
        if (found.roles === undefined) continue;
        const [role] = z
          .array(z.object({ Ref: z.string() }))
          .parse(
            [stack.resolve(found.roles)].flat().map((one) => (typeof one === "string" ? { Ref: one } : one)),
          );
        const key = `${stack.stackName} ${role?.Ref ?? ""}`;
        beside.set(key, (beside.get(key) ?? 0) + 1);
      }
      if (!(found instanceof CfnRole)) continue;
      const inline = z
        .array(z.object({ policyDocument: z.unknown() }))
        .parse(stack.resolve(found.policies ?? []));
      const characters = inline.reduce(
        (sum, { policyDocument }) => sum + charactersOf(stack, policyDocument),
        0,
      );
      longest = Math.max(longest, characters);
      expect(characters, found.node.path).toBeLessThanOrEqual(policyCharactersMax.inline);
    }
  // AWS attaches ten to a role unless more were asked for.
  expect(Math.max(...beside.values())).toBeLessThanOrEqual(10);
  // The controller has more than its own policy has room for: that is what is tried here.
  expect(Math.max(...beside.values())).toBeGreaterThan(1);
  expect(longest).toBeGreaterThan(policyCharactersMax.managed);
}, 60_000);
