import { makeServiceModel } from "aws-iot-device-sdk-v2/dist/greengrasscoreipc/model_utils.js";
import { expect, test } from "vitest";
import { NAMESPACE, operations } from "./operations.ts";
import { parseRequest, requests } from "./requests.ts";

const official = makeServiceModel().operations;
const byText = (a = "", b = "") => a.localeCompare(b);
const bare = (shape: string | undefined) => shape?.replace(NAMESPACE, "");

test("the table of operations is the official client's service model", () => {
  expect(operations.map(({ name }) => name).toSorted(byText)).toEqual(
    [...official.keys()].map(bare).toSorted(byText),
  );
  for (const { name, response, events, errors } of operations) {
    const model = official.get(NAMESPACE + name);
    expect(response, name).toBe(bare(model?.responseShape));
    expect(events, name).toBe(bare(model?.inboundMessageShape));
    expect(errors.toSorted(byText), name).toEqual([...(model?.errorShapes ?? [])].map(bare).toSorted(byText));
  }
});

test("a missing member is InvalidArgumentsError, a wrong type ServiceError, and what is unknown is dropped", () => {
  const refused = (read: () => unknown) => {
    try {
      return read();
    } catch (thrown) {
      return (thrown as { code: string }).code;
    }
  };
  expect(refused(() => parseRequest("SubscribeToTopic", {}))).toBe("InvalidArgumentsError");
  expect(refused(() => parseRequest("SubscribeToTopic", { topic: 5 }))).toBe("ServiceError");
  expect(
    refused(() => parseRequest("SendConfigurationValidityReport", { configurationValidityReport: {} })),
  ).toBe("InvalidArgumentsError");
  expect(parseRequest("SubscribeToTopic", { topic: "t", more: 1 })).toEqual({ topic: "t" });
});

test("every operation that has a request schema is in the model", () => {
  const names = new Set<string>(operations.map(({ name }) => name));
  expect(Object.keys(requests).filter((name) => !names.has(name))).toEqual([]);
});
