/** How a program ended. As in a shell, 127 is the code of one that is not there. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in the locale C.UTF-8, with `stdin` as a pipe that `/dev/stdin` opens. Never rejects but for the signal. */
export type RunProgram = (
  command: string,
  args: readonly string[],
  options?: { readonly stdin?: string; readonly signal?: AbortSignal | undefined },
) => Promise<Ended>;

export const NO_SUCH_PROGRAM = 127;
