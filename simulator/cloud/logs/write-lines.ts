import { ServiceError, type Input, type Output } from "../service.ts";

export interface Line {
  readonly timestamp: number;
  readonly message: string;
}

/** Puts lines into a stream from within the cloud; the stream is made when it is not there yet. */
export async function writeLines(
  invoke: (service: string, operation: string, input: Input) => Promise<Output>,
  where: { readonly logGroupName: string; readonly logStreamName: string },
  logEvents: readonly Line[],
): Promise<void> {
  await createOnce(invoke("logs", "CreateLogStream", where));
  await invoke("logs", "PutLogEvents", { ...where, logEvents });
}

/** That it exists already is what was wanted. */
export async function createOnce(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (failure) {
    if (!(failure instanceof ServiceError && failure.code === "ResourceAlreadyExistsException"))
      throw failure;
  }
}
