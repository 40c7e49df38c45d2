import * as z from "zod";
import { invalid, operation } from "../iot/operation.ts";
import { type Operation, type Service, ServiceError } from "../service.ts";
import {
  DescribeInput,
  type DeviceJobs,
  Rejection,
  type RejectionCode,
  StartNextInput,
  stateOf,
  UpdateInput,
} from "./device-jobs.ts";
import type { Jobs } from "./jobs.ts";

const ThingInput = z.object({ thingName: z.string() });
const ExecutionInput = ThingInput.extend({ jobId: z.string() });

/** The service `iot-jobs-data`: what devices ask over MQTT, over HTTP, without a namespace. */
export function jobsDataService(jobs: Jobs, devices: DeviceJobs): Service {
  const documentOf = (jobId: string): string => jobs.job(jobId).document;
  return {
    signingName: "iot-jobs-data",
    operations: inHttpWords({
      GetPendingJobExecutions: operation(ThingInput, ({ thingName }) => {
        jobs.things.thing(thingName);
        return devices.pending(thingName, undefined);
      }),
      StartNextPendingJobExecution: operation(ThingInput.extend(StartNextInput.shape), (input) => {
        jobs.things.thing(input.thingName);
        const begun = devices.startNext(input.thingName, undefined, input);
        if (begun === undefined) return {};
        return { execution: { ...devices.described(begun), jobDocument: documentOf(begun.jobId) } };
      }),
      DescribeJobExecution: operation(ExecutionInput.extend(DescribeInput.shape), (input) => {
        const found = devices.describe(input.thingName, undefined, input.jobId, input);
        if (found === undefined) return {};
        const document = input.includeJobDocument === false ? {} : { jobDocument: documentOf(found.jobId) };
        return { execution: { ...devices.described(found), ...document } };
      }),
      UpdateJobExecution: operation(ExecutionInput.extend(UpdateInput.shape), (input) => {
        const moved = devices.update(input.thingName, undefined, input.jobId, input);
        return {
          executionState: input.includeJobExecutionState === true ? stateOf(moved) : undefined,
          jobDocument: input.includeJobDocument === true ? documentOf(moved.jobId) : undefined,
        };
      }),
    }),
  };
}

const refusals: Readonly<Partial<Record<RejectionCode, readonly [code: string, status: number]>>> = {
  ResourceNotFound: ["ResourceNotFoundException", 404],
  InvalidStateTransition: ["InvalidStateTransitionException", 409],
  TerminalStateReached: ["TerminalStateException", 410],
};

/** The same refusals by the names they have over HTTP. */
function inHttpWords(operations: Readonly<Record<string, Operation>>): Record<string, Operation> {
  return Object.fromEntries(
    Object.entries(operations).map(([name, run]): [string, Operation] => [
      name,
      async (input, caller) => {
        try {
          return await run(input, caller);
        } catch (failure) {
          if (!(failure instanceof Rejection)) throw failure;
          const [code, status] = refusals[failure.code] ?? [];
          throw code === undefined || status === undefined
            ? invalid(failure.message)
            : new ServiceError(code, status, failure.message);
        }
      },
    ]),
  );
}
