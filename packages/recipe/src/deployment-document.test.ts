import fc from "fast-check";
import { expect, test } from "vitest";
import { deploymentDocument, parseDeploymentDocument } from "./index.ts";

const arn = "arn:aws:greengrass:eu-central-1:123456789012:configuration:thinggroup/presses:7";

test("keys are taken in any case, unknown ones ignored, defaults filled in", () => {
  expect(
    parseDeploymentDocument({
      DeploymentId: "d-1",
      CONFIGURATIONARN: arn,
      creationTimestamp: 1000,
      unknown: 1,
      Components: { a: { Version: "1.0.0", ConfigurationUpdate: { MERGE: { Key: 1 }, Reset: ["/x"] } } },
      componentUpdatePolicy: { Timeout: 5 },
    }),
  ).toEqual({
    deploymentId: "d-1",
    schemaDate: "2021-05-17",
    configurationArn: arn,
    creationTimestampMs: 1000,
    components: { a: { version: "1.0.0", configurationUpdate: { merge: { Key: 1 }, reset: ["/x"] } } },
    failureHandlingPolicy: "ROLLBACK",
    componentUpdatePolicy: { timeoutSeconds: 5, action: "NOTIFY_COMPONENTS" },
    configurationValidationPolicy: { timeoutSeconds: 60 },
    requiredCapabilities: [],
  });
});

test("a user taken away is told from a user not named", () => {
  const read = (runWith: unknown) =>
    parseDeploymentDocument({
      configurationArn: arn,
      creationTimestamp: 1,
      components: { a: { version: "1.0.0", runWith } },
    }).components["a"]?.runWith;
  expect(read(null)).toBeUndefined();
  expect(read({})).toEqual({});
  expect(read({ posixUser: null })).toEqual({ posixUser: null });
  expect(
    read({ PosixUser: "ggc_user:ggc_group", systemResourceLimits: { memory: 1024, cpus: 0.5 } }),
  ).toEqual({
    posixUser: "ggc_user:ggc_group",
    systemResourceLimits: { memory: 1024, cpus: 0.5 },
  });
});

test.each([
  ["nothing", null],
  ["no configuration ARN", { creationTimestamp: 1 }],
  [
    "a merge that is text, as only the API has it",
    {
      configurationArn: arn,
      creationTimestamp: 1,
      components: { a: { version: "1.0.0", configurationUpdate: { merge: "{}" } } },
    },
  ],
  ["an unknown policy", { configurationArn: arn, creationTimestamp: 1, failureHandlingPolicy: "HOPE" }],
])("a document with %s is refused by the nucleus's name for it", (_, json) => {
  expect(() => parseDeploymentDocument(json)).toThrow(/^DEPLOYMENT_DOCUMENT_PARSE_ERROR: /);
});

test("what is written is read back the same", () => {
  const text = fc.string({ minLength: 1 });
  const component = fc.record(
    {
      version: fc.constantFrom("1.0.0", "2.3.4-rc.1"),
      configurationUpdate: fc.record(
        {
          merge: fc.dictionary(fc.string(), fc.constantFrom<string | number | null>("x", 5, null)),
          reset: fc.array(text),
        },
        { requiredKeys: ["reset"] },
      ),
      runWith: fc.record({ posixUser: fc.option(text) }, { requiredKeys: [] }),
    },
    { requiredKeys: ["version"] },
  );
  const document = fc.record(
    {
      deploymentId: fc.uuid(),
      schemaDate: fc.constant("2021-05-17"),
      deploymentName: text,
      configurationArn: fc.constant(arn),
      onBehalfOf: text,
      creationTimestampMs: fc.nat(),
      components: fc.dictionary(fc.constantFrom("a", "b.c"), component),
      failureHandlingPolicy: fc.constantFrom("ROLLBACK" as const, "DO_NOTHING" as const),
      componentUpdatePolicy: fc.record({
        timeoutSeconds: fc.nat(),
        action: fc.constantFrom("NOTIFY_COMPONENTS" as const, "SKIP_NOTIFY_COMPONENTS" as const),
      }),
      configurationValidationPolicy: fc.record({ timeoutSeconds: fc.nat() }),
      requiredCapabilities: fc.array(text),
    },
    {
      requiredKeys: [
        "deploymentId",
        "schemaDate",
        "configurationArn",
        "creationTimestampMs",
        "components",
        "failureHandlingPolicy",
        "componentUpdatePolicy",
        "configurationValidationPolicy",
        "requiredCapabilities",
      ],
    },
  );
  fc.assert(
    fc.property(document, (made) => {
      const travelled: unknown = JSON.parse(JSON.stringify(deploymentDocument(made)));
      expect(parseDeploymentDocument(travelled)).toEqual(JSON.parse(JSON.stringify(made)));
    }),
    { numRuns: 200 },
  );
});
