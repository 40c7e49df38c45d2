import { CloudWatchLogsClient, CreateLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import {
  CreateDeploymentCommand,
  GreengrassV2Client,
  ListDeploymentsCommand,
} from "@aws-sdk/client-greengrassv2";
import { CreateThingCommand, IoTClient } from "@aws-sdk/client-iot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { catalog } from "../catalog.ts";
import { serviceModel } from "../schema.ts";
import { startTestCloud, type TestCloud } from "../test-cloud.ts";
import { Constraints } from "./check.ts";
import { constraintsOf, type ServiceTable } from "./table.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.close());

/** Where the SDK's model names a label otherwise, or writes a slash at the end: the wire is the same. */
const wire = (path: string): string => path.replaceAll(/\{[^}+]+(\+?)\}/g, "{$1}").replace(/\/$/, "");

/** Members that AWS added after the pinned client was made. */
const newer = new Set(["secretsmanager CreateSecret CrossAccountPrimaryARN"]);

/** Of these the pinned client does not say which members must be there; the service looks itself. */
const unmarked = new Set(["iot-jobs-data"]);

test("every operation that is served is, in method, path, status, members and what they need, as AWS's own model has it", async () => {
  const differing: string[] = [];
  let compared = 0;
  for (const [service, entry] of Object.entries(catalog)) {
    const table = await constraintsOf(service);
    const served = Object.keys(cloud.cloud.services.get(service)?.operations ?? {});
    const model = serviceModel(await entry.load());
    const { protocol } = entry;
    if (protocol.kind === "aws-json")
      expect([service, table?.targetPrefix, table?.jsonVersion]).toEqual([
        service,
        protocol.targetPrefix,
        protocol.version,
      ]);
    for (const operation of served) {
      const here = model.operations.get(operation);
      const there = table?.operations[operation];
      if (here === undefined || there === undefined) {
        differing.push(`${service} ${operation} is in only one of the models: run npm run constraints`);
        continue;
      }
      const [method, path, status] = there.http;
      const http = here.http ?? { method: "POST", path: "/", status: 200 };
      const mine = {
        http: [http.method, wire(http.path), http.status],
        members: here.input.members.map(({ name }) => name).sort(),
        required: [...here.input.required].sort(),
      };
      const members = there.members.filter((member) => !newer.has(`${service} ${operation} ${member}`));
      const required = unmarked.has(service) ? [] : there.required;
      const theirs = { http: [method, wire(path), status], members, required };
      if (JSON.stringify(mine) !== JSON.stringify(theirs))
        differing.push(`${service} ${operation}: ${JSON.stringify({ mine, theirs })}`);
      compared++;
    }
  }
  expect(differing).toEqual([]);
  expect(compared).toBeGreaterThanOrEqual(128);
});

test("what breaks a constraint of the model is refused with AWS's own sentence, by each service's own error", async () => {
  const { client } = cloud;
  await expect(
    new IoTClient(client).send(new CreateThingCommand({ thingName: "a b" })),
  ).rejects.toMatchObject({
    name: "InvalidRequestException",
    message:
      "1 validation error detected: Value 'a b' at 'thingName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9:_-]+",
  });
  const greengrass = new GreengrassV2Client(client);
  await expect(greengrass.send(new ListDeploymentsCommand({ maxResults: 1000 }))).rejects.toMatchObject({
    name: "ValidationException",
    reason: "FIELD_VALIDATION_FAILED",
    fields: [{ name: "maxResults", message: expect.stringContaining("less than or equal to 100") }],
  });
  const wrong = {
    targetArn: "arn:aws:iot:us-east-1:123456789012:thing/x",
    deploymentPolicies: { failureHandlingPolicy: "PANIC" as never },
    components: { [""]: { componentVersion: "" } },
  };
  const refused: unknown = await greengrass
    .send(new CreateDeploymentCommand(wrong))
    .catch((failure: unknown) => failure);
  expect(refused).toMatchObject({ name: "ValidationException" });
  expect(String(refused)).toContain("3 validation errors detected: ");
  expect(String(refused)).toContain("Member must satisfy enum value set: [ROLLBACK, DO_NOTHING]");
  expect(String(refused)).toContain(
    "Map keys must satisfy constraint: [Member must have length greater than or equal to 1]",
  );
  const logs = new CloudWatchLogsClient(client);
  await expect(logs.send(new CreateLogGroupCommand({ logGroupName: "a b" }))).rejects.toMatchObject({
    name: "InvalidParameterException",
  });
  await expect(new DynamoDBClient(client).send(new ListTablesCommand({ Limit: 101 }))).rejects.toThrow(
    "Value '101' at 'Limit' failed to satisfy constraint: Member must have value less than or equal to 100",
  );
});

test("lists, bytes, nesting and the bound of the list of violations", () => {
  const table: ServiceTable = {
    source: "here",
    operations: { Do: { http: ["POST", "/", 200], input: "In", members: [], required: [] } },
    shapes: {
      In: { members: { list: "List", bytes: "Bytes", self: "In" } },
      List: { max: 2, item: "Name" },
      Name: { min: 1, max: 3, pattern: "[a-z]+" },
      Bytes: { max: 2 },
    },
  };
  const constraints = new Constraints(table);
  const paths = (input: unknown): string[] => constraints.violationsOf("Do", input).map(({ path }) => path);
  expect(paths({ list: ["a", "b"], bytes: new Uint8Array(2), unknown: 1 })).toEqual([]);
  expect(paths({ list: ["a", "B", "abcd"], bytes: new Uint8Array(3) })).toEqual([
    "list",
    "list.2.member",
    "list.3.member",
    "bytes",
  ]);
  expect(paths({ self: { self: { list: [""] } } })).toEqual(["self.self.list.1.member"]);
  expect(paths({ list: Array.from({ length: 100 }, () => "X") })).toHaveLength(20);
  expect(paths(undefined)).toEqual([]);
});
