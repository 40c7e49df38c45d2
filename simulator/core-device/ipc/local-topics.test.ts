import type { JsonObject } from "@coalmine/ports";
import { expect, test } from "vitest";
import { LocalTopics } from "./local-topics.ts";

test("every subscriber has a message of its own: what one does to it no other sees", () => {
  const topics = new LocalTopics();
  const heard: JsonObject[] = [];
  for (const component of ["a", "b", "c"])
    topics.subscribe(component, "t/#", "RECEIVE_ALL_MESSAGES", (event) => {
      heard.push(structuredClone(event));
      event["jsonMessage"] = `spoilt by ${component}`;
    });
  topics.publish("d", "t/1", { jsonMessage: { message: { points: [1, 2] } } });
  const whole = { jsonMessage: { message: { points: [1, 2] } } };
  expect(heard).toEqual([whole, whole, whole]);
});
