import { expect, test } from "vitest";
import * as z from "zod";
import { catalog } from "./catalog.ts";

const Client = z.object({
  config: z.object({ protocol: z.object({ getShapeId: z.custom<() => string>() }) }),
});
const isConstructor = z.custom<new (settings: object) => unknown>((value) => typeof value === "function");

const shapeIds = {
  "rest-json": () => "aws.protocols#restJson1",
  "aws-json": (version: string) => `aws.protocols#awsJson${version.replace(".", "_")}`,
  "aws-query": () => "aws.protocols#awsQuery",
};

test("every unmodified client speaks by itself what its door reads: none asks for CBOR", async () => {
  const spoken: Record<string, string> = {};
  const read: Record<string, string> = {};
  for (const [service, { load, protocol }] of Object.entries(catalog)) {
    const [, made] = Object.entries(await load()).find(([name]) => /^[A-Z].*Client$/.test(name)) ?? [];
    const client = new (isConstructor.parse(made))({ region: "us-east-1" });
    spoken[service] = Client.parse(client).config.protocol.getShapeId();
    read[service] = shapeIds[protocol.kind](protocol.kind === "aws-json" ? protocol.version : "");
  }
  expect(spoken).toEqual(read);
});
