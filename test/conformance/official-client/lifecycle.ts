import { model, type Client } from "aws-iot-device-sdk-v2/dist/greengrasscoreipc.js";
import { expect } from "vitest";
import { CALLER, TARGET, type Exercises } from "./device-of-callers.ts";

/** States, pauses, and what only AWS's own components may ask. */
export const lifecycle: Exercises = {
  async UpdateState({ caller, cli, code }) {
    await caller.updateState({ state: model.ReportedLifecycleState.RUNNING });
    expect(await code("UpdateState", cli.updateState({ state: model.ReportedLifecycleState.RUNNING }))).toBe(
      "ResourceNotFoundError",
    );
  },
  async PauseComponent({ caller, stranger, code }) {
    await caller.pauseComponent({ componentName: TARGET });
    await caller.resumeComponent({ componentName: TARGET });
    expect(await code("PauseComponent", stranger.pauseComponent({ componentName: TARGET }))).toBe(
      "UnauthorizedError",
    );
    expect(await code("PauseComponent", caller.pauseComponent({ componentName: "none" }))).toBe(
      "ResourceNotFoundError",
    );
  },
  async ResumeComponent({ caller, code }) {
    await caller.pauseComponent({ componentName: TARGET });
    await caller.resumeComponent({ componentName: TARGET });
    expect(await code("ResumeComponent", caller.resumeComponent({ componentName: TARGET }))).toBe(
      "no modelled error",
    );
    expect(await code("ResumeComponent", caller.resumeComponent({ componentName: "none" }))).toBe(
      "ResourceNotFoundError",
    );
  },
  async PutComponentMetric({ caller, streamManager, code }) {
    const metrics = [{ name: "BytesUploaded", unit: model.MetricUnitType.BYTES, value: 5 }];
    await streamManager.putComponentMetric({ metrics });
    expect(await code("PutComponentMetric", caller.putComponentMetric({ metrics }))).toBe(
      "UnauthorizedError",
    );
    expect(await code("PutComponentMetric", streamManager.putComponentMetric({ metrics: [] }))).toBe(
      "InvalidArgumentsError",
    );
  },
  async ValidateAuthorizationToken({ caller, streamManager, code, tokenOf }) {
    const token = await tokenOf(CALLER);
    expect(await streamManager.validateAuthorizationToken({ token })).toEqual({ isValid: true });
    const validate = (client: Client): Promise<string> =>
      code("ValidateAuthorizationToken", client.validateAuthorizationToken({ token: "none" }));
    expect(await validate(streamManager)).toBe("InvalidTokenError");
    expect(await validate(caller)).toBe("UnauthorizedError");
  },
};
