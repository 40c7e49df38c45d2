import type { Client } from "aws-iot-device-sdk-v2/dist/greengrasscoreipc.js";
import { expect } from "vitest";
import { THING, text, type Exercises } from "./device-of-callers.ts";

/** What the shadow manager and the secret manager answer. */
export const shadowsAndSecrets: Exercises = {
  async GetThingShadow({ caller, code }) {
    await caller.updateThingShadow({
      thingName: THING,
      shadowName: "got",
      payload: JSON.stringify({ state: { desired: { a: 1 } } }),
    });
    const { payload } = await caller.getThingShadow({ thingName: THING, shadowName: "got" });
    expect(JSON.parse(text(payload))).toMatchObject({ state: { desired: { a: 1 } }, version: 1 });
    expect(
      await code("GetThingShadow", caller.getThingShadow({ thingName: THING, shadowName: "none" })),
    ).toBe("ResourceNotFoundError");
    expect(await code("GetThingShadow", caller.getThingShadow({ thingName: THING, shadowName: "?" }))).toBe(
      "InvalidArgumentsError",
    );
  },
  async UpdateThingShadow({ caller, stranger, code }) {
    const update = (document: object, client = caller): Promise<unknown> =>
      client.updateThingShadow({
        thingName: THING,
        shadowName: "updated",
        payload: JSON.stringify(document),
      });
    await update({ state: { reported: { a: 1 } } });
    const refusal = (document: object, client?: Client): Promise<string> =>
      code("UpdateThingShadow", update(document, client));
    expect(await refusal({ state: {}, version: 7 })).toBe("ConflictError");
    expect(await refusal({ other: {} })).toBe("InvalidArgumentsError");
    expect(await refusal({ state: {} }, stranger)).toBe("UnauthorizedError");
  },
  async DeleteThingShadow({ caller, stranger, code }) {
    const named = { thingName: THING, shadowName: "deleted" };
    await caller.updateThingShadow({ ...named, payload: JSON.stringify({ state: { desired: { a: 1 } } }) });
    await caller.deleteThingShadow(named);
    expect(await code("DeleteThingShadow", caller.deleteThingShadow(named))).toBe("ResourceNotFoundError");
    expect(await code("DeleteThingShadow", stranger.deleteThingShadow(named))).toBe("UnauthorizedError");
  },
  async ListNamedShadowsForThing({ caller, code }) {
    await caller.updateThingShadow({
      thingName: THING,
      shadowName: "listed",
      payload: JSON.stringify({ state: { desired: {} } }),
    });
    expect((await caller.listNamedShadowsForThing({ thingName: THING })).results).toContain("listed");
    const list = (pageSize: number): Promise<string> =>
      code("ListNamedShadowsForThing", caller.listNamedShadowsForThing({ thingName: THING, pageSize }));
    expect(await list(0)).toBe("InvalidArgumentsError");
  },
  async GetSecretValue({ caller, stranger, code, secretArn }) {
    const found = await caller.getSecretValue({ secretId: "site/key" });
    expect(found).toMatchObject({ secretId: secretArn, secretValue: { secretString: "open sesame" } });
    expect(await code("GetSecretValue", caller.getSecretValue({ secretId: "other" }))).toBe(
      "ResourceNotFoundError",
    );
    expect(await code("GetSecretValue", stranger.getSecretValue({ secretId: secretArn }))).toBe(
      "UnauthorizedError",
    );
    const both = { secretId: secretArn, versionId: "v", versionStage: "AWSCURRENT" };
    expect(await code("GetSecretValue", caller.getSecretValue(both))).toBe("ServiceError");
  },
};
